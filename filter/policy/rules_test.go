package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/regex"
)

func host(text string) Host {
	name, sub := strings.CutPrefix(text, "*.")
	return Host{Name: name, Subdomains: sub}
}

func pathOf(t testing.TB, text string) Path {
	t.Helper()
	kind, value, _ := strings.Cut(text, " ")
	p := Path{Kind: map[string]PathKind{"exact": ExactPath, "prefix": PrefixPath, "regex": RegexPath}[kind], Value: value}
	if p.Kind == RegexPath {
		re, err := regex.Compile(value)
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		p.Regex = re
	}
	return p
}

// match reads a match in short: hosts, paths and routes, set apart by `|`.
func match(t testing.TB, text string) Match {
	t.Helper()
	var m Match
	parts := strings.Split(text+"||", "|")
	for _, h := range strings.Fields(parts[0]) {
		m.Hosts = append(m.Hosts, host(h))
	}
	for _, p := range strings.Split(parts[1], ",") {
		if p = strings.TrimSpace(p); p != "" {
			m.Paths = append(m.Paths, pathOf(t, p))
		}
	}
	m.Routes = strings.Fields(parts[2])
	return m
}

func rulesOf(t testing.TB, matches ...string) []Rule {
	t.Helper()
	var rules []Rule
	for i, text := range matches {
		rules = append(rules, Rule{Name: fmt.Sprint("r", i), Match: match(t, text)})
	}
	return rules
}

// oneOrigin is a block that allows one origin.
func oneOrigin(t testing.TB, o string) []CORS {
	return []CORS{{AllowOrigins: patterns(t, o), PreflightStatus: 204, MaxAge: MaxAgeUnset}}
}

