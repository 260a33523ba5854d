package config

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"corsguard/filter/policy"
)

// inMemory returns text as a string of memory that a test may write.
func inMemory(memory []byte, text string) string {
	memory = memory[:copy(memory, text)]
	return unsafe.String(unsafe.SliceData(memory), len(memory))
}

// readFurther reads a document to its end, and calls each after every element.
func readFurther(d *Document, each func()) (*policy.Fetched, error) {
	for !d.Step(1) {
		each()
	}
	each()
	return d.Result()
}

// Two documents are used in turn. What the one in force lists stays what it is while others are read into the other, right or wrong or given up, and whatever is written over
// their text between.
func TestADocumentInForceStaysWhileOthersAreRead(t *testing.T) {
	listed := decider(t)
	const size = 1 << 14
	asks := [][2]string{
		{"x.example", "https://ab.test"}, {"x.example", "https://sub.ab.test"}, {"x.example", "https://pr-1.ab.test"}, {"x.example", "https://v.ab.test"}, {"x.example", "https://ab.test:1"},
		{"y.example", "https://ab.test"}, {"any.example", "https://ab.test"}, {"any.example", "https://sub.ab.test"}, {"any.example", "https://v.ab.test"},
		{"x.example", "https://cd.test"}, {"any.example", "https://cd.test"}, {"any.example", "https://sub.cd.test"}, {"y.example", "https://v.cd.test"},
	}
	const all = `"https://%s.test", "https://*.%[1]s.test", "https://pr-*.%[1]s.test", "https://%[1]s.test:*", {"regex": "https://(v|w)\\.%[1]s\\.test"}`
	var texts []string
	for _, name := range []string{"ab", "cd"} {
		list := fmt.Sprintf(`{"allowOrigins": [`+all+`]}`, name)
		texts = append(texts, list, fmt.Sprintf(`{"hosts": {"x.example": %s}}`, list), fmt.Sprintf(`{"hosts": {"y.example": {"allowOrigins": []}, "x.example": %s}}`, list))
	}
	texts = append(texts, `{"allowOrigins": []}`, `{"hosts": {}}`)
	for _, first := range texts {
		want := func(text string) (granted []bool) {
			f, err := readFetched(text, anySource, 1)
			if err != nil {
				t.Fatal(err)
			}
			for _, ask := range asks {
				granted = append(granted, listed(f, ask[0], ask[1]))
			}
			return granted
		}
		memory := [2][]byte{make([]byte, size), make([]byte, size)}
		inForce, err := readFurther(NewDocument(inMemory(memory[0], first), &anySource, Room(0)), func() {})
		if err != nil {
			t.Fatal(err)
		}
		granted := want(first)
		stays := func(while string) {
			t.Helper()
			for i, ask := range asks {
				if got := listed(inForce, ask[0], ask[1]); got != granted[i] {
					t.Fatalf("%s: %s for %s: %v while %.60q is read", first, ask[1], ask[0], got, while)
				}
			}
		}
		spare, err := readFetched(texts[0], anySource, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range texts {
			wrong := text[:len(text)-1]
			d := NewDocument(inMemory(memory[1], wrong), &anySource, spare)
			if _, err := readFurther(d, func() { stays(wrong) }); err == nil {
				t.Fatalf("%q was taken", wrong)
			}
			NewDocument(inMemory(memory[1], text), &anySource, spare).Step(2) // given up
			stays(text)
			inMemory(memory[1], strings.Repeat("\xff", size))
			stays("noise")
			next, err := readFurther(NewDocument(inMemory(memory[1], text), &anySource, spare), func() { stays(text) })
			if err != nil || next != spare {
				t.Fatalf("%s: %p of %p, %v", text, next, spare, err)
			}
			var got []bool
			for _, ask := range asks {
				got = append(got, listed(next, ask[0], ask[1]))
			}
			if !slices.Equal(got, want(text)) {
				t.Fatalf("%s lists %v, and %v when new", text, got, want(text))
			}
		}
	}
}

// The text of a document is memory for others as soon as it was replaced, so nothing may hold a part of it: no key, label, host or expression.
func TestADocumentThatWasReplacedHoldsNothingOfItsText(t *testing.T) {
	const list = `{"allowOrigins": ["https://ab.test", "https://*.ab.test", "https://pr-*.ab.test", "https://a.*-ab.test", "https://ab.test:*", "ab://*", {"exact": "http://ab.test"},
		{"regex": "https://(v|w)\\.ab\\.test"}]}`
	for _, text := range []string{list, `{"hosts": {"x.example": ` + list + `, "y.example": ` + list + `}}`} {
		for _, mistake := range []string{"", "}"} {
			freed := make(chan struct{})
			used := func() *policy.Fetched {
				memory := make([]byte, 1<<16)
				runtime.AddCleanup(&memory[0], func(freed chan struct{}) { close(freed) }, freed)
				used := policy.NewFetched(0)
				for d := NewDocument(inMemory(memory, text+mistake), &anySource, used); !d.Step(3); {
					continue
				}
				return used
			}()
			runtime.GC()
			select {
			case <-freed:
				t.Fatal("the text is gone while its document is there")
			default:
			}
			if next := NewDocument(`{"allowOrigins": []}`, &anySource, used); !next.Step(10) {
				t.Fatal("it has more than two steps")
			}
			runtime.GC()
			runtime.GC()
			wait(t, freed, text+mistake)
			runtime.KeepAlive(used)
		}
	}
}

func wait(t *testing.T, freed <-chan struct{}, text string) {
	t.Helper()
	for range 1000 {
		select {
		case <-freed:
			return
		default:
			runtime.Gosched()
			runtime.GC()
		}
	}
	t.Errorf("something holds a part of %.60s", text)
}
