package e2e_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// shareBlocks is a policy under which every response tells whether it was enforced for its request.
const shareBlocks = `
	"cors": {
		"allowOrigins": ["https://app.example.com"], "allowMethods": ["GET", "PUT"], "allowHeaders": ["x-one", "x-two"],
		"exposeHeaders": ["x-request-id"], "allowCredentials": true, "maxAge": 600, "onRefusedPreflight": "deny", "onRefusedOrigin": "deny"
	},
	"isolation": {"crossOriginOpenerPolicy": "same-origin", "crossOriginResourcePolicy": "same-origin"},
	"securityHeaders": {"xFrameOptions": "DENY"}`

var (
	shareSets     = []corpus.Header{{"cross-origin-opener-policy", "same-origin"}, {"cross-origin-resource-policy", "same-origin"}, {"x-frame-options", "DENY"}}
	shareUpstream = []corpus.Header{{"access-control-allow-origin", "*"}, {"cross-origin-resource-policy", "cross-origin"}, {"vary", "Accept"}}
	varyMerged    = corpus.Header{"vary", "Accept, Origin"}
)

// shareRequest is a kind of request, what it gets where the policy is enforced for it, and how it is counted there. Where it is not, it gets what the upstream sends.
type shareRequest struct {
	name         string
	request      corpus.Request
	status       int
	headers      []corpus.Header
	forwarded    bool
	kind, reason string
}

func shareRequests() []shareRequest {
	merged := append(slices.Clone(grantActual[:len(grantActual)-1]), varyMerged)
	return []shareRequest{
		{"allowed", corpus.Request{Headers: []corpus.Header{originHeader(appOrigin)}}, 200, append(merged, shareSets...), true, "actual", "origin_allowed"},
		{"refused", corpus.Request{Headers: []corpus.Header{originHeader(otherOrigin)}}, 403, append(slices.Clone(shareSets), varyOrigin), false, "actual", "origin_not_allowed"},
		{"no origin", corpus.Request{}, 200, append(slices.Clone(shareSets), varyMerged), true, "no_origin", "no_origin"},
		{"preflight", preflight(appOrigin), 204, grantPreflight, false, "preflight", "origin_allowed"},
		{"refused preflight", preflight(otherOrigin), 403, []corpus.Header{varyPreflight}, false, "preflight", "origin_not_allowed"},
	}
}

// isEnforced tells which of the two a response is. One that is neither, such as one with some of the policy's headers, is an error.
func (r shareRequest) isEnforced(got wire.Response) (bool, error) {
	enforced, left := verify(got, r.status, r.headers), verify(got, 200, shareUpstream)
	if enforced != nil && left != nil {
		return false, errors.Join(enforced, left)
	}
	return enforced == nil, nil
}

// shareError is the probability with which a share may be taken for a wrong one.
const shareError = 1e-10

// shareTolerance bounds how far the share of n requests lies from the one that is drawn: by Hoeffding's inequality, it is farther away with a probability
// of at most 2·exp(-2·n·tolerance²).
func shareTolerance(n int) float64 { return math.Sqrt(math.Log(2/shareError) / (2 * float64(n))) }

// TestShare holds that a policy that is to be enforced for a share of the requests is, and that each of them gets all of the policy or nothing of it, response
// and counters included.
func TestShare(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "2")
	backend.On("share", upstream.Answer{Status: 200, Headers: shareUpstream})
	want := tally{}
	checkWorkersDrawApart(t, g, want)
	for _, c := range []struct {
		mode    string
		share   float64
		counted string // what becomes of a refusal that is not enforced
		each    int    // requests of each kind
	}{
		{`{"enforce": {"numerator": 30}}`, 0.3, "shadowed", 600},
		{`{"enforce": {"numerator": 300000, "denominator": "MILLION"}, "otherwise": "off"}`, 0.3, corpus.Uncounted, 600},
		{`{"enforce": {"numerator": 0}, "otherwise": "shadow"}`, 0, "shadowed", 50},
		{`{"enforce": {"numerator": 0}, "otherwise": "off"}`, 0, corpus.Uncounted, 50},
		{`{"enforce": {"numerator": 100}}`, 1, "shadowed", 50},
		{`{"enforce": {"numerator": 10000, "denominator": "TEN_THOUSAND"}, "otherwise": "off"}`, 1, corpus.Uncounted, 50},
	} {
		t.Run(c.mode, func(t *testing.T) {
			put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(`{"mode": ` + c.mode + `, ` + shareBlocks + `}`)}}.Listener(t.Name()))
			all, enforced := 0, 0
			for _, r := range shareRequests() {
				before := len(backend.Seen("share"))
				n := sendShare(t, g.Addr(t.Name()), r, c.each)
				all, enforced = all+c.each, enforced+n
				checkShare(t, r.name, n, c.each, c.share)
				forwarded := c.each
				if !r.forwarded {
					forwarded -= n
				}
				if seen := len(backend.Seen("share")) - before; seen != forwarded {
					t.Errorf("%s: enforced for %d of %d, the upstream saw %d", r.name, n, c.each, seen)
				}
				for _, o := range []struct {
					times    int
					refusals string
				}{{n, "refused"}, {c.each - n, c.counted}} {
					for range o.times {
						want.add(rawExchange{kind: r.kind, reason: r.reason}.want(corpus.DefaultRule, o.refusals))
					}
				}
			}
			checkShare(t, "all", enforced, all, c.share)
		})
	}
	t.Run("counters", func(t *testing.T) { want.compare(t, g) })
}

