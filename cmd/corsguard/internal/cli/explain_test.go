package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/cli"
)

// explainPolicy is the policy of these tests, as people keep it.
const explainPolicy = `apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: corsguard, namespace: istio-system}
spec:
  phase: AUTHN
  url: oci://registry.example.com/corsguard:1
  pluginConfig:
    cors:
      allowOrigins:
        - https://app.example.com
      allowMethods: [GET, PUT]
      allowHeaders: [Content-Type]
`

// explained runs explain over explainPolicy.
func explained(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Run(append([]string{"explain", "-"}, args...), strings.NewReader(explainPolicy), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExplainTellsTheWholeExchange(t *testing.T) {
	code, stdout, stderr := explained(t, "--url", "https://api.example.com/v1", "--origin", "https://app.example.com", "-X", "PUT", "-H", "Content-Type: application/json")
	want := `request    PUT https://api.example.com/v1
           from a page of https://app.example.com, mode cors, credentials same-origin
rule       default, no rule matches (<stdin>:8:5)
preflight  sent, because the method PUT is not CORS-safelisted; the header content-type is not CORS-safelisted with the value "application/json"
           > OPTIONS /v1
           > accept: */*
           > access-control-request-headers: content-type
           > access-control-request-method: PUT
           > origin: https://app.example.com
           > sec-fetch-dest: empty
           > sec-fetch-mode: cors
           > sec-fetch-site: same-site
           allowed: origin_allowed, Corsguard answers
           < 204
           < access-control-allow-origin: https://app.example.com
           < access-control-allow-methods: GET, PUT
           < access-control-allow-headers: Content-Type
           < vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers
actual
           > PUT /v1
           > accept: */*
           > content-type: application/json
           > origin: https://app.example.com
           > sec-fetch-dest: empty
           > sec-fetch-mode: cors
           > sec-fetch-site: same-site
           allowed: origin_allowed, goes on to the upstream
           < 200
           < access-control-allow-origin: https://app.example.com
           < vary: Origin
browser    passes: the page may read the response
`
	if code != 0 || stderr != "" || stdout != want {
		t.Errorf("exit code %d, stderr %q, stdout\n%s", code, stderr, stdout)
	}
}

func TestExplainTellsWhatTheConsoleSaysAndWhereToChangeIt(t *testing.T) {
	code, stdout, stderr := explained(t, "--url", "https://api.example.com/v1", "--origin", "https://app.example.com", "--header", "X-Trace: 1")
	for _, want := range []string{
		"refused: header_not_allowed, Corsguard answers\n",
		"actual     not sent, because the preflight failed\n",
		"browser    blocked: header-not-allowed\n",
		"Chromium   Access to fetch at 'https://api.example.com/v1' from origin 'https://app.example.com' has been blocked by CORS policy: Request header field x-trace is not allowed by Access-Control-Allow-Headers in preflight response.\n",
		"Firefox    Cross-Origin Request Blocked: The Same Origin Policy disallows reading the remote resource at https://api.example.com/v1. (Reason: header ‘x-trace’ is not allowed according to header ‘Access-Control-Allow-Headers’ from CORS preflight response).\n",
		"change     add \"x-trace\" to allowHeaders, if these pages may send it\n           <stdin>:12:7: cors.allowHeaders\n",
	} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in\n%s", want, stdout)
		}
	}
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

func TestExplainShowsNoSecretsOfArchives(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "recorded.har")
	text := `{"log": {"entries": [
		{"request": {"method": "PUT", "url": "https://api.example.com/v1", "cookies": [{"name": "sid", "value": "sec-ret-1"}], "headers": [{"name": "Origin", "value": "https://evil.test"},
			{"name": "Cookie", "value": "sid=sec-ret-1"}, {"name": "authorization", "value": "Bearer sec-ret-2"}]},
			"response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=sec-ret-3"}]}}]}}`
	if err := os.WriteFile(archive, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, output := range []string{"text", "json"} {
		if code, stdout, _ := explained(t, "--har", archive, "-o", output); code != 0 || strings.Contains(stdout, "sec-ret") || !strings.Contains(stdout, "refused") {
			t.Errorf("exit code %d, %s", code, stdout)
		}
	}
}

func TestExplainKnowsMixedContent(t *testing.T) {
	const upgraded = "ask over https instead"
	_, stdout, _ := explained(t, "--url", "http://api.example.com/v1", "--origin", "https://app.example.com")
	if !strings.Contains(stdout, "blocked: mixed-content") || !strings.Contains(stdout, "serve the URL over https") || strings.Contains(stdout, upgraded) {
		t.Error(stdout)
	}
	if _, stdout, _ = explained(t, "--url", "http://api.example.com/v1", "--origin", "https://app.example.com", "--mode", "no-cors"); !strings.Contains(stdout, upgraded) {
		t.Error(stdout)
	}
	if _, stdout, _ = explained(t, "--url", "http://localhost/v1", "--origin", "https://app.example.com"); strings.Contains(stdout, "mixed-content") {
		t.Error(stdout)
	}
}

func TestExplainExpects(t *testing.T) {
	for _, test := range []struct {
		origin, expect string
		code           int
	}{
		{"https://app.example.com", "allowed", 0}, {"https://app.example.com", "refused", 1}, {"https://evil.test", "refused", 0}, {"https://evil.test", "allowed", 1},
		{"https://evil.test", "", 0}, {"https://evil.test", "perhaps", 2},
	} {
		args := []string{"--url", "https://api.example.com/v1", "--origin", test.origin}
		if test.expect != "" {
			args = append(args, "--expect", test.expect)
		}
		if code, stdout, _ := explained(t, args...); code != test.code || (stdout == "") != (code == 2) {
			t.Errorf("%+v: exit code %d, stdout %q", test, code, stdout)
		}
	}
}

func TestExplainReadsAnArchive(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "recorded.har")
	text := `{"log": {"entries": [
		{"request": {"method": "GET", "url": "https://api.example.com/v1", "headers": [{"name": "Origin", "value": "https://app.example.com"}]}, "response": {"status": 200, "headers": []}},
		{"request": {"method": "DELETE", "url": "https://api.example.com/v1", "headers": [{"name": "Origin", "value": "https://app.example.com"}]}, "response": {"status": 0, "headers": []}},
		{"request": {"method": "OPTIONS", "url": "https://api.example.com/v1", "headers": [{"name": "Origin", "value": "https://app.example.com"},
			{"name": "Access-Control-Request-Method", "value": "GET"}, {"name": "Access-Control-Request-Headers", "value": "x-trace"}]}, "response": {"status": 0, "headers": []}},
		{"request": {"method": "GET", "url": "https://cdn.example.com/x.js", "headers": []}, "response": {"status": 200, "headers": []}}]}}`
	if err := os.WriteFile(archive, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := explained(t, "--har", archive, "--host", "api.example.com", "-o", "json")
	var got struct {
		File, Policy string
		Reports      []struct {
			Request   struct{ Method, URL string }
			Preflight *struct{ Decision, Reason string }
			Actual    *struct{ Decision, Reason string }
			Browser   *struct {
				Allowed bool
				Failure string
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %v, stderr %q\n%s", code, err, stderr, stdout)
	}
	if got.File != "<stdin>" || got.Policy != "WasmPlugin istio-system/corsguard" || len(got.Reports) != 3 {
		t.Fatalf("%+v", got)
	}
	if r := got.Reports[0]; r.Preflight != nil || r.Actual.Decision != "allowed" || !r.Browser.Allowed {
		t.Errorf("GET: %+v", r)
	}
	if r := got.Reports[1]; r.Preflight.Reason != "method_not_allowed" || r.Browser.Failure != "method-not-allowed" {
		t.Errorf("DELETE: %+v", r)
	}
	if r := got.Reports[2]; r.Actual.Reason != "header_not_allowed" || r.Browser.Failure != "header-not-allowed" {
		t.Errorf("OPTIONS: %+v", r)
	}
	if code, stdout, _ := explained(t, "--har", archive); code != 0 || !strings.Contains(stdout, "2. DELETE https://api.example.com/v1") || !strings.Contains(stdout, "4. GET https://cdn") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, _, stderr := explained(t, "--har", archive, "--host", "other.test"); code != 2 || !strings.Contains(stderr, "has no request to other.test") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestExplainRefusesWhatItCannotUse(t *testing.T) {
	dir := t.TempDir()
	wrong := filepath.Join(dir, "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("cors:\n  allowOrigins:\n    - https://app.example.com/\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := filepath.Join(dir, "two.yaml")
	if err := os.WriteFile(two, []byte(explainPolicy+"---\n"+strings.ReplaceAll(explainPolicy, "name: corsguard", "name: other")), 0o600); err != nil {
		t.Fatal(err)
	}
	url := []string{"--url", "https://api.example.com/v1", "--origin", "https://app.example.com"}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", "-"}, "[har url]"},
		{[]string{"explain"}, "explain what?"},
		{[]string{"explain", "-", "include", "--url", "https://x/", "--origin", "https://app.example.com", "--credentials"}, "write --credentials=include"},
		{[]string{"explain", "-", "-", "--url", "https://x/"}, "name one file"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com/"}, "write https://app.example.com\n"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "HTTPS://App.Example.com:443"}, "write https://app.example.com\n"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://bücher.example"}, "write https://xn--bcher-kva.example\n"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "file:///home/page.html"}, "write null"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "app.example.com"}, "is no origin"},
		{[]string{"explain", "-", "--url", "https://x:99999/", "--origin", "https://app.example.com"}, "99999 is no port"},
		{[]string{"explain", "-", "--url", "api.example.com"}, `--url "api.example.com": write http`},
		{[]string{"explain", "-", "--url", "https://user:pw@api.example.com/"}, "browsers take them out"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com", "-H", "no colon"}, "write 'Name: value'"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com", "-H", "a: b\r\nc: d"}, "write 'Name: value'"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com", "-X", "TRACE"}, "TRACE"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com", "--mode", "websocket"}, "write cors, no-cors or navigate"},
		{[]string{"explain", "-", "--url", "https://x/", "--origin", "https://app.example.com", "--credentials=yes"}, "write omit, same-origin or include"},
		{[]string{"explain", "-", "--url", "https://x/", "--upstream-status", "99"}, "write 200 to 599"},
		{[]string{"explain", "-", "--url", "https://x/", "-o", "yaml"}, "write text, json"},
		{[]string{"explain", "-", "--url", "https://x/", "--color", "blue"}, "write auto, always or never"},
		{[]string{"explain", "-", "--har", "-"}, "standard input"},
		{[]string{"explain", "-", "--har", "x.har", "--origin", "https://app.example.com"}, "[har origin]"},
		{[]string{"explain", "-", "--url", "https://x/", "--host", "x"}, "[host url]"},
		{append([]string{"explain", filepath.Join(dir, "missing.yaml")}, url...), "no such file"},
		{append([]string{"explain", two}, url...), `say which by --policy: "WasmPlugin istio-system/corsguard", "WasmPlugin istio-system/other"`},
		{append([]string{"explain", two, "--policy", "x"}, url...), `has no policy "x"`},
		{append([]string{"explain", wrong}, url...), wrong + ":3:7: cors.allowOrigins[0]: "},
	} {
		var stdout, stderr bytes.Buffer
		code := cli.Run(test.args, strings.NewReader(explainPolicy), &stdout, &stderr)
		if code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), test.want) || !strings.Contains(stderr.String(), "corsguard: ") {
			t.Errorf("%q: exit code %d, stdout %q, stderr %q", test.args, code, stdout.String(), stderr.String())
		}
	}
	var stdout, stderr bytes.Buffer
	if code := cli.Run(append([]string{"explain", two, "--policy", "WasmPlugin istio-system/other"}, url...), nil, &stdout, &stderr); code != 0 {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}

func TestColoursAreForTerminals(t *testing.T) {
	args := []string{"--url", "https://api.example.com/v1", "--origin", "https://app.example.com"}
	if _, stdout, _ := explained(t, args...); strings.Contains(stdout, "\x1b") {
		t.Errorf("a buffer gets colours: %q", stdout)
	}
	if _, stdout, _ := explained(t, append(args, "--color", "always")...); !strings.Contains(stdout, "\x1b[32mallowed\x1b[0m") {
		t.Errorf("no colours: %q", stdout)
	}
	if _, stdout, _ := explained(t, append(args, "--color", "never")...); strings.Contains(stdout, "\x1b") {
		t.Errorf("colours: %q", stdout)
	}
}
