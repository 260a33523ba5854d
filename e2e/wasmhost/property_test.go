package wasmhost_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wasmhost"
)

// Random policies and requests, made from parts that are likely to meet. Whatever the policy says, some things hold for every response.

const (
	randomPolicies = 150
	randomRequests = 200 // for each policy
	randomSeed     = 20_240_229
)

// policyModel is what the test knows of a policy: enough to say what must not happen.
type policyModel struct {
	AllowOrigins       []string `json:"allowOrigins,omitempty"`
	AllowNull          bool     `json:"allowNull,omitempty"`
	AllowCredentials   bool     `json:"allowCredentials,omitempty"`
	AllowMethods       []string `json:"allowMethods,omitempty"`
	AllowHeaders       []string `json:"allowHeaders,omitempty"`
	ExposeHeaders      []string `json:"exposeHeaders,omitempty"`
	MaxAge             *int     `json:"maxAge,omitempty"`
	TimingAllowOrigin  bool     `json:"timingAllowOrigin,omitempty"`
	OnRefusedPreflight string   `json:"onRefusedPreflight,omitempty"`
	OnRefusedOrigin    string   `json:"onRefusedOrigin,omitempty"`
	OnMissingOrigin    string   `json:"onMissingOrigin,omitempty"`
	UpstreamHeaders    string   `json:"upstreamHeaders,omitempty"`
}

func (p policyModel) any() bool { return slices.Equal(p.AllowOrigins, []string{"*"}) }

// grants reports whether a pattern of the policy admits an origin, by a matcher that is slow and simple where the plugin's is neither.
func (p policyModel) grants(origin string) bool {
	if origin == "null" {
		return p.AllowNull
	}
	return slices.ContainsFunc(p.AllowOrigins, func(pattern string) bool { return simpleMatcher(pattern).MatchString(origin) })
}

func simpleMatcher(pattern string) *regexp.Regexp {
	if scheme, ok := strings.CutSuffix(pattern, "://*"); ok {
		return regexp.MustCompile(`\A` + regexp.QuoteMeta(scheme) + `://([a-z0-9._-]+|\[[0-9a-f:]+\])(:[1-9][0-9]{0,4})?\z`)
	}
	expr := regexp.QuoteMeta(pattern)
	expr = strings.Replace(expr, `://\*\.`, `://([a-z0-9_-]+\.)+`, 1)
	if rest, ok := strings.CutSuffix(expr, `:\*`); ok {
		expr = rest + `(:[1-9][0-9]{0,4})?`
	}
	return regexp.MustCompile(`\A` + strings.Replace(expr, `\*`, `[a-z0-9-]+`, 1) + `\z`)
}

// pick returns one of its arguments.
func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// some returns a few different ones of its arguments, in order.
func some[T any](r *rand.Rand, from ...T) []T {
	var out []T
	for _, v := range from {
		if r.IntN(3) == 0 {
			out = append(out, v)
		}
	}
	return out
}

func randomPolicy(r *rand.Rand) policyModel {
	p := policyModel{
		AllowOrigins: some(r, "https://app.example.com", "https://*.example.com", "https://pr-*.example.org", "http://localhost:*", "https://a.test:8443",
			"capacitor://localhost", "https://*", "https://*.sub.example.net:*", "http://127.0.0.1", "https://[::1]:8080"),
		AllowNull:          r.IntN(4) == 0,
		AllowCredentials:   r.IntN(2) == 0,
		AllowMethods:       pick(r, nil, []string{"*"}, []string{"PUT", "DELETE"}, []string{"GET", "patch", "PROPFIND"}),
		AllowHeaders:       pick(r, nil, []string{"*"}, []string{"*", "authorization"}, []string{"X-One", "content-type"}, []string{"authorization"}),
		ExposeHeaders:      pick(r, nil, []string{"X-Total"}, []string{"*"}),
		TimingAllowOrigin:  r.IntN(2) == 0,
		OnRefusedPreflight: pick(r, "", "answer", "deny", "forward"),
		OnRefusedOrigin:    pick(r, "", "pass", "deny"),
		OnMissingOrigin:    pick(r, "", "pass", "deny"),
		UpstreamHeaders:    pick(r, "", "replace", "keep"),
	}
	if r.IntN(3) == 0 {
		age := r.IntN(86401)
		p.MaxAge = &age
	}
	if r.IntN(8) == 0 {
		p.AllowOrigins, p.AllowNull = []string{"*"}, false
	}
	return p
}

