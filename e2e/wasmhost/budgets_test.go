package wasmhost_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/wasmhost"
)

// Each crossing between Envoy and the plugin costs, and crossings are most of what the plugin costs. So what it may spend on a request is
// written down here, to the call: a change that needs another one has to be worth it, and one that saves some has to say so.

// budgetConfig is an ordinary policy. Refusals are not logged, as they are not most of the time: the log is rate-limited.
const (
	budgetCORS = `"cors": {"allowOrigins": ["https://app.example.com", "https://*.example.org"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["content-type", "x-request-id"],
		"exposeHeaders": ["x-total"], "allowCredentials": true, "maxAge": 600%s}`
	budgetConfig = `{` + budgetCORS + `, "log": {"refusalsPerMinute": %d}}`
	anyConfig    = `{"cors": {"allowOrigins": ["*"], "exposeHeaders": ["x-total"]}, "log": {"refusalsPerMinute": 0}}`
)

// A budget is what one kind of request costs: in the request phase and in the response phase.
type budget struct {
	name, config          string
	fetched               string // the document that the policy's source gave, if it has one
	request               []wasmhost.Header
	method, route         string
	without               string // a header that a browser sends, and not here
	response              []wasmhost.Header
	onRequest, onResponse string
}

var (
	plain      = fmt.Sprintf(budgetConfig, "", 0)
	denying    = fmt.Sprintf(budgetConfig, `, "onRefusedOrigin": "deny", "onRefusedPreflight": "deny"`, 0)
	forwarding = fmt.Sprintf(budgetConfig, `, "onRefusedPreflight": "forward"`, 0)
	logging    = fmt.Sprintf(budgetConfig, "", 60000)

	// The same policy in a rule that fits, of each kind; and a rule that switches it off.
	off = `{"cors":{"allowOrigins":["https://app.example.com"]},"rules":[{"name":"off","match":{"hosts":["api.example.test"]},"cors":null}]}`

	headers = `, "isolation": {"crossOriginOpenerPolicy": "same-origin", "crossOriginResourcePolicy": "same-site"}, "securityHeaders": {"xFrameOptions": "DENY"%s}}`

	withHeaders        = fmt.Sprintf(strings.TrimSuffix(plain, "}")+headers, "")
	withHeadersDenying = fmt.Sprintf(strings.TrimSuffix(denying, "}")+headers, "")
	withHSTS           = strings.TrimSuffix(plain, "}") + `, "securityHeaders": {"strictTransportSecurity": "max-age=31536000"}}`
	headersAlone       = `{"isolation": {"crossOriginResourcePolicy": "same-site"}}`

	isolating = strings.TrimSuffix(plain, "}") + `, "fetchMetadata": {}}`
	reporting = strings.TrimSuffix(plain, "}") + `, "fetchMetadata": {"mode": "report"}}`
	shadowing = strings.TrimSuffix(plain, "}") + `, "mode": "shadow"}`
	modeOff   = strings.TrimSuffix(plain, "}") + `, "mode": "off"}`

	// The same policy with a source, and with three.
	fetching      = fmt.Sprintf(budgetConfig, `, "allowOriginsFrom": {"cluster": "origins", "path": "/v1"}`, 0)
	fetchingMuch  = `{"cors": [{"allowOriginsFrom": {"cluster": "origins", "path": "/1"}}, {"allowOriginsFrom": {"cluster": "origins", "path": "/2"}}, {"allowOriginsFrom": {"cluster": "origins", "path": "/3"}}]}`
	fetchedList   = documentOf("https://fetched.example.com", "https://*.fetched.example.com")
	fetchedByHost = `{"hosts": {"api.example.test": ` + fetchedList + `, "other.example.test": {"allowOrigins": []}}}`

	byHost        = ruleConfig(`{"hosts": ["api.example.test"]}`)
	byPath        = ruleConfig(`{"paths": [{"exact": "/"}]}`)
	byHostAndPath = ruleConfig(`{"hosts": ["*.example.test"], "paths": [{"exact": "/"}, {"regex": "/v[0-9]+/.*"}]}`)
	byRoute       = ruleConfig(`{"routes": ["api"]}`)
)

func ruleConfig(match string) string {
	cors := fmt.Sprintf(budgetCORS, "")
	return fmt.Sprintf(`{%s, "rules": [{"name": "api", "match": %s, %s}], "log": {"refusalsPerMinute": 0}}`, cors, match, cors)
}

