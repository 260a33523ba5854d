package advice

import (
	"strconv"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// expected are the headers that every site should send, with what to write.
var expected = []struct {
	key, fix string
	rule     *finding.Rule
}{
	{"strictTransportSecurity", `"strictTransportSecurity": "max-age=31536000; includeSubDomains"`, noHSTS},
	{"contentSecurityPolicy", `"contentSecurityPolicy": {"value": "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'", "ifAbsent": true}`, noCSP},
	{"xContentTypeOptions", `"xContentTypeOptions": "nosniff"`, noSniff},
	{"referrerPolicy", `"referrerPolicy": "strict-origin-when-cross-origin"`, noReferrerPolicy},
}

// missingHeaders finds headers that neither the top level nor a rule's own block has.
func (a *advisor) missingHeaders(d *view) {
	a.missing(&d.scope, "not set", "to securityHeaders, unless services send it")
	for i := range d.rules {
		if r := &d.rules[i]; r.has("securityHeaders") && r.security != nil && !sameJSON(r.raw["securityHeaders"], d.raw["securityHeaders"]) {
			a.missing(r, "not set here: the rule's block stands for that of the top level, whole", "to it, unless services send it")
		}
	}
}

func (a *advisor) missing(s *scope, message, where string) {
	path := s.at("securityHeaders")
	if !s.has("securityHeaders") {
		path = "$"
	}
	for _, e := range expected {
		if _, there := s.security[e.key]; !there {
			a.note(e.rule, path, e.key+" is "+message, "add "+e.fix+" "+where)
		}
	}
}

func (a *advisor) security(s *scope) {
	if h, ok := s.security["strictTransportSecurity"]; ok {
		a.hsts(h)
	}
	if h, ok := s.security["contentSecurityPolicy"]; ok {
		a.csp(h)
	}
}

func (a *advisor) hsts(h headerValue) {
	const halfAYear, fix = 15768000, `write "max-age=31536000; includeSubDomains", once all subdomains have https`
	seconds, subdomains := int64(-1), false
	for directive := range strings.SplitSeq(h.text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "max-age":
			if n, err := strconv.ParseInt(strings.Trim(strings.TrimSpace(value), `"`), 10, 64); err == nil {
				seconds = n
			}
		case "includesubdomains":
			subdomains = true
		}
	}
	switch {
	case seconds == 0:
		a.note(weakHSTS, h.path, "makes browsers forget that the site has https", fix)
	case seconds > 0 && seconds < halfAYear:
		a.note(weakHSTS, h.path, "is forgotten after less than half a year", fix)
	case !subdomains:
		a.note(weakHSTS, h.path, "leaves out subdomains", fix)
	}
}

// csp finds what makes a policy run scripts of strangers.
func (a *advisor) csp(h headerValue) {
	directives := map[string][]string{}
	for directive := range strings.SplitSeq(h.text, ";") {
		if words := strings.Fields(directive); len(words) > 0 {
			directives[strings.ToLower(words[0])] = words[1:]
		}
	}
	name := ""
	for _, candidate := range []string{"script-src-elem", "script-src", "default-src"} {
		if _, there := directives[candidate]; there {
			name = candidate
			break
		}
	}
	if name == "" {
		if _, embeds := directives["script-src-attr"]; !embeds && len(directives) > 0 {
			a.add(weakCSP, finding.Note, h.path, "has neither script-src nor default-src, and so runs every script", "add script-src 'self', if pages are served here")
		}
		return
	}
	const fix = "write 'self' and the hosts that scripts come from, and hashes for those that stand in pages"
	inline, strict, open := "", false, ""
	for _, source := range directives[name] {
		switch source := strings.ToLower(source); {
		case source == "'unsafe-inline'":
			inline = source
		case strings.HasPrefix(source, "'nonce-"), strings.HasPrefix(source, "'sha"), source == "'strict-dynamic'":
			strict = true
		case source == "*", source == "https:", source == "http:", source == "data:", source == "https://*", source == "http://*":
			open = source
		}
	}
	switch {
	case strict: // browsers ignore 'unsafe-inline' beside these, and who writes 'strict-dynamic' leaves schemes for old browsers
	case inline != "":
		a.note(weakCSP, h.path, name+" has 'unsafe-inline', which runs what somebody got into a page", fix)
	case open != "":
		a.note(weakCSP, h.path, name+" has "+open+", from which anybody can serve scripts", fix)
	}
}

// isolation looks at what an isolation block adds up to.
func (a *advisor) isolation(s *scope) {
	if s.isolates == nil {
		return
	}
	block := s.at("isolation")
	opener, embedder, document := s.isolates["crossOriginOpenerPolicy"], s.isolates["crossOriginEmbedderPolicy"], s.isolates["documentIsolationPolicy"]
	if s.isolates["preset"].text != "" {
		if opener.text == "" {
			opener = headerValue{text: "same-origin", path: block + ".preset"}
		}
		if embedder.text == "" {
			embedder = headerValue{text: "require-corp", path: block + ".preset"}
		}
	}
	isolates := embedder.text == "require-corp" || embedder.text == "credentialless"
	ofItself := document.text != "" && document.text != "none"
	switch {
	case isolates && opener.text != "same-origin" && !ofItself:
		a.note(isolatesNothing, embedder.path, embedder.text+" makes no page crossOriginIsolated without a crossOriginOpenerPolicy of same-origin", `add "crossOriginOpenerPolicy": "same-origin" to isolation, or write {"preset": "cross-origin-isolated"}`)
	case !isolates && opener.text == "same-origin" && !ofItself && embedder.text == "":
		a.note(openerAlone, opener.path, "pages are not crossOriginIsolated by it", `add "crossOriginEmbedderPolicy": "require-corp" to isolation, if they are to be`)
	}
	if _, has := s.isolates["crossOriginResourcePolicy"]; embedder.text == "require-corp" && !has {
		a.note(noResourcePolicy, block, "has no crossOriginResourcePolicy beside require-corp", `add "crossOriginResourcePolicy": "same-site" to isolation, or "cross-origin" for what all may embed`)
	}
	if embedder.text == "credentialless" {
		a.note(unknownToSafari, embedder.path, "isolates nothing in Safari", "write require-corp, where all that pages embed can have the header")
	}
	reported := false
	for key := range s.isolates {
		switch key {
		case "crossOriginOpenerPolicyReportOnly", "crossOriginEmbedderPolicyReportOnly":
			reported = true
		}
	}
	if reported && opener.text == "" && embedder.text == "" && !ofItself {
		a.note(reportsOnly, block, "reports what a policy would block, and there is none that does", "write the policy itself once the reports hold nothing that is needed")
	}
}
