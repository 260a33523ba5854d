package convert

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	corsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// native is Envoy's filter as its documentation describes it, written without a look at what the conversion does.
type native struct{ p *corsv3.CorsPolicy }

func (n native) matches(m *matcherv3.StringMatcher, s string) bool {
	fold := func(pattern string) (string, string) {
		if m.GetIgnoreCase() {
			return strings.ToLower(pattern), strings.ToLower(s)
		}
		return pattern, s
	}
	switch v := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		want, s := fold(v.Exact)
		return s == want
	case *matcherv3.StringMatcher_Prefix:
		want, s := fold(v.Prefix)
		return strings.HasPrefix(s, want)
	case *matcherv3.StringMatcher_Suffix:
		want, s := fold(v.Suffix)
		return strings.HasSuffix(s, want)
	case *matcherv3.StringMatcher_Contains:
		want, s := fold(v.Contains)
		return strings.Contains(s, want)
	case *matcherv3.StringMatcher_SafeRegex:
		re, err := regexp.Compile("^(?:" + v.SafeRegex.GetRegex() + ")$")
		return err == nil && re.MatchString(s)
	}
	return false
}

func (n native) answers(a *ask) (preflight, actual answer) {
	allowed := false
	for _, m := range n.p.GetAllowOriginStringMatch() {
		allowed = allowed || n.matches(m, "*") || n.matches(m, a.origin)
	}
	if !allowed {
		return answer{}, answer{}
	}
	actual.origin = a.origin
	if n.p.GetAllowCredentials().GetValue() {
		actual.credentials = "true"
	}
	preflight = actual
	if preflight.methods = n.p.GetAllowMethods(); preflight.methods == "*" {
		preflight.methods = a.method
	}
	if preflight.headers = n.p.GetAllowHeaders(); preflight.headers == "*" {
		preflight.headers = a.header
	}
	return preflight, actual
}

func (n native) permits(a *ask) bool {
	preflight, actual := n.answers(a)
	return permits(a, preflight, actual)
}

var (
	nativeOrigins = []string{
		"https://app.example.com", "https://example.com", "http://example.com", "https://a.b.example.com", "https://evilexample.com", "https://example.com.evil.test",
		"https://app.example.com:8443", "https://app.example.com.evil.test", "null", "https://appxexample.com", "http://localhost:3000", "http://localhost", "https://x.github.io",
		"https://pr-7.preview.example.net", "https://pr-7.x.preview.example.net", "capacitor://localhost", "https://localhost.evil.test", "https://evil.test", "https://example.org",
		"https://app.example.co", "https://example.comx", "https://xapp.example.com", "https://192.0.2.1",
	}
	nativeTexts = []string{
		"https://app.example.com", "https://example.com", "HTTPS://App.Example.com", "example.com", ".example.com", "https://", "http", "null", "*", "https://*.example.com", "http://localhost:",
		"http://localhost", "://example.com", "app", "pr-", "https://app.example.com:8443", "https://app.example.com/", "https://example.com:443", ".github.io", "https://pr-", "com", "https", ":3000",
		"https://app.example.com:", "e", "test",
	}
	nativeRegexes = []string{
		`.*`, `https://.*`, `https?://.*`, `https://.*\.example\.com`, `https://.*example\.com`, `https://app.example.com`, `https?://(app|www)\.example\.com`, `https://[a-z]+\.example\.com(:[0-9]+)?`,
		`^https://app\.example\.com$`, `^https://app\.example\.com|null$`, `(?i)https://APP\.example\.com`, `(?i)https://app\.example\.com`, `https://.*.example.com`, `https://.+\.example\.com`,
		`https://.+example\.com`, `https://example\.com.*`, `.*\.example\.com`, `https://pr-[0-9]+\.preview\.example\.net`, `https://pr-.*\.preview\.example\.net`, `[*]`, `\*`, `.`, `nul.`, `http://localhost:.*`,
		`http://localhost(:\d+)?`, `https://.*\.github\.io`, `a(`, `https://(example\.com|evil\.test)`, `https://[^.]+\.example\.com`, `.*://localhost`, `https://example\.co.*`,
	}
	nativeMethods = []string{"", "*", "GET", "GET, PUT", "PUT,DELETE", "*, PUT", "patch", "GET,TRACE", "P UT", ",", "POST,POST", "PUT, *"}
	nativeHeaders = []string{"", "*", "x-a", "X-A, authorization", "*, authorization", "cookie,x-b", "x-a,X-A", "x a", "*,x-a", "content-type"}
)

func randomPolicy(r *rand.Rand) *corsv3.CorsPolicy {
	p := &corsv3.CorsPolicy{AllowMethods: pickOf(r, nativeMethods), AllowHeaders: pickOf(r, nativeHeaders), ExposeHeaders: pickOf(r, nativeHeaders)}
	p.MaxAge = pickOf(r, []string{"", "600", "1728000", "-1", "1h"})
	if r.IntN(3) > 0 {
		p.AllowCredentials = wrapperspb.Bool(r.IntN(2) > 0)
	}
	for range 1 + r.IntN(3) {
		m := &matcherv3.StringMatcher{IgnoreCase: r.IntN(4) == 0}
		text := pickOf(r, nativeTexts)
		switch r.IntN(5) {
		case 0:
			m.MatchPattern = &matcherv3.StringMatcher_Exact{Exact: text}
		case 1:
			m.MatchPattern = &matcherv3.StringMatcher_Prefix{Prefix: text}
		case 2:
			m.MatchPattern = &matcherv3.StringMatcher_Suffix{Suffix: text}
		case 3:
			m.MatchPattern = &matcherv3.StringMatcher_Contains{Contains: text}
		default:
			m.MatchPattern = &matcherv3.StringMatcher_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: pickOf(r, nativeRegexes)}}
		}
		p.AllowOriginStringMatch = append(p.AllowOriginStringMatch, m)
	}
	return p
}

func pickOf[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// TestNeverGrantsMoreThanEnvoy asks converted policies, and the filter that they were converted from.
func TestNeverGrantsMoreThanEnvoy(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	kept, granted := 0, 0
	for range 1000 {
		p := randomPolicy(r)
		text, err := protojson.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		result, err := Convert([]Input{{"policy.json", text}}, "envoy")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(result.Configurations) == 0 {
			if len(result.Findings) == 0 {
				t.Fatalf("%s: no policy, and no finding", text)
			}
			continue
		}
		kept++
		granted += compare(t, native{p}, compile(t, result.Configurations[0].JSON), fmt.Sprintf("%s\n%s", text, result.Configurations[0].JSON))
	}
	if kept < 500 || granted < 10000 {
		t.Errorf("%d policies and %d grants: too few to mean anything", kept, granted)
	}
}

// compare returns how many requests both permit.
func compare(t *testing.T, n native, c compiled, shown string) int {
	t.Helper()
	both := 0
	for _, origin := range nativeOrigins {
		for _, method := range []string{"GET", "POST", "PUT", "DELETE", "patch", "*"} {
			for _, header := range []string{"", "x-a", "authorization", "x-b", "*"} {
				for _, credentials := range []bool{false, true} {
					a := &ask{origin: origin, method: method, header: header, credentials: credentials}
					if !c.permits(a) {
						continue
					}
					both++
					if !n.permits(a) {
						t.Fatalf("%+v is permitted, and was not\n%s", a, shown)
					}
				}
			}
		}
	}
	return both
}
