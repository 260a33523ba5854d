package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
)

// strictBlocks is a policy that changes as much as one can: it denies all that it may deny, and sets headers on every response.
const strictBlocks = `
	"cors": {
		"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["x-one", "x-two"], "exposeHeaders": ["x-request-id"],
		"allowCredentials": true, "maxAge": 600, "timingAllowOrigin": true,
		"onRefusedPreflight": "deny", "onRefusedOrigin": "deny", "onMissingOrigin": "deny"
	},
	"isolation": {
		"preset": "cross-origin-isolated", "crossOriginResourcePolicy": "same-origin", "originAgentCluster": true, "reportingEndpoints": {"main": "/reports"}
	},
	"securityHeaders": {
		"xContentTypeOptions": "nosniff", "strictTransportSecurity": "max-age=31536000", "xFrameOptions": {"value": "DENY", "ifAbsent": true}
	},
	"fetchMetadata": {"allowSameSite": false, "allowUnsafeNavigations": false}`

// What responses get of strictBlocks, beside grants, over http. The upstream's x-frame-options would stay.
var (
	strictSets = []corpus.Header{
		{"cross-origin-opener-policy", "same-origin"}, {"cross-origin-embedder-policy", "require-corp"}, {"cross-origin-resource-policy", "same-origin"},
		{"origin-agent-cluster", "?1"}, {"reporting-endpoints", `main="/reports"`}, {"x-content-type-options", "nosniff"}, {"x-frame-options", "DENY"},
	}
	varyAll = corpus.Header{"vary", "Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"}
)

// trial is the rule of those configurations in which a rule has a mode of its own.
const trial = "trial"

// quietConfigs are configurations under which the plugin must not change a byte. Counted tells what becomes of a refusal in the counters.
var quietConfigs = []struct{ name, config, rule, counted string }{
	{"shadow", `{"mode": "shadow", ` + strictBlocks + `}`, corpus.DefaultRule, "shadowed"},
	{"off", `{"mode": "off", ` + strictBlocks + `}`, corpus.DefaultRule, corpus.Uncounted},
	{"none-of-a-hundred", `{"mode": {"enforce": {"numerator": 0}}, ` + strictBlocks + `}`, corpus.DefaultRule, "shadowed"},
	{"none-of-a-hundred-otherwise-off", `{"mode": {"enforce": {"numerator": 0}, "otherwise": "off"}, ` + strictBlocks + `}`, corpus.DefaultRule, corpus.Uncounted},
	{"rule-in-shadow", `{` + strictBlocks + `, "rules": [` + trialRule("shadow") + `]}`, trial, "shadowed"},
	{"rule-off", `{` + strictBlocks + `, "rules": [` + trialRule("off") + `]}`, trial, corpus.Uncounted},
}

// trialRule is a rule, with a mode, of all hosts to which the tests send.
func trialRule(mode string) string {
	return fmt.Sprintf(`{"name": %q, "match": {"hosts": ["*.example.test"]}, "mode": %q}`, trial, mode)
}

// longBody is more than Envoy reads at once, and buffers.
const longBody = 3 << 20

const plainAnswer = "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-type: text/plain\r\ncontent-length: 6\r\n\r\nhello\n"

// looseAnswer has every header that the policy sets or removes, wrong, doubled, and in odd spellings.
const looseAnswer = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n" +
	"Access-Control-Allow-Origin: *\r\naccess-control-allow-origin: https://evil.example.net\r\nAccess-Control-Allow-Credentials: TRUE\r\n" +
	"access-control-something-new: 1\r\nTiming-Allow-Origin: *\r\nVary: Accept\r\nX-Middle:   spaced\t\r\nvary: Cookie , accept-encoding\r\n" +
	"Cross-Origin-Resource-Policy: cross-origin\r\ncross-origin-resource-policy: same-site\r\nCross-Origin-Opener-Policy: unsafe-none\r\n" +
	"cross-origin-embedder-policy:\r\nOrigin-Agent-Cluster: ?0\r\nReporting-Endpoints: old=\"/old\"\r\nStrict-Transport-Security: max-age=0\r\n" +
	"X-Content-Type-Options: NoSniff\r\nX-Frame-Options: SAMEORIGIN\r\nx-frame-options: DENY\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nx-empty:\r\n" +
	"Content-Length: 3\r\n\r\nodd"

func from(origin string, more ...corpus.Header) []corpus.Header {
	return append([]corpus.Header{originHeader(origin)}, more...)
}

func fetchMetadata(site, mode, dest string) []corpus.Header {
	return []corpus.Header{{"sec-fetch-site", site}, {"sec-fetch-mode", mode}, {"sec-fetch-dest", dest}}
}

func asks(origin, method, headers string) corpus.Request {
	return corpus.Request{Method: "OPTIONS", Path: "/raw", Headers: from(origin,
		corpus.Header{"access-control-request-method", method}, corpus.Header{"access-control-request-headers", headers})}
}