// sendShare sends n requests over some connections of both protocols, and returns for how many of them the policy was enforced.
func sendShare(t *testing.T, addr string, r shareRequest, n int) (enforced int) {
	t.Helper()
	const connections = 10
	request := wire.With(r.request, upstream.CaseHeader, "share")
	for i := range connections {
		do, done := connect(t, i%2 == 0, addr)
		for range n / connections {
			got, err := do(request)
			if err != nil {
				t.Fatalf("%s: %v", r.name, err)
			}
			isEnforced, err := r.isEnforced(got)
			if err != nil {
				t.Fatalf("%s: neither what the policy gives nor what the upstream does: %v", r.name, err)
			}
			if isEnforced {
				enforced++
			}
		}
		done()
	}
	return enforced
}

// connect opens a connection for one request after the other.
func connect(t *testing.T, overHTTP2 bool, addr string) (do func(corpus.Request) (wire.Response, error), done func()) {
	t.Helper()
	if overHTTP2 {
		conn, err := wire.DialH2(addr)
		if err != nil {
			t.Fatal(err)
		}
		return conn.Do, func() { conn.Close() }
	}
	conn, err := wire.DialH1(addr)
	if err != nil {
		t.Fatal(err)
	}
	return conn.Do, func() { conn.Close() }
}

func checkShare(t *testing.T, name string, enforced, n int, share float64) {
	t.Helper()
	off := math.Abs(float64(enforced)/float64(n) - share)
	if isExact := share == 0 || share == 1; off > shareTolerance(n) || isExact && off > 0 {
		t.Errorf("%s: enforced for %d of %d, want a share of %v ± %.3f", name, enforced, n, share, shareTolerance(n))
	}
}

// checkWorkersDrawApart holds that fresh workers do not draw the same numbers, which would enforce a policy for the same requests on all of them after each
// start. It adds to want what its requests count.
func checkWorkersDrawApart(t *testing.T, g *envoy.Gateway, want tally) {
	t.Helper()
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(`{"mode": {"enforce": {"numerator": 50}}, ` + shareBlocks + `}`)}}.Listener("apart"))
	// The first connection of each worker sees what that drew first. Two equal ones among a few hundred pairs of fair draws are improbable beyond 2⁻⁵⁰.
	const connections, draws = 16, 64
	refused := shareRequests()[1]
	drawn := map[string]int{}
	for i := range connections {
		do, done := connect(t, true, g.Addr("apart"))
		var pattern strings.Builder
		for range draws {
			got, err := do(refused.request)
			if err != nil {
				t.Fatal(err)
			}
			refusals := "shadowed"
			if got.Status == refused.status {
				refusals = "refused"
			}
			pattern.WriteString(refusals[:1])
			want.add(rawExchange{kind: refused.kind, reason: refused.reason}.want(corpus.DefaultRule, refusals))
		}
		done()
		if first, twice := drawn[pattern.String()]; twice {
			t.Errorf("the connections %d and %d saw the same draws: %s", first, i, pattern.String())
		}
		drawn[pattern.String()] = i
	}
}

