package wasmhost_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"corsguard/e2e/repo"
	"corsguard/e2e/wasmhost"
)

// The command foretells what the plugin does: for random policies, requests and responses of upstreams, what `corsguard explain` prints and what the compiled plugin does are the same,
// header by header, in order.

const (
	explainedPolicies = 160
	explainedRequests = 120 // for each policy, in one HTTP archive
)

// explainedStep is what explain prints of a request at the edge.
type explainedStep struct {
	Rule, Kind, Decision, Reason, Reported, Effect, AnsweredBy string
	Status                                                     int
	ResponseHeaders                                            []wasmhost.Header
	Body                                                       string
}

type exchange struct {
	request  wasmhost.Request
	response wasmhost.Response
}

func TestExplainAgreesWithThePlugin(t *testing.T) {
	command, err := repo.BuildCommand(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	vm := newVM(t, pluginHost(t, wasmhost.Envoy140))
	r := rand.New(rand.NewPCG(randomSeed, 6))
	compared := map[string]int{}
	for range explainedPolicies {
		config := randomConfiguration(t, r)
		vm.ResetLogs()
		plugin, err := vm.Configure(config)
		if errors.Is(err, wasmhost.ErrRefused) {
			continue // such as credentials for everybody
		}
		if err != nil {
			t.Fatalf("%s: %v", config, err)
		}
		route := pick(r, "", "public-route", "other")
		exchanges := make([]exchange, explainedRequests)
		for i := range exchanges {
			exchanges[i] = randomExchange(r, route)
		}
		steps := explain(t, command, config, route, exchanges)
		before := plugin.Counters()
		told := map[decision]uint64{}
		for i, e := range exchanges {
			out := plugin.NewStream().Do(e.request, e.response)
			steps[i].addTo(told)
			compared[steps[i].Decision+" "+steps[i].AnsweredBy]++
			if difference := steps[i].compare(out); difference != "" {
				t.Fatalf("%s\nconfig   %s\nrequest  %+v\nresponse %+v\nplugin   %d %q\nexplain  %+v", difference, config, e.request, e.response, out.Status, out.Headers, steps[i])
			}
		}
		plugin.Tick()
		if counted := moved(before, plugin.Counters()); !maps.Equal(counted, told) {
			t.Fatalf("config %s\ncounted %v\ntold    %v", config, counted, told)
		}
	}
	// What never happens proves nothing.
	for _, kind := range []string{"allowed corsguard", "allowed upstream", "refused corsguard", "refused upstream", "shadowed upstream", " upstream"} {
		if compared[kind] < 100 {
			t.Errorf("only %d requests were %q: %v", compared[kind], kind, compared)
		}
	}
}

func (s *explainedStep) compare(out wasmhost.Outcome) string {
	switch {
	case out.Err != nil:
		return "the VM died: " + out.Err.Error()
	case out.Local != (s.AnsweredBy == "corsguard"):
		return fmt.Sprintf("answered by the plugin: %v, explained %s", out.Local, s.AnsweredBy)
	case out.Status != s.Status:
		return fmt.Sprintf("status %d, explained %d", out.Status, s.Status)
	case out.Local && out.Body != s.Body:
		return fmt.Sprintf("body %q, explained %q", out.Body, s.Body)
	case out.Local && out.Details != "corsguard_"+s.Reason:
		return fmt.Sprintf("details %q, explained %q", out.Details, s.Reason)
	case !slices.Equal(visible(out.Headers), s.ResponseHeaders):
		return fmt.Sprintf("headers\n%q, explained\n%q", visible(out.Headers), s.ResponseHeaders)
	}
	return ""
}

// visible leaves out the pseudo-headers.
func visible(headers []wasmhost.Header) []wasmhost.Header {
	return slices.DeleteFunc(slices.Clone(headers), func(h wasmhost.Header) bool { return strings.HasPrefix(h[0], ":") })
}

// addTo counts what the plugin is to count.
func (s *explainedStep) addTo(told map[decision]uint64) {
	if s.Effect == "off" {
		return
	}
	told[decision{s.Rule, s.Kind, s.Decision, s.Reason}]++
	if s.Reported != "" {
		told[decision{s.Rule, s.Kind, "shadowed", s.Reported}]++
	}
}

// explain runs the command over an archive of the requests.
func explain(t *testing.T, command string, config []byte, route string, exchanges []exchange) []explainedStep {
	t.Helper()
	dir := t.TempDir()
	policyFile, archive := filepath.Join(dir, "policy.json"), filepath.Join(dir, "requests.har")
	if err := os.WriteFile(policyFile, config, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, harOf(t, exchanges), 0o600); err != nil {
		t.Fatal(err)
	}
	run := exec.Command(command, "explain", policyFile, "--har", archive, "--route", route, "--output", "json")
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("explain: %v\n%s\n%s", err, stderr.Bytes(), config)
	}
	var explained struct {
		Reports []struct{ Actual explainedStep }
	}
	if err := json.Unmarshal(out, &explained); err != nil || len(explained.Reports) != len(exchanges) {
		t.Fatalf("%d reports of %d requests: %v", len(explained.Reports), len(exchanges), err)
	}
	steps := make([]explainedStep, len(exchanges))
	for i := range steps {
		steps[i] = explained.Reports[i].Actual
	}
	return steps
}

type harLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func harOf(t *testing.T, exchanges []exchange) []byte {
	t.Helper()
	lines := func(headers []wasmhost.Header) []harLine {
		all := []harLine{}
		for _, h := range headers {
			all = append(all, harLine{h[0], h[1]})
		}
		return all
	}
	entries := make([]any, 0, len(exchanges))
	for _, e := range exchanges {
		entries = append(entries, map[string]any{
			"request":  map[string]any{"method": e.request.Method, "url": e.request.Scheme + "://" + e.request.Authority + e.request.Path, "headers": lines(e.request.Headers)},
			"response": map[string]any{"status": e.response.Status, "headers": lines(e.response.Headers)},
		})
	}
	data, err := json.Marshal(map[string]any{"log": map[string]any{"version": "1.2", "entries": entries}})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// randomExchange makes a request that an HTTP archive can hold, with what the browser says of where it comes from.
func randomExchange(r *rand.Rand, route string) exchange {
	e := exchange{randomRequest(r), randomResponse(r)}
	if r.IntN(3) == 0 { // a browser's preflight
		e.request.Method = "OPTIONS"
		e.request.Headers = []wasmhost.Header{
			{"origin", pick(r, "https://app.example.com", "https://a.b.example.com", "http://localhost:3000", "https://a.test:8443", "capacitor://localhost", "null", "https://evil.test")},
			{"access-control-request-method", pick(r, "GET", "PUT", "DELETE", "patch")},
		}
		if r.IntN(2) == 0 {
			e.request.Headers = append(e.request.Headers, wasmhost.Header{"access-control-request-headers", pick(r, "content-type", "content-type,x-one", "authorization", "x-other")})
		}
	}
	e.request.Path = pick(r, "/", "/a?b", "/public/x", "/public", "/publicity", "/private/1?q=/public", "/public%2fx", "/a/../public/x", "//public/x", "/PUBLIC/x")
	e.request.Authority = pick(r, e.request.Authority, "tenant.example.com", "a.tenant.example.com:8443")
	e.request.Route = route
	for _, h := range []wasmhost.Header{
		{"sec-fetch-site", pick(r, "cross-site", "same-site", "same-origin", "none", "made-up")}, {"Sec-Fetch-Mode", pick(r, "cors", "no-cors", "navigate")},
		{"sec-fetch-dest", pick(r, "empty", "document", "image", "object")}, {"accept", pick(r, "*/*", "application/json", "text/html, application/json;q=0.5")},
		{"x-forwarded-proto", pick(r, "http", "https", "https,http")},
	} {
		if r.IntN(2) == 0 {
			e.request.Headers = append(e.request.Headers, h)
		}
	}
	// JSON holds text alone.
	for i := range e.request.Headers {
		e.request.Headers[i][1] = strings.ToValidUTF8(e.request.Headers[i][1], "?")
	}
	return e
}

// randomConfiguration makes a configuration of all blocks.
func randomConfiguration(t *testing.T, r *rand.Rand) []byte {
	t.Helper()
	config := randomBlockSet(r)
	var rules []any
	for i := range r.IntN(4) {
		rule := randomBlockSet(r)
		rule["name"] = "rule-" + strconv.Itoa(i)
		match := map[string]any{}
		if r.IntN(2) == 0 {
			match["hosts"] = pick(r, []string{"api.example.test"}, []string{"*.tenant.example.com", "localhost"}, []string{"tenant.example.com"})
		}
		if r.IntN(2) == 0 {
			match["paths"] = pick(r, []map[string]string{{"prefix": "/public"}}, []map[string]string{{"prefix": "/"}}, []map[string]string{{"exact": "/a"}, {"prefix": "/private"}}, []map[string]string{{"regex": "/p[a-z]*/[0-9x]"}})
		}
		if r.IntN(4) == 0 || len(match) == 0 {
			match["routes"] = []string{pick(r, "public-route", "other")}
		}
		rule["match"] = match
		if len(rule) == 2 {
			rule["cors"] = nil
		}
		rules = append(rules, rule)
	}
	if rules != nil {
		config["rules"] = rules
	}
	data, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// randomBlockSet makes some of the blocks that a configuration and a rule may have.
func randomBlockSet(r *rand.Rand) map[string]any {
	blocks := map[string]any{}
	if r.IntN(5) > 0 {
		blocks["cors"] = randomPolicy(r)
	}
	if r.IntN(3) == 0 {
		blocks["isolation"] = pick(r, map[string]any{"preset": "cross-origin-isolated"},
			map[string]any{"crossOriginResourcePolicy": "same-site", "crossOriginOpenerPolicyReportOnly": "same-origin"})
	}
	if r.IntN(3) == 0 {
		blocks["securityHeaders"] = map[string]any{
			"strictTransportSecurity": "max-age=31536000", "xContentTypeOptions": map[string]any{"value": "nosniff", "ifAbsent": true}, "referrerPolicy": "no-referrer",
		}
	}
	if r.IntN(3) == 0 {
		blocks["fetchMetadata"] = map[string]any{"mode": pick(r, "enforce", "report"), "allowSameSite": r.IntN(2) == 0, "allowUnsafeNavigations": r.IntN(2) == 0}
	}
	if r.IntN(4) == 0 {
		blocks["mode"] = pick(r, "shadow", "off", "enforce")
	}
	return blocks
}
