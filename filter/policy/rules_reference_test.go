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

// The plain versions of what the table of rules does, and random rules and requests to compare them on.

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
	if m.anyPath() {
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
