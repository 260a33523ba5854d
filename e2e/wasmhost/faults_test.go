package wasmhost_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/repo"
	"corsguard/e2e/wasmhost"
)

// The build with the tag corsguard_faults panics on demand. One request's panic must stay that request's.

func faultyPlugin(t *testing.T, config string) *wasmhost.Plugin {
	t.Helper()
	path, err := repo.BuildFaulty(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return configure(t, newHost(t, wasm, wasmhost.Options{}), config)
}

func TestAPanicIsAnsweredAsARefusalAndTheVMLives(t *testing.T) {
	upstream := wasmhost.Response{Headers: []wasmhost.Header{
		{"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}, {"timing-allow-origin", "*"}, {"content-type", "text/plain"}}}
	fault := func(phase string) wasmhost.Request {
		return wasmhost.Request{Headers: []wasmhost.Header{{"origin", "https://app.example.com"}, {"x-fault", phase}}}
	}
	plugin := faultyPlugin(t, `{"cors": {"allowOrigins": ["https://app.example.com"]}}`)
	ok := func() {
		t.Helper()
		out := plugin.NewStream().Do(fault(""), upstream)
		want := []wasmhost.Header{{"access-control-allow-origin", "https://app.example.com"}, {"vary", "Origin"}}
		if got := owned(out.Headers); !slices.Equal(got, want) || !out.Forwarded || out.Err != nil {
			t.Fatalf("a request beside a panicking one got %q, %v", got, out.Err)
		}
	}
	ok()
	for phase, want := range map[string][]wasmhost.Header{"request": {{"vary", "Origin"}}, "response": {}} {
		for range 20 {
			out := plugin.NewStream().Do(fault(phase), upstream)
			if got := owned(out.Headers); !slices.Equal(got, want) || !out.Forwarded || out.Status != 200 || out.Err != nil {
				t.Fatalf("a panic in the %s phase: status %d, headers %q, %v; want %q", phase, out.Status, got, out.Err, want)
			}
			ok()
		}
	}
	plugin.Tick()
	c := plugin.Counters()
	if c["corsguard.panics"] != 40 || c["corsguard.rule.default.kind.actual.decision.refused.reason.internal_error"] != 40 {
		t.Errorf("40 panics were counted as %v", c)
	}
	if n := countLogs(plugin.VM().Logs(), "corsguard: panic in proxy_on_request_headers: runtime error: index out of range"); n != 20 {
		t.Errorf("%d of 20 panics of the request phase were logged: %v", n, plugin.VM().Logs())
	}
}

func TestAPanicIsDeniedWhereRefusalsAre(t *testing.T) {
	plugin := faultyPlugin(t, `{"cors": {"allowOrigins": ["https://app.example.com"], "onRefusedOrigin": "deny"}}`)
	out := plugin.NewStream().Do(wasmhost.Request{Headers: []wasmhost.Header{{"origin", "https://app.example.com"}, {"x-fault", "request"}}}, wasmhost.Response{})
	if got := owned(out.Headers); out.Forwarded || out.Status != 403 || !slices.Equal(got, []wasmhost.Header{{"vary", "Origin"}}) || out.Err != nil {
		t.Errorf("forwarded %v, status %d, headers %q, %v; want 403", out.Forwarded, out.Status, got, out.Err)
	}
}

// What keeps others out of a response is there after a panic too.
func TestAPanicKeepsTheHeadersOfThePolicy(t *testing.T) {
	plugin := faultyPlugin(t, `{"cors": {"allowOrigins": ["https://app.example.com"]}, "isolation": {"crossOriginResourcePolicy": "same-origin"},
		"securityHeaders": {"strictTransportSecurity": "max-age=600", "xFrameOptions": {"value": "DENY", "ifAbsent": true}}}`)
	upstream := wasmhost.Response{Headers: []wasmhost.Header{
		{"access-control-allow-origin", "*"}, {"cross-origin-resource-policy", "cross-origin"}, {"cross-origin-resource-policy", "same-site"}, {"strict-transport-security", "max-age=0"}}}
	for phase, vary := range map[string][]wasmhost.Header{"request": {{"vary", "Origin"}}, "response": nil} {
		want := append([]wasmhost.Header{{"cross-origin-resource-policy", "same-origin"}, {"strict-transport-security", "max-age=600"}}, vary...)
		want = append(want, wasmhost.Header{"x-frame-options", "DENY"})
		out := plugin.NewStream().Do(wasmhost.Request{Headers: []wasmhost.Header{{"origin", "https://app.example.com"}, {"x-forwarded-proto", "https"}, {"x-fault", phase}}}, upstream)
		if got := owned(out.Headers); !slices.Equal(got, want) || out.Status != 200 || out.Err != nil {
			t.Errorf("a panic in the %s phase: status %d, headers %q, %v; want %q", phase, out.Status, got, out.Err, want)
		}
	}
}

func owned(headers []wasmhost.Header) []wasmhost.Header { return corpus.Owned(headers) }

func countLogs(logs []wasmhost.Log, prefix string) (n int) {
	for _, l := range logs {
		if strings.HasPrefix(l.Message, prefix) {
			n++
		}
	}
	return n
}
