package audit

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

const fixOptions = "send the CORS headers with the answer to OPTIONS too"

// preflights judges those of origins that are allowed.
func (j *jury) preflights() {
	for _, w := range j.wanted {
		if w.preflight == nil {
			continue
		}
		// An origin whose response is refused too has been reported, and the preflight's refusal is the same.
		known := w.actual.allowed() || w.given && w.actual != nil && w.actual.Status >= 300
		if !known && (w.preflight.Status == http.StatusForbidden || w.preflight.ok()) {
			continue
		}
		switch p, answered := w.preflight, fmt.Sprintf("the preflight is answered with %d", w.preflight.Status); {
		case p.passes():
			j.granted(w)
		case p.redirects():
			j.softer(w, j.add(rulePreflightRedirected, answered, "answer OPTIONS before redirects", p))
		case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden || p.Status == http.StatusProxyAuthRequired:
			j.softer(w, j.add(rulePreflightAuthentication, answered, "answer preflights before authentication", p))
		case !p.ok():
			j.softer(w, j.add(rulePreflightUnanswered, answered, "answer OPTIONS with a 2xx status and the CORS headers", p))
		case w.given:
			j.add(ruleOriginRefused, "the preflight of "+w.String()+" is refused", fixOptions, p)
		default:
			j.softer(w, j.add(rulePreflightUnanswered, answered+" and no grant", fixOptions, p))
		}
	}
}

// softer makes a warning of what concerns an origin that nobody said needs preflights: pages may never send such requests.
func (j *jury) softer(w *wanted, f *finding.Finding) {
	if !w.given {
		f.Severity = finding.Warning
	}
}

// granted judges whether a preflight that passes covers the request that the auditor described.
func (j *jury) granted(w *wanted) {
	p := w.preflight
	credentials := p.credentialed()
	if w.actual.credentialed() && !credentials {
		j.add(rulePreflightCredentials, "access-control-allow-credentials is not on the answer to the preflight", "send it on both", p)
	}
	if j.options.Credentials && w.given && !credentials {
		j.add(ruleOriginRefused, "the preflight of "+w.String()+" is refused with credentials", fixCredentials, p)
	}
	wildcard := !(credentials || j.options.Credentials)
	if m := j.method(); !coversMethod(p, m, wildcard) {
		j.add(rulePreflightMethod, "the preflight does not allow "+j.shown(m), "add it to access-control-allow-methods; methods compare with regard to case", p)
	}
	for _, name := range j.options.RequestHeaders {
		// A wildcard does not cover Authorization.
		if !p.has("Access-Control-Allow-Headers", name) && !(wildcard && !strings.EqualFold(name, "authorization") && p.has("Access-Control-Allow-Headers", "*")) {
			j.add(rulePreflightHeader, "the preflight does not allow the header "+j.shown(name), "add it to access-control-allow-headers", p)
		}
	}
}

func coversMethod(p *Probe, method string, wildcard bool) bool {
	if method == http.MethodGet || method == http.MethodHead || method == http.MethodPost {
		return true // browsers do not look at the list for these
	}
	return slices.ContainsFunc(p.list("Access-Control-Allow-Methods"), func(m string) bool { return m == method || wildcard && m == "*" })
}

// grants judges how much preflights give, and for how long.
func (j *jury) grants() {
	j.strangers()
	for _, w := range j.wanted {
		if w.odd.passes() {
			j.wide(w.odd)
		}
	}
	granted := j.grantedPreflights()
	for _, p := range granted {
		if forbidden := forbiddenMethods(p); len(forbidden) > 0 {
			j.add(ruleUnusualMethod, "access-control-allow-methods has "+strings.Join(forbidden, ", "), "list the methods that pages send", p)
			break
		}
	}
	if len(granted) > 0 {
		j.maxAge(granted[0])
	}
	j.privateNetwork()
}

func (j *jury) grantedPreflights() []*Probe {
	var granted []*Probe
	for _, w := range j.wanted {
		if w.preflight.passes() {
			granted = append(granted, w.preflight)
		}
	}
	return granted
}

// strangers judges preflights that are granted to origins whose plain requests are refused.
func (j *jury) strangers() {
	if j.anyAllowed() {
		return
	}
	switch {
	case j.strangerPreflight.passes():
		j.raise(j.strangerPreflight.credentialed(), rulePreflightAnyOrigin, "the preflight of "+j.names.stranger()+", which does not exist, is granted",
			"decide about preflights by the same list of origins", j.strangerPreflight)
	case j.nullPreflight.passes() && !j.null.allowed():
		j.raise(j.nullPreflight.credentialed(), ruleAllowsNull, "the preflight of the origin null is granted", "take null from the list", j.nullPreflight)
	}
}

// wide judges the answer to a preflight for a method and a header that do not exist.
func (j *jury) wide(p *Probe) {
	credentials := p.credentialed()
	star := !credentials
	if p.has("Access-Control-Allow-Methods", j.names.method) || star && p.has("Access-Control-Allow-Methods", "*") {
		j.raise(credentials, ruleAnyMethod, "allows the method "+j.names.method+", which does not exist", "list the methods that pages need", p)
	}
	if p.has("Access-Control-Allow-Headers", j.names.header) || star && p.has("Access-Control-Allow-Headers", "*") {
		j.raise(credentials, ruleAnyHeader, "allows the header "+j.names.header+", which does not exist", "list the headers that pages need", p)
	}
}

func forbiddenMethods(p *Probe) []string {
	var forbidden []string
	for _, m := range p.list("Access-Control-Allow-Methods") {
		switch strings.ToUpper(m) {
		case http.MethodConnect, http.MethodTrace, "TRACK":
			forbidden = append(forbidden, m)
		}
	}
	slices.Sort(forbidden)
	return slices.Compact(forbidden)
}

// chromiumCap is the longest that Chromium keeps a preflight's answer, in seconds.
const chromiumCap = 7200

func (j *jury) maxAge(p *Probe) {
	lines := p.values("Access-Control-Max-Age")
	if len(lines) == 0 {
		j.add(ruleMaxAgeAbsent, "the answer to the preflight has no access-control-max-age", "send access-control-max-age: 7200, or less", p)
		return
	}
	if len(lines) > 1 {
		return // has been reported
	}
	switch seconds, err := strconv.ParseUint(lines[0], 10, 32); {
	case err != nil:
		j.add(ruleMaxAgeInvalid, "access-control-max-age: "+j.shown(lines[0]), "write a number of seconds, such as 7200", p)
	case seconds > chromiumCap:
		j.add(ruleMaxAgeLong, fmt.Sprintf("access-control-max-age is %d", seconds), "7200 is enough", p)
	}
}

func (j *jury) privateNetwork() {
	for _, w := range j.wanted {
		if slices.Equal(w.odd.values("Access-Control-Allow-Private-Network"), []string{"true"}) {
			j.add(rulePrivateNetwork, "answers the preflight with access-control-allow-private-network: true", "leave it out where the endpoint is public", w.odd)
		}
	}
}
