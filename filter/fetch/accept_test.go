package fetch

import (
	"strings"
	"testing"
)

func TestJSONIsForThoseWhoNameIt(t *testing.T) {
	for value, want := range map[string]bool{
		"":                                   false,
		"*/*":                                false,
		"application/*":                      false,
		"text/plain":                         false,
		"text/html, application/xhtml+xml":   false,
		"application/json":                   true,
		"Application/JSON":                   true,
		"application/json, text/plain, */*":  true,
		"text/plain, application/json":       true,
		" application/json ;q=0.5,*/*;q=0.1": true,
		"application/json;q=0.5, */*":        false,
		"application/json;q=0.5, text/*;q=0.4, */*":       true,
		"application/json;q=0.5, text/*;q=0.6":            false,
		"application/json;q=0.5, text/plain;q=0, */*":     true,
		"application/json;q=0":                            false,
		"application/json;q=0.000, text/plain;q=0":        false,
		"application/json;q=0.001":                        true,
		"application/json;q=1.000":                        true,
		"application/json;q=1.001":                        false,
		"application/json;q=2":                            false,
		"application/json;q=":                             false,
		"application/json;q=0.0001":                       false,
		"application/json;q=0,5":                          false,
		"application/json;q=00":                           false,
		"application/json;charset=utf-8":                  true,
		"application/json;charset=utf-8;Q=0.3, */*":       false,
		"application/jsonp":                               false,
		"application/json+x":                              false,
		"xapplication/json":                               false,
		"application/problem+json":                        false,
		"application/json\x00":                            false,
		",,,application/json":                             true,
		";;;":                                             false,
		"application/json;;;q=0.5":                        true,
		strings.Repeat("a/b,", 2000) + "application/json": true,
		strings.Repeat("a/b,", 2048) + "application/json": false,
	} {
		if got := PrefersJSON(value); got != want {
			t.Errorf("PrefersJSON(%.80q) = %v", value, got)
		}
	}
}

func FuzzPrefersJSON(f *testing.F) {
	for _, seed := range []string{"application/json;q=0.5, */*;q=0.1", "text/*;q=1.000;x=\"a,b\"", ";=,;q", "application/json;q=0."} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if PrefersJSON(value) && !strings.Contains(strings.ToLower(value), "application/json") {
			t.Errorf("%q does not name it", value)
		}
	})
}
