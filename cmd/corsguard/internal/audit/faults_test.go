package audit

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func matches(pattern string) func(string) bool { return regexp.MustCompile(pattern).MatchString }

func oneOf(origins ...string) func(string) bool {
	return func(origin string) bool { return strings.Contains(" "+strings.Join(origins, " ")+" ", " "+origin+" ") }
}

// withoutCredentials takes the header off all answers.
func withoutCredentials(_ *http.Request, a *reply) { a.header.Del("Access-Control-Allow-Credentials") }

// originFault is a way to compare origins, and what an audit says of it with credentials allowed and without.
type originFault struct {
	name   string
	allow  func(string) bool
	strict []string // findings with credentials
	public []string // findings without
}

var originFaults = []originFault{
	{"exact", oneOf(pageOrigin), nil, nil},
	{"case is ignored", func(o string) bool { return strings.EqualFold(o, pageOrigin) }, []string{"origin-loosely-compared note"}, []string{"origin-loosely-compared note"}},
	{"every origin", func(string) bool { return true }, []string{"reflects-any-origin error"}, []string{"reflects-any-origin warning"}},
	{"null", oneOf(pageOrigin, "null"), []string{"answers-null-origin error"}, []string{"answers-null-origin warning"}},
	{"prefix", func(o string) bool { return strings.HasPrefix(o, pageOrigin) }, []string{"origin-prefix-match error"}, []string{"origin-prefix-match warning"}},
	{"prefix of the own host", func(o string) bool { return o == pageOrigin || strings.HasPrefix(o, "https://api.example.com") }, []string{"origin-prefix-match error"}, []string{"origin-prefix-match warning"}},
	{"suffix", matches(`^https://.*example\.com$`), []string{"origin-suffix-match error"}, []string{"origin-suffix-match warning"}},
	{"suffix of the host", matches(`^https://[^/]*app\.example\.com$`), []string{"answers-any-subdomain warning", "origin-suffix-match note"}, []string{"answers-any-subdomain note", "origin-suffix-match note"}},
	{"suffix after a dash", matches(`^https://(.*\W)?example\.com$|^https://app\.example\.com$`), []string{"origin-suffix-match error"}, []string{"origin-suffix-match warning"}},
	{"dot before the site", matches(`^https://(app|api).example\.com$`), []string{"origin-unescaped-dot error"}, []string{"origin-unescaped-dot warning"}},
	{"last dot", matches(`^https://app\.example.com$`), []string{"origin-unescaped-dot note"}, []string{"origin-unescaped-dot note"}},
	{"word boundary", matches(`^https://app\.example\.com([^a-zA-Z0-9.:@]|$)`), []string{"origin-special-characters error"}, []string{"origin-special-characters warning"}},
	{"backtick", matches("^https://app\\.example\\.com(`|$)"), []string{"origin-special-characters error"}, []string{"origin-special-characters warning"}},
	{"subdomains", matches(`^https://([a-z0-9-]+\.)+example\.com$`), []string{"answers-any-subdomain warning"}, []string{"answers-any-subdomain note"}},
	{"subdomains of the origin", matches(`^https://([a-z0-9-]+\.)*app\.example\.com$`), []string{"answers-any-subdomain warning"}, []string{"answers-any-subdomain note"}},
	{"ports", matches(`^https://app\.example\.com(:[0-9]+)?$`), []string{"answers-any-port warning"}, []string{"answers-any-port note"}},
	{"http", matches(`^https?://app\.example\.com$`), []string{"answers-http-origin error"}, []string{"answers-http-origin warning"}},
	{"user information", matches(`^https://app\.example\.com(@.*)?$`), []string{"origin-loosely-compared note"}, []string{"origin-loosely-compared note"}},
	{"trailing dot", oneOf(pageOrigin, pageOrigin+"."), []string{"origin-loosely-compared note"}, []string{"origin-loosely-compared note"}},
	{"localhost", oneOf(pageOrigin, "http://localhost"), []string{"answers-loopback-origin warning"}, []string{"answers-loopback-origin note"}},
	{"localhost, a port", oneOf(pageOrigin, "http://localhost:3000"), []string{"answers-loopback-origin warning"}, []string{"answers-loopback-origin note"}},
	{"127.0.0.1", oneOf(pageOrigin, "http://127.0.0.1"), []string{"answers-loopback-origin warning"}, []string{"answers-loopback-origin note"}},
	{"files", oneOf(pageOrigin, "file://"), []string{"answers-foreign-scheme error"}, []string{"answers-foreign-scheme warning"}},
	{"extensions", matches(`^https://app\.example\.com$|^chrome-extension://`), []string{"answers-foreign-scheme error"}, []string{"answers-foreign-scheme warning"}},
}