var originParts = []string{"https://", "http://", "HTTPS://", "capacitor://", "app.example.com", "example.com", "pr-1.example.org", "pr-.example.org", "a.test", "localhost", "127.0.0.1",
	"[::1]", "a.b.sub.example.net", ":8443", ":8080", ":443", ":80", ":", ":*", ".", "/", "*", "*.", "evil.test", "null", ",", " ", "@", "\x00", "\r\n", "\x7f", "\xff", "-", "_", "x"}

func randomOrigin(r *rand.Rand) string {
	if r.IntN(2) == 0 {
		return pick(r, "https://app.example.com", "https://a.example.com", "https://a.b.example.com", "https://pr-7.example.org", "http://localhost:3000", "http://localhost",
			"https://a.test:8443", "capacitor://localhost", "https://x.sub.example.net:1", "http://127.0.0.1", "https://[::1]:8080", "null", "https://evil.test",
			"https://app.example.com.evil.test", "https://xapp.example.com", "http://app.example.com", "https://example.com", "")
	}
	var b strings.Builder
	for range 1 + r.IntN(4) {
		b.WriteString(pick(r, originParts...))
	}
	return b.String()
}

func randomRequest(r *rand.Rand) wasmhost.Request {
	req := wasmhost.Request{
		Method:    pick(r, "GET", "OPTIONS", "OPTIONS", "POST", "options", "CONNECT"),
		Scheme:    pick(r, "http", "https"),
		Authority: pick(r, "api.example.test", "app.example.com", "app.example.com:443", "localhost:3000"),
		Path:      pick(r, "/", "/a?b", "*"),
	}
	if r.IntN(6) > 0 {
		req.Headers = append(req.Headers, wasmhost.Header{pick(r, "origin", "Origin"), randomOrigin(r)})
	}
	if r.IntN(3) > 0 {
		req.Headers = append(req.Headers, wasmhost.Header{"access-control-request-method", pick(r, "GET", "PUT", "DELETE", "patch", "PATCH", "CONNECT", "", "a b", "X\r\nY: z", "GET,PUT")})
	}
	if r.IntN(3) > 0 {
		req.Headers = append(req.Headers, wasmhost.Header{"access-control-request-headers", pick(r, "x-one", "content-type,x-one", "X-One , authorization", ",,x-one,", "x one", "x\x00",
			"x-one\r\nset-cookie: a", "", strings.Repeat(",", 20), strings.Repeat("x-one,", 2000))})
	}
	if r.IntN(5) == 0 {
		req.Headers = append(req.Headers, wasmhost.Header{"origin", randomOrigin(r)})
	}
	return req
}

func randomResponse(r *rand.Rand) wasmhost.Response {
	return wasmhost.Response{Status: pick(r, 200, 204, 301, 304, 401, 404, 500, 503), Headers: some(r, []wasmhost.Header{{"vary", "Accept-Encoding"}, {"Vary", "origin"}, {"vary", "*"},
		{"vary", ""}, {"access-control-allow-origin", "*"}, {"access-control-allow-origin", "https://evil.test"}, {"access-control-allow-credentials", "true"},
		{"Access-Control-Expose-Headers", "x"}, {"access-control-made-up", "x"}, {"timing-allow-origin", "*"}, {"timing-allow-origin", "https://evil.test"}, {"content-type", "text/html"}}...)}
}

