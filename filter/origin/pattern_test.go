package origin

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePatternTakesWhatTheReferenceDescribes(t *testing.T) {
	for _, c := range []struct {
		text string
		want Pattern
	}{
		{"https://app.example.com", Pattern{Kind: Exact, Scheme: "https", Host: "app.example.com", Port: NoPort}},
		{"https://app.example.com:8443", Pattern{Kind: Exact, Scheme: "https", Host: "app.example.com", Port: 8443}},
		{"http://localhost:*", Pattern{Kind: Exact, Scheme: "http", Host: "localhost", Port: AnyPort}},
		{"http://[::1]:*", Pattern{Kind: Exact, Scheme: "http", Host: "[::1]", Port: AnyPort}},
		{"http://127.0.0.1:3000", Pattern{Kind: Exact, Scheme: "http", Host: "127.0.0.1", Port: 3000}},
		{"https://*.example.com", Pattern{Kind: Subdomains, Scheme: "https", Host: "example.com", Port: NoPort}},
		{"https://*.example.com:*", Pattern{Kind: Subdomains, Scheme: "https", Host: "example.com", Port: AnyPort}},
		{"https://*.com", Pattern{Kind: Subdomains, Scheme: "https", Host: "com", Port: NoPort}},
		{"https://pr-*.a.b", Pattern{Kind: InLabel, Scheme: "https", Before: "pr-", Host: "a.b", Port: NoPort}},
		{"https://*-pr.a.b:1", Pattern{Kind: InLabel, Scheme: "https", After: "-pr", Host: "a.b", Port: 1}},
		{"https://x.y.p*q.a", Pattern{Kind: InLabel, Scheme: "https", Left: "x.y.", Before: "p", After: "q", Host: "a", Port: NoPort}},
		{"https://*", Pattern{Kind: AnyHost, Scheme: "https", Port: AnyPort}},
		{"capacitor://*", Pattern{Kind: AnyHost, Scheme: "capacitor", Port: AnyPort}},
		{"*", Pattern{Kind: Any, Port: AnyPort}},
		{"capacitor://localhost", Pattern{Kind: Exact, Scheme: "capacitor", Host: "localhost", Port: NoPort}},
		{"capacitor://localhost:443", Pattern{Kind: Exact, Scheme: "capacitor", Host: "localhost", Port: 443}},
		{"https://xn--mnchen-3ya.de", Pattern{Kind: Exact, Scheme: "https", Host: "xn--mnchen-3ya.de", Port: NoPort}},
		{"https://a_b.example.com", Pattern{Kind: Exact, Scheme: "https", Host: "a_b.example.com", Port: NoPort}},
	} {
		got, err := ParsePattern(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		w := &c.want
		if got.Kind != w.Kind || got.Scheme != w.Scheme || got.Host != w.Host || got.Port != w.Port || got.Left != w.Left || got.Before != w.Before || got.After != w.After {
			t.Errorf("%q: %+v, want %+v", c.text, got, *w)
		}
		if got.String() != c.text {
			t.Errorf("%q prints as %q", c.text, got.String())
		}
	}
}

// refusedPatterns holds strings that are no patterns, and a word of the reason.
var refusedPatterns = []struct{ text, reason string }{
	{"", "empty"}, {"null", "null"}, {"https://" + strings.Repeat("a", MaxLen), "longer"},
	{"https://b\u00fccher.example", "ASCII"}, {"https://\u212a.test", "ASCII"}, {"https://a\xff", "ASCII"},
	{"https://a b", "space"}, {" https://a", "space"}, {"https://a\n", "control"}, {"https://a\x00b", "control"}, {"https://a\x7f", "control"},
	{"HTTPS://a", "upper case"}, {"https://A.test", "upper case"}, {"NULL", "upper case"},
	{"app.example.com", "no scheme"}, {"//a", "no scheme"}, {"https:a", "no scheme"}, {"https", "no scheme"}, {"**", "no scheme"}, {"*.example.com", "no scheme"}, {"*:*", "no scheme"},
	{"*://a", "wildcard in the scheme"}, {"http*://a", "wildcard in the scheme"}, {"://a", "malformed scheme"}, {"1a://b", "malformed scheme"}, {"a_b://c", "malformed scheme"},
	{"https://*.b://c", "malformed port"}, {strings.Repeat("s", 65) + "://a", "over-long"},
	{"file://", "file"}, {"file://localhost", "file"}, {"file://*", "file"},
	{"https://", "no host"}, {"https://:1", "no host"}, {"https://*.", "no host"}, {"https://*.:*", "no host"},
	{"https://a/", "slash"}, {"https://a/b", "path"}, {"https://*/", "path"}, {"https://a:1/", "malformed port"}, {"https:///a", "path"}, {"https://a\\b", "path"},
	{"https://u@a", "user-info"}, {"https://u:p@a", "user-info|malformed port"}, {"https://a@b:1", "user-info"}, {"https://a?b", "query"}, {"https://*.a?", "query"}, {"https://a#", "fragment"},
	{"https://a:443", "default port"}, {"http://a:80", "default port"}, {"wss://*.a:443", "default port"}, {"ftp://a:21", "default port"},
	{"https://a:", "malformed port"}, {"https://a:0", "malformed port"}, {"https://a:08", "malformed port"}, {"https://a:65536", "malformed port"}, {"https://a:8*", "malformed port"},
	{"https://a:*1", "malformed port"}, {"https://a:**", "malformed port"}, {"https://a:-1", "malformed port"}, {"https://a:99999999999999999999", "malformed port"},
	{"https://*:*", "any host at a port"}, {"https://*:8443", "any host at a port"}, {"capacitor://*:*", "any host at a port"},
	{"https://*.*.a", "more than one wildcard"}, {"https://**.a", "more than one wildcard"}, {"https://a*b*.c", "more than one wildcard"}, {"https://**", "more than one wildcard"}, {"https://*.a-*.b", "more than one wildcard"},
	{"https://a.*.com", "whole label"}, {"https://a.b.*.c:*", "whole label"}, {"https://example.*", "last label"}, {"https://a*", "last label"}, {"https://*a", "last label"}, {"https://a.b*c", "last label"},
	{"https://1.2.3.*", "IP address"}, {"https://1.2.3.4*", "IP address"}, {"https://*.1.2.3.4", "IP address"}, {"https://1*.2.3.4", "IP address"}, {"https://*.3", "IP address"}, {"https://*.a.0x7f", "IP address"},
	{"https://a-*.1", "IP address|number"}, {"https://*.[::1]", "IP address"}, {"https://[::*]", "label"}, {"https://[*]", "label"}, {"https://*[::1]", "label"}, {"https://[::1]*", "label"},
	{"https://.a", "empty label"}, {"https://a.", "empty label"}, {"https://a..b", "empty label"}, {"https://*..a", "empty label"}, {"https://*.a.", "empty label"}, {"https://a*..b", "empty label"}, {"https://.a*.b", "empty label"},
	{"https://" + strings.Repeat("a", 64) + ".b", "63 bytes"}, {"https://" + strings.Repeat("a", 63) + "*.b", "63 bytes"}, {"https://*." + strings.Repeat("a", 64), "63 bytes"},
	{"https://" + strings.Repeat("a.", 127) + "a", "253 bytes"}, {"https://*." + strings.Repeat("a.", 125) + "aa", "no room"},
	{"https://-a.b", "hyphen"}, {"https://a-.b", "hyphen"}, {"https://*.-a", "hyphen"}, {"https://-*.a", "hyphen"}, {"https://*-.a", "hyphen"},
	{"https://a!b", "no host has"}, {"https://a%2eb", "no host has"}, {"https://a,b", "no host has"}, {"https://a,https://b", "malformed port"}, {"https://*.a+b", "no host has"}, {"https://a~*.b", "no host has"},
	{"https://1", "number"}, {"https://1.2.3", "number"}, {"https://1.2.3.256", "number"}, {"https://01.2.3.4", "number"}, {"https://a.0x", "number"}, {"https://2130706433", "number"}, {"https://0x7f000001", "number"},
	{"https://[::1", "IPv6"}, {"https://[]", "IPv6"}, {"https://[::0001]", "IPv6"}, {"https://[0:0:0:0:0:0:0:1]", "IPv6"}, {"https://[::1.2.3.4]", "IPv6"}, {"https://[fe80::1%eth0]", "IPv6"}, {"https://[::1]a", "IPv6"}, {"https://[::1]:", "malformed port"},
	{"https://xn--.a", "hyphen"}, {"https://xn--a-.b", "hyphen"}, {"https://xn--0.a", "xn--"}, {"https://*.xn--0", "xn--"}, {"https://xn--*.a", "xn--"}, {"https://xn--99999999.a", "xn--"},
}

func TestParsePatternRefusesWithTheReason(t *testing.T) {
	for _, c := range refusedPatterns {
		_, err := ParsePattern(c.text)
		var refusal *PatternError
		if !errors.As(err, &refusal) {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		fits := false
		for _, word := range strings.Split(c.reason, "|") {
			fits = fits || strings.Contains(refusal.Reason, word)
		}
		if !fits || refusal.Fix == "" {
			t.Errorf("%q: %q (%q), want a reason with %q", c.text, refusal.Reason, refusal.Fix, c.reason)
		}
	}
}

func TestParseExactTakesNoWildcards(t *testing.T) {
	for _, text := range []string{"*", "https://*", "https://*.a.b", "https://a-*.b", "http://localhost:*"} {
		if _, err := ParsePattern(text); err != nil {
			t.Errorf("%q is no pattern: %v", text, err)
		}
		var refusal *PatternError
		if _, err := ParseExact(text); !errors.As(err, &refusal) {
			t.Errorf("ParseExact(%q): %v", text, err)
		}
	}
	for _, c := range refusedPatterns {
		if _, err := ParseExact(c.text); err == nil {
			t.Errorf("ParseExact(%q) takes what ParsePattern refuses", c.text)
		}
	}
	if p, err := ParseExact("https://a.b:1"); err != nil || p.Kind != Exact {
		t.Errorf("ParseExact: %+v, %v", p, err)
	}
}

func FuzzParsePattern(f *testing.F) {
	for _, c := range refusedPatterns {
		f.Add(c.text)
	}
	for _, s := range []string{
		"*", "https://*", "https://*.example.com", "https://pr-*.preview.example.com", "http://localhost:*", "https://[2001:db8::1]:8443", "capacitor://localhost",
		"https://x.y.p*q.a:*", "https://xn--mnchen-3ya.de", "https://*." + strings.Repeat("a.", 125) + "a", "https://" + strings.Repeat("a", 62) + "*.b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil {
			var refusal *PatternError
			if !errors.As(err, &refusal) || refusal.Reason == "" || refusal.Fix == "" || strings.ContainsAny(refusal.Reason, "\n\r") {
				t.Fatalf("%q: %q", text, err)
			}
			return
		}
		if p.String() != text {
			t.Fatalf("%q prints as %q", text, p.String())
		}
		p.SpansPublicSuffix()
		var set Set
		set.Add(&p, 0)
		if p.Kind != Exact || p.Port == AnyPort {
			checkWildcard(t, &set, &p)
			return
		}
		if _, err := ParseExact(text); err != nil {
			t.Fatalf("ParseExact(%q): %v", text, err)
		}
		for _, v := range append(neighbours(text), text) {
			if verdict, _ := set.Match(v); (verdict == Listed) != (v == text) {
				t.Fatalf("%q: Match(%q) is %v", text, v, verdict)
			}
		}
	})
}