func TestComparisonsOfOrigins(t *testing.T) {
	t.Parallel()
	for _, f := range originFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			wantFindings(t, run(t, &endpoint{allow: f.allow}, target, pageOptions()), f.strict...)
			o := pageOptions()
			o.Credentials = false
			wantFindings(t, run(t, &endpoint{allow: f.allow, edit: withoutCredentials}, target, o), f.public...)
		})
	}
}

// answerFault is a way to answer wrongly.
type answerFault struct {
	name string
	edit func(*http.Request, *reply)
	want []string
}

// on edits answers to requests that fit.
func on(fits func(*http.Request) bool, edit func(*reply)) func(*http.Request, *reply) {
	return func(r *http.Request, a *reply) {
		if fits(r) {
			edit(a)
		}
	}
}

func always(*http.Request) bool     { return true }
func actual(r *http.Request) bool   { return !isPreflight(r) }
func fromPage(r *http.Request) bool { return r.Header.Get("Origin") == pageOrigin }
func missing(r *http.Request) bool  { return r.URL.Path != "/v1/items" }
func setting(name, value string) func(*reply) {
	return func(a *reply) { a.set(name, value) }
}
func adding(name, value string) func(*reply) {
	return func(a *reply) { a.header.Add(name, value) }
}
func deleting(names ...string) func(*reply) {
	return func(a *reply) {
		for _, n := range names {
			a.header.Del(n)
		}
	}
}

// bare answers with a status and none of the CORS headers.
func bare(status int) func(*reply) {
	return func(a *reply) {
		a.status = status
		for name := range a.header {
			if strings.HasPrefix(name, "Access-Control-") {
				delete(a.header, name)
			}
		}
	}
}

