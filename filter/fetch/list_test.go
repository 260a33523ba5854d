package fetch

import (
	"slices"
	"strings"
	"testing"
)

// readList reads a list to its end.
func readList(value string) (elements []string, l List) {
	l = NewList(value)
	for e, ok := l.Next(); ok; e, ok = l.Next() {
		elements = append(elements, e)
	}
	return elements, l
}

// refList says with strings.Split what a List holds: the elements before the first fault, whether there was one, and whether an element before it was
// empty.
func refList(value string) (elements []string, malformed, hasEmpty bool) {
	if len(value) > MaxListBytes {
		return nil, true, false
	}
	empty := 0
	for _, e := range strings.Split(value, ",") {
		e = strings.Trim(e, " \t")
		switch {
		case e == "":
			if empty++; empty > MaxEmptyElements {
				return elements, true, true
			}
		case strings.ContainsFunc(e, func(r rune) bool {
			return r >= 0x80 || r <= ' ' || r == 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
		}):
			return elements, true, empty > 0
		default:
			elements = append(elements, e)
		}
	}
	return elements, false, empty > 0
}

func checkList(t *testing.T, value string) {
	t.Helper()
	got, l := readList(value)
	want, malformed, hasEmpty := refList(value)
	if !slices.Equal(got, want) || l.Malformed() != malformed || l.HasEmpty() != hasEmpty {
		t.Fatalf("%.200q: %.200q, malformed %v, empty %v; want %.200q, %v, %v", value, got, l.Malformed(), l.HasEmpty(), want, malformed, hasEmpty)
	}
	if e, ok := l.Next(); ok || e != "" {
		t.Fatalf("%.200q: an element after the end: %q", value, e)
	}
}

var listSeeds = []string{
	"", " ", ",", " , ", "a", "a,b", "a, b", "a ,\tb ", "\ta\t", "a,,b", ",a", "a,", "a b", "a;q=1", "a,b c,d", "x-custom,content-type", "A,a", "*", "a,*", "a\x00", "a,\xff", "é", "a\n", "a,\r\n b",
	"(", "a:b", "\"a\"", strings.Repeat(",", 15), strings.Repeat(",", 16), strings.Repeat(",", 17), strings.Repeat("a,", 5000), "\u00a0", "a,\v,b", "a,\u2003",
}

func TestListsAgreeWithSplitting(t *testing.T) {
	for _, s := range listSeeds {
		checkList(t, s)
	}
}

func TestListsAreBoundedInBytes(t *testing.T) {
	for _, c := range []struct {
		value     string
		elements  int
		malformed bool
	}{
		{strings.Repeat("a", MaxListBytes), 1, false},
		{strings.Repeat("a", MaxListBytes+1), 0, true},
		{strings.Repeat("a,", MaxListBytes/2-1) + "aa", MaxListBytes / 2, false},
		{strings.Repeat("a,", MaxListBytes/2) + "a", 0, true},
		{strings.Repeat(" ", MaxListBytes-1) + "a", 1, false},
		{strings.Repeat(" ", MaxListBytes) + "a", 0, true},
	} {
		got, l := readList(c.value)
		if len(got) != c.elements || l.Malformed() != c.malformed {
			t.Errorf("%d bytes: %d elements, malformed %v", len(c.value), len(got), l.Malformed())
		}
		checkList(t, c.value)
	}
	if MaxListBytes != 8192 || MaxEmptyElements != 16 {
		t.Error("the bounds are not those of the reference")
	}
}

func TestListsAreBoundedInEmptyElements(t *testing.T) {
	for _, c := range []struct {
		value     string
		malformed bool
	}{
		{strings.Repeat(",", 16) + "a", false}, {strings.Repeat(",", 17) + "a", true},
		{"a" + strings.Repeat(",", 16), false}, {"a" + strings.Repeat(",", 17), true},
		{strings.Repeat(",", 15), false}, {strings.Repeat(",", 16), true}, // one more element than commas
		{strings.Repeat("a, ,", 16) + "b", false}, {strings.Repeat("a, ,", 17) + "b", true},
	} {
		_, l := readList(c.value)
		if l.Malformed() != c.malformed || !l.HasEmpty() {
			t.Errorf("%q: malformed %v, empty %v", c.value, l.Malformed(), l.HasEmpty())
		}
		checkList(t, c.value)
	}
}

func TestReadingAListAllocatesNothing(t *testing.T) {
	value := strings.Repeat("x-custom, ", 100) + "content-type"
	if n := testing.AllocsPerRun(100, func() {
		l := NewList(value)
		for _, ok := l.Next(); ok; _, ok = l.Next() {
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzList(f *testing.F) {
	for _, s := range listSeeds {
		f.Add(s, uint16(0))
	}
	f.Add(" , a", uint16(2048))
	f.Add("a,", uint16(4096))
	f.Fuzz(func(t *testing.T, s string, times uint16) {
		checkList(t, s)
		if n := len(s) * int(times); n <= 2*MaxListBytes {
			checkList(t, strings.Repeat(s, int(times)))
		}
	})
}
