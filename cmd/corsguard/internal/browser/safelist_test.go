package browser

import (
	"slices"
	"strings"
	"testing"
)

func TestTheSafelistIsThatOfTheStandard(t *testing.T) {
	long := strings.Repeat("a", 128)
	for _, c := range []struct {
		name       string
		safe, risk []string
	}{
		{"accept", []string{"", "*/*", "text/html;q=0.5, a", "a\tb", "\xe9", "\xff\x80", long, "~!#$%&'*+-.^_`|;=,/"}, []string{"a\x00", "a\x1f", "a\x7f", long + "a"}},
		{"accept-language", []string{"", "de-CH, de;q=0.9, *;q=0.5", "A.z", long}, []string{"de_CH", "de/CH", "d\xe9", "a\tb", "a(b", long + "a"}},
		{"content-language", []string{"en", "en=GB"}, []string{"en_GB", "en+GB"}},
		{"content-type", []string{
			"text/plain", "TEXT/Plain", " text/plain ", "text/plain;", "text/plain ;charset=utf-8", "text/plain;charset=utf-8;charset=x", "multipart/form-data;boundary=--x",
			"application/x-www-form-urlencoded", "application/x-www-form-urlencoded;a=b;;", "text/plain;\xe9", "text/plain\t", "text/plain;" + strings.Repeat("a", 117),
		}, []string{
			"", "text", "text/", "/plain", "text/html", "application/json", "text/plain,text/plain", "text/plain x", "text /plain", "text/ plain", "text/plain;charset=\"utf-8\"",
			"text/plain;a=(", "text/plain;a=:", "text/plain;a=<b>", "text/plain;a=?", "text/plain;a=@", "text/plain;a=[", "text/plain;a=\\", "text/plain;a={}",
			"text/plain;a=\x7f", "application/json;text/plain", "text/plain;" + strings.Repeat("a", 118), "text/xml", "text/plainx", "multipart/related",
		}},
		{"range", []string{"bytes=0-", "bytes=0-0", "bytes=0-499", "bytes=9-10", "bytes=007-8", "bytes=99999999999999999999-100000000000000000000"}, []string{
			"", "bytes", "bytes=", "bytes=-", "bytes=-500", "bytes=0", "bytes=5-2", "bytes=10-9", "bytes=0-1,3-4", "bytes 0-1", "bytes=0-1 ", "bytes= 0-1", "bytes=0 -1", "Bytes=0-1",
			"bytes=0x0-", "bytes=a-", "bytes=0--1", "bytes=+0-1", "items=0-1", "bytes=" + strings.Repeat("0", 122) + "-",
		}},
		{"x-a", nil, []string{"", "1"}},
		{"authorization", nil, []string{"Bearer 1"}},
		{"last-event-id", nil, []string{"1"}},
		{"dpr", nil, []string{"1"}},
		{"save-data", nil, []string{"on"}},
		{"", nil, []string{""}},
	} {
		for _, value := range c.safe {
			for _, name := range []string{c.name, strings.ToUpper(c.name)} {
				if !isSafelisted(Header{name, value}) {
					t.Errorf("%s: %q is not safelisted", name, value)
				}
			}
		}
		for _, value := range c.risk {
			if isSafelisted(Header{c.name, value}) {
				t.Errorf("%s: %q is safelisted", c.name, value)
			}
		}
	}
	for _, c := range `"():<>?@[\]{}` {
		if isSafelisted(Header{"accept", string(c)}) || isSafelisted(Header{"content-type", "text/plain;" + string(c)}) {
			t.Errorf("%q is safe", c)
		}
	}
}

func TestWithoutCORSRangesAreNotSafelisted(t *testing.T) {
	if isNoCORSSafelisted(Header{"range", "bytes=0-"}) || !isNoCORSSafelisted(Header{"Accept", "*/*"}) {
		t.Error("the no-CORS-safelisted request-headers are others")
	}
}

func TestSafelistedValuesAreBoundedTogether(t *testing.T) {
	value := strings.Repeat("a", 128)
	eight := []Header{{"accept", value}, {"accept", value}, {"accept", value}, {"accept", value}, {"accept", value}, {"accept", value}, {"accept", value}, {"accept-language", value}}
	if got := standardUnsafe(eight); got != nil {
		t.Errorf("with 1024 bytes, unsafe are %q", got)
	}
	if got := standardUnsafe(append(eight, Header{"range", "bytes=0-"}, Header{"x-a", value})); !slices.Equal(got, []string{"accept", "accept-language", "range", "x-a"}) {
		t.Errorf("with more, unsafe are %q", got)
	}
	if got := standardUnsafe(append(eight, Header{"x-b", value}, Header{"x-a", value})); !slices.Equal(got, []string{"x-a", "x-b"}) {
		t.Errorf("values that are not safelisted count too: %q", got)
	}
}

func TestPreflightsSayWhatTheyAreFor(t *testing.T) {
	r := ask(t, "https://app.example.test", "https://api.example.test/")
	r.Method, r.ForcePreflight = "put", true
	r.Headers = []Header{{"X-Token", "1"}, {"Content-Type", "application/json"}, {"Accept", strings.Repeat("a", 129)}, {"accept-language", "en"}, {"cookie", "1"}}
	p, because := r.Preflight()
	want := []string{
		"the method PUT is not CORS-safelisted",
		"the body is a stream, or the page listens to the upload",
		"the header accept has 129 bytes, and is CORS-safelisted with no more than 128",
		`the header content-type is not CORS-safelisted with the value "application/json"`,
		"the header x-token is not CORS-safelisted",
	}
	if !slices.Equal(because, want) || p.SkippedBy != nil {
		t.Errorf("because %q, skipped by %q", because, p.SkippedBy)
	}
	for _, headers := range [][]Header{
		{{"accept", "é"}},
		{{"content-type", "text/plain"}, {"Content-Type", "text/plain"}},
		slices.Repeat([]Header{{"accept", strings.Repeat("a", 100)}, {"accept-language", "en"}}, 11),
	} {
		r := ask(t, "https://app.example.test", "https://api.example.test/")
		r.Headers = headers
		if p, because := r.Preflight(); p == nil || len(because) != len(p.UnsafeHeaders) || len(p.SkippedBy) != 1 {
			t.Errorf("%q: %+v, because %q", headers, p, because)
		}
	}
}

func TestNoPreflightWithoutCORS(t *testing.T) {
	for _, r := range []*Request{
		{Origin: "https://app.example.test", Mode: NoCORS},
		{Origin: "https://app.example.test", Mode: Navigate},
		{Origin: "https://api.example.test"},
	} {
		r.URL = ask(t, "", "https://api.example.test/").URL
		r.Method, r.Headers, r.ForcePreflight = "PUT", []Header{{"x-a", "1"}}, true
		if p, because := r.Preflight(); p != nil || because != nil {
			t.Errorf("%+v: %+v, because %q", r, p, because)
		}
	}
}
