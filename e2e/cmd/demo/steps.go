package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// statsLimit bounds the wait for the plugin's counters, which come once a second.
const statsLimit = time.Minute

const (
	shopOrigin = "https://shop.example.com"
	evilOrigin = "https://example.com.evil.test"
)

// step is one curl line, and what comes back.
type step struct {
	title   string
	shows   string
	request corpus.Request
	status  int
	headers []corpus.Header // every header of the answer that the policy is about
}

var (
	preflightVary = corpus.Header{"vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
	responseVary  = corpus.Header{"vary", "Accept-Encoding, Origin"}
	nosniff       = corpus.Header{"x-content-type-options", "nosniff"}
	referrers     = corpus.Header{"referrer-policy", "strict-origin-when-cross-origin"}
	ungranted     = []corpus.Header{{"cross-origin-resource-policy", "same-site"}, nosniff, referrers, responseVary}
	granted       = append([]corpus.Header{
		{"access-control-allow-origin", shopOrigin},
		{"access-control-allow-credentials", "true"},
		{"access-control-expose-headers", "x-request-id"},
	}, ungranted...)
)

var steps = []step{
	{
		title:   "A preflight from an allowed origin",
		shows:   "204 from the gateway; the upstream, which knows no OPTIONS, is not asked",
		request: preflight(shopOrigin, "PUT"),
		status:  204,
		headers: []corpus.Header{
			{"access-control-allow-origin", shopOrigin},
			{"access-control-allow-credentials", "true"},
			{"access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE"},
			{"access-control-allow-headers", "authorization, content-type"},
			{"access-control-expose-headers", "x-request-id"},
			{"access-control-max-age", "7200"},
			preflightVary,
		},
	},
	{
		title:   "A preflight from an origin that only looks like it",
		shows:   "204 without access-control headers, so the browser does not send the request",
		request: preflight(evilOrigin, "PUT"),
		status:  204,
		headers: []corpus.Header{preflightVary},
	},
	{
		title:   "A request from an allowed origin",
		shows:   "one access-control-allow-origin, in place of the upstream's two; vary gained Origin",
		request: from(shopOrigin, "/api/items"),
		status:  200,
		headers: granted,
	},
	{
		title:   "A request from a refused origin",
		shows:   "the answer, without access-control headers, so the page cannot read it; the upstream's * is gone",
		request: from(evilOrigin, "/api/items"),
		status:  200,
		headers: ungranted,
	},
	{
		title:   "The same origin, where a rule lets everybody read",
		shows:   "access-control-allow-origin: *, once and without credentials; the answer is the same for all, so vary stays as it was",
		request: from(evilOrigin, "/api/public/prices"),
		status:  200,
		headers: []corpus.Header{{"access-control-allow-origin", "*"}, {"cross-origin-resource-policy", "cross-origin"}, nosniff, referrers, {"vary", "Accept-Encoding"}},
	},
	{
		title:   "A 401 that a page can read",
		shows:   "401 with access-control headers: the page learns that it has to log in, and not just \"CORS error\"",
		request: from(shopOrigin, "/private"),
		status:  401,
		headers: granted,
	},
	{
		title:   "An error of the upstream that a page can read",
		shows:   "500, likewise",
		request: from(shopOrigin, "/broken"),
		status:  500,
		headers: granted,
	},
	{
		title:   "The page itself",
		shows:   "no Origin, no access-control headers; vary tells caches to keep answers apart by origin",
		request: corpus.Request{Path: "/"},
		status:  200,
		headers: ungranted,
	},
	{
		title:   "An image of another site's page, where a rule wants requests of other sites refused",
		shows:   "403 before the upstream is asked, with the reason in JSON, as asked for; the access log has it too",
		request: corpus.Request{Path: "/account", Headers: []corpus.Header{{"sec-fetch-site", "cross-site"}, {"sec-fetch-mode", "no-cors"}, {"sec-fetch-dest", "image"}, {"accept", "application/json"}}},
		status:  403,
		headers: []corpus.Header{{"cross-origin-resource-policy", "same-site"}, nosniff, referrers, {"vary", "Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"}},
	},
	{
		title:   "A request from a refused origin, where a rule is in shadow",
		shows:   "the upstream's answer as it is, with its two access-control-allow-origin, which Envoy joins; counted and logged as shadowed",
		request: from(evilOrigin, "/beta"),
		status:  200,
		headers: []corpus.Header{{"access-control-allow-origin", "*," + evilOrigin}, {"access-control-allow-credentials", "true"}, {"vary", "Accept-Encoding"}},
	},
}

func preflight(origin, method string) corpus.Request {
	return corpus.Request{Method: "OPTIONS", Path: "/api/items", Headers: []corpus.Header{
		{"origin", origin},
		{"access-control-request-method", method},
		{"access-control-request-headers", "content-type"},
	}}
}

func from(origin, path string) corpus.Request {
	return corpus.Request{Path: path, Headers: []corpus.Header{{"origin", origin}}}
}

// curl returns the line that sends the step's request.
func (s step) curl() string {
	var b strings.Builder
	b.WriteString("curl -i")
	if s.request.Method != "" {
		fmt.Fprintf(&b, " -X %s", s.request.Method)
	}
	fmt.Fprintf(&b, " http://%s%s", gatewayAddr, s.request.Path)
	for _, h := range s.request.Headers {
		fmt.Fprintf(&b, " \\\n    -H '%s: %s'", h[0], h[1])
	}
	return b.String()
}

func printSteps(w io.Writer) {
	fmt.Fprintf(w, "\nReady on http://%s. The policy is in envoy.yaml. Try:\n", gatewayAddr)
	for _, s := range steps {
		fmt.Fprintf(w, "\n# %s\n# -> %s\n%s\n", s.title, s.shows, s.curl())
	}
	fmt.Fprintf(w, "\n# What the upstream answers when nothing stands before it\n# -> access-control-allow-origin twice, one of them *\n")
	fmt.Fprintf(w, "curl -i http://%s/api/items -H 'origin: %s'\n", upstreamAddr, evilOrigin)
	fmt.Fprintf(w, "\n# The counters, by kind, decision and reason; they come once a second\ncurl 'http://%s%s'\n\nCtrl-C ends it.\n\n", adminAddr, statsPath)
}

// checkSteps sends every step's request, and compares.
func checkSteps(ctx context.Context, admin envoy.Admin, w io.Writer) error {
	var errs []error
	for _, s := range steps {
		err := s.check(w)
		if err != nil {
			fmt.Fprintln(w, err)
			errs = append(errs, fmt.Errorf("%s: %w", s.title, err))
		}
	}
	if err := checkStats(ctx, admin, w); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (s step) check(w io.Writer) error {
	r := s.request
	r.Authority = gatewayAddr
	got, err := wire.H1(gatewayAddr, r)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n# %s\n%s\n%d\n", s.title, s.curl(), got.Status)
	owned := corpus.Owned(got.Headers)
	for _, h := range owned {
		fmt.Fprintf(w, "%s: %s\n", h[0], h[1])
	}
	if want := corpus.Owned(s.headers); got.Status != s.status || !slices.Equal(owned, want) {
		return fmt.Errorf("got %d %v, want %d %v", got.Status, owned, s.status, want)
	}
	return nil
}
