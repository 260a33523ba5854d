package policy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestPickAgreesWithTheLinearReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 4))
	reached := map[string]int{}
	for range 3000 {
		rules := randomRules(t, r)
		compiled := compileRules(t, rules)
		for range 40 {
			q := Target{Authority: pick(r, someAuthorities), Path: randomPath(r), Route: pick(r, append(someRoutes, "", "four"))}
			got, p := compiled.Pick(&q)
			host, path := hostOf(q.Authority), withoutQuery(q.Path)
			want := firstOf(rules, host, path, q.Route)
			// A rule for the host that names paths comes before the first that decides whatever the path.
			counts := false
			for i := range rules {
				m := rules[i].Match
				if m.Paths = nil; rules[i].Match.anyPath() && m.takes(host, path, q.Route) {
					break
				}
				m.Routes = nil
				counts = counts || !rules[i].Match.anyPath() && m.takes(host, path, "")
			}
			canonical, isClear := path, true
			if strings.HasPrefix(path, "/") {
				canonical, isClear = CanonicalPath(path)
			}
			alike := isClear && firstOf(rules, host, canonical, q.Route) == want
			// More is closed than the two readings call for: readings in between, and encoded delimiters.
			more := counts && (canonical != path && names(rules, RegexPath) || readOtherwise.MatchString(canonical))
			if got != want || p.closed != (counts && !alike) && !(p.closed && more) {
				t.Fatalf("%+v: rule %d, closed %v; want %d, alike %v, counts %v, among %s", q, got, p.closed, want, alike, counts, describe(rules))
			}
			reached[fmt.Sprint(want < len(rules), p.closed)]++
		}
	}
	for _, what := range []string{"true false", "true true", "false false", "false true"} {
		if reached[what] < 100 {
			t.Errorf("matched, closed %s: %d times", what, reached[what])
		}
	}
}

func names(rules []Rule, kind PathKind) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool {
		return slices.ContainsFunc(r.Match.Paths, func(p Path) bool { return p.Kind == kind })
	})
}

func TestUnreachableRulesAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 4))
	found := 0
	for range 4000 {
		rules := randomRules(t, r)
		unreachable := map[int]bool{}
		shadowed, ok := FindUnreachable(rules)
		if !ok {
			t.Fatal("a few rules do not fit into a table")
		}
		for _, u := range shadowed {
			unreachable[u.Rule] = true
			for _, by := range u.By {
				if by >= u.Rule {
					t.Fatalf("rule %d is said to be shadowed by %d", u.Rule, by)
				}
			}
		}
		for j := range rules {
			if unreachable[j] != covered(rules, j) {
				t.Fatalf("rule %d: unreachable %v, want %v, among %s", j, unreachable[j], covered(rules, j), describe(rules))
			}
		}
		compiled := compileRules(t, rules)
		for range 40 {
			q := Target{Authority: pick(r, someAuthorities), Path: randomPath(r), Route: pick(r, append(someRoutes, "", "four"))}
			if got, _ := compiled.Pick(&q); unreachable[got] {
				t.Fatalf("rule %d is said to be unreachable, and takes %+v, among %s", got, q, describe(rules))
			}
		}
		found += len(unreachable)
	}
	if found < 1000 {
		t.Errorf("only %d rules were unreachable", found)
	}
}

func TestHostsAreReadAsHTTPReadsThem(t *testing.T) {
	for authority, want := range map[string]string{
		"api.example.com": "api.example.com", "API.Example.COM": "api.example.com", "api.example.com:443": "api.example.com", "api.example.com:": "api.example.com",
		"api.example.com.": "api.example.com", "api.example.com.:8443": "api.example.com", "api.example.com..": "api.example.com.", "[::1]": "[::1]", "[::1]:80": "[::1]", "[2001:DB8::1]:80": "[2001:db8::1]",
		"": "", ":80": "", "a:b:c": "a:b:c", "a.test:80@b.test": "a.test:80@b.test", "a.test:8x": "a.test:8x", "a.test:-1": "a.test:-1", "user@api.example.com:80": "user@api.example.com", "api.example.com:80:90": "api.example.com:80", "[::1": "[:", "[::1]x:80": "[::1]x", "\xc0\x80": "\xc0\x80", "É.test": "É.test",
		strings.Repeat("a", 253) + ".:1": strings.Repeat("a", 253), strings.Repeat("a", 255): "", strings.Repeat("a", 100_000): "",
	} {
		if got := hostOf(authority); got != want {
			t.Errorf("%.60q: %.60q, want %.60q", authority, got, want)
		}
	}
}

// Rules about other hosts, other paths and nothing at all cost a request no allocation.
func TestPickingARuleAllocatesNothing(t *testing.T) {
	rules := compileRules(t, rulesOf(t, "a.test *.b.test|prefix /a,exact /b,regex /v[0-9]+/.*|one", "|prefix /c", "*.c.test||two", "||three"))
	for _, q := range []Target{
		{Authority: "a.test:8443", Path: "/a/b/c?d=e", Route: "one"}, {Authority: "x.y.b.test", Path: "/v1/x", Route: "one"}, {Authority: "z.test", Path: "/c/" + strings.Repeat("d/", 4000)},
		{Authority: strings.Repeat("x.", 120) + "c.test", Path: "/", Route: "two"}, {}, {Path: "*"}, {Authority: "a.test", Path: "/.well-known/x"}, {Authority: "a.test", Path: "/caf%C3%A9/x%20y/...?%61"}, {Path: "/v1/" + strings.Repeat("x", 60_000)},
	} {
		if n := testing.AllocsPerRun(50, func() { rules.Pick(&q) }); n != 0 {
			t.Errorf("%.60v: %v allocations", q, n)
		}
	}
}

