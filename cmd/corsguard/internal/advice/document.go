package advice

import (
	"fmt"

	"corsguard/cmd/corsguard/internal/finding"
)

// document goes through a policy that the plugin takes.
func (a *advisor) document(d *view) {
	public := d.looksPublic()
	a.scope(&d.scope, public)
	for i := range d.rules {
		a.scope(&d.rules[i], public)
		a.repeats(&d.scope, &d.rules[i])
	}
	a.missingHeaders(d)
	a.modes(d)
	if d.log != nil && d.log.RefusalsPerMinute != nil && *d.log.RefusalsPerMinute == 0 {
		a.note(silentRefusals, "log.refusalsPerMinute", "no refusal is logged", "leave it out, which logs 60 a minute, or write a number")
	}
}

// note adds a finding with its rule's severity.
func (a *advisor) note(rule *finding.Rule, path, message, fix string) {
	a.add(rule, rule.Severity, path, message, fix)
}

// looksPublic reports whether an origin of a public site, and not of one that is being developed, is allowed anywhere.
func (d *view) looksPublic() bool {
	scopes := append([]scope{d.scope}, d.rules...)
	for i := range scopes {
		for j := range scopes[i].groups {
			patterns := scopes[i].groups[j].patterns
			for k := range patterns {
				if isPublicSite(&patterns[k]) {
					return true
				}
			}
		}
	}
	return false
}

func (a *advisor) scope(s *scope, public bool) {
	for i := range s.groups {
		g := &s.groups[i]
		a.origins(g, public)
		a.names(g)
		a.grants(g)
	}
	a.isolation(s)
	a.security(s)
	if s.fetch["mode"] == "report" {
		a.note(onlyReported, s.at("fetchMetadata")+".mode", "requests of other sites are reported and let through", `write "enforce" once the reports hold nothing that is meant`)
	}
}

// repeats finds blocks of a rule that say what those of the top level do.
func (a *advisor) repeats(top, rule *scope) {
	for _, block := range []string{"cors", "isolation", "securityHeaders", "fetchMetadata", "mode"} {
		own, ok := rule.raw[block]
		if !ok {
			continue
		}
		above, there := top.raw[block]
		switch {
		case string(own) == "null" && !there:
			a.note(repeatedBlock, rule.at(block), "is switched off, and the top level has none", "leave it out")
		case there && sameJSON(own, above):
			a.note(repeatedBlock, rule.at(block), "says what the top level says", "leave it out")
		}
	}
}

// modes finds policies that are not in force.
func (a *advisor) modes(d *view) {
	a.mode(&d.scope, finding.Warning)
	for i := range d.rules {
		a.mode(&d.rules[i], finding.Note)
	}
}

func (a *advisor) mode(s *scope, severity finding.Severity) {
	const fix = `write "enforce" when the counters show nothing that is meant`
	switch mode := s.mode.(type) {
	case string:
		switch mode {
		case "shadow":
			a.add(notEnforced, severity, s.at("mode"), "refuses and sets nothing: all is only counted", fix)
		case "off":
			a.add(notEnforced, severity, s.at("mode"), "does nothing at all", fix)
		}
	case map[string]any:
		share, _ := mode["enforce"].(map[string]any)
		numerator, _ := share["numerator"].(float64)
		whole := 100.0
		switch share["denominator"] {
		case "TEN_THOUSAND":
			whole = 10_000
		case "MILLION":
			whole = 1_000_000
		}
		if numerator < whole {
			a.add(notEnforced, severity, s.at("mode"), fmt.Sprintf("is in force for %g of %g requests, and a preflight and the request behind it are drawn separately", numerator, whole), fix)
		}
	}
}
