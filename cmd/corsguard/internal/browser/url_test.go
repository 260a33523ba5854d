package browser_test

import (
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/browser"
)

func TestURLsAreReadAsBrowsersDo(t *testing.T) {
	for written, want := range map[string]string{
		"HTTPS://API.Example.com:443?x=1#part":       "https://api.example.com/?x=1",
		"https://api.example.com":                    "https://api.example.com/",
		"https://api.example.com/a/../b/./c":         "https://api.example.com/b/c",
		"https://api.example.com/a/%2E%2e/b/%2e":     "https://api.example.com/b/",
		"https://api.example.com/../..":              "https://api.example.com/",
		"https://api.example.com/a/b/..":             "https://api.example.com/a/",
		`https://api.example.com\a\b?c\d`:            `https://api.example.com/a/b?c\d`,
		"https://api.example.com//a//b":              "https://api.example.com//a//b",
		"https://api.example.com/a%2fb/%41/..;/x..y": "https://api.example.com/a%2fb/%41/..;/x..y",
		"https://Bücher.example/ä":                   "https://xn--bcher-kva.example/%C3%A4",
		"http://[2001:DB8:0::1]:80/":                 "http://[2001:db8::1]/",
		"http://api.example.com:443/":                "http://api.example.com:443/",
		"https://api.example.com/x?../y":             "https://api.example.com/x?../y",
	} {
		if u, err := browser.ParseURL(written); err != nil || u.String() != want {
			t.Errorf("%s: %v, %v; want %s", written, u, err, want)
		}
	}
	for _, written := range []string{"", "api.example.com", "//api.example.com/", "ftp://api.example.com/", "https:///x", "https://x:99999/", "https://x:-1/", "https://[::1/", "https://a\u3000b/"} {
		if u, err := browser.ParseURL(written); err == nil {
			t.Errorf("%q: %v", written, u)
		}
	}
}

// FuzzParseURL holds that what browsers make of a URL stays as it is, and that its origin is one.
func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"https://A.example/../%2e/x?y#z", "http://[::1%25eth0]:80", `https://a\b`, "https://ä.example:0443/..//.", "https://a.example/%2e%2E/%zz", "https://a_b.example?", "https://[::ffff:1.2.3.4]/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := browser.ParseURL(s)
		if err != nil {
			return
		}
		again, err := browser.ParseURL(u.String())
		if err != nil || again.String() != u.String() {
			t.Fatalf("%q becomes %q, and that %v, %v", s, u, again, err)
		}
		if u.User != nil {
			return
		}
		if origin, err := browser.Origin(s); err != nil || strings.TrimPrefix(u.String(), origin) != u.RequestURI() {
			t.Fatalf("%q has the origin %q, %v", s, origin, err)
		}
	})
}
