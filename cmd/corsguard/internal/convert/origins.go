package convert

import (
	"fmt"
	"regexp"
	"strings"

	"corsguard/filter/config"
)

// pattern is an element of allowOrigins, or what stands for one.
type pattern struct {
	text      string
	regex     bool
	any, null bool
}

func (p pattern) value() any {
	if p.regex {
		return regexDoc{p.text}
	}
	return p.text
}

// refusal returns why the plugin refuses p, nil where it accepts it.
func (c *converter) refusal(p pattern, credentials bool) *config.Problem {
	b := corsBlock{AllowCredentials: credentials}
	if b.AllowNull = p.null; !p.null {
		b.AllowOrigins = []any{p.value()}
	}
	return c.problem(document{CORS: b})
}

// accepts reports whether text is a pattern that the plugin accepts, without credentials.
func (c *converter) accepts(text string) bool { return c.refusal(pattern{text: text}, false) == nil }

// splitOrigins converts the origins of s: those that get what s allows, and those that get it without credentials only.
func (c *converter) splitOrigins(s *settings) (with, without []pattern) {
	seen := map[pattern]bool{}
	for i := range s.origins {
		e := &s.origins[i]
		for _, p := range c.patterns(e) {
			if seen[p] {
				continue
			}
			seen[p] = true
			if !s.credentials {
				without = append(without, p)
				continue
			}
			if problem := c.refusal(p, true); problem != nil {
				c.withoutCredentials(s, e, p, problem)
				without = append(without, p)
				continue
			}
			with = append(with, p)
		}
	}
	return with, without
}

// withoutCredentials says why p is kept without credentials.
func (c *converter) withoutCredentials(s *settings, e *originEntry, p pattern, problem *config.Problem) {
	switch {
	case p.any && s.starSent:
		c.addAs(anyWithCredentials, anyWithCredentials.Severity-1, e.at.place(), "any origin is answered with *, which browsers refuse with credentials; it is kept without",
			"list the origins that need credentials")
	case p.any:
		c.add(anyWithCredentials, e.at, "any origin with credentials: kept without, so that requests with cookies or HTTP authentication fail", "list the origins that need credentials")
	case p.null:
		c.add(insecureWithCredentials, e.at, "the null origin is kept without credentials", "serve the page from an origin of its own")
	default:
		c.add(insecureWithCredentials, e.at, fmt.Sprintf("%q is kept without credentials: %s", p.text, problem.Reason), problem.Fix)
	}
}

// patterns returns what e becomes: patterns that match nothing that e does not.
func (c *converter) patterns(e *originEntry) []pattern {
	switch e.kind {
	case anyOrigin:
		return []pattern{{any: true, text: "*"}}
	case exactOrigin:
		return c.exact(e, e.text)
	case patternOrigin:
		return c.own(e)
	case globOrigin:
		return c.glob(e)
	case labelOrigin:
		return c.label(e)
	case prefixOrigin, suffixOrigin, containsOrigin:
		return c.part(e)
	case regexOrigin:
		return c.regex(e, e.text)
	case anyHostOrigin:
		c.add(originRefused, e.at, fmt.Sprintf("%q is any host at the default port; Corsguard's is at any port, which is more, so it is left out", e.text),
			fmt.Sprintf("write %q into allowOrigins by hand if any port will do, without credentials", e.text))
		return nil
	case searchOrigin:
		if !strings.HasPrefix(e.text, "^") || !endsAnchored(e.text) {
			c.add(unanchoredRegex, e.at, fmt.Sprintf("the expression %q is searched for anywhere in the origin, so others get through; it is left out", e.text),
				`write the whole origin, from ^ to $, with \. for each dot`)
			return nil
		}
		return c.regex(e, e.text)
	}
	return nil
}

// part converts what is compared with a part of the origin. A * is no wildcard there; but what takes the text * takes every origin.
func (c *converter) part(e *originEntry) []pattern {
	switch {
	case e.text == "*":
		return []pattern{{any: true, text: "*"}}
	case strings.Contains(e.text, "*"):
		return c.exact(e, e.text)
	case e.kind == prefixOrigin:
		return c.prefix(e, e.text)
	}
	return c.suffix(e, e.text)
}

func (c *converter) exact(e *originEntry, text string) []pattern {
	if text == "null" {
		c.add(nullOrigin, e.at, "the null origin is allowed", "leave it out, unless what it reads is public")
		return []pattern{{null: true}}
	}
	if strings.Contains(text, "*") {
		c.add(originNeverMatches, e.at, fmt.Sprintf("%q is compared to the letter in the source, where the * is no wildcard; it is left out", text), "write the pattern by hand if a wildcard was meant")
		return nil
	}
	if p := c.refusal(pattern{text: text}, false); p != nil {
		c.add(originNeverMatches, e.at, fmt.Sprintf("%q is left out: %s", text, p.Reason), p.Fix)
		return nil
	}
	return []pattern{{text: text}}
}

// own takes a pattern that means in Corsguard what it means in the source.
func (c *converter) own(e *originEntry) []pattern {
	if p := c.refusal(pattern{text: e.text}, false); p != nil {
		c.add(originRefused, e.at, fmt.Sprintf("%q is left out: %s", e.text, p.Reason), p.Fix)
		return nil
	}
	return []pattern{{text: e.text}}
}