// TestAPanicUnderEveryMode runs a build of the plugin that panics on demand. Where the policy is not enforced, a request that panics goes on as if the plugin were
// not there; where it is, and the rules differ in what they set, it is denied.
func TestAPanicUnderEveryMode(t *testing.T) {
	t.Parallel()
	g, faulty := startFaulty(t)
	backend.On(t.Name(), upstream.Answer{Status: 200, Headers: shareUpstream})

	const lenient = `"cors": {"allowOrigins": ["https://app.example.com"]}, "isolation": {"crossOriginResourcePolicy": "same-origin"}`
	rule := func(block string) string {
		return `, "rules": [{"name": "other", "match": {"paths": [{"prefix": "/other"}]}, ` + block + `}]`
	}
	set := corpus.Header{"cross-origin-resource-policy", "same-origin"}
	denied := []corpus.Header{set, varyOrigin}
	const internal = "internal_error"
	want, panics := tally{}, int64(0)
	for _, c := range []struct {
		name, config string
		quiet        bool // the default rule is not enforced
		// What a panic in the request phase has.
		status   int
		headers  []corpus.Header
		decision string
	}{
		{"shadow", `{"mode": "shadow", ` + strictBlocks + `}`, true, 200, shareUpstream, "shadowed"},
		{"shadow, and off by a rule", `{"mode": "shadow", ` + lenient + rule(`"mode": "off"`) + `}`, true, 200, shareUpstream, "shadowed"},
		{"shadow, of rules that differ", `{"mode": "shadow", ` + lenient + rule(`"isolation": null`) + `}`, true, 200, shareUpstream, "shadowed"},
		{"for no request", `{"mode": {"enforce": {"numerator": 0}}, ` + lenient + `}`, true, 200, shareUpstream, "shadowed"},
		{"enforced, and alike", `{` + lenient + rule(`"cors": null`) + `}`, false, 200, []corpus.Header{set, varyMerged}, "refused"},
		{"enforced by a rule", `{"mode": "shadow", ` + strictBlocks + rule(`"mode": "enforce"`) + `}`, true, 403, append(slices.Clone(strictSets), varyAll), "refused"},
		{"enforced, of rules that differ in isolation", `{` + lenient + rule(`"isolation": {"originAgentCluster": true}`) + `}`, false, 403, denied, "refused"},
		{"enforced, of rules that differ in security headers", `{` + lenient + rule(`"securityHeaders": {"xFrameOptions": "DENY"}`) + `}`, false, 403, denied, "refused"},
		{"enforced, of rules that differ in Fetch Metadata", `{` + lenient + rule(`"fetchMetadata": {}`) + `}`, false, 403, denied, "refused"},
		{"off", `{"mode": "off", ` + strictBlocks + `}`, true, 200, shareUpstream, corpus.Uncounted},
	} {
		t.Run(c.name, func(t *testing.T) {
			put(t, g, envoy.HCM{Filters: []envoy.Object{envoy.Plugin{Wasm: faulty, Config: []byte(c.config), Name: "faulty"}.Filter()}}.Listener(c.name))
			backend.On(t.Name(), upstream.Answer{Status: 200, Headers: shareUpstream})
			count := func(decision, reason string) {
				want.add(corpus.Want{Rule: corpus.DefaultRule, Kind: "actual", Decision: decision, Reason: reason})
			}
			for _, p := range protocols {
				got := send(t, p, g.Addr(c.name), corpus.Request{Headers: from(appOrigin, corpus.Header{"x-fault", "request"})})
				check(t, got, c.status, c.headers...)
				if c.status == 403 && !strings.Contains(string(got.Body), internal) {
					t.Errorf("the body is %q", got.Body)
				}
				if c.decision == corpus.Uncounted {
					continue
				}
				panics++
				count(c.decision, internal)

				// In the response phase it is known what rule decides: the default one. Where that is enforced, what the policy sets is set, and nothing granted.
				got = send(t, p, g.Addr(c.name), corpus.Request{Headers: from(appOrigin, corpus.Header{"x-fault", "response"})})
				count("allowed", "origin_allowed")
				if c.quiet {
					check(t, got, 200, shareUpstream...)
					continue
				}
				check(t, got, 200, set, corpus.Header{"vary", "Accept"})
				panics++
				count("refused", internal)
			}
		})
	}
	want.compare(t, g)
	until(t, countersLimit, func() error {
		stats, err := g.Admin.Stats(t.Context(), "^wasmcustom\\.corsguard\\.panics$")
		if n := stats["wasmcustom.corsguard.panics"]; n != panics {
			return fmt.Errorf("%d panics are counted, want %d (%w)", n, panics, err)
		}
		return nil
	})
}