// checkWildcard checks that p matches what stands for its wildcards, and nothing that merely holds that.
func checkWildcard(t *testing.T, set *Set, p *Pattern) {
	t.Helper()
	if p.Kind == Any {
		return
	}
	s := strings.TrimSuffix(p.String(), ":*")
	s = strings.Replace(s, "*", "a", 1)
	if verdict, _ := set.Match(s); verdict != Listed {
		t.Fatalf("%q does not match %q", p, s)
	}
	if p.Kind == AnyHost {
		return
	}
	hostile := []string{s + "/", s + ".", s + ",", s + "\x00", " " + s, "x" + s, strings.ToUpper(s), strings.Replace(s, "://", "://u@", 1), strings.Replace(s, "://", "s://", 1)}
	if p.Port != AnyPort {
		hostile = append(hostile, s+":81", s+"1")
	}
	if p.Port == NoPort || p.Port == AnyPort {
		hostile = append(hostile, s+".evil-site.test", s+"evil-site.test")
	}
	if p.Kind == Subdomains {
		hostile = append(hostile, strings.Replace(p.String(), "*.", "", 1), strings.Replace(p.String(), "*.", "x", 1))
	} else if p.Kind == InLabel {
		for _, fill := range []string{"", ".", "a.b", "_", "A", ":", "@"} {
			hostile = append(hostile, strings.Replace(strings.TrimSuffix(p.String(), ":*"), "*", fill, 1))
		}
	}
	for _, v := range hostile {
		if verdict, _ := set.Match(v); verdict == Listed {
			t.Fatalf("%q matches %q", p, v)
		}
	}
}

// neighbours are strings that look like s and are not s.
func neighbours(s string) []string {
	all := []string{strings.ToUpper(s), s[:len(s)-1], s[1:], s + "," + s, s + " " + s, s + "/" + s}
	for _, trick := range someTricks {
		all = append(all, s+trick, trick+s, strings.Replace(s, "://", "://"+trick, 1))
	}
	for i := range len(s) {
		all = append(all, s[:i]+strings.ToUpper(s[i:i+1])+s[i+1:], s[:i]+s[i+1:], s[:i]+"\x00"+s[i:])
	}
	out := all[:0]
	for _, v := range all {
		if v != s {
			out = append(out, v)
		}
	}
	return out
}
