// Package conformance_test holds Corsguard in a real Envoy against the Gateway API's own test of CORS, which runs as it is.
package conformance_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/config"
	"sigs.k8s.io/gateway-api/conformance/utils/roundtripper"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"

	"corsguard/e2e/command"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
)

// addressVariable holds the address of the gateway for the process that runs the Gateway API's test.
const addressVariable = "CORSGUARD_CONFORMANCE_GATEWAY"

// caseLimit bounds how long the suite tries a case again that does not pass.
const caseLimit = 12 * time.Second

// refusedByDesign are the cases of any origin with credentials, which would let every page read what a user may read. Corsguard has no such policy.
var refusedByDesign = []string{
	"CORS_preflight_request_requesting_specific_method_and_headers_should_be_allowed_and_always_echo_the_origin_with_allowCredentials_set_to_true",
	"CORS_request_should_receive_access-control-allow-credentials_header_with_allowCredentials_set_to_true",
}

// allCases is how many cases the pinned version of the suite has.
const allCases = 17

// TestHTTPRouteCORS holds that every case passes but those of any origin with credentials, and that those do not. The suite's test cannot be told that some of its
// cases are to fail, so it runs in a process of its own, and its verdicts are read.
func TestHTTPRouteCORS(t *testing.T) {
	manifest := manifest(t)
	if addr := os.Getenv(addressVariable); addr != "" {
		runSuite(t, manifest, addr)
		return
	}
	addr := serve(t, convert(t, manifest), startEcho(t))
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHTTPRouteCORS$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), addressVariable+"="+addr)
	out, err := cmd.CombinedOutput()
	verdicts := map[string][]string{}
	for _, m := range regexp.MustCompile(`(?m)^ +--- ([A-Z]+): TestHTTPRouteCORS/(.*) \([0-9.]+s\)$`).FindAllStringSubmatch(string(out), -1) {
		verdicts[m[1]] = append(verdicts[m[1]], m[2])
	}
	failed := slices.Sorted(slices.Values(verdicts["FAIL"]))
	if !slices.Equal(failed, refusedByDesign) || len(verdicts["PASS"]) != allCases-len(refusedByDesign) || len(verdicts["SKIP"]) > 0 {
		t.Errorf("%d passed, skipped: %q, failed: %q (%v)\n%s", len(verdicts["PASS"]), verdicts["SKIP"], failed, err, out)
	}
	t.Logf("%d of %d cases pass", len(verdicts["PASS"]), allCases)
}

func manifest(t *testing.T) []byte {
	t.Helper()
	if want := []string{"tests/httproute-cors.yaml"}; !slices.Equal(tests.HTTPRouteCORS.Manifests, want) {
		t.Fatalf("the manifests are %q", tests.HTTPRouteCORS.Manifests)
	}
	text, err := conformance.Manifests.ReadFile(tests.HTTPRouteCORS.Manifests[0])
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// runSuite runs the Gateway API's test against an address.
func runSuite(t *testing.T, manifest []byte, addr string) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	api, err := cluster(manifest, host, int32(port))
	if err != nil {
		t.Fatal(err)
	}
	timeouts := config.DefaultTimeoutConfig()
	timeouts.MaxTimeToConsistency = caseLimit
	timeouts.RequiredConsecutiveSuccesses = 1 // nothing here has still to settle
	timeouts.GatewayMustHaveAddress = caseLimit
	timeouts.RouteMustHaveParents = caseLimit
	timeouts.HTTPRouteMustHaveCondition = caseLimit
	tests.HTTPRouteCORS.Test(t, &suite.ConformanceTestSuite{
		Client:         api,
		RoundTripper:   &roundtripper.DefaultRoundTripper{TimeoutConfig: timeouts},
		ControllerName: controller,
		TimeoutConfig:  timeouts,
	})
}

// convert has the command make a policy of the suite's own routes. Any origin with credentials is the only thing that it may complain of: the policy has that
// rule without credentials.
func convert(t *testing.T, manifest []byte) (policy string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "httproute-cors.yaml")
	if err := os.WriteFile(file, manifest, 0o644); err != nil {
		t.Fatal(err)
	}
	corsguard, err := command.Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := corsguard.Run(t.Context(), "convert", "--from", "gateway-api", file)
	if err != nil {
		t.Fatal(err)
	}
	errors := regexp.MustCompile(`(?m): error: .*\[(.*)\]$`).FindAllStringSubmatch(r.Stderr, -1)
	if len(errors) != 1 || errors[0][1] != "convert-any-origin-with-credentials" || r.Code != 1 {
		t.Fatalf("convert: exit code %d\n%s", r.Code, r.Stderr)
	}
	return r.Stdout
}

// serve runs Envoy with the plugin in front of an upstream until the test ends, and returns its address.
func serve(t *testing.T, policy, upstream string) string {
	t.Helper()
	wasm, err := repo.CopyWasm(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	engine, err := envoy.Find(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Log("with", engine)
	gateway, err := engine.Gateway(t.Context(), []envoy.Object{envoy.Cluster("upstream", upstream, false)}, []string{wasm}, "--concurrency", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := gateway.Stop(); err != nil {
			t.Error(err)
		}
	})
	const name = "http"
	refused, err := gateway.Put(t.Context(), envoy.HCM{
		Filters: []envoy.Object{envoy.Plugin{Wasm: wasm, Config: []byte(policy), Name: "corsguard"}.Filter()},
	}.Listener(name))
	if err != nil || refused[name] != "" {
		t.Fatal(err, strings.TrimSpace(refused[name]), policy)
	}
	return gateway.Addr(name)
}
