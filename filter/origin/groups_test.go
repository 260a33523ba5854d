package origin

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// randomGroups gives patterns in groups.
func randomGroups(r *rand.Rand) [][]Pattern {
	groups := make([][]Pattern, 1+r.IntN(5))
	for i := range groups {
		for range r.IntN(5) {
			if p, err := ParsePattern(randomPattern(r)); err == nil {
				groups[i] = append(groups[i], p)
			}
		}
	}
	return groups
}

func matchesAlone(p *Pattern, s string) bool {
	var set Set
	set.Add(p, 0)
	verdict, _ := set.Match(s)
	return verdict == Listed
}

func textsOf(groups [][]Pattern) (texts []string) {
	for _, g := range groups {
		for i := range g {
			texts = append(texts, g[i].String())
		}
	}
	return texts
}

func TestTheFirstGroupThatKnowsAnOriginWins(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 4))
	wins := map[int32]int{}
	for range 4000 {
		groups := randomGroups(r)
		var set Set
		for i := range groups {
			var l List
			for j := range groups[i] {
				l.Add(&groups[i][j])
			}
			set.AddList(&l, int32(i))
		}
		for range 20 {
			s := randomOrigin(r, textsOf(groups))
			want := noGroup
			for i := len(groups) - 1; i >= 0; i-- {
				for j := range groups[i] {
					if matchesAlone(&groups[i][j], s) {
						want = int32(i)
					}
				}
			}
			verdict, got := set.Match(s)
			if got != want || (verdict == Listed) != (want != noGroup) {
				t.Fatalf("%q: %v, group %d, want %d, among %q", s, verdict, got, want, textsOf(groups))
			}
			wins[got]++
		}
	}
	for g := range int32(4) {
		if wins[g] < 50 {
			t.Errorf("group %d won %d times", g, wins[g])
		}
	}
}

func TestWhatIsCoveredNeverWins(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 4))
	covered := 0
	for range 20_000 {
		var set Set
		var texts []string
		for range 1 + r.IntN(4) {
			if p, err := ParsePattern(randomPattern(r)); err == nil {
				set.Add(&p, 0)
				texts = append(texts, p.String())
			}
		}
		p, err := ParsePattern(randomPattern(r))
		if err != nil || !set.Covers(&p) {
			continue
		}
		covered++
		for range 10 {
			if s := randomOrigin(r, append(texts, p.String())); matchesAlone(&p, s) {
				if verdict, _ := set.Match(s); verdict != Listed {
					t.Fatalf("%q is said to be covered by %q, which does not match %q", p.String(), texts, s)
				}
			}
		}
	}
	if covered < 300 {
		t.Errorf("only %d patterns were covered", covered)
	}
}

func TestCoverIsFoundPatternByPattern(t *testing.T) {
	for _, c := range []struct {
		by, pattern string
		want        bool
	}{
		{"https://a.test", "https://a.test", true}, {"https://a.test", "http://a.test", false}, {"https://a.test", "https://a.test:1", false}, {"https://a.test", "https://b.a.test", false},
		{"https://a.test:*", "https://a.test", true}, {"https://a.test:*", "https://a.test:8443", true}, {"https://a.test:*", "https://a.test:*", true}, {"https://a.test", "https://a.test:*", false},
		{"https://*.a.test", "https://b.a.test", true}, {"https://*.a.test", "https://c.b.a.test", true}, {"https://*.a.test", "https://a.test", false}, {"https://*.a.test", "https://b.a.test:1", false},
		{"https://*.a.test", "https://*.a.test", true}, {"https://*.a.test", "https://*.b.a.test", true}, {"https://*.b.a.test", "https://*.a.test", false}, {"https://*.a.test", "https://*.xa.test", false},
		{"https://*.a.test:*", "https://*.b.a.test:8443", true}, {"https://*.a.test:*", "https://b.a.test:*", true}, {"https://*.a.test", "https://*.b.a.test:*", false}, {"https://*.a.test:1", "https://*.a.test:2", false},
		{"https://*.a.test", "https://pr-*.a.test", true}, {"https://*.a.test", "https://pr-*.b.a.test", true}, {"https://*.b.a.test", "https://pr-*.a.test", false}, {"https://*.a.test", "http://pr-*.a.test", false},
		{"https://p*.a.test", "https://pr-*.a.test", true}, {"https://*-x.a.test", "https://pr-*-x.a.test", true}, {"https://p*x.a.test", "https://pr*ax.a.test", true}, {"https://pr-*.a.test", "https://p*.a.test", false},
		{"https://p*x.a.test", "https://p*.a.test", false}, {"https://pr-*.a.test", "https://pr-1.a.test", true}, {"https://pr-*.a.test", "https://pr-1.b.a.test", false}, {"https://pr-*.a.test", "https://*.a.test", false},
		{"https://pr-*.a.test:*", "https://pr-1*.a.test:8443", true}, {"https://pr-*.a.test", "https://pr-*.a.test:*", false}, {"https://b.p*.a.test", "https://b.pr*.a.test", true}, {"https://c.p*.a.test", "https://b.pr*.a.test", false},
		{"https://*.a.test", "https://b.p*.a.test", true}, {"https://p*.a.test", "https://p_x.a.test", false}, {"https://p*.a.test", "https://p_*.a.test", false},
		{"https://*", "https://a.test", true}, {"https://*", "https://*.a.test:*", true}, {"https://*", "https://pr-*.a.test", true}, {"https://*", "https://*", true}, {"https://*", "http://a.test", false}, {"https://*", "*", false},
		{"*", "*", true}, {"*", "https://*", true}, {"*", "https://a.test", true}, {"*", "capacitor://localhost", true}, {"http://[::1]:*", "http://[::1]:3000", true}, {"http://[::1]:3000", "http://[::1]:*", false},
	} {
		by, err := ParsePattern(c.by)
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		var set Set
		set.Add(&by, 0)
		if got := set.Covers(&p); got != c.want {
			t.Errorf("%s covers %s: %v", c.by, c.pattern, got)
		}
	}
}

// An origin for which the expressions of the first group take too long must not get what a later group grants.
func TestAnOriginThatExpressionsTakeTooLongForIsNotListed(t *testing.T) {
	var set Set
	for i := range 60 {
		p, err := ParseRegex(fmt.Sprintf(`https://.*a.{50}x%d\.example\.com`, i))
		if err != nil {
			t.Fatal(err)
		}
		set.Add(&p, 0)
	}
	later, err := ParsePattern("https://*.example.com")
	if err != nil {
		t.Fatal(err)
	}
	set.Add(&later, 1)
	long := "https://" + strings.Repeat(strings.Repeat("a", 60)+".", 3) + "example.com"
	set.AddList(&List{Exact: []string{long, "https://app.example.org"}}, 2)
	for s, want := range map[string]Verdict{"https://app.example.com": Listed, "https://" + strings.Repeat("b", 60) + ".example.com": Listed, long: Unlisted} {
		if verdict, group := set.Match(s); verdict != want || want == Listed && group != 1 {
			t.Errorf("%s: %v, group %d", s, verdict, group)
		}
	}
}