// What the policy of strictBlocks says of most requests.
const (
	allowedActual, refusedActual       = "actual origin_allowed", "actual origin_not_allowed"
	allowedPreflight, refusedPreflight = "preflight origin_allowed", "preflight origin_not_allowed"
	missingOrigin                      = "no_origin origin_missing"
)

// rawExchanges returns all of them. Paths are those of rawRoutes.
func rawExchanges() []rawExchange {
	var all []rawExchange
	add := func(name, outcome string, r corpus.Request, answer string) *rawExchange {
		kind, reason, _ := strings.Cut(outcome, " ")
		all = append(all, rawExchange{name: name, request: r, answer: answer, kind: kind, reason: reason})
		return &all[len(all)-1]
	}
	request := func(method, path string, headers ...corpus.Header) corpus.Request {
		return corpus.Request{Method: method, Path: path, Headers: headers}
	}
	get := func(headers ...corpus.Header) corpus.Request { return request("GET", "/raw", headers...) }

	add("allowed", allowedActual, get(from(appOrigin)...), plainAnswer)
	add("allowed, with a loose answer", allowedActual, get(from(appOrigin)...), looseAnswer)
	add("allowed, over https", allowedActual, get(from(appOrigin, corpus.Header{"x-forwarded-proto", "https"})...), looseAnswer)
	add("refused", refusedActual, get(from(otherOrigin)...), plainAnswer)
	add("refused, with a loose answer", refusedActual, get(from(otherOrigin)...), looseAnswer)
	add("no origin", missingOrigin, get(), plainAnswer)
	add("no origin, with a loose answer", missingOrigin, get(), looseAnswer)
	add("same origin", "actual same_origin", get(from("http://api.example.test")...), looseAnswer)
	add("null", "actual null_not_allowed", get(from("null")...), looseAnswer)
	add("malformed", "actual origin_malformed", get(from("https://App.example.com/")...), plainAnswer)
	add("two origins", "actual origin_malformed", get(from(appOrigin, originHeader(otherOrigin))...), plainAnswer)

	add("preflight", allowedPreflight, asks(appOrigin, "PUT", "x-one"), looseAnswer)
	add("preflight that the upstream does not know", allowedPreflight, asks(appOrigin, "PUT", "x-one"), withStatus("405 Method Not Allowed"))
	add("preflight, refused", refusedPreflight, asks(otherOrigin, "PUT", "x-one"), looseAnswer)
	add("preflight, method refused", "preflight method_not_allowed", asks(appOrigin, "DELETE", "x-one"), plainAnswer)
	add("preflight, header refused", "preflight header_not_allowed", asks(appOrigin, "PUT", "x-one, X-Three"), plainAnswer)
	add("preflight to nowhere", allowedPreflight, request("OPTIONS", "/nowhere", asks(appOrigin, "PUT", "").Headers...), "")
	add("OPTIONS that asks nothing", allowedActual, request("OPTIONS", "/raw", from(appOrigin)...), plainAnswer)

	add("fetch of another site", refusedActual, get(from(otherOrigin, fetchMetadata("cross-site", "cors", "empty")...)...), plainAnswer)
	add("image of another site", missingOrigin, get(fetchMetadata("cross-site", "no-cors", "image")...), looseAnswer)
	add("navigation", missingOrigin, get(fetchMetadata("cross-site", "navigate", "document")...), plainAnswer)

	add("HEAD", allowedActual, request("HEAD", "/raw", from(appOrigin)...), headOnly(looseAnswer))
	add("HEAD, refused", refusedActual, request("HEAD", "/raw", from(otherOrigin)...), headOnly(plainAnswer))
	add("204", refusedActual, request("DELETE", "/raw", from(otherOrigin)...), "HTTP/1.1 204 No Content\r\ndate: x\r\nvary: *\r\n\r\n")
	add("304", allowedActual, get(from(appOrigin, corpus.Header{"if-none-match", `"a"`})...), headOnly(withStatus("304 Not Modified")))
	add("404", allowedActual, get(from(appOrigin)...), withStatus("404 Not Found"))
	add("500", refusedActual, get(from(otherOrigin)...), withStatus("500 Internal Server Error"))
	add("redirect of the upstream", allowedActual, get(from(appOrigin)...), strings.Replace(withStatus("302 Found"), "\r\n", "\r\nLocation: /elsewhere?x=1\r\n", 1))
	add("interim answer", allowedActual, get(from(appOrigin)...), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"+looseAnswer)
	add("answer that ends with its connection", allowedActual, get(from(appOrigin)...), "HTTP/1.1 200 OK\r\ndate: x\r\nvary: Origin\r\n\r\nuntil the end")

	add("nowhere", refusedActual, request("GET", "/nowhere", from(otherOrigin)...), "")
	add("upstream down", refusedActual, request("GET", "/down", from(otherOrigin)...), "")
	add("upstream closes", allowedActual, get(from(appOrigin)...), "")
	add("upstream talks no HTTP", refusedActual, get(from(otherOrigin)...), "220 mail.example.com ESMTP\r\n\r\n")
	add("redirect of the route", refusedActual, request("GET", "/redirect", from(otherOrigin)...), "")
	add("direct response", allowedActual, request("GET", "/direct", from(appOrigin)...), "")
	add("direct response, refused", refusedActual, request("GET", "/direct", from(otherOrigin)...), "")
	add("route that changes headers", refusedActual, request("GET", "/added", from(otherOrigin, corpus.Header{"x-removed", "1"})...), looseAnswer)
	add("later filter that denies", allowedActual, request("GET", "/forbidden", from(appOrigin)...), "")
	add("later filter that denies, refused", refusedActual, request("GET", "/forbidden", from(otherOrigin)...), "")

	x := add("body both ways", allowedActual, request("PUT", "/raw?a=%2e%2E&b", from(appOrigin, corpus.Header{"content-type", "text/plain"})...), withBody(3000))
	x.body = strings.Repeat("body ", 500)
	x = add("long body both ways", allowedActual, request("PUT", "/raw", from(appOrigin)...), withBody(longBody))
	x.body = strings.Repeat("0123456789abcdef", longBody/16)
	x = add("body, refused", refusedActual, request("POST", "/raw", from(otherOrigin)...), plainAnswer)
	x.body = `{"a": 1}`
	x = add("body that is announced", refusedActual, request("PUT", "/raw", from(otherOrigin, corpus.Header{"expect", "100-continue"})...), plainAnswer)
	x.body = "expected"
	x = add("chunks both ways", allowedActual, request("POST", "/raw", from(appOrigin)...), inChunks("3\r\nabc\r\n0\r\n\r\n"))
	x.body, x.chunked = "in chunks", true
	x = add("no chunk", refusedActual, request("POST", "/raw", from(otherOrigin)...), plainAnswer)
	x.chunked = true
	x = add("trailers both ways", refusedActual, request("POST", "/raw", from(otherOrigin, corpus.Header{"te", "trailers"})...),
		inChunks("3\r\nabc\r\n0\r\nx-sum: 2\r\naccess-control-allow-origin: *\r\ncross-origin-resource-policy: cross-origin\r\n\r\n"))
	x.body, x.chunked, x.trailers = "with trailers", true, []corpus.Header{{"x-sum", "1"}, {"access-control-allow-origin", "*"}}
	x = add("gRPC", refusedActual, request("POST", "/raw", from(otherOrigin, corpus.Header{"content-type", "application/grpc"})...),
		inChunks("5\r\n\x00\x00\x00\x00\x00\r\n0\r\ngrpc-status: 0\r\n\r\n"))
	x.body, x.chunked = "\x00\x00\x00\x00\x00", true

	handshake := []corpus.Header{{"upgrade", "websocket"}, {"sec-websocket-version", "13"}, {"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="}}
	const switches = "HTTP/1.1 101 Switching Protocols\r\ndate: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
		"Access-Control-Allow-Origin: *\r\nCross-Origin-Resource-Policy: same-site\r\n\r\n"
	x = add("WebSocket", allowedActual, get(from(appOrigin, handshake...)...), switches)
	x.tunnel, x.same = true, true // a 101 is left alone when enforced, too
	x = add("WebSocket, refused", refusedActual, get(from(otherOrigin, handshake...)...), switches)
	x.tunnel = true
	x = add("CONNECT", refusedActual, corpus.Request{Method: "CONNECT", Authority: "db.example.test:5432", Headers: from(otherOrigin)},
		"HTTP/1.1 200 OK\r\ndate: x\r\nvary: Accept\r\n\r\n")
	x.tunnel = true
	return all
}

func withBody(size int) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\ndate: x\r\ncontent-length: %d\r\n\r\n%s", size, strings.Repeat("fedcba9876543210", size/16+1)[:size])
}

