package fetch

import (
	"slices"
	"strings"
	"testing"
)

var preflightVary = []string{"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}

func TestMergeVaryAppendsWhatIsMissing(t *testing.T) {
	const all = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	for _, c := range []struct {
		value string
		want  []string
		out   string
	}{
		{"", []string{"Origin"}, "Origin"},
		{"  ", []string{"Origin"}, "Origin"},
		{"Accept-Encoding", []string{"Origin"}, "Accept-Encoding, Origin"},
		{"Origin", []string{"Origin"}, "Origin"},
		{"ORIGIN , accept", []string{"Origin"}, "ORIGIN , accept"},
		{"accept,origin", []string{"Origin"}, "accept,origin"},
		{"accept,\torigin\t", []string{"Origin"}, "accept,\torigin\t"},
		{"X-Origin", []string{"Origin"}, "X-Origin, Origin"},
		{"Origins", []string{"Origin"}, "Origins, Origin"},
		{"Or igin", []string{"Origin"}, "Or igin, Origin"},
		{"*", []string{"Origin"}, "*"},
		{"accept, *", []string{"Origin"}, "accept, *"},
		{" * ", preflightVary, " * "},
		{"*a", []string{"Origin"}, "*a, Origin"},
		{"", preflightVary, all},
		{"Origin", preflightVary, all},
		{"access-control-request-headers", preflightVary, "access-control-request-headers, Origin, Access-Control-Request-Method"},
		{all, preflightVary, all},
		{"accept", nil, "accept"},
		{"\"*\"", []string{"Origin"}, "\"*\", Origin"},
	} {
		got, changed := MergeVary(c.value, c.want)
		if got != c.out || changed != (c.out != c.value) {
			t.Errorf("MergeVary(%q, %q) = %q, %v; want %q", c.value, c.want, got, changed, c.out)
		}
	}
}

func TestMergeVaryAllocatesNothingWhereNothingIsMissing(t *testing.T) {
	for _, value := range []string{"Accept-Encoding, Origin, Access-Control-Request-Method, access-control-request-headers", "*"} {
		if n := testing.AllocsPerRun(100, func() { MergeVary(value, preflightVary) }); n != 0 {
			t.Errorf("%q: %v allocations", value, n)
		}
	}
}

func elements(value string) []string {
	var all []string
	for _, e := range strings.Split(value, ",") {
		if e = strings.Trim(e, " \t"); e != "" {
			all = append(all, e)
		}
	}
	return all
}

// asciiLower is strings.ToLower for names: only ASCII letters change.
func asciiLower(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func FuzzMergeVary(f *testing.F) {
	for _, s := range []string{"", "*", "Origin", "accept-encoding,origin", "a,,b,", " , ", "a;*", "ACCESS-CONTROL-REQUEST-METHOD", "\x00", "\u212aOrigin", "origin\n", "\xff,*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, want := range [][]string{{"Origin"}, preflightVary} {
			merged, changed := MergeVary(value, want)
			if changed != (merged != value) && strings.Trim(value, " \t") == value {
				t.Fatalf("MergeVary(%q) = %q, %v", value, merged, changed)
			}
			if !changed && merged != value {
				t.Fatalf("MergeVary(%q) = %q, though nothing changed", value, merged)
			}
			had, has := elements(value), elements(merged)
			if len(has) < len(had) || !slices.Equal(has[:len(had)], had) {
				t.Fatalf("MergeVary(%q) = %q drops or moves elements", value, merged)
			}
			if slices.Contains(had, "*") {
				if changed {
					t.Fatalf("MergeVary(%q) = %q adds to a star", value, merged)
				}
				continue
			}
			lower := make([]string, len(has))
			for i, e := range has {
				lower[i] = asciiLower(e)
			}
			for _, w := range want {
				if !slices.Contains(lower, strings.ToLower(w)) {
					t.Fatalf("MergeVary(%q) = %q lacks %q", value, merged, w)
				}
			}
			for _, e := range has[len(had):] {
				if !slices.Contains(want, e) || slices.ContainsFunc(had, func(h string) bool { return asciiLower(h) == strings.ToLower(e) }) {
					t.Fatalf("MergeVary(%q) = %q adds %q", value, merged, e)
				}
			}
			if again, changed := MergeVary(merged, want); changed || again != merged {
				t.Fatalf("MergeVary(%q) = %q, and again %q", value, merged, again)
			}
		}
	})
}
