package config

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
	"corsguard/filter/policy"
	"corsguard/filter/regex"
)

// Bounds of rules.
const (
	maxRules     = 10_000
	maxRuleName  = 64
	maxPathBytes = 1024
	maxRouteName = 512
)

// ruleSet is the rules while they are read.
type ruleSet struct {
	rules []policy.Rule
	paths []place // of each rule
	// blocks are those of each rule, beside cors.
	blocks []blocks
	names  map[string]struct{}
	// combinations counts hosts × paths × routes.
	combinations int64
	// unclear: a match has a mistake, so that what is reachable cannot be told.
	unclear bool
}

func (r *reader) rules(path string, v *gjson.Result) *ruleSet {
	s := &ruleSet{names: map[string]struct{}{policy.DefaultRule: {}}}
	r.list(path, v, func(i int, v *gjson.Result) {
		if i < maxRules {
			r.rule(Element(path, i), v, s)
		}
		if i == maxRules {
			r.fail(path, "", "has more than "+strconv.Itoa(maxRules)+" rules", "write fewer rules, with more hosts and paths in each")
			s.unclear = true
		}
	})
	if !s.unclear {
		r.checkReachable(path, s)
	}
	return s
}

func (r *reader) rule(path string, v *gjson.Result, s *ruleSet) {
	var rule policy.Rule
	var b blocks
	hasName, hasMatch := false, false
	isObject := r.object(path, v, append([]field{
		{"name", func(path string, v *gjson.Result) { hasName = true; rule.Name = r.ruleName(path, v, s) }},
		{"match", func(path string, v *gjson.Result) { hasMatch = true; r.match(path, v, &rule.Match, s) }},
		{"cors", func(path string, v *gjson.Result) {
			rule.OwnCORS = true
			if v.Type != gjson.Null {
				rule.CORS = r.cors(path, v)
			}
		}},
	}, r.blockFields(&b, true)...))
	rule.OwnIsolation, rule.OwnSecurityHeaders, rule.OwnFetchMetadata, rule.OwnMode = b.hasIsolation, b.hasSecurityHeaders, b.hasFetchMetadata, b.hasMode
	rule.Isolation, rule.SecurityHeaders, rule.FetchMetadata, rule.Mode = b.isolation, b.securityHeaders, b.fetchMetadata, b.mode
	if isObject && !hasName {
		r.fail(path, v.Raw, "has no name", `add "name": "…", of a-z, 0-9, _ and -; it labels metrics and logs`)
	}
	if isObject && !hasMatch {
		r.fail(path, v.Raw, "has no match", `add "match": {"hosts": […]}; what holds for all requests stands outside of the rules`)
	}
	s.unclear = s.unclear || !hasMatch
	s.rules = append(s.rules, rule)
	s.blocks = append(s.blocks, b)
	s.paths = append(s.paths, place{path, v.Raw})
}

func (r *reader) ruleName(path string, v *gjson.Result, s *ruleSet) string {
	name, ok := r.text(path, v)
	if !ok {
		return ""
	}
	_, taken := s.names[name]
	switch {
	case name == "" || len(name) > maxRuleName || !isRuleName(name):
		r.fail(path, v.Raw, "is no name of a rule", "write 1 to 64 of a-z, 0-9, _ and -")
	case name == policy.DefaultRule:
		r.fail(path, v.Raw, "is the name of what holds where no rule matches", "write another name")
	case taken:
		r.fail(path, v.Raw, "is the name of an earlier rule", "write another name")
	default:
		s.names[name] = struct{}{}
	}
	return name
}

func isRuleName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func (r *reader) match(path string, v *gjson.Result, m *policy.Match, s *ruleSet) {
	before, asks := r.mistakes, false
	seen := map[string]struct{}{}
	isObject := r.object(path, v, []field{
		{"hosts", func(path string, v *gjson.Result) {
			asks = true
			r.list(path, v, func(i int, v *gjson.Result) { r.host(Element(path, i), v, m, seen) })
		}},
		{"paths", func(path string, v *gjson.Result) {
			asks = true
			r.list(path, v, func(i int, v *gjson.Result) { r.path(Element(path, i), v, m, seen) })
		}},
		{"routes", func(path string, v *gjson.Result) {
			asks = true
			r.list(path, v, func(i int, v *gjson.Result) { r.route(Element(path, i), v, m, seen) })
		}},
	})
	if isObject && !asks {
		r.fail(path, v.Raw, "matches every request", `add "hosts", "paths" or "routes"; what holds for all requests stands outside of the rules`)
	}
	if s.combinations += m.Combinations(); s.combinations > policy.MaxCombinations && !s.unclear {
		r.fail(path, "", "makes more than "+strconv.Itoa(policy.MaxCombinations)+" combinations of hosts, paths and routes in all rules", "write fewer in one rule, or use wildcards and prefixes")
	}
	s.unclear = s.unclear || r.mistakes > before
}

// once reports whether what stands at path is not there twice. The kind keeps the lists of a match apart.
func (r *reader) once(path string, v *gjson.Result, seen map[string]struct{}, kind, value string) bool {
	key := kind + " " + value
	if _, dup := seen[key]; dup {
		r.fail(path, v.Raw, "stands in the list already", "write it once")
		return false
	}
	seen[key] = struct{}{}
	return true
}