func inChunks(chunks string) string {
	return "HTTP/1.1 200 OK\r\ndate: x\r\nvary: Accept\r\ntransfer-encoding: chunked\r\n\r\n" + chunks
}

// withStatus returns looseAnswer with another status.
func withStatus(status string) string { return strings.Replace(looseAnswer, "200 OK", status, 1) }

func headOnly(answer string) string {
	head, _, _ := strings.Cut(answer, "\r\n\r\n")
	return head + "\r\n\r\n"
}

// TestShadow holds that a policy that is not enforced changes no byte, neither on the way to the upstream nor on the way back: all is as in an Envoy without the
// plugin. The same policy, enforced, changes what is to be changed. The counters are what the modes say.
func TestShadow(t *testing.T) {
	t.Parallel()
	g := startRawGateway(t)
	const bare, enforced, mixed = "bare", "enforced", "mixed"
	listeners := []envoy.Object{rawListener(bare), rawListener(enforced, plugin(`{`+strictBlocks+`}`)), rawListener(mixed, plugin(mixedModes))}
	for _, q := range quietConfigs {
		listeners = append(listeners, rawListener(q.name, plugin(q.config)))
	}
	put(t, g.Gateway, listeners...)

	want := tally{}
	for _, via := range rawVias {
		t.Run(via.name, func(t *testing.T) {
			for _, x := range rawExchanges() {
				if !via.takes(x) {
					continue
				}
				plain := g.exchange(t, via, bare, x)
				if x.reaches() != (plain.upstream != "") {
					t.Errorf("%s: without the plugin, the upstream got %q", x.name, plain.upstream)
				}
				for _, q := range quietConfigs {
					if got := g.exchange(t, via, q.name, x); got != plain {
						t.Errorf("%s: %s: %s", q.name, x.name, difference(got, plain))
					}
					want.add(x.want(q.rule, q.counted))
				}
				if got := g.exchange(t, via, enforced, x); (got == plain) != x.same {
					t.Errorf("enforced: %s: the client got\n%.2000q\nthe upstream\n%.2000q", x.name, got.client, got.upstream)
				}
				want.add(x.want(corpus.DefaultRule, "refused"))
			}
		})
		t.Run("by rule, over "+via.name, func(t *testing.T) {
			for _, x := range mixedExchanges() {
				got, plain := g.exchange(t, via, mixed, x.rawExchange), g.exchange(t, via, bare, x.rawExchange)
				if isEnforced := x.refusals == "refused"; (got == plain) == isEnforced {
					t.Errorf("%s: enforced is %v: %s", x.name, isEnforced, difference(got, plain))
				}
				want.add(x.want(x.rule, x.refusals))
			}
		})
	}
	t.Run("counters", func(t *testing.T) { want.compare(t, g.Gateway) })
}

