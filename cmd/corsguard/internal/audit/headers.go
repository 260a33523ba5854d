package audit

import (
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// single are the headers of which there must be one line with one value. Those that are lists may have several.
var single = []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Max-Age"}

// headers judges how the CORS headers of all answers are written; each fault is shown once.
func (j *jury) headers() {
	seen := map[string]bool{}
	once := func(key string) bool {
		again := seen[key]
		seen[key] = true
		return !again
	}
	for _, p := range j.probes {
		for _, name := range single {
			if n := len(p.values(name)); n > 1 && once(name) {
				j.add(ruleDoubledHeader, strings.ToLower(name)+" comes "+times(n), "let one layer alone send CORS headers: the application, or the proxy before it", p)
			}
		}
		if why := j.invalidOrigin(p); why != "" && once("origin") {
			j.add(ruleInvalidAllowOrigin, why, "answer with the request's own origin if it is allowed, or with *", p)
		}
		if v := p.values("Access-Control-Allow-Credentials"); len(v) == 1 && v[0] != "true" && once("credentials") {
			f := j.add(ruleInvalidCredentials, "access-control-allow-credentials: "+j.shown(v[0]), "send true, or leave the header out", p)
			if strings.EqualFold(v[0], "false") {
				f.Severity = finding.Note
				f.Message += ": means the same as no header"
			}
		}
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Expose-Headers"} {
			if p.saysCredentials() && p.has(name, "*") && once("*"+name) {
				j.add(ruleWildcardCredentials, strings.ToLower(name)+": * together with access-control-allow-credentials: true",
					"leave credentials out, or list what is allowed", p)
			}
		}
	}
}

func times(n int) string {
	if n == 2 {
		return "twice"
	}
	return "more than twice"
}

// invalidOrigin says what is wrong with the value that names the allowed origin. The request's own origin is never wrong, whatever it is.
func (j *jury) invalidOrigin(p *Probe) string {
	v := p.allowOrigin()
	if v == "" || v == "*" || v == "null" || v == p.origin {
		return ""
	}
	what := "is no origin"
	switch _, err := parseOrigin(v); {
	case err == nil:
		if !strings.ContainsAny(v, "*,") {
			return ""
		}
		what = "is a wildcard in a name, which browsers do not know"
	case strings.ContainsAny(v, ", "):
		what = "is a list"
	case strings.Contains(v, "*"):
		what = "is a wildcard in a name, which browsers do not know"
	case strings.Count(v, "/") > 2:
		what = "has a path or ends with a slash"
	}
	return "access-control-allow-origin: " + j.shown(v) + " " + what
}