// What a browser sends, besides what CORS adds: 15 lines with the pseudo-headers that Envoy makes of the request line.
func browserRequest(more ...wasmhost.Header) []wasmhost.Header {
	return append([]wasmhost.Header{
		{"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
		{"accept", "application/json, text/plain, */*"},
		{"accept-language", "en-US,en;q=0.5"},
		{"accept-encoding", "gzip, deflate, br, zstd"},
		{"referer", "https://app.example.com/"},
		{"sec-fetch-dest", "empty"},
		{"sec-fetch-mode", "cors"},
		{"sec-fetch-site", "same-site"},
		{"cookie", "session=0123456789abcdef0123456789abcdef; theme=dark"},
		{"x-forwarded-proto", "https"},
		{"x-request-id", "5d1f7f5e-6c5b-4f0c-9d5e-0a1b2c3d4e5f"},
	}, more...)
}

// What an API answers: 8 lines with the status.
func apiResponse(more ...wasmhost.Header) []wasmhost.Header {
	return append([]wasmhost.Header{
		{"content-type", "application/json"}, {"content-length", "1234"}, {"date", "Mon, 01 Jul 2024 12:00:00 GMT"}, {"server", "api"},
		{"cache-control", "no-cache"}, {"etag", `"0123456789abcdef"`}, {"x-envoy-upstream-service-time", "7"},
	}, more...)
}

var (
	allowedOrigin = wasmhost.Header{"origin", "https://app.example.com"}
	refusedOrigin = wasmhost.Header{"origin", "https://evil.test"}
	fetchedOrigin = wasmhost.Header{"origin", "https://fetched.example.com"}
	sameOrigin    = wasmhost.Header{"origin", "https://api.example.test"}
	asksPUT       = wasmhost.Header{"access-control-request-method", "PUT"}
	asksHeaders   = wasmhost.Header{"access-control-request-headers", "content-type,x-request-id"}
	crossSite     = wasmhost.Header{"sec-fetch-site", "cross-site"}
	withOurs      = []wasmhost.Header{{"cross-origin-opener-policy", "same-origin"}, {"cross-origin-resource-policy", "same-site"}, {"x-frame-options", "DENY"}}
	withTheirs    = []wasmhost.Header{{"cross-origin-opener-policy", "unsafe-none"}, {"cross-origin-resource-policy", "same-site"}, {"cross-origin-resource-policy", "same-site"}, {"x-frame-options", "SAMEORIGIN"}}
	withVary      = []wasmhost.Header{{"vary", "Accept-Encoding"}}
	withCORS      = []wasmhost.Header{{"vary", "Origin"}, {"access-control-allow-origin", "*"}, {"access-control-allow-methods", "GET"}}
)

func TestCrossingsPerRequest(t *testing.T) {
	host := pluginHost(t, wasmhost.Envoy140)
	for _, b := range slices.Concat(budgets, byHeaders("rule by host", byHost), byHeaders("rule by path", byPath), byHeaders("rule by host and path", byHostAndPath), fetchedHosts()) {
		t.Run(b.name, func(t *testing.T) {
			plugin := configure(t, host, b.config)
			if b.fetched != "" {
				fetch(t, plugin, b.fetched)
			}
			var out wasmhost.Outcome
			for range 3 { // the first ones may fill caches
				request := slices.DeleteFunc(browserRequest(), func(h wasmhost.Header) bool { return h[0] == b.without })
				out = plugin.NewStream().Do(wasmhost.Request{Method: b.method, Route: b.route, Scheme: "https", Headers: append(request, b.request...)},
					wasmhost.Response{Headers: apiResponse(b.response...)})
			}
			if out.Err != nil {
				t.Fatal(out.Err)
			}
			for _, phase := range []struct{ name, got, want string }{
				{"request", out.Calls.Request.String(), b.onRequest},
				{"response", out.Calls.Response.String(), b.onResponse},
				{"close", out.Calls.Close.String(), nothing},
			} {
				if phase.got != phase.want {
					t.Errorf("%s\n got %s\nwant %s", phase.name, phase.got, phase.want)
				}
			}
		})
	}
}

// fetchedHosts are the budgets of a policy whose document has origins for each host: those of a rule that asks for hosts.
func fetchedHosts() []budget {
	all := byHeaders("source with hosts", fetching)
	for i := range all {
		all[i].fetched = fetchedByHost
	}
	return all
}

// fetch has a plugin fetch a document from each of its sources.
func fetch(t *testing.T, plugin *wasmhost.Plugin, document string) {
	t.Helper()
	process := plugin.VM().Process()
	process.SetCluster("origins", wasmhost.LiveCluster)
	plugin.Tick()
	calls := process.HTTPCalls()
	if len(calls) == 0 {
		t.Fatal("nothing is fetched")
	}
	for _, call := range calls {
		call.Answer("200", nil, document)
	}
	for range 10 {
		plugin.Tick()
	}
	if n := len(process.HTTPCalls()); n > 0 || plugin.TickPeriod() != 250*time.Millisecond {
		t.Fatalf("%d calls, ticks each %v", n, plugin.TickPeriod())
	}
}

func lines(headers ...wasmhost.Header) []wasmhost.Header { return headers }

func TestCrossingsPerTick(t *testing.T) {
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), plain)
	plugin.Tick()
	if got := plugin.Tick().String(); got != idleTick {
		t.Errorf("an idle tick\n got %s\nwant %s", got, idleTick)
	}
	for range 1000 {
		plugin.NewStream().Do(wasmhost.Request{Headers: lines(refusedOrigin)}, wasmhost.Response{})
	}
	if got := plugin.Tick().String(); got != busyTick {
		t.Errorf("a tick after 1000 requests of a kind\n got %s\nwant %s", got, busyTick)
	}
	for config, want := range map[string]string{fetching: sourceTick, fetchingMuch: sourcesTick} {
		plugin := configure(t, pluginHost(t, wasmhost.Envoy140), config)
		fetch(t, plugin, fetchedList)
		if got := plugin.Tick().String(); got != want {
			t.Errorf("an idle tick with sources\n got %s\nwant %s", got, want)
		}
	}
}
