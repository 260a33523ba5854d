package e2e_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// metadataConfig denies by Fetch Metadata, and sets headers.
const metadataConfig = `{
	"cors": {"allowOrigins": ["https://app.example.com"]},
	"isolation": {"crossOriginResourcePolicy": "same-origin"}, "securityHeaders": {"xContentTypeOptions": "nosniff"},
	"fetchMetadata": {"allowSameSite": false}
}`

var metadataSets = []corpus.Header{{"cross-origin-resource-policy", "same-origin"}, {"x-content-type-options", "nosniff"}}

// textBody and jsonBody are what denials say.
func textBody(reason string) string { return "Refused by the cross-origin policy: " + reason + "\n" }

func jsonBody(reason string) string {
	return fmt.Sprintf("{\"error\":\"refused by the cross-origin policy\",\"reason\":%q}\n", reason)
}

// checkDenial wants a 403 with this body, what belongs to it, each once, and no other header that the plugin owns.
func checkDenial(t *testing.T, got wire.Response, method, contentType, body string, headers ...corpus.Header) {
	t.Helper()
	check(t, got, 403, headers...)
	for name, want := range map[string]string{"content-type": contentType, "content-length": strconv.Itoa(len(body)), "cache-control": "no-store"} {
		if values := got.Get(name); !slices.Equal(values, []string{want}) {
			t.Errorf("%s: %q, want one, %q", name, values, want)
		}
	}
	if method == "HEAD" {
		body = ""
	}
	if string(got.Body) != body {
		t.Errorf("the body is %q, want %q", got.Body, body)
	}
}

// TestDenials holds all of what every kind of denial looks like, with both bodies, whatever the request.
func TestDenials(t *testing.T) {
	t.Parallel()
	strict, metadata := listenAs(t, "strict", `{`+strictBlocks+`}`), listenAs(t, "metadata", metadataConfig)
	all, most := append(slices.Clone(strictSets), varyAll), append(slices.Clone(metadataSets), varyAll)
	for _, c := range []struct {
		name, addr string
		request    corpus.Request
		reason     string
		headers    []corpus.Header
	}{
		{"refused origin", strict, corpus.Request{Headers: from(otherOrigin)}, "origin_not_allowed", all},
		{"null", strict, corpus.Request{Headers: from("null")}, "null_not_allowed", all},
		{"malformed origin", strict, corpus.Request{Headers: from("https://app.example.com/<b>")}, "origin_malformed", all},
		{"missing origin", strict, corpus.Request{}, "origin_missing", all},
		{"POST", strict, corpus.Request{Method: "POST", Headers: from(otherOrigin, corpus.Header{"content-length", "0"})}, "origin_not_allowed", all},
		{"refused preflight", strict, preflight(otherOrigin), "origin_not_allowed", []corpus.Header{varyPreflight}},
		{"image of another site", metadata, corpus.Request{Headers: fetchMetadata("cross-site", "no-cors", "image")}, "cross_site_not_allowed", most},
		{"fetch of another site", metadata, corpus.Request{Headers: from(otherOrigin, fetchMetadata("cross-site", "cors", "empty")...)}, "cross_site_not_allowed", most},
		{"script of the same site", metadata, corpus.Request{Headers: fetchMetadata("same-site", "no-cors", "script")}, "same_site_not_allowed", most},
	} {
		t.Run(c.name, func(t *testing.T) {
			backend.On(t.Name(), upstream.Answer{Headers: upstreamCORS})
			methods := []string{c.request.Method}
			if c.request.Method == "" {
				methods = []string{"GET", "HEAD"}
			}
			for _, p := range protocols {
				for _, method := range methods {
					r := c.request
					r.Method = method
					checkDenial(t, send(t, p, c.addr, r), method, "text/plain", textBody(c.reason), c.headers...)
					checkDenial(t, send(t, p, c.addr, wire.With(r, "accept", "application/json")), method, "application/json", jsonBody(c.reason), c.headers...)
				}
			}
			if n := len(backend.Seen(t.Name())); n > 0 {
				t.Errorf("the upstream saw %d requests", n)
			}
		})
	}
}

// listenAs adds a listener with a configuration to the shared Envoy and returns its address.
func listenAs(t *testing.T, name, config string) string {
	t.Helper()
	g := sharedGateway(t)
	name = t.Name() + "_" + name
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(config)}}.Listener(name))
	return g.Addr(name)
}