var answerFaults = []answerFault{
	{"star with credentials", on(always, func(a *reply) {
		a.set("Access-Control-Allow-Origin", "*")
		a.set("Access-Control-Allow-Credentials", "true")
	}), []string{"allowed-origin-refused error", "answers-any-origin note", "wildcard-with-credentials warning"}},
	{"allow-origin twice", on(fromPage, adding("Access-Control-Allow-Origin", pageOrigin)), []string{"allowed-origin-refused error", "doubled-header error"}},
	{"allow-credentials twice", on(func(r *http.Request) bool { return fromPage(r) && isPreflight(r) }, adding("Access-Control-Allow-Credentials", "true")),
		[]string{"allowed-origin-refused error", "doubled-header error", "preflight-lacks-credentials warning"}},
	{"max-age twice", on(isPreflight, adding("Access-Control-Max-Age", "7200")), []string{"doubled-header error"}},
	{"a list of origins", on(always, setting("Access-Control-Allow-Origin", pageOrigin+", https://www.example.com")),
		[]string{"allowed-origin-refused error", "invalid-allow-origin error"}},
	{"a wildcard in a name", on(always, setting("Access-Control-Allow-Origin", "https://*.example.com")),
		[]string{"allowed-origin-refused error", "invalid-allow-origin error"}},
	{"a trailing slash", on(fromPage, setting("Access-Control-Allow-Origin", pageOrigin+"/")),
		[]string{"allowed-origin-refused error", "invalid-allow-origin error"}},
	{"credentials: True", on(fromPage, setting("Access-Control-Allow-Credentials", "True")), []string{"allowed-origin-refused error", "invalid-allow-credentials warning"}},
	{"credentials: false for others", on(func(r *http.Request) bool { return !fromPage(r) }, setting("Access-Control-Allow-Credentials", "false")), []string{"invalid-allow-credentials note"}},
	{"no Vary", on(always, deleting("Vary")), []string{"missing-vary-origin warning"}},
	{"another Vary", on(always, setting("Vary", "Accept-Encoding")), []string{"missing-vary-origin warning"}},
	{"no Vary for refused origins", on(func(r *http.Request) bool { return !fromPage(r) }, deleting("Vary")), []string{"missing-vary-origin warning"}},
	{"no Vary and cacheable", on(always, func(a *reply) { a.header.Del("Vary"); a.set("Cache-Control", "public, max-age=60") }), []string{"missing-vary-origin error"}},
	{"no Vary and no-store", on(always, func(a *reply) { a.header.Del("Vary"); a.set("Cache-Control", "no-store") }), []string{"missing-vary-origin note"}},
	{"Vary in lower case among others", on(always, setting("Vary", "accept-encoding,origin")), nil},
	{"Vary: *", on(always, setting("Vary", "*")), nil},
	{"preflight 404", on(isPreflight, bare(404)), []string{"preflight-not-answered error"}},
	{"preflight 405", on(isPreflight, bare(405)), []string{"preflight-not-answered error"}},
	{"preflight 500", on(isPreflight, bare(500)), []string{"preflight-not-answered error"}},
	{"preflight 405 with the headers", on(isPreflight, func(a *reply) { a.status = 405 }), []string{"preflight-not-answered error"}},
	{"preflight 401", on(isPreflight, bare(401)), []string{"preflight-needs-authentication error"}},
	{"preflight 403", on(isPreflight, bare(403)), []string{"preflight-needs-authentication error"}},
	{"preflight 407", on(isPreflight, bare(407)), []string{"preflight-needs-authentication error"}},
	{"preflight redirected", on(isPreflight, func(a *reply) { a.status = 307; a.set("Location", "/elsewhere") }), []string{"preflight-redirected error"}},
	{"preflight 200 without a grant", on(isPreflight, bare(200)), []string{"allowed-origin-refused error"}},
	{"preflight 403 for strangers", on(func(r *http.Request) bool { return isPreflight(r) && !fromPage(r) }, bare(403)), nil},
	{"preflight without credentials", on(isPreflight, deleting("Access-Control-Allow-Credentials")), []string{"allowed-origin-refused error", "preflight-lacks-credentials warning"}},
	{"method not allowed", on(isPreflight, setting("Access-Control-Allow-Methods", "GET, put")), []string{"preflight-refuses-method error"}},
	{"methods * with credentials", on(isPreflight, func(a *reply) {
		if a.header.Get("Access-Control-Allow-Origin") != "" {
			a.set("Access-Control-Allow-Methods", "*")
		}
	}), []string{"preflight-refuses-method error", "wildcard-with-credentials warning"}},
	{"header not allowed", on(isPreflight, setting("Access-Control-Allow-Headers", "authorization")), []string{"preflight-refuses-header error"}},
	{"method and header echoed", func(r *http.Request, a *reply) {
		if isPreflight(r) && fromPage(r) {
			a.set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
			a.set("Access-Control-Allow-Headers", r.Header.Get("Access-Control-Request-Headers"))
		}
	}, []string{"answers-any-header warning", "answers-any-method warning"}},
	{"TRACE", on(isPreflight, setting("Access-Control-Allow-Methods", "GET, PUT, TRACE, CONNECT")), []string{"lists-forbidden-method note"}},
	{"no max-age", on(isPreflight, deleting("Access-Control-Max-Age")), []string{"preflight-max-age-absent note"}},
	{"max-age of a day", on(isPreflight, setting("Access-Control-Max-Age", "86400")), []string{"preflight-max-age-above-caps note"}},
	{"max-age 1h", on(isPreflight, setting("Access-Control-Max-Age", "1h")), []string{"preflight-max-age-invalid warning"}},
	{"private network", on(func(r *http.Request) bool {
		return r.Header.Get("Access-Control-Request-Private-Network") != "" && fromPage(r)
	},
		setting("Access-Control-Allow-Private-Network", "true")), []string{"answers-private-network note"}},
	{"preflights of anybody", func(r *http.Request, a *reply) {
		if isPreflight(r) {
			a.set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			a.set("Access-Control-Allow-Credentials", "true")
		}
	}, []string{"preflight-answers-any-origin error"}},
	{"preflights of null", func(r *http.Request, a *reply) {
		if isPreflight(r) && r.Header.Get("Origin") == "null" {
			a.set("Access-Control-Allow-Origin", "null")
		}
	}, []string{"answers-null-origin warning"}},
	{"404 bare", on(missing, bare(404)), []string{"error-without-cors warning"}},
	{"500 bare", on(actual, bare(500)), []string{"error-without-cors error", "error-without-cors warning"}},
	{"redirect bare", on(func(r *http.Request) bool { return actual(r) && !missing(r) }, func(a *reply) { bare(302)(a); a.set("Location", "/login") }), []string{"redirect-without-cors error"}},
	{"timing for all", on(always, setting("Timing-Allow-Origin", "*")), []string{"timing-allow-any-origin note"}},
	{"set-cookie exposed", on(fromPage, setting("Access-Control-Expose-Headers", "etag, Set-Cookie")), []string{"exposes-set-cookie note"}},
	{"* exposed with credentials", on(fromPage, setting("Access-Control-Expose-Headers", "*")), []string{"wildcard-with-credentials warning"}},
	{"no CORP", on(always, deleting("Cross-Origin-Resource-Policy")), []string{"missing-corp-header note"}},
	{"CORP twice", on(always, adding("Cross-Origin-Resource-Policy", "same-site")), []string{"isolation-header-invalid warning"}},
	{"CORP unknown", on(always, setting("Cross-Origin-Resource-Policy", "Same-Site")), []string{"isolation-header-invalid warning"}},
	{"no HSTS", on(always, deleting("Strict-Transport-Security")), []string{"missing-hsts-header note"}},
	{"HSTS of no time", on(always, setting("Strict-Transport-Security", "max-age=0")), []string{"security-header-invalid warning"}},
	{"HSTS without max-age", on(always, setting("Strict-Transport-Security", "includeSubDomains")), []string{"security-header-invalid warning"}},
	{"no nosniff", on(always, deleting("X-Content-Type-Options")), []string{"missing-nosniff-header note"}},
	{"sniff", on(always, setting("X-Content-Type-Options", "sniff")), []string{"security-header-invalid warning"}},
	{"a document", on(actual, setting("Content-Type", "text/html; charset=utf-8")),
		[]string{"missing-coep-header note", "missing-coop-header note", "missing-csp-header note", "missing-framing-protection note", "missing-referrer-policy-header note"}},
	{"a document with all", on(actual, func(a *reply) {
		a.set("Content-Type", "text/html")
		a.set("Cross-Origin-Opener-Policy", `same-origin; report-to="x"`)
		a.set("Cross-Origin-Embedder-Policy", "require-corp")
		a.set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
		a.set("Referrer-Policy", "no-referrer")
	}), nil},
	{"a document framed as of old", on(actual, func(a *reply) {
		a.set("Content-Type", "text/html")
		a.set("Cross-Origin-Opener-Policy", "same-origin")
		a.set("Cross-Origin-Embedder-Policy", "unsafe")
		a.set("Content-Security-Policy", "default-src 'self'")
		a.set("Referrer-Policy", "no-referrer")
		a.set("X-Frame-Options", "ALLOW-FROM https://www.example.com")
	}), []string{"isolation-header-invalid warning", "security-header-invalid warning"}},
}

func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	for _, f := range answerFaults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			wantFindings(t, run(t, &endpoint{edit: f.edit}, target, pageOptions()), f.want...)
		})
	}
}

// TestEveryRuleIsTested holds that some server of these tests brings each rule about.
func TestEveryRuleIsTested(t *testing.T) {
	t.Parallel()
	var found []string
	for _, f := range originFaults {
		found = append(append(found, f.strict...), f.public...)
	}
	for _, f := range append(slices.Clone(answerFaults), publicFaults...) {
		found = append(found, f.want...)
	}
	tested, seen := map[string]bool{}, map[string]bool{}
	for _, f := range found {
		id, _, _ := strings.Cut(f, " ")
		tested[id] = true
	}
	for _, r := range Rules {
		if !tested[r.ID] {
			t.Errorf("%s: no server has it", r.ID)
		}
		if seen[r.ID] || r.Title == "" || r.Why == "" || strings.HasSuffix(r.Title, ".") || !strings.HasSuffix(r.Why, ".") {
			t.Errorf("%s: twice, or not described", r.ID)
		}
		seen[r.ID] = true
	}
}