func TestWhatHoldsForEveryPolicyAndRequest(t *testing.T) {
	host := pluginHost(t, wasmhost.Envoy140)
	r := rand.New(rand.NewPCG(randomSeed, 0))
	vm, started := newVM(t, host), 0
	for range randomPolicies {
		policy := randomPolicy(r)
		config, err := json.Marshal(map[string]any{"cors": policy})
		if err != nil {
			t.Fatal(err)
		}
		vm.ResetLogs()
		plugin, err := vm.Configure(config)
		if errors.Is(err, wasmhost.ErrRefused) {
			continue // such as credentials for everybody
		}
		if err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		started++
		for range randomRequests {
			request, response := randomRequest(r), randomResponse(r)
			out := plugin.NewStream().Do(request, response)
			for _, fault := range faults(policy, request, out) {
				t.Errorf("%s\nconfig   %s\nrequest  %+v\nresponse %+v\noutcome  %d %q", fault, config, request, response, out.Status, out.Headers)
			}
			if t.Failed() {
				return // one is enough to read
			}
		}
	}
	if started < randomPolicies/3 {
		t.Errorf("only %d of %d policies started", started, randomPolicies)
	}
}

// faults returns what is wrong with an outcome under every policy.
func faults(p policyModel, request wasmhost.Request, out wasmhost.Outcome) (all []string) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if out.Err != nil {
		wrong("the VM died: %v", out.Err)
		return all
	}
	seen := map[string]string{}
	for _, h := range out.Headers {
		if strings.ContainsAny(h[0]+h[1], "\r\n\x00") {
			wrong("control bytes in %q", h)
		}
		if _, twice := seen[h[0]]; twice && corpus.IsOwned(h[0]) && p.UpstreamHeaders != "keep" {
			wrong("%s goes out twice", h[0])
		}
		seen[h[0]] = h[1]
	}
	wantVary := []string{"origin"}
	if out.Local && isPreflight(request) {
		wantVary = []string{"origin", "access-control-request-method", "access-control-request-headers"}
	} else if p.any() {
		wantVary = nil
	}
	var vary []string
	for _, e := range elements(strings.Join(out.Values("vary"), ",")) {
		vary = append(vary, strings.ToLower(e))
	}
	for _, name := range wantVary {
		if !slices.Contains(vary, name) && !slices.Contains(vary, "*") {
			wrong("Vary lacks %s", name)
		}
	}
	if p.UpstreamHeaders == "keep" && out.Forwarded {
		return all // what follows may be the upstream's doing
	}
	origins := headerValues(request.Headers, "origin")
	granted, present := seen["access-control-allow-origin"]
	switch {
	case !present:
	case granted == "*" && p.any():
	case len(origins) != 1 && strings.Join(slices.DeleteFunc(origins, func(s string) bool { return s == "" }), ",") != granted:
		wrong("%d origins were granted %q", len(origins), granted)
	case !slices.Contains(origins, granted) || !p.grants(granted):
		wrong("%q was granted", granted)
	}
	if _, ok := seen["access-control-allow-credentials"]; ok && (!present || granted == "*" || !p.AllowCredentials) {
		wrong("credentials without a grant")
	}
	for name := range seen {
		if strings.HasPrefix(name, "access-control-") && !present {
			wrong("%s without access-control-allow-origin", name)
		}
	}
	if timing, ok := seen["timing-allow-origin"]; ok && (timing != granted || !p.TimingAllowOrigin) {
		wrong("timing-allow-origin is %q beside a grant to %q", timing, granted)
	}
	return all
}

func isPreflight(r wasmhost.Request) bool {
	given := func(name string) bool { return strings.Join(headerValues(r.Headers, name), "") != "" }
	return r.Method == "OPTIONS" && r.Path != "*" && given("origin") && given("access-control-request-method")
}

func headerValues(headers []wasmhost.Header, name string) (values []string) {
	for _, h := range headers {
		if strings.EqualFold(h[0], name) {
			values = append(values, h[1])
		}
	}
	return values
}