func TestRulesAskForNoMoreThanTheyNeed(t *testing.T) {
	for _, c := range []struct {
		matches       []string
		headers, name bool
	}{
		{nil, false, false}, {[]string{"a.test"}, true, false}, {[]string{"|prefix /a"}, true, false}, {[]string{"||one"}, false, true}, {[]string{"a.test||one"}, true, true}, {[]string{"|prefix /"}, false, false},
	} {
		r := compileRules(t, rulesOf(t, c.matches...))
		if r.AskHeaders() != c.headers || r.AskRoute() != c.name {
			t.Errorf("%q: headers %v, route %v", c.matches, r.AskHeaders(), r.AskRoute())
		}
	}
}

func TestAClosedPolicyGrantsNothing(t *testing.T) {
	open := []CORS{{AllowOrigins: patterns(t, "*"), AllowMethods: []string{"*"}, TimingAllowOrigin: true, PreflightStatus: 200, MaxAge: MaxAgeUnset, UpstreamHeaders: Keep}}
	rules, err := Compile(&Spec{Rules: []Rule{{Name: "open", Match: match(t, "|prefix /open"), OwnCORS: true, CORS: open}, {Name: "off", Match: match(t, "|prefix /off"), OwnCORS: true}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/open/..;/x", "/open//../x", "/%6Fpen", "/open/%2e%2e/x", "/off/../open"} {
		rule, p := rules.Pick(&Target{Path: path})
		if !p.closed {
			t.Fatalf("%s: rule %d decides", path, rule)
		}
		r := rand.New(rand.NewPCG(9, 9))
		for range 2000 {
			q := randomRequest(r)
			d := p.Decide(&q)
			var response Response
			response.Add("access-control-allow-origin", "*")
			response.Add("timing-allow-origin", "*")
			edits := p.Edits(&d, &response, false, &VaryMemo{}, nil)
			removed := slices.ContainsFunc(edits, func(e Edit) bool { return e.Op == RemoveHeader && e.Name == "access-control-allow-origin" })
			if d.Grant != "" || d.Status == 0 && !removed || d.Vary == VaryNothing || d.Verdict() == Allowed && d.Reason != SameOrigin && d.Reason != NothingAsked {
				t.Fatalf("%s: %+v for %+v, edits %v", path, d, q, edits)
			}
		}
	}
}

func TestWhereNoPolicyGrantsAnAmbiguousPathChangesNothing(t *testing.T) {
	rules, err := Compile(&Spec{Rules: []Rule{{Name: "off", Match: match(t, "|prefix /off"), OwnCORS: true}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, p := rules.Pick(&Target{Path: "/%6Fff"}); !p.closed || !p.LeavesResponses() {
		t.Errorf("%+v", p)
	}
}

// FuzzPick holds whatever a client sends against the linear reference, under rules of every kind.
func FuzzPick(f *testing.F) {
	rules := rulesOf(f,
		"a.test|exact /a,regex /a/[a-z]+|one", "*.a.test|prefix /a/b", "|prefix /b,exact /caf%C3%A9|two", "[::1] 192.0.2.1", "b.a.test *.b.a.test|exact /", "c.test||one two", "|regex /v[0-9]+(/.*)?", "*.test|exact /%20")
	compiled := compileRules(f, rules)
	for _, authority := range someAuthorities {
		f.Add(authority, "/a", "one")
	}
	for _, part := range someParts {
		f.Add("b.a.test", "/a"+part, "")
		f.Add("a.test", part+"/b", "two")
	}
	f.Fuzz(func(t *testing.T, authority, target, route string) {
		got, p := compiled.Pick(&Target{Authority: authority, Path: target, Route: route})
		host, path := hostOf(authority), withoutQuery(target)
		want := firstOf(rules, host, path, route)
		long := len(path) > maxRegexPath // not asked about: reads as no match, and grants nothing
		if got != want && !long || got > len(rules) {
			t.Fatalf("%q %q %q: rule %d, want %d", authority, target, route, got, want)
		}
		if p.closed || !strings.HasPrefix(path, "/") || long {
			return
		}
		if canonical, _ := CanonicalPath(path); firstOf(rules, host, canonical, route) != got {
			t.Fatalf("%q %q %q: rule %d decides, and another the canonical path %q", authority, target, route, got, canonical)
		}
	})
}

// Sixty expressions that each keep hundreds of states alive would hold the worker up for most of a second.
func TestWhatWouldTakeExpressionsTooLongGrantsNothing(t *testing.T) {
	var matches []string
	for i := range 60 {
		matches = append(matches, fmt.Sprintf("|regex /.*a.{200}%d", i))
	}
	rules := compileRules(t, rulesOf(t, append(matches, "|prefix /a")...))
	for path, closed := range map[string]bool{"/b": false, "/a": false, "/" + strings.Repeat("a", 1000): true, "/a/" + strings.Repeat("b", 2000): true, "/a/" + strings.Repeat("a", 2100): true} {
		rule, p := rules.Pick(&Target{Path: path})
		if p.closed != closed {
			t.Errorf("%.20s…, %d bytes: rule %d, closed %v", path, len(path), rule, p.closed)
		}
	}
}
