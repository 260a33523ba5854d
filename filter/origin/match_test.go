package origin

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// setOf makes the set of those texts that are patterns, and what the reference makes of them.
func setOf(texts []string) (set *Set, matchers []*regexp.Regexp, accepted []string) {
	set = &Set{}
	for _, text := range texts {
		p, err := ParsePattern(text)
		if err != nil {
			continue
		}
		set.Add(&p, 0)
		matchers = append(matchers, refMatcher(text))
		accepted = append(accepted, text)
	}
	return set, matchers, accepted
}

func checkMatch(t *testing.T, set *Set, matchers []*regexp.Regexp, patterns []string, s string) Verdict {
	t.Helper()
	got, _ := set.Match(s)
	want := refMatch(matchers, s)
	if got != want {
		t.Fatalf("Match(%q) = %d, the reference says %d; patterns %q", s, got, want, patterns)
	}
	return got
}

func TestMatchAgreesWithTheReferenceOnRandomSets(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 2))
	var seen [3]int
	for range 4000 {
		texts := make([]string, r.IntN(12))
		for i := range texts {
			texts[i] = randomPattern(r)
		}
		set, matchers, patterns := setOf(texts)
		for range 40 {
			seen[checkMatch(t, set, matchers, patterns, randomOrigin(r, patterns))]++
		}
	}
	for verdict, n := range seen {
		if n < 10000 {
			t.Errorf("verdict %d came up %d times: the generator does not reach it", verdict, n)
		}
	}
}

// Every mutant of an allowed origin within one byte is refused, or is the origin of another pattern.
func TestMatchRefusesAllNeighboursOfAnExactOrigin(t *testing.T) {
	texts := []string{"https://app.example.com", "http://localhost:8080", "https://[2001:db8::1]", "https://127.0.0.1"}
	set, matchers, patterns := setOf(texts)
	if len(patterns) != len(texts) {
		t.Fatalf("accepted %q of %q", patterns, texts)
	}
	for _, text := range texts {
		for at := 0; at <= len(text); at++ {
			for c := range 256 {
				b := string([]byte{byte(c)})
				variants := []string{text[:at] + b + text[at:]}
				if at < len(text) {
					variants = append(variants, text[:at]+b+text[at+1:], text[:at]+text[at+1:])
				}
				for _, v := range variants {
					if checkMatch(t, set, matchers, patterns, v) == Listed && v != text {
						t.Fatalf("%q passes for %q", v, text)
					}
				}
			}
		}
	}
}

func TestMatchTakesOriginsAtTheBoundsOfTheirParts(t *testing.T) {
	label := strings.Repeat("a", MaxLabel)
	host := label + "." + label + "." + label + "." + strings.Repeat("a", MaxHost-3*MaxLabel-3)
	scheme := strings.Repeat("s", MaxScheme)
	longest := scheme + "://" + host + ":65535"
	if len(longest) != MaxLen || len(host) != MaxHost {
		t.Fatalf("%d bytes, host %d", len(longest), len(host))
	}
	texts := []string{longest, scheme + "://*." + strings.TrimPrefix(host, label+"."), "https://*"}
	set, matchers, patterns := setOf(texts)
	for s, want := range map[string]Verdict{
		longest:                  Listed,
		longest + "0":            Malformed,
		"s" + longest:            Malformed,
		scheme + "://" + host:    Listed,
		"https://" + host:        Listed,
		"https://" + host + "a":  Malformed,
		"https://a" + label:      Malformed,
		"https://" + label:       Listed,
		"https://" + host + ":1": Listed,
		"wss://" + host:          Unlisted,
	} {
		if got := checkMatch(t, set, matchers, patterns, s); got != want {
			t.Errorf("Match(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestTheZeroSetMatchesNothing(t *testing.T) {
	var set Set
	for s, want := range map[string]Verdict{"": Malformed, "null": Malformed, "https://a": Unlisted, "*": Malformed} {
		if got, _ := set.Match(s); got != want {
			t.Errorf("Match(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	set, _, _ := setOf([]string{
		"https://app.example.com", "https://*.example.com", "https://pr-*.preview.example.com", "https://a*.b.example.com:*", "http://localhost:*", "capacitor://*",
	})
	for _, s := range []string{
		"https://app.example.com", "https://a.b.c.example.com", "https://pr-1.preview.example.com", "https://ab.b.example.com:1", "http://localhost:3000",
		"capacitor://localhost", "https://evil.test", "null", "", "https://" + strings.Repeat("a.", 126) + "a", strings.Repeat("x", 10000),
	} {
		if n := testing.AllocsPerRun(100, func() { set.Match(s) }); n != 0 {
			t.Errorf("Match(%.40q) allocates %v times", s, n)
		}
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("https://*.example.com", "https://a.example.com.evil.test", uint64(1))
	f.Add("https://*.example.com\nhttps://example.com", "https://xexample.com", uint64(2))
	f.Add("https://pr-*.preview.example.com", "https://pr-1.x.preview.example.com", uint64(3))
	f.Add("https://x.pr-*.a.b\nhttps://pr-*.a.b:*", "https://x.pr-1.a.b:1", uint64(4))
	f.Add("http://localhost:*", "http://localhost:00080", uint64(5))
	f.Add("http://[::1]:*\nhttp://127.0.0.1:*", "http://[0:0::1]:1", uint64(6))
	f.Add("https://*\ncapacitor://localhost", "https://\u212a.example.com", uint64(7))
	f.Add("*", "https://a\x00.example.com", uint64(8))
	f.Add("https://a*.com\nhttps://*a.com\nhttps://a*a.com", "https://aa.com", uint64(9))
	f.Add("https://*.0x1\nhttps://*.1.2.3.4", "https://a.1.2.3.4", uint64(10))
	f.Fuzz(func(t *testing.T, texts, s string, seed uint64) {
		set, matchers, patterns := setOf(strings.Split(texts, "\n"))
		checkMatch(t, set, matchers, patterns, s)
		r := rand.New(rand.NewPCG(seed, 0))
		checkMatch(t, set, matchers, patterns, mutate(r, s))
		for range 8 {
			checkMatch(t, set, matchers, patterns, randomOrigin(r, patterns))
		}
	})
}
