package regex

import (
	"math/rand"
	"strconv"
	"strings"
	"testing"
)

// grammar writes random expressions: mostly of RE2's syntax, of everything that is supported, and of a little that is not.
type grammar struct{ *rand.Rand }

func (g grammar) pick(list ...string) string { return list[g.Intn(len(list))] }

func (g grammar) alternatives(depth int) string {
	var parts []string
	for n := 1 + g.Intn(3)*g.Intn(2); n > 0; n-- {
		parts = append(parts, g.sequence(depth))
	}
	return strings.Join(parts, "|")
}

func (g grammar) sequence(depth int) string {
	var text strings.Builder
	for n := g.Intn(4); n > 0; n-- {
		text.WriteString(g.atom(depth))
		if g.Intn(3) == 0 {
			text.WriteString(g.pick("*", "+", "?", "{0}", "{1}", "{2}", "{0,}", "{1,}", "{2,}", "{0,1}", "{0,2}", "{1,3}", "{,2}", "{", "}", "{1", "{1,", "{03}", "{3,1}", "{5}", "{12}", "**"))
			text.WriteString(g.pick("", "", "", "?"))
		}
	}
	return text.String()
}

func (g grammar) atom(depth int) string {
	switch k := g.Intn(12); {
	case k < 3 && depth > 0:
		return g.pick("(", "(?:", "(?P<n"+strconv.Itoa(g.Intn(50))+">", "(?<x1>", "(") + g.alternatives(depth-1) + ")"
	case k < 5:
		return g.class()
	case k == 5:
		return g.pick(`^`, `$`, `\A`, `\z`)
	case k == 6:
		return g.pick(`\d`, `\D`, `\w`, `\W`, `\s`, `\S`, `.`, `\.`, `\x41`, `\x{062}`, `\t`, `\n`, `\\`, `\*`, `\-`, `\_`, `\[`, `\x{`, `\b`, `\12`)
	}
	return g.pick("a", "b", "c", "A", "B", "K", "1", "-", ".", ":", "/", "]", "}", " ", "\n", "{", "\x7f", "\x00")
}

func (g grammar) class() string {
	var text strings.Builder
	text.WriteString(g.pick("[", "[", "[^"))
	for n := 1 + g.Intn(3); n > 0; n-- {
		text.WriteString(g.pick("a", "b-d", "A-C", "]", "-", "^", "[", ".", "0-9", "[:alpha:]", "[:^digit:]", "[:upper:]", "[:punct:]", "[:space:]", `\d`, `\W`, `\-`, `\]`, `\x41-\x{44}`, `@-a`, "Z-b", " -/", "a-", "[:", ":]", "[:nope:]", "z-a", `\n`))
	}
	return text.String() + "]"
}

func generate(seed int64) string {
	g := grammar{rand.New(rand.NewSource(seed))}
	return g.pick("", "", "", "(?i)", "^") + g.alternatives(3) + g.pick("", "", "$")
}

// inputs returns strings to try on r: samples, samples with a byte changed, taken out or put in, and random ones.
func inputs(r *Regexp, rng *rand.Rand) []string {
	const alphabet = "aabbccABK1-.:/]} \n{\x7f\x00dzZ0_[^,*2"
	all := append(r.Samples(12), "", "\n", "a")
	for n := len(all); n > 0; n-- {
		s := all[n-1]
		at := rng.Intn(len(s) + 1)
		c := string(alphabet[rng.Intn(len(alphabet))])
		all = append(all, s[:at]+c+s[at:])
		if at < len(s) {
			all = append(all, s[:at]+c+s[at+1:], s[:at]+s[at+1:])
		}
	}
	for n := 0; n < 12; n++ {
		s := make([]byte, rng.Intn(8))
		for i := range s {
			s[i] = alphabet[rng.Intn(len(alphabet))]
			if rng.Intn(8) == 0 {
				s[i] = byte(rng.Intn(128))
			}
		}
		all = append(all, string(s))
	}
	return all
}

// check compares text with Go's regexp, on strings chosen by seed. It reports whether both take text.
func check(t *testing.T, text string, seed int64) bool {
	t.Helper()
	r, err := Compile(text)
	reference := whole(text)
	if err != nil {
		if e := err.(*Error); reference != nil && !isRestriction(e.Reason) {
			t.Errorf("%q: RE2 takes it, and %q is no restriction", text, e.Reason)
		}
		return false
	}
	if reference == nil {
		t.Errorf("%q is accepted, and RE2 refuses it", text)
		return false
	}
	for _, s := range inputs(r, rand.New(rand.NewSource(seed))) {
		if got, want := r.Match(s), reference.MatchString(s); got != want {
			t.Errorf("%q matches %q: %v, RE2 says %v", text, s, got, want)
		}
	}
	return true
}

func TestRandomExpressionsAgreeWithRE2(t *testing.T) {
	n := int64(20000)
	if testing.Short() {
		n = 2000
	}
	taken := int64(0)
	for seed := int64(0); seed < n; seed++ {
		if check(t, generate(seed), seed) {
			taken++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	if taken < n/3 || taken > n*19/20 {
		t.Errorf("%d of %d are accepted: the grammar is lopsided", taken, n)
	}
}

func FuzzRegexp(f *testing.F) {
	for i, c := range accepted {
		f.Add(c.text, int64(i))
	}
	for i, c := range refused {
		f.Add(c.text, int64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed int64) {
		check(t, text, seed)
		check(t, generate(seed), seed)
	})
}
