package origin

import (
	"strings"
	"testing"
)

func TestParseSplitsOrigins(t *testing.T) {
	for s, want := range map[string]Origin{
		"https://example.com":       {"https", "example.com", NoPort},
		"http://localhost:3000":     {"http", "localhost", 3000},
		"http://example.com:443":    {"http", "example.com", 443},
		"https://example.com:80":    {"https", "example.com", 80},
		"https://a:65535":           {"https", "a", 65535},
		"https://[::1]:8443":        {"https", "[::1]", 8443},
		"https://[2001:db8::1]":     {"https", "[2001:db8::1]", NoPort},
		"https://192.0.2.7":         {"https", "192.0.2.7", NoPort},
		"capacitor://localhost:443": {"capacitor", "localhost", 443},
		"chrome-extension://abcd":   {"chrome-extension", "abcd", NoPort},
		"com.example.app://x_y":     {"com.example.app", "x_y", NoPort},
		"https://1.2.3.4.com":       {"https", "1.2.3.4.com", NoPort},
		"https://0x1f.a":            {"https", "0x1f.a", NoPort},
		"https://a.0xg":             {"https", "a.0xg", NoPort},
		"https://-a-.b":             {"https", "-a-.b", NoPort},
	} {
		if got, ok := Parse(s); !ok || got != want {
			t.Errorf("Parse(%q) = %+v, %v", s, got, ok)
		}
	}
}

// malformedOrigins are what browsers never send.
var malformedOrigins = []string{
	"", " ", "null", "NULL", "*", "https", "https:", "https:/", "https://", "://", "://a", "//a", "a", "a.com", "https:a", "https:/a", "https:///a",
	"HTTPS://a", "Https://a", "https://A", "https://a/", "https://a/b", "https://a?b", "https://a#b", "https://u@a", "https://u:p@a", "https://a\\b",
	"https://a b", " https://a", "https://a ", "https://a\t", "https://a\n", "https://a\r\nx: y", "https://a\x00", "https://a\x7f", "https://\x80",
	"https://a,https://b", "https://a https://b", "https://a,", ",https://a", "https://a, https://a",
	"https://.a", "https://a.", "https://a..b", "https://.", "https://..",
	"https://a:", "https://a:0", "https://a:00", "https://a:01", "https://a:65536", "https://a:99999", "https://a:100000", "https://a:+1", "https://a:-1", "https://a:1 ",
	"https://a:1:2", "https://a:443", "http://a:80", "ws://a:80", "wss://a:443", "ftp://a:21", "https://a:x", "https://a:*", "https://a:18446744073709551617",
	"https://1", "https://0", "https://0x", "https://0x7f.1", "https://127.1", "https://1.2.3", "https://1.2.3.4.5", "https://1.2.3.256", "https://01.2.3.4", "https://1.2.3.04",
	"https://1.2.3.0x4", "https://a.1", "https://a.0x1", "https://2130706433", "https://1.2.3.4.",
	"https://[", "https://]", "https://[]", "https://[::1", "https://::1]", "https://::1", "https://[::1]]", "https://[[::1]]", "https://[::1]x", "https://x[::1]", "https://[::1]:",
	"https://[::1%25eth0]", "https://[::1%eth0]", "https://[0:0:0:0:0:0:0:1]", "https://[::0001]", "https://[::FFFF]", "https://[1::2::3]", "https://[1:2:3:4:5:6:7::]",
	"https://[::2:3:4:5:6:7:8]", "https://[1:2:3:4:5:6:7]", "https://[1:2:3:4:5:6:7:8:9]", "https://[::1.2.3.4]", "https://[::ffff:1.2.3.4]", "https://[:]", "https://[:::]", "https://[1:]",
	"https://[:1]", "https://[g::]", "https://[12345::]", "https://[1::2:0:0:0:0]", "https://[1:0:0:2:3:4:5:6]", "https://[v1.a]", "https://1.2.3.4]", "https://[1.2.3.4]",
	"1https://a", "-a://b", "+://a", "ht tp://a", "ht\ttp://a", "h_t://a", "h%74tp://a", "*://a", "https;//a", "https:\\\\a", "javascript:alert(1)", "data:,x", "blob:https://a", "about:blank",
	"https://a%2eb", "https://%61", "https://a!b", "https://a~b", "https://a'b", "https://a\"b", "https://<a>", "https://a|b", "https://a`b", "https://a{b}", "https://a^b", "https://a$b", "https://a&b", "https://a;b", "https://a=b", "https://a+b", "https://a(b)",
	"https://b\u00fccher.example", "https://\u212a.example", "https://a\u3002b", "https://\u2024a", "https://\uff41", "https://a\u00ad", "https://a\u200b", "\ufeffhttps://a", "https://\xc0\x80",
}

