package convert

import (
	"slices"
	"strings"
	"testing"

	"corsguard/filter/config"
	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// ask is a request of a page, which sends a preflight first.
type ask struct {
	host, path, route string
	origin, method    string
	header            string // one that is not safelisted, "" for none
	credentials       bool
}

// answer is what a server says to a preflight and to the request behind it, as far as a browser looks at it.
type answer struct {
	origin, credentials, methods, headers string
}

// permits reports whether a browser lets the page read the response to a, after answers to the preflight and to the request (Fetch standard, CORS check and CORS-preflight fetch).
func permits(a *ask, preflight, actual answer) bool {
	check := func(s answer) bool {
		if s.origin == "*" {
			return !a.credentials
		}
		return s.origin == a.origin && (!a.credentials || s.credentials == "true")
	}
	if !check(preflight) || !check(actual) {
		return false
	}
	methods, headers := split(preflight.methods), split(strings.ToLower(preflight.headers))
	if !slices.Contains(methods, a.method) && !fetch.IsSafelistedMethod(a.method) && (a.credentials || !slices.Contains(methods, "*")) {
		return false
	}
	if a.header == "" || slices.Contains(headers, a.header) {
		return true
	}
	return a.header != "authorization" && !a.credentials && slices.Contains(headers, "*")
}

func split(list string) []string {
	var out []string
	for _, e := range strings.Split(list, ",") {
		out = append(out, strings.TrimSpace(e))
	}
	return out
}

// compiled is a configuration as the plugin runs it.
type compiled struct{ rules *policy.Rules }

func compile(t testing.TB, text []byte) compiled {
	t.Helper()
	spec, _, err := config.Parse(text)
	if err != nil {
		t.Fatalf("the plugin refuses the policy: %v\n%s", err, text)
	}
	rules, err := policy.Compile(&spec)
	if err != nil {
		t.Fatalf("the policy does not compile: %v\n%s", err, text)
	}
	return compiled{rules}
}

func (c compiled) pick(a *ask) *policy.Policy {
	host, path := a.host, a.path
	if host == "" {
		host = "service.test"
	}
	if path == "" {
		path = "/"
	}
	_, p := c.rules.Pick(&policy.Target{Authority: host, Path: path, Route: a.route})
	return p
}

func (c compiled) answer(a *ask, method, requestMethod string) answer {
	p := c.pick(a)
	r := policy.Request{Method: method, Scheme: "https", Authority: "service.test", Path: "/", Origins: 1, Origin: a.origin, RequestMethod: requestMethod, RequestHeaders: a.header}
	if requestMethod == "" {
		r.RequestHeaders = ""
	}
	d := p.Decide(&r)
	var out answer
	for _, h := range p.Reply(&d, true, nil) {
		switch h[0] {
		case fetch.HeaderAllowOrigin:
			out.origin = h[1]
		case fetch.HeaderAllowCredentials:
			out.credentials = h[1]
		case fetch.HeaderAllowMethods:
			out.methods = h[1]
		case fetch.HeaderAllowHeaders:
			out.headers = h[1]
		}
	}
	return out
}

func (c compiled) permits(a *ask) bool {
	return permits(a, c.answer(a, "OPTIONS", a.method), c.answer(a, a.method, ""))
}