// label writes a wildcard for one label, which Corsguard's is not, as an expression.
func (c *converter) label(e *originEntry) []pattern {
	text := strings.Replace(regexp.QuoteMeta(e.text), `\*`, "[a-z0-9-]+", 1)
	if p := c.refusal(pattern{text: text, regex: true}, false); p != nil {
		c.add(originRefused, e.at, fmt.Sprintf("%q is left out: %s", e.text, p.Reason), p.Fix)
		return nil
	}
	return []pattern{{text: text, regex: true}}
}

// glob converts a pattern whose wildcards stand for any characters. All that Corsguard's wildcards match is among these, but for a port's.
func (c *converter) glob(e *originEntry) []pattern {
	text := e.text
	stars := strings.Count(text, "*")
	scheme, rest, hasScheme := strings.Cut(text, "://")
	switch {
	case text == "*":
		return []pattern{{any: true, text: "*"}}
	case stars == 0:
		return c.exact(e, text)
	case strings.HasSuffix(text, ":*") && stars == 1:
		return c.anyPort(e, strings.TrimSuffix(text, "*"))
	case !strings.HasSuffix(text, ":*") && c.accepts(text) && !c.spansSites(text, rest):
		if hasScheme && rest != "*" && !strings.HasPrefix(rest, "*.") {
			c.add(originNarrowed, e.at, fmt.Sprintf("the * of %q stands for letters, digits and hyphens, no dots", text), "write another pattern for what has dots there")
		}
		return []pattern{{text: text}}
	case stars == 1 && strings.HasSuffix(text, "*"):
		return c.prefix(e, strings.TrimSuffix(text, "*"))
	case stars == 1 && strings.HasPrefix(text, "*"):
		return c.suffix(e, strings.TrimPrefix(text, "*"))
	case stars == 1 && hasScheme && strings.HasPrefix(rest, "*"):
		host := strings.TrimPrefix(rest, "*")
		return c.narrower(e, "hosts of other owners, such as https://evil"+host, scheme+"://*."+host, scheme+"://"+host)
	case hasScheme && scheme == "http*":
		return c.narrower(e, "other schemes", "https://"+rest, "http://"+rest)
	}
	reason, fix := "it has no equal", "write a pattern by hand"
	if p := c.refusal(pattern{text: text}, false); p != nil {
		reason, fix = p.Reason, p.Fix
	}
	c.add(originRefused, e.at, fmt.Sprintf("%q is left out: %s", text, reason), fix)
	return nil
}

// spansSites reports whether the * before rest stands for the beginning of a site's name, so that evilexample.com passes for example.com.
func (c *converter) spansSites(text, rest string) bool {
	return len(rest) > 1 && rest[0] == '*' && rest[1] != '.' && c.refusal(pattern{text: strings.Replace(text, "http://", "https://", 1)}, true) != nil
}

// anyPort converts what ends with a colon and any characters. Corsguard's :* also stands for no port, so it is an expression.
func (c *converter) anyPort(e *originEntry, before string) []pattern {
	p := pattern{text: regexp.QuoteMeta(before) + "[0-9]+", regex: true}
	if problem := c.refusal(p, false); problem != nil {
		c.add(originRefused, e.at, fmt.Sprintf("%q is left out: %s", e.text, problem.Reason), problem.Fix)
		return nil
	}
	return []pattern{p}
}

// narrower keeps those of patterns that the plugin accepts, in place of e, which admits others too.
func (c *converter) narrower(e *originEntry, others string, patterns ...string) []pattern {
	var kept []pattern
	var shown []string
	for _, p := range patterns {
		if c.accepts(p) {
			kept = append(kept, pattern{text: p})
			shown = append(shown, p)
		}
	}
	rule, fix := suffixMatch, "write out the origins that are meant"
	if e.kind == prefixOrigin || strings.HasSuffix(e.text, "*") {
		rule = prefixMatch
	}
	if len(kept) == 0 {
		c.add(rule, e.at, fmt.Sprintf("%q also admits %s; it is left out", e.text, others), fix)
		return nil
	}
	c.add(rule, e.at, fmt.Sprintf("%q also admits %s; only %s is kept", e.text, others, strings.Join(shown, " and ")), fix)
	return kept
}

// prefix converts what origins begin with.
func (c *converter) prefix(e *originEntry, text string) []pattern {
	scheme, rest, ok := strings.Cut(text, "://")
	switch {
	case ok && rest == "" && c.accepts(scheme+"://*"):
		return []pattern{{text: scheme + "://*"}}
	case strings.HasSuffix(text, ":"):
		return c.anyPort(e, text)
	}
	const evil = ".evil.test"
	if strings.Contains(rest, ":") {
		return c.narrower(e, "other ports that begin so", text)
	}
	return c.narrower(e, text+evil, text+":*")
}

// suffix converts what origins end with, or contain.
func (c *converter) suffix(e *originEntry, text string) []pattern {
	const evil = "https://evil"
	switch {
	case strings.Contains(text, "://"):
		if strings.HasPrefix(text, "://") {
			return c.narrower(e, "other schemes", "https"+text)
		}
		return c.narrower(e, "schemes that end so", text)
	case strings.HasPrefix(text, "."):
		return c.narrower(e, "http and other schemes", "https://*"+text)
	case e.kind == containsOrigin && !strings.Contains(text, "."):
		return c.narrower(e, evil+"-"+text+".test")
	case e.kind == containsOrigin:
		return c.narrower(e, evil+text+".test", "https://*."+text, "https://"+text)
	}
	return c.narrower(e, evil+text, "https://*."+text, "https://"+text)
}
