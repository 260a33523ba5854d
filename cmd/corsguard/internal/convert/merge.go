package convert

import (
	"slices"
	"strconv"
	"strings"

	"corsguard/filter/config"
	"corsguard/filter/regex"
)

// bounds of the plugin, which Parse knows and does not export.
const (
	mostRules     = 10_000
	mostRegexes   = 64
	mostRuleName  = 64
	mostRegexSize = 512
)

// finish makes a configuration of scopes and adds it, unless it would grant nothing.
func (c *converter) finish(at *node, name string, scopes []scope) *Configuration {
	scopes = c.settle(scopes)
	var last *grant
	for i := range scopes {
		if scopes[i].takesAll() {
			last = scopes[i].grant
			scopes = scopes[:i]
			break
		}
	}
	scopes = simplify(scopes, last)
	doc := document{}
	if last.key() != "" {
		doc.Mode, doc.CORS = last.mode, last.value()
	}
	used := map[string]bool{"default": true}
	for i := range scopes {
		s := &scopes[i]
		doc.Rules = append(doc.Rules, ruleDoc{
			Name: ruleName(s.name, used), Match: matchDoc{s.hosts, s.paths, s.routes}, Mode: ruleMode(s.grant, doc.Mode), CORS: s.grant.value(),
		})
	}
	if last.key() == "" && !slices.ContainsFunc(scopes, func(s scope) bool { return s.grant.key() != "" }) {
		return nil
	}
	return c.emit(at, name, doc, scopes)
}

// ruleMode returns what a rule has to write so that the mode of its grant holds.
func ruleMode(g *grant, top any) any {
	if g.key() == "" {
		return nil
	}
	if g.mode == nil && top != nil {
		return "enforce"
	}
	return g.mode
}

// simplify leaves out what changes nothing: rules at the end that grant what follows them, and rules that can be one.
func simplify(scopes []scope, last *grant) []scope {
	var out []scope
	for _, s := range scopes {
		if n := len(out); n > 0 && out[n-1].grant.key() == s.grant.key() && slices.Equal(out[n-1].routes, s.routes) {
			p := &out[n-1]
			if slices.Equal(p.hosts, s.hosts) && (len(p.paths) == 0) == (len(s.paths) == 0) {
				p.paths = union(p.paths, s.paths)
				continue
			}
			if slices.Equal(p.paths, s.paths) && len(p.hosts) > 0 && len(s.hosts) > 0 {
				p.hosts = union(p.hosts, s.hosts)
				continue
			}
		}
		out = append(out, s)
	}
	for len(out) > 0 && out[len(out)-1].grant.key() == last.key() {
		out = out[:len(out)-1]
	}
	return out
}

func union[T comparable](a, b []T) []T {
	all := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(all, v) {
			all = append(all, v)
		}
	}
	return all
}

// ruleName returns a name like hint that is not used yet.
func ruleName(hint string, used map[string]bool) string {
	slug := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r == '*':
			return -1
		}
		return '-'
	}, hint)
	for strings.Contains(slug, "--") {
		slug = strings.ReplaceAll(slug, "--", "-")
	}
	const room = 8
	if slug = strings.Trim(slug, "-"); len(slug) > mostRuleName-room {
		slug = strings.Trim(slug[:mostRuleName-room], "-")
	}
	if slug == "" {
		slug = "rule"
	}
	name := slug
	for i := 2; used[name]; i++ {
		name = slug + "-" + strconv.Itoa(i)
	}
	used[name] = true
	return name
}

// emit asks the plugin about doc, takes out rules that can never decide, and adds the configuration.
func (c *converter) emit(at *node, name string, doc document, scopes []scope) *Configuration {
	if len(doc.Rules) > mostRules {
		c.lostAll(at, "there are more than 10000 rules", "convert a part of the file")
		return nil
	}
	for i := range doc.Rules {
		doc.Rules[i].Match.Paths = fewer(doc.Rules[i].Match.Paths)
	}
	if n := regexes(&doc); n > mostRegexes {
		c.lostAll(at, strconv.Itoa(n)+" regular expressions, of which a configuration may have 64: prefixes that end in the middle of a segment, or with a slash, are such", "use prefixes without a slash at the end where the product has them, or convert a part of the file")
		return nil
	}
	for {
		text := pretty(doc)
		problems := c.problems(text)
		if len(problems) == 0 {
			c.result = append(c.result, Configuration{Name: name, JSON: text})
			return &c.result[len(c.result)-1]
		}
		dead := unreachable(problems)
		if len(dead) == 0 {
			if isLimit(problems) {
				c.lostAll(at, problems[0].String(), "convert a part of the file")
				return nil
			}
			c.internal = &InternalError{Problems: problems.Error(), JSON: string(text)}
			return nil
		}
		for _, i := range slices.Backward(dead) {
			if scopes[i].grant.key() != "" {
				c.add(ruleShadowed, scopes[i].at, "the policy for "+doc.Rules[i].Name+" is left out: earlier rules take all its requests", "")
			}
			doc.Rules = slices.Delete(doc.Rules, i, i+1)
			scopes = slices.Delete(scopes, i, i+1)
		}
		if doc.CORS == nil && !slices.ContainsFunc(scopes, func(s scope) bool { return s.grant.key() != "" }) {
			return nil
		}
	}
}

func (c *converter) lostAll(at *node, message, fix string) { c.add(matchLost, at, message, fix) }

// unreachable returns the indexes of the rules that never decide, in order.
func unreachable(problems config.Error) []int {
	var dead []int
	for i := range problems {
		inner, ok := strings.CutPrefix(problems[i].Path, "rules[")
		n, err := strconv.Atoi(strings.TrimSuffix(inner, "]"))
		if ok && err == nil && strings.HasPrefix(problems[i].Reason, "never decides") {
			dead = append(dead, n)
		}
	}
	slices.Sort(dead)
	return slices.Compact(dead)
}

// isLimit reports whether the configuration is only too large.
func isLimit(problems config.Error) bool {
	for i := range problems {
		r := problems[i].Reason
		if !strings.Contains(r, "combinations") && !strings.Contains(r, "too large") && !strings.Contains(r, "index") && !strings.Contains(r, "longer than") && !strings.Contains(r, "more than") {
			return false
		}
	}
	return true
}

// regexes counts the expressions of d.
func regexes(d *document) int {
	n := strings.Count(string(marshal(d.CORS)), `{"regex":`)
	for i := range d.Rules {
		n += strings.Count(string(marshal(d.Rules[i].CORS)), `{"regex":`)
		for _, p := range d.Rules[i].Match.Paths {
			if p.Regex != "" {
				n++
			}
		}
	}
	return n
}

// fewer joins expressions of a rule into fewer, as choices.
func fewer(paths []pathDoc) []pathDoc {
	var out []pathDoc
	var parts []string // of the expression that is last in out
	for _, p := range paths {
		if p.Regex == "" || strings.HasPrefix(p.Regex, "(?i)") {
			out, parts = append(out, p), nil
			continue
		}
		if len(parts) > 0 {
			choice := "(?:" + strings.Join(append(slices.Clone(parts), p.Regex), "|") + ")"
			if _, err := regex.Compile(choice); err == nil && len(choice) <= mostRegexSize {
				out[len(out)-1].Regex = choice
				parts = append(parts, p.Regex)
				continue
			}
		}
		out, parts = append(out, p), []string{p.Regex}
	}
	return out
}
