// Package advice says what is wrong or unwise in a policy: what the plugin itself says, and what it does not carry the means for, or the opinions.
package advice

import (
	"errors"
	"fmt"
	"strings"

	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// Check returns what there is to say about a policy. Where it has mistakes for which the plugin refuses it, these are all.
func Check(p *document.Policy) []finding.Finding {
	a := &advisor{policy: p, counts: map[*finding.Rule]int{}, said: map[saying]bool{}}
	spec, warnings, err := config.Parse(p.JSON)
	if err == nil {
		_, err = policy.Compile(&spec)
	}
	if err != nil {
		a.mistakes(err)
		return a.findings
	}
	d, err := read(p.JSON)
	if err != nil {
		a.add(invalidPolicy, invalidPolicy.Severity, "$", err.Error(), "")
		return a.findings
	}
	a.document(d)
	for i := range warnings {
		if w := &warnings[i]; !a.replaced(w) {
			a.add(unwiseSetting, unwiseSetting.Severity, w.Path, withValue(w), w.Fix)
		}
	}
	a.cut()
	return a.findings
}

// advisor collects what there is to say about one policy.
type advisor struct {
	policy   *document.Policy
	findings []finding.Finding
	counts   map[*finding.Rule]int
	said     map[saying]bool
}

// saying is a finding's rule and path.
type saying struct {
	rule *finding.Rule
	path string
}

// maxOfRule bounds the findings of a rule in a policy: there may be very many patterns.
const maxOfRule = 100

func (a *advisor) add(rule *finding.Rule, severity finding.Severity, path, message, fix string) {
	a.said[saying{rule, path}] = true
	if a.counts[rule]++; a.counts[rule] > maxOfRule {
		return
	}
	f := finding.New(rule, a.policy.Place(path), message, fix)
	f.Severity = severity
	a.findings = append(a.findings, f)
}

// cut says how many findings were left out.
func (a *advisor) cut() {
	for _, rule := range Rules {
		if more := a.counts[rule] - maxOfRule; more > 0 {
			a.counts[rule] = 0
			a.add(rule, rule.Severity, "$", fmt.Sprintf("has %d more of these", more), "")
		}
	}
}

// mistakes adds what the plugin refuses a policy for.
func (a *advisor) mistakes(err error) {
	all, ok := err.(config.Error)
	if !ok {
		a.add(invalidPolicy, invalidPolicy.Severity, "$", err.Error(), "")
		return
	}
	for i := range all {
		f := finding.New(invalidPolicy, a.policy.Place(all[i].Path), withValue(&all[i]), all[i].Fix)
		a.findings = append(a.findings, f)
	}
	if problem := a.policy.Syntax(); problem != "" && len(a.findings) == 1 {
		a.findings[0].Message += ": " + problem
	}
}

// withValue returns the value of p and what is wrong with it.
func withValue(p *config.Problem) string {
	if p.Value == "" {
		return p.Reason
	}
	return p.Value + ": " + p.Reason
}

// replacements are the plugin's warnings, by the beginnings of their reasons, that rules of this package say better at the same place.
var replacements = []struct {
	reason string
	rules  []*finding.Rule
}{
	{"Chromium takes no more", []*finding.Rule{longMaxAge}},
	{"another pattern of the list covers it", []*finding.Rule{shadowedPattern}},
	{"the wildcard spans a public suffix", []*finding.Rule{publicSuffix}},
	{"an http origin with credentials", []*finding.Rule{insecureOrigin}},
	{"every page can make itself a null origin", []*finding.Rule{nullOrigin}},
	{"adds nothing to any origin", []*finding.Rule{nullOrigin}},
	{"makes no page crossOriginIsolated", []*finding.Rule{isolatesNothing}},
}

// replaced reports whether a finding says the same as w at its place.
func (a *advisor) replaced(w *config.Problem) bool {
	for _, r := range replacements {
		if !strings.HasPrefix(w.Reason, r.reason) {
			continue
		}
		for _, rule := range r.rules {
			if a.said[saying{rule, w.Path}] {
				return true
			}
		}
	}
	return false
}

var errNoObject = errors.New("is no object")
