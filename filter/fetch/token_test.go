package fetch

import (
	"strings"
	"testing"
)

func TestATokenHasTheBytesOfRFC9110(t *testing.T) {
	const marks = "!#$%&'*+-.^_`|~"
	for c := range 256 {
		want := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c < 0x80 && strings.ContainsRune(marks, rune(c))
		for _, s := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c)}), string([]byte{byte(c)}) + "a"} {
			if IsToken(s) != want {
				t.Errorf("IsToken(%q) = %v", s, !want)
			}
		}
	}
	if IsToken("") {
		t.Error("the empty string is a token")
	}
}

func TestEqualFoldFoldsASCIIAlone(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"", "", true}, {"Origin", "oRIGIN", true}, {"a", "aa", false}, {"a", "b", false}, {"@", "`", false}, {"[", "{", false}, {"\u212a", "k", false}, {"K", "\u212a", false},
		{"\u017f", "s", false}, {"\xc3\x89", "\xc3\xa9", false}, {"x-1", "X-1", true},
	} {
		if EqualFold(c.a, c.b) != c.want {
			t.Errorf("EqualFold(%q, %q) = %v", c.a, c.b, !c.want)
		}
	}
}

func TestLowerChangesASCIILettersAlone(t *testing.T) {
	for s, want := range map[string]string{"": "", "abc": "abc", "X-Custom": "x-custom", "aBc": "abc", "\u00c9A": "\u00c9a", "\u212a": "\u212a", "[@Z": "[@z"} {
		if got := Lower(s); got != want {
			t.Errorf("Lower(%q) = %q", s, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Lower("x-custom") }); n != 0 {
		t.Errorf("Lower allocates %v times where nothing changes", n)
	}
}

// The Fetch standard's lists, as of 2025, in its order and spelling.
var (
	standardForbiddenRequestHeaders = []string{
		"Accept-Charset", "Accept-Encoding", "Access-Control-Request-Headers", "Access-Control-Request-Method", "Connection", "Content-Length", "Cookie", "Cookie2", "Date",
		"DNT", "Expect", "Host", "Keep-Alive", "Origin", "Referer", "Set-Cookie", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Via",
		"Proxy-", "Sec-", "Proxy-Authorization", "Sec-Fetch-Site",
	}
	// What stays out: forbidden for some values alone, no longer forbidden, or looking alike.
	settableRequestHeaders = []string{
		"X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "User-Agent", "Accept", "Accept-Language", "Content-Type", "Content-Language", "Range", "Authorization",
		"Cookies", "Cookie3", "X-Cookie", "Hos", "Hosts", "Proxy", "Sec", "XSec-A", "Set-Cookie2", "T", "Access-Control-Request", "Access-Control-Request-Private-Network",
	}
	standardResponseHeaders = []string{
		"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers",
		"Access-Control-Max-Age", "Access-Control-Allow-Private-Network",
	}
)

func TestTheListsAreThoseOfTheFetchStandard(t *testing.T) {
	for _, spell := range []func(string) string{strings.ToLower, strings.ToUpper, func(s string) string { return s }} {
		for _, name := range standardForbiddenRequestHeaders {
			if !IsForbiddenRequestHeader(spell(name)) {
				t.Errorf("%q is not forbidden", spell(name))
			}
		}
		for _, name := range settableRequestHeaders {
			if IsForbiddenRequestHeader(spell(name)) {
				t.Errorf("%q is forbidden", spell(name))
			}
		}
		for _, name := range standardResponseHeaders {
			if !IsResponseHeader(spell(name)) {
				t.Errorf("%q is no CORS response header", spell(name))
			}
		}
		for _, name := range []string{"Set-Cookie", "Set-Cookie2"} {
			if !IsForbiddenResponseHeader(spell(name)) {
				t.Errorf("%q may be exposed", spell(name))
			}
		}
		for _, method := range []string{"Connect", "Trace", "Track"} {
			if !IsForbiddenMethod(spell(method)) {
				t.Errorf("%q is not forbidden", spell(method))
			}
		}
	}
	for _, name := range []string{"Cookie", "Set-Cookie3", "X-Set-Cookie", ""} {
		if IsForbiddenResponseHeader(name) {
			t.Errorf("%q may not be exposed", name)
		}
	}
	for _, name := range []string{"Vary", "Access-Control-Request-Method", "Access-Control-Allow", "Timing-Allow-Origin", "access-control-"} {
		if IsResponseHeader(name) {
			t.Errorf("%q is a CORS response header", name)
		}
	}
	if n := len(strings.Fields(forbiddenRequestHeaders)); n != 21 {
		t.Errorf("%d forbidden request-headers", n)
	}
}

func TestMethodsAreNormalisedAsTheFetchStandardDoes(t *testing.T) {
	for method, want := range map[string]string{
		"delete": "DELETE", "Get": "GET", "hEAD": "HEAD", "options": "OPTIONS", "post": "POST", "put": "PUT", "PUT": "PUT",
		"patch": "patch", "Patch": "Patch", "query": "query", "": "", "gett": "gett", "connect": "connect",
	} {
		if got := NormalizeMethod(method); got != want {
			t.Errorf("NormalizeMethod(%q) = %q", method, got)
		}
	}
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "POST": true, "get": false, "Post": false, "PUT": false, "OPTIONS": false, "": false, "GET ": false} {
		if IsSafelistedMethod(method) != want {
			t.Errorf("IsSafelistedMethod(%q) = %v", method, !want)
		}
	}
}

func TestQuotedIsOneSafeLine(t *testing.T) {
	for _, c := range []struct {
		s     string
		limit int
		want  string
	}{
		{"", 10, `""`}, {"https://a.test", 128, `"https://a.test"`}, {"abcdef", 3, `"abc"…`}, {"abc", 3, `"abc"`}, {"abcd", 0, `""…`},
		{"a\nb\r\x00\x1b[31m\x7f", 99, `"a\x0ab\x0d\x00\x1b[31m\x7f"`}, {`a"b\`, 99, `"a\x22b\x5c"`}, {"é\u2028\xff", 99, `"\xc3\xa9\xe2\x80\xa8\xff"`}, {"é", 1, `"\xc3"…`},
	} {
		if got := Quoted(c.s, c.limit); got != c.want {
			t.Errorf("Quoted(%q, %d) = %s, want %s", c.s, c.limit, got, c.want)
		}
	}
}

func FuzzQuoted(f *testing.F) {
	f.Add("a\nb\"c\\d\xff", 4)
	f.Add("\u2028\x1b[2J", 100)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit &= 0xff
		got := Quoted(s, limit)
		body, _ := strings.CutPrefix(strings.TrimSuffix(got, "…"), `"`)
		body, ok := strings.CutSuffix(body, `"`)
		if !ok || strings.HasSuffix(got, "…") != (len(s) > limit) {
			t.Fatalf("Quoted(%q, %d) = %s", s, limit, got)
		}
		n := 0
		for i := 0; i < len(body); n++ {
			c := body[i]
			if c < ' ' || c > '~' || c == '"' {
				t.Fatalf("Quoted(%q, %d) = %s", s, limit, got)
			}
			if i++; c == '\\' {
				i += len("xhh")
			}
		}
		if n != min(len(s), limit) {
			t.Fatalf("Quoted(%q, %d) shows %d bytes", s, limit, n)
		}
	})
}
