package origin

import (
	"strings"
	"testing"
)

// FuzzParseHost holds hosts of rules against patterns, which have the same hosts.
func FuzzParseHost(f *testing.F) {
	for _, s := range []string{
		"api.example.com", "*.example.com", "*", "", "*.", "*.*", "a*.test", "API.test", "a.test:80", "[::1]", "[::1]:80", "::1", "*.[::1]", "1.2.3.4", "*.1.2.3.4", "1.2.3", "a..b", ".a", "a.", "-a.test", "a_b.test",
		"xn--mnchen-3ya.de", "xn--a.test", "https://a.test", "a.test/x", "a@b.test", "\x00", "\u00e9.test", strings.Repeat("a", 64) + ".test", "*." + strings.Repeat("a.", 126) + "a", strings.Repeat("a.", 126) + "a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, subdomains, err := ParseHost(s)
		p, patternErr := ParsePattern("https://" + s)
		isHost := patternErr == nil && p.Port == NoPort && (p.Kind == Exact || p.Kind == Subdomains)
		if (err == nil) != isHost {
			t.Fatalf("%q: %v, as a pattern %v", s, err, patternErr)
		}
		if err != nil {
			if e := err.(*PatternError); e.Reason == "" || e.Fix == "" {
				t.Fatalf("%q: %+v", s, e)
			}
			return
		}
		if name != p.Host || subdomains != (p.Kind == Subdomains) {
			t.Fatalf("%q: %q, %v; as a pattern %q", s, name, subdomains, p.Host)
		}
	})
}