func compileRules(t testing.TB, rules []Rule) *Rules {
	t.Helper()
	for i := range rules {
		rules[i].OwnCORS, rules[i].CORS = true, oneOrigin(t, fmt.Sprintf("https://r%d.example", i))
	}
	r, err := Compile(&Spec{CORS: oneOrigin(t, "https://default.example"), Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// takes is the reference: it reports whether a rule's match takes a request, of which the host and one reading of the path are given.
func (m *Match) takes(host, path, route string) bool {
	hostOK := len(m.Hosts) == 0 || slices.ContainsFunc(m.Hosts, func(h Host) bool {
		if h.Subdomains {
			return len(host) > len(h.Name)+1 && strings.HasSuffix(host, "."+h.Name)
		}
		return host == h.Name
	})
	pathOK := len(m.Paths) == 0 || slices.ContainsFunc(m.Paths, func(p Path) bool {
		switch {
		case p.Kind == PrefixPath && p.Value == "/":
			return true
		case !strings.HasPrefix(path, "/"):
			return false
		case p.Kind == ExactPath:
			return path == p.Value
		case p.Kind == PrefixPath:
			return path == p.Value || strings.HasPrefix(path, p.Value+"/")
		}
		return regexp.MustCompile(`\A(?:` + p.Value + `)\z`).MatchString(path)
	})
	return hostOK && pathOK && (len(m.Routes) == 0 || route != "" && slices.Contains(m.Routes, route))
}

// firstOf is the reference for a reading: linear, the first match wins.
func firstOf(rules []Rule, host, path, route string) int {
	for i := range rules {
		if rules[i].Match.takes(host, path, route) {
			return i
		}
	}
	return len(rules)
}

var (
	someHosts     = []string{"a.test", "*.a.test", "b.a.test", "*.b.a.test", "c.test", "*.test", "[::1]", "192.0.2.1"}
	someRulePaths = []string{
		"exact /", "exact /a", "exact /a/", "exact /a/b", "prefix /a", "prefix /a/b", "prefix /b", "prefix /a/b/c", "prefix /", "regex /a/[a-z]+", "regex /.*", "regex /v[0-9]+(/.*)?", "exact /caf%C3%A9",
		"prefix /%20",
	}
	someRoutes      = []string{"one", "two", "three"}
	someAuthorities = []string{
		"a.test", "b.a.test", "x.b.a.test", "c.test", "test", ".a.test", "A.TEST:8443", "b.a.test.", "b.A.test.:1", "a.test..", "xa.test", "a.test.evil", "[::1]", "[::1]:80", "192.0.2.1:443", "", ":80", "user@a.test",
		strings.Repeat("x.", 120) + "a.test", strings.Repeat("x", 300) + ".a.test",
	}
	someParts = []string{
		"/", "/", "/a", "/a", "/b", "/c", "a", "b", "//", ";x", ";x=1", "%61", "%2561", "%2F", "%2f", "%5C", "\\", "/.", "/..", "/%2e", "/%2E%2e", "%", "%4", "%3B", "%20", " ", "\xff", "/v1", "/v22", "caf%C3%A9",
		"caf\xc3\xa9", "%c3%A9", "*", "?q=/a", "#/a", ".well-known", "\x00", "~", "+",
	}
)

func randomRules(t testing.TB, r *rand.Rand) []Rule {
	var texts []string
	for range 1 + r.IntN(8) {
		pickSome := func(from []string, separator string) string {
			if r.IntN(2) == 0 {
				return ""
			}
			var some []string
			for range 1 + r.IntN(3) {
				if e := pick(r, from); !slices.Contains(some, e) {
					some = append(some, e)
				}
			}
			return strings.Join(some, separator)
		}
		texts = append(texts, pickSome(someHosts, " ")+"|"+pickSome(someRulePaths, ",")+"|"+pickSome(someRoutes, " "))
	}
	return rulesOf(t, texts...)
}

func randomPath(r *rand.Rand) string {
	path := "/"
	if r.IntN(12) == 0 {
		path = ""
	}
	for r.IntN(4) > 0 {
		path += pick(r, someParts)
	}
	return path
}

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
			if got != want || p.closed != (counts && !alike) {
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

func describe(rules []Rule) string {
	var b strings.Builder
	for i := range rules {
		m := &rules[i].Match
		fmt.Fprintf(&b, "\n%d: %v", i, m.Hosts)
		for _, p := range m.Paths {
			fmt.Fprintf(&b, " %d %q", p.Kind, p.Value)
		}
		fmt.Fprintf(&b, " %q", m.Routes)
	}
	return b.String()
}

// covers is the reference for elements: whether each of a takes everything that b does.
func (h Host) covers(other Host) bool {
	if h.Name == "" {
		return true
	}
	if other.Name == "" {
		return false
	}
	return h == other || h.Subdomains && strings.HasSuffix(other.Name, "."+h.Name)
}

func (p Path) covers(other Path) bool {
	switch {
	case p.matchesAll():
		return true
	case other.matchesAll():
		return false
	case p.Kind == other.Kind && p.Value == other.Value:
		return true
	case p.Kind == PrefixPath && other.Kind != RegexPath:
		return other.Value == p.Value || strings.HasPrefix(other.Value, p.Value+"/")
	}
	return p.Kind == RegexPath && other.Kind == ExactPath && p.Regex.Match(other.Value)
}

func (m *Match) elements() (hosts []Host, paths []Path, routes []string) {
	hosts, paths, routes = m.Hosts, m.Paths, m.Routes
	if len(hosts) == 0 {
		hosts = []Host{{}}
	}
	if len(paths) == 0 {
		paths = []Path{{Kind: PrefixPath, Value: "/"}}
	}
	if len(routes) == 0 {
		routes = []string{""}
	}
	return hosts, paths, routes
}

// covered is the reference of FindUnreachable.
func covered(rules []Rule, j int) bool {
	hosts, paths, routes := rules[j].Match.elements()
	for _, h := range hosts {
		for _, p := range paths {
			for _, route := range routes {
				if !slices.ContainsFunc(rules[:j], func(earlier Rule) bool {
					hs, ps, rs := earlier.Match.elements()
					return slices.ContainsFunc(hs, func(e Host) bool { return e.covers(h) }) &&
						slices.ContainsFunc(ps, func(e Path) bool { return e.covers(p) }) &&
						slices.ContainsFunc(rs, func(e string) bool { return e == "" || e == route })
				}) {
					return false
				}
			}
		}
	}
	return true
}

func TestUnreachableRulesAreFound(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 4))
	found := 0
	for range 4000 {
		rules := randomRules(t, r)
		unreachable := map[int]bool{}
		for _, u := range FindUnreachable(rules) {
			unreachable[u.Rule] = true
			for _, by := range u.By {
				if by >= u.Rule {
					t.Fatalf("rule %d is said to be shadowed by %d", u.Rule, by)
				}
			}
		}
		for j := range rules {
			if unreachable[j] != covered(rules, j) {
				// A list that holds `/` is one that takes every path, whatever else is in it.
				if !rules[j].Match.anyPath() || len(rules[j].Match.Paths) < 2 {
					t.Fatalf("rule %d: unreachable %v, want %v, among %s", j, unreachable[j], covered(rules, j), describe(rules))
				}
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
		{Authority: strings.Repeat("x.", 120) + "c.test", Path: "/", Route: "two"}, {}, {Path: "*"}, {Path: "/v1/" + strings.Repeat("x", 60_000)},
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
	for _, path := range []string{"/open/..;/x", "/open//../x", "/%6Fpen", "/open/%2e%2e/x", "/off/../open", "/%6Fff"} {
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
			edits := p.Edits(&d, &response, &VaryMemo{}, nil)
			removed := slices.ContainsFunc(edits, func(e Edit) bool { return e.Op == RemoveHeader && e.Name == "access-control-allow-origin" })
			if d.Grant != "" || d.Status == 0 && !removed || d.Vary == VaryNothing || d.Verdict() == Allowed && d.Reason != SameOrigin && d.Reason != NothingAsked {
				t.Fatalf("%s: %+v for %+v, edits %v", path, d, q, edits)
			}
		}
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