// mixedModes is in shadow, but for a rule that is enforced and one that is off.
const mixedModes = `{"mode": "shadow", ` + strictBlocks + `, "rules": [
	{"name": "kept", "match": {"paths": [{"prefix": "/raw/kept"}]}, "mode": "enforce"},
	{"name": "left", "match": {"paths": [{"prefix": "/raw/left"}]}, "mode": "off"},
	{"name": "open", "match": {"paths": [{"prefix": "/raw/open"}]}, "cors": {"allowOrigins": ["https://app.example.com"]}}
]}`

// mixedExchange is a request that a rule of mixedModes decides.
type mixedExchange struct {
	rawExchange
	rule, refusals string
}

func mixedExchanges() []mixedExchange {
	var all []mixedExchange
	for _, r := range []struct{ path, rule, refusals string }{
		{"/raw", corpus.DefaultRule, "shadowed"}, {"/raw/kept/x", "kept", "refused"}, {"/raw/left", "left", corpus.Uncounted}, {"/raw/open", "open", "shadowed"},
	} {
		missing, image := "origin_missing", "origin_missing"
		if r.rule == "open" {
			missing, image = "no_origin", "cross_site_not_allowed"
		}
		for _, x := range []rawExchange{
			{name: "allowed", request: corpus.Request{Headers: from(appOrigin)}, kind: "actual", reason: "origin_allowed"},
			{name: "refused", request: corpus.Request{Headers: from(otherOrigin)}, kind: "actual", reason: "origin_not_allowed"},
			{name: "no origin", kind: "no_origin", reason: missing},
			{name: "image", request: corpus.Request{Headers: fetchMetadata("cross-site", "no-cors", "image")}, kind: "no_origin", reason: image},
			{name: "preflight", request: asks(appOrigin, "PUT", "x-one"), kind: "preflight", reason: "origin_allowed"},
			{name: "refused preflight", request: asks(otherOrigin, "PUT", "x-one"), kind: "preflight", reason: "origin_not_allowed"},
		} {
			if r.rule == "open" && x.name == "preflight" {
				x.reason = "method_not_allowed"
			}
			x.name, x.request.Path, x.answer = r.path+" "+x.name, r.path, looseAnswer
			all = append(all, mixedExchange{x, r.rule, r.refusals})
		}
	}
	return all
}

// want returns what is counted of x where refusals are counted so.
func (x rawExchange) want(rule, refusals string) corpus.Want {
	w := corpus.Want{Rule: rule, Kind: x.kind, Reason: x.reason, Decision: refusals}
	allowed := []string{"origin_allowed", "same_origin", "no_origin"}
	if refusals != corpus.Uncounted && slices.Contains(allowed, x.reason) {
		w.Decision = "allowed"
	}
	return w
}