func TestParseRefusesWhatBrowsersNeverSend(t *testing.T) {
	for _, s := range malformedOrigins {
		if o, ok := Parse(s); ok {
			t.Errorf("Parse(%q) = %+v", s, o)
		}
		if _, _, _, ok := refParse(s); ok {
			t.Errorf("the reference takes %q", s)
		}
	}
}

func TestIsOfFindsARequestToItsOwnOrigin(t *testing.T) {
	for _, c := range []struct {
		value, scheme, authority string
		want                     bool
	}{
		{"https://a.test", "https", "a.test", true},
		{"https://a.test", "https", "A.TEST", true},
		{"https://a.test", "https", "a.test:443", true},
		{"http://a.test", "http", "a.test:80", true},
		{"https://a.test:8443", "https", "a.test:8443", true},
		{"http://[::1]", "http", "[::1]:80", true},
		{"http://[::1]:8080", "http", "[::1]:8080", true},
		{"https://a~b.test", "https", "a~b.test", true}, // a host that Parse does not take is a request's own all the same
		{"https://a.test.", "https", "a.test.", true},
		{"https://a.test", "http", "a.test", false},
		{"http://a.test", "https", "a.test", false},
		{"https://a.test", "https", "b.test", false},
		{"https://a.test", "https", "a.test:80", false},
		{"https://a.test", "https", "a.test:0443", false},
		{"https://a.test", "https", "a.test:", false},
		{"https://a.test:443", "https", "a.test", false},
		{"https://A.test", "https", "a.test", false}, // browsers send lower case
		{"https://A.test", "https", "A.test", false},
		{"https://a.test.evil.test", "https", "a.test", false},
		{"https://evil-a.test", "https", "a.test", false},
		{"https://a.test", "https", "a.test.", false},
		{"https://a.test", "", "a.test", false},
		{"://a.test", "", "a.test", false},
		{"https://", "https", "", false},
		{"https://a.test", "https", "", false},
		{"", "https", "a.test", false},
		{"null", "https", "a.test", false},
		{"https:/", "https", "a.test", false},
		{"https", "https", "a.test", false},
		{"https//:a.test", "https", "a.test", false},
		{"capacitor://localhost", "capacitor", "localhost", true},
		{"https://:443", "https", ":443", true},
		{"https://", "https", ":443", false},
	} {
		if got := IsOf(c.value, c.scheme, c.authority); got != c.want {
			t.Errorf("IsOf(%q, %q, %q) = %v", c.value, c.scheme, c.authority, got)
		}
	}
}

func TestIsLoopbackKnowsTheMachineItself(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "a.localhost": true, "a.b.localhost": true, "127.0.0.1": true, "127.255.255.255": true, "127.1.2.3": true, "[::1]": true,
		"": false, ".localhost": true /* no host, so never asked */, "alocalhost": false, "localhost.a": false, "localhost.": false, "128.0.0.1": false, "126.0.0.1": false,
		"127.0.0.1.example.com": false, "127.example.com": false, "127.0.0.256": false, "127.": false, "127.1": false, "127": false, "1270.0.0.1": false, "[::]": false, "[::2]": false,
		"[::ffff:7f00:1]": false, "0.0.0.0": false, "10.0.0.1": false, "::1": false, "localhost.example.com": false, "xlocalhost.localhosts": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v", host, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range malformedOrigins {
		f.Add(s)
	}
	for _, s := range []string{
		"https://example.com", "http://localhost:3000", "https://[2001:db8::1]:8443", "https://[::ffff:102:304]", "https://192.0.2.7:1", "chrome-extension://abcd", "a+b-c.d://x_y:443",
		"https://" + strings.Repeat("a", 63) + ".b", "https://" + strings.Repeat("a", 64) + ".b", "https://" + strings.Repeat("a.", 126) + "a", strings.Repeat("s", 64) + "://a", strings.Repeat("s", 65) + "://a",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := Parse(s)
		scheme, host, port, want := refParse(s)
		if ok != want {
			t.Fatalf("Parse(%q) = %+v, %v; the reference says %v", s, o, ok, want)
		}
		if !ok {
			return
		}
		n, _ := parsePort(port)
		if port == "" {
			n = NoPort
		}
		if o != (Origin{scheme, host, n}) {
			t.Fatalf("Parse(%q) = %+v; want %q %q %q", s, o, scheme, host, port)
		}
		if !urlAgrees(s, scheme, host, port) {
			t.Fatalf("net/url does not split %q into %q %q %q", s, scheme, host, port)
		}
		if !IsOf(s, scheme, s[len(scheme)+len("://"):]) {
			t.Fatalf("%q is not of its own scheme and authority", s)
		}
	})
}
