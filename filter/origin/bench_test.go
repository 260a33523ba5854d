package origin

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func add(b testing.TB, set *Set, text string) {
	b.Helper()
	p, err := ParsePattern(text)
	if err != nil {
		b.Fatalf("%q: %v", text, err)
	}
	set.Add(&p, 0)
}

// setOfSize has n patterns, a third of each kind, all under a few domains so that they share nodes.
func setOfSize(b testing.TB, n int) *Set {
	set := &Set{}
	for i := range n {
		switch i % 3 {
		case 0:
			add(b, set, fmt.Sprintf("https://app%d.customers.example.com", i))
		case 1:
			add(b, set, fmt.Sprintf("https://*.tenant%d.example.com", i))
		case 2:
			add(b, set, fmt.Sprintf("https://pr%d-*.preview.example.com", i))
		}
	}
	return set
}

var verdict Verdict

func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10, 10_000, 100_000} {
		set := setOfSize(b, n)
		for _, c := range []struct {
			name, value string
			want        Verdict
		}{
			{"exact", "https://app6.customers.example.com", Listed},
			{"subdomain", "https://a.b.tenant7.example.com", Listed},
			{"in-label", "https://pr8-fix.preview.example.com", Listed},
			{"miss", "https://www.evil.test", Unlisted},
			{"near miss", "https://pr8-fix.x.preview.example.com", Unlisted},
			{"malformed", "https://app6.customers.example.com/", Malformed},
		} {
			b.Run(fmt.Sprintf("%s/%d", c.name, n), func(b *testing.B) {
				b.ReportAllocs()
				for range b.N {
					verdict, _ = set.Match(c.value)
				}
				if verdict != c.want {
					b.Fatalf("Match(%q) = %d", c.value, verdict)
				}
			})
		}
	}
}

// hostile sets and origins: the most labels, and the most ways to lay a wildcard into a label.
func manyLabels(b testing.TB) (*Set, string) {
	set := &Set{}
	for n := 1; n <= 125; n++ {
		base := strings.Repeat("a.", n-1) + "a"
		if n < 125 {
			add(b, set, "http://*."+base) // another scheme: each is looked up in vain
		}
		if n < 124 {
			add(b, set, "http://x*."+base)
		}
	}
	return set, "https://" + strings.Repeat("a.", 126) + "a"
}

func manyShapes(b testing.TB) (*Set, string) {
	set := &Set{}
	label := strings.Repeat("a", MaxLabel)
	for _, base := range []string{"com", label + ".com", label + "." + label + ".com"} {
		for before := range MaxLabel {
			for after := 0; before+after < MaxLabel; after++ {
				if before+after > 0 {
					add(b, set, "http://"+strings.Repeat("a", before)+"*"+strings.Repeat("a", after)+"."+base)
				}
			}
		}
	}
	return set, "https://" + label + "." + label + "." + label + ".com"
}

func BenchmarkMatchHostile(b *testing.B) {
	for name, build := range map[string]func(testing.TB) (*Set, string){"labels": manyLabels, "shapes": manyShapes} {
		set, s := build(b)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				verdict, _ = set.Match(s)
			}
		})
	}
	b.Run("over-long", func(b *testing.B) {
		set, s := setOfSize(b, 10), strings.Repeat("https://a.", 10_000)
		for range b.N {
			verdict, _ = set.Match(s)
		}
	})
}

func TestTheMostHostileOriginIsMatchedInNoTime(t *testing.T) {
	const enough = 50 * time.Millisecond // a slow machine needs a tenth of it
	for name, build := range map[string]func(testing.TB) (*Set, string){"labels": manyLabels, "shapes": manyShapes} {
		set, s := build(t)
		best := time.Hour
		for range 5 {
			start := time.Now()
			verdict, _ = set.Match(s)
			best = min(best, time.Since(start))
		}
		if verdict != Unlisted || best > enough {
			t.Errorf("%s: verdict %d after %v", name, verdict, best)
		}
	}
}
