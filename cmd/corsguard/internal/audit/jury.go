package audit

import (
	"fmt"
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// maxEvidence is how many probes a finding shows.
const maxEvidence = 2

// jury makes findings of what a session has seen.
type jury struct {
	*session
	place    finding.Place
	findings []finding.Finding
}

// add adds a finding with its rule's severity.
func (j *jury) add(rule *finding.Rule, message, fix string, shown ...*Probe) *finding.Finding {
	f := finding.New(rule, j.place, message, fix)
	for i, p := range shown[:min(len(shown), maxEvidence)] {
		if i > 0 {
			f.Evidence = append(f.Evidence, "")
		}
		f.Evidence = append(f.Evidence, p.evidence()...)
	}
	j.findings = append(j.findings, f)
	return &j.findings[len(j.findings)-1]
}

// raise adds a finding that is one step worse where credentials are allowed.
func (j *jury) raise(credentials bool, rule *finding.Rule, message, fix string, shown ...*Probe) {
	f := j.add(rule, message+credentialsToo(credentials), fix, shown...)
	if credentials {
		f.Severity = min(f.Severity+1, finding.Error)
	}
}

// shown returns what a server sent so that it can stand in a message.
func (j *jury) shown(value string) string { return bounded(j.redact(value)) }

func credentialsToo(credentials bool) string {
	if credentials {
		return ", with credentials"
	}
	return ""
}

const (
	fixList        = "compare the whole origin, byte for byte, with a list of those that are allowed"
	fixCredentials = "answer with the origin itself, not *, and with access-control-allow-credentials: true"
)

// anyOrigin judges answers to origins that nobody can have in a list.
func (j *jury) anyOrigin() {
	switch {
	case j.stranger.echoed():
		j.raise(j.stranger.credentialed(), ruleReflectsAnyOrigin, "answers "+j.stranger.Origin+", which does not exist, as an allowed origin",
			fixList+"; where everybody may read, send * and no credentials", j.stranger)
	case j.stranger.allowed():
		j.add(ruleAllowsAnyOrigin, "answers every origin with *", "where this is not public, "+fixList, j.stranger)
	case j.null.allowed():
		j.raise(j.null.credentialed(), ruleAllowsNull, "answers the origin null as an allowed one", "take null from the list", j.null)
	}
}

// tricks judges, kind by kind, the origins that passed.
func (j *jury) tricks() {
	for _, k := range []*kind{kindPrefix, kindSuffix, kindDot, kindSpecial, kindSubdomain, kindPort, kindInsecure, kindForeign, kindLoopback, kindLoose} {
		j.trick(k)
	}
}

func (j *jury) trick(k *kind) {
	var passed []*Probe
	var origins []string
	credentials, harmless := false, true
	for _, t := range j.tried {
		if t.kind != k || !t.probe.allowed() || j.explained(t.trick) {
			continue
		}
		passed = append(passed, t.probe)
		origins = append(origins, t.origin)
		credentials = credentials || t.probe.credentialed()
		harmless = harmless && t.harmless
	}
	if len(passed) == 0 {
		return
	}
	message := "answers " + strings.Join(origins, ", ") + " as allowed"
	if k.rule.Severity > finding.Note && harmless {
		message += credentialsToo(credentials) + "; no stranger can have such an origin, but the comparison is not what it ought to be"
		j.add(k.rule, message, fixFor[k], passed...).Severity = finding.Note
		return
	}
	if k == kindLoose {
		credentials = false // whoever it is, it is no stranger
	}
	j.raise(credentials, k.rule, message, fixFor[k], passed...)
}

var fixFor = map[*kind]string{
	kindPrefix:    fixList + "; a regular expression ends with $",
	kindSuffix:    fixList + "; a pattern for subdomains begins with a dot, and a regular expression with ^",
	kindDot:       `write \. for a dot in a regular expression, or ` + fixList,
	kindSpecial:   fixList + "; in a regular expression allow [a-z0-9.-] in hosts, and end it with $",
	kindSubdomain: "list the subdomains that need it",
	kindPort:      "list the ports that are needed",
	kindInsecure:  "allow https origins alone, and redirect http to https",
	kindForeign:   "list the extensions by their ids, and do not allow files",
	kindLoopback:  "keep the origins of development to the settings of development",
	kindLoose:     fixList,
}

// refusals judges whether the origins that the auditor gave are allowed. What is an error or a redirect is another judge's.
func (j *jury) refusals() {
	for _, w := range j.wanted {
		p := w.actual
		switch {
		case !w.given || p == nil:
		case !p.allowed():
			if p.Status < 300 {
				j.add(ruleOriginRefused, w.String()+" is refused", "add it to the allowed origins", p)
			}
		case j.options.Credentials && !p.credentialed():
			j.add(ruleOriginRefused, w.String()+" is refused with credentials", fixCredentials, p)
		}
	}
}

// depends reports whether the answer to plain requests depends on the origin, and the probes that show it.
func (j *jury) depends() (bool, []*Probe) {
	plain := []*Probe{j.base, j.stranger, j.null}
	for _, w := range j.wanted {
		plain = append(plain, w.actual)
	}
	plain = slices.DeleteFunc(plain, func(p *Probe) bool { return p == nil })
	for _, p := range plain {
		if strings.Join(p.values("Access-Control-Allow-Origin"), ",") != strings.Join(plain[0].values("Access-Control-Allow-Origin"), ",") {
			return true, plain
		}
	}
	return false, plain
}

// vary judges whether caches can keep the answers apart.
func (j *jury) vary() {
	depends, plain := j.depends()
	if !depends {
		return
	}
	var without []*Probe
	cached, stored := false, false
	for i, p := range plain {
		if p.has("Vary", "Origin") || p.has("Vary", "*") || slices.Contains(plain[:i], p) {
			continue
		}
		without = append(without, p)
		cached = cached || shared(p)
		stored = stored || !p.has("Cache-Control", "no-store")
	}
	if len(without) == 0 {
		return
	}
	slices.SortStableFunc(without, func(a, b *Probe) int {
		return len(b.values("Access-Control-Allow-Origin")) - len(a.values("Access-Control-Allow-Origin"))
	})
	shown := []*Probe{without[0], without[len(without)-1]} // two that differ, where both lack it
	f := j.add(ruleMissingVary, fmt.Sprintf("%d of %d answers that differ by Origin lack Vary: Origin", len(without), len(plain)),
		"send Vary: Origin with every answer, also to requests without an Origin and to origins that are refused", slices.Compact(shown)...)
	switch {
	case cached:
		f.Severity = finding.Error
		f.Message += ", and shared caches may keep them"
	case !stored:
		f.Severity = finding.Note
		f.Message += "; no-store keeps them out of caches"
	}
}

// shared reports whether the server tells shared caches to keep the answer.
func shared(p *Probe) bool {
	if p.has("Cache-Control", "private") || p.has("Cache-Control", "no-store") {
		return false
	}
	return p.has("Cache-Control", "public") || slices.ContainsFunc(p.list("Cache-Control"), func(directive string) bool {
		name, seconds, _ := strings.Cut(strings.ToLower(directive), "=")
		return (name == "max-age" || name == "s-maxage") && strings.Trim(seconds, `"0`) != ""
	})
}