// TestDenialsByAccept holds which of the bodies a client gets.
func TestDenialsByAccept(t *testing.T) {
	t.Parallel()
	addr := listenAs(t, "strict", `{`+strictBlocks+`}`)
	headers := append(slices.Clone(strictSets), varyAll)
	for _, c := range []struct {
		accept []string // lines
		json   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"*/*"}, false},
		{[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"}, false},
		{[]string{"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"}, false},
		{[]string{"application/json"}, true},
		{[]string{"application/json, text/plain, */*"}, true}, // what axios sends
		{[]string{"Application/JSON; charset=utf-8"}, true},
		{[]string{"application/json;q=0.5, text/html"}, true},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"text/plain, application/json;q=0.9"}, false},
		{[]string{"text/plain;q=0.1, application/json;q=0.2"}, true},
		{[]string{"application/json;q=0"}, false},
		{[]string{"application/json;q=2"}, false},
		{[]string{"application/*"}, false},
		{[]string{"application/problem+json"}, false},
		{[]string{"application/jsonp"}, false},
	} {
		r := corpus.Request{Headers: from(otherOrigin)}
		for _, line := range c.accept {
			r = wire.With(r, "accept", line)
		}
		t.Run(fmt.Sprint(c.accept), func(t *testing.T) {
			for _, p := range protocols {
				got := send(t, p, addr, r)
				if c.json {
					checkDenial(t, got, "GET", "application/json", jsonBody("origin_not_allowed"), headers...)
				} else {
					checkDenial(t, got, "GET", "text/plain", textBody("origin_not_allowed"), headers...)
				}
			}
		})
	}
}

// TestDenialsOfGRPC holds what Envoy makes of a denial for clients of gRPC, as of all its own answers to them: the status in headers, and the body as the message.
func TestDenialsOfGRPC(t *testing.T) {
	t.Parallel()
	addr := listenAs(t, "strict", `{`+strictBlocks+`}`)
	r := corpus.Request{Method: "POST", Headers: from(otherOrigin, corpus.Header{"content-type", "application/grpc"})}
	backend.On(t.Name(), upstream.Answer{})
	for _, p := range protocols {
		got := send(t, p, addr, r)
		check(t, got, 200, append(slices.Clone(strictSets), varyAll)...)
		for name, want := range map[string]string{
			"content-type": "application/grpc", "cache-control": "no-store",
			"grpc-status": "7", "grpc-message": "Refused by the cross-origin policy: origin_not_allowed%0A",
		} {
			if values := got.Get(name); !slices.Equal(values, []string{want}) {
				t.Errorf("%s: %s: %q, want one, %q", p.name, name, values, want)
			}
		}
		if len(got.Body) > 0 {
			t.Errorf("%s: the body is %q", p.name, got.Body)
		}
	}
	if n := len(backend.Seen(t.Name())); n > 0 {
		t.Errorf("the upstream saw %d requests", n)
	}
}

// TestDenialsInAnotherShape holds that an Envoy may be told to give denials another status and body, and that what the mapping adds does not grant anything, nor
// double what the policy sets.
func TestDenialsInAnotherShape(t *testing.T) {
	t.Parallel()
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(`{` + strictBlocks + `}`)}, Extra: envoy.Object{"local_reply_config": envoy.Object{
		"mappers": []envoy.Object{{
			"filter": envoy.Object{"status_code_filter": envoy.Object{"comparison": envoy.Object{
				"op": "EQ", "value": envoy.Object{"default_value": 403, "runtime_key": "unused"},
			}}},
			"status_code": 451,
			"headers_to_add": []envoy.Object{
				added("access-control-allow-origin", "*"), added("cross-origin-resource-policy", "cross-origin"), added("x-shape", "other"),
			},
		}},
		"body_format": envoy.Object{"json_format": envoy.Object{"said": "%LOCAL_REPLY_BODY%"}},
	}}})
	for _, p := range protocols {
		got := send(t, p, addr, corpus.Request{Headers: from(otherOrigin)})
		check(t, got, 451, append(slices.Clone(strictSets), varyAll)...)
		const body = `{"said":"Refused by the cross-origin policy: origin_not_allowed\n"}` + "\n"
		if string(got.Body) != body || !slices.Equal(got.Get("content-type"), []string{"application/json"}) || !slices.Equal(got.Get("x-shape"), []string{"other"}) {
			t.Errorf("%s: the body is %q, the headers %q", p.name, got.Body, got.Headers)
		}
	}
}