func (r *reader) host(path string, v *gjson.Result, m *policy.Match, seen map[string]struct{}) {
	text, ok := r.text(path, v)
	if !ok {
		return
	}
	name, subdomains, err := origin.ParseHost(text)
	if err != nil {
		r.refuse(path, v, err)
		return
	}
	if r.once(path, v, seen, "host", text) {
		m.Hosts = append(m.Hosts, policy.Host{Name: name, Subdomains: subdomains})
	}
}

func (r *reader) route(path string, v *gjson.Result, m *policy.Match, seen map[string]struct{}) {
	name, ok := r.text(path, v)
	switch {
	case !ok:
	case name == "" || len(name) > maxRouteName:
		r.fail(path, v.Raw, "is no name of a route", "write 1 to 512 bytes, as the route has them in Envoy")
	case hasControl(name):
		r.fail(path, v.Raw, "has a control character", "write the name as the route has it in Envoy")
	case r.once(path, v, seen, "route", name):
		m.Routes = append(m.Routes, name)
	}
}

func hasControl(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return true
		}
	}
	return false
}

var pathKinds = [...]string{policy.ExactPath: "exact", policy.PrefixPath: "prefix", policy.RegexPath: "regex"}

// path reads an element of paths: an object of one key.
func (r *reader) path(path string, v *gjson.Result, m *policy.Match, seen map[string]struct{}) {
	const write = `write {"exact": "/v1"}, {"prefix": "/public"} or {"regex": "/v[0-9]+/.*"}`
	if !v.IsObject() {
		r.fail(path, v.Raw, "must be an object, is "+typeOf(v), write)
		return
	}
	keys, key, value := onlyKey(v)
	kind := -1
	for i, name := range pathKinds {
		if name == key {
			kind = i
		}
	}
	switch {
	case keys != 1:
		r.fail(path, v.Raw, "must have one key", write)
		return
	case kind < 0:
		r.fail(path, v.Raw, "unknown kind of path", write)
		return
	case value.Type != gjson.String:
		r.fail(path, v.Raw, "must have a string, has "+typeOf(value), write)
		return
	}
	p := policy.Path{Kind: policy.PathKind(kind), Value: value.Str}
	if p.Kind == policy.RegexPath {
		if !r.regexPath(path, v, &p) {
			return
		}
	} else if reason, fix := checkPath(&p); reason != "" {
		r.fail(path, v.Raw, reason, fix)
		return
	}
	if r.once(path, v, seen, key, p.Value) {
		m.Paths = append(m.Paths, p)
	}
}

// checkPath tells why p is no path that a rule may have, and what to write.
func checkPath(p *policy.Path) (reason, fix string) {
	s := p.Value
	switch {
	case s == "" || s[0] != '/':
		return "does not begin with a slash", "write the path from its first slash on"
	case len(s) > maxPathBytes:
		return "is longer than " + strconv.Itoa(maxPathBytes) + " bytes", "write a shorter prefix"
	}
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '?', '#':
			return "has a query or a fragment, which never count", "write the path alone"
		case '*':
			return "has a *, which is no wildcard in paths", `write {"prefix": …} for what is below a path, or {"regex": …}`
		}
	}
	canonical, isClear := policy.CanonicalPath(s)
	switch {
	case strings.Contains(canonical, "%3F"), strings.Contains(canonical, "%23"):
		return "has an encoded ? or #, where some services end a path", "write what is before it"
	case !isClear && hasDotSegment(canonical):
		return "has a . or .. segment", "write the path that it leads to"
	case !isClear && !strings.Contains(canonical, "%"):
		return "has matrix parameters, which do not count", "write the path without what stands from ; to the next slash"
	case !isClear:
		return "has an encoding that services read differently", "write a path without %00, %C0, %C1 and %u"
	case canonical != s:
		return "is not in canonical form", `write "` + canonical + `"`
	case p.Kind == policy.PrefixPath && s != "/" && s[len(s)-1] == '/':
		return "has a slash at the end", `write "` + s[:len(s)-1] + `", which takes that path and all below it`
	}
	return "", ""
}

func hasDotSegment(path string) bool {
	for rest, more := path, true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// regexPath compiles a regular expression over paths.
func (r *reader) regexPath(path string, v *gjson.Result, p *policy.Path) bool {
	if !r.countRegex(path, v) {
		return false
	}
	re, err := regex.Compile(p.Value)
	if err != nil {
		e := err.(*regex.Error)
		r.fail(path, v.Raw, e.Reason, e.Fix)
		return false
	}
	if !re.CanBegin('/') {
		r.fail(path, v.Raw, "matches no path: a path begins with a slash", `write {"regex": "/v[0-9]+/.*"}`)
		return false
	}
	p.Regex = re
	return true
}

// checkReachable refuses rules that never decide.
func (r *reader) checkReachable(path string, s *ruleSet) {
	const most = 3
	found, ok := policy.FindUnreachable(s.rules)
	if !ok {
		r.fail(path, "", "have hosts that stand in several rules, with too many paths", "write fewer paths, or wildcards for the hosts")
	}
	for _, u := range found {
		by := ""
		for i, rule := range u.By {
			if i == most {
				by += " and others"
				break
			}
			if i > 0 {
				by += ", "
			}
			by += s.paths[rule].path + " (" + fetch.Quoted(s.rules[rule].Name, maxRuleName) + ")"
		}
		r.failAt(s.paths[u.Rule], "never decides: earlier rules take all that it matches: "+by, "move it before them, or leave it out")
	}
}
