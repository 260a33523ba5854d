package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"corsguard/cmd/corsguard/internal/finding"
)

const (
	cleanPolicy = `{"cors": {"allowOrigins": ["https://app.example.com"]}, "securityHeaders": {"strictTransportSecurity": "max-age=31536000; includeSubDomains",
 "contentSecurityPolicy": "default-src 'self'", "xContentTypeOptions": "nosniff", "referrerPolicy": "no-referrer"}}`
	notePolicy    = `{"cors": {"allowOrigins": ["*"]}}`
	warningPolicy = `{"cors": {"allowOrigins": ["http://app.example.com"]}}`
	errorPolicy   = "{\"cors\": {\n\t\"allowOrigins\": [\"https://app.example.com/\"]\n}}"
	envoyFilter   = `name: corsguard
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
  config:
    failure_policy: FAIL_OPEN
    configuration:
      "@type": type.googleapis.com/google.protobuf.StringValue
      value: |
        {
          "cors": {
            "allowOrigins": ["https://app.example.com", "https://*.co.uk"],
            "allowCredentials": true,
          }
        }
`
)

// files writes files into a directory of their own, which becomes the working directory.
func files(t *testing.T, contents map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// runCheck runs check, and returns its exit code and what it wrote.
func runCheck(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = Run(append([]string{"check"}, args...), strings.NewReader(stdin), &out, &err)
	return code, out.String(), err.String()
}

func TestCheckExitsByTheWorstFinding(t *testing.T) {
	files(t, map[string]string{"clean.json": cleanPolicy, "note.json": notePolicy, "warning.json": warningPolicy, "error.json": errorPolicy, "none.yaml": "a: 1\n", "broken.yaml": "cors:\n  a: b: c\n"})
	for _, test := range []struct {
		args string
		want int
	}{
		{"clean.json", exitClean},
		{"--fail-on note clean.json", exitClean},
		{"note.json", exitClean},
		{"--fail-on note note.json", exitFindings},
		{"warning.json", exitFindings},
		{"--fail-on error warning.json", exitClean},
		{"--fail-on error error.json", exitFindings},
		{"--fail-on never error.json", exitClean},
		{"clean.json error.json", exitFindings},
		{"--fail-on note --disable any-origin,missing-hsts --disable missing-csp,missing-nosniff,missing-referrer-policy note.json", exitClean},
		{"--disable insecure-origin warning.json", exitClean},
		{"none.yaml", exitUnusable},
		{"none.yaml none.yaml", exitUnusable},
		{"broken.yaml", exitUnusable},
		{"missing.json", exitUnusable},
		{"error.json missing.json", exitUnusable},
		{"", exitUnusable},
		{"--output xml clean.json", exitUnusable},
		{"--fail-on fatal clean.json", exitUnusable},
		{"--disable no-such-rule clean.json", exitUnusable},
		{"--no-such-flag clean.json", exitUnusable},
		{"--rules", exitClean},
		{"--help", exitClean},
	} {
		code, stdout, stderr := runCheck(t, "", strings.Fields(test.args)...)
		if code != test.want {
			t.Errorf("check %s: exit code %d, want %d\n%s%s", test.args, code, test.want, stdout, stderr)
		}
		if (stderr != "") != (code == exitUnusable) {
			t.Errorf("check %s: exit code %d, standard error %q", test.args, code, stderr)
		}
	}
}

func TestCheckPointsIntoJSONWithinYAML(t *testing.T) {
	files(t, map[string]string{"envoy.yaml": envoyFilter, "mended.yaml": strings.Replace(envoyFilter, "true,", "true", 1)})
	code, stdout, _ := runCheck(t, "", "envoy.yaml")
	for _, want := range []string{"envoy.yaml:5:21: warning: ", "[fails-open]\n", "envoy.yaml:13:11: error: $: ", "is not valid JSON", "[invalid-policy]\n", "\n1 error, 1 warning, 0 notes\n"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if code != exitFindings || strings.Contains(stdout, "\x1b") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
	_, stdout, _ = runCheck(t, "", "mended.yaml")
	if want := `mended.yaml:11:57: error: cors.allowOrigins[1]: "https://*.co.uk": the wildcard spans a public suffix`; !strings.Contains(stdout, want) {
		t.Errorf("no %q in\n%s", want, stdout)
	}
}

func TestCheckReadsStandardInput(t *testing.T) {
	if code, stdout, _ := runCheck(t, errorPolicy, "-"); code != exitFindings || !strings.HasPrefix(stdout, "<stdin>:2:19: error: cors.allowOrigins[0]: ") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, stdout, _ := runCheck(t, envoyFilter, "-"); code != exitFindings || !strings.Contains(stdout, "<stdin>:13:11: error: ") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if code, stdout, stderr := runCheck(t, "{\n  cors", "-"); code != exitUnusable || stdout != "" || !strings.HasPrefix(stderr, "corsguard: <stdin>:2:3: is not valid JSON") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestCheckGoesOnBehindWhatItCannotRead(t *testing.T) {
	files(t, map[string]string{"broken.yaml": "a: [\n", "error.json": errorPolicy})
	code, stdout, stderr := runCheck(t, "", "missing.json", "broken.yaml", "error.json")
	if code != exitUnusable || !strings.HasPrefix(stdout, "error.json:2:19: error: ") {
		t.Errorf("exit code %d\n%s", code, stdout)
	}
	if lines := strings.Split(strings.TrimSpace(stderr), "\n"); len(lines) != 2 || !strings.Contains(lines[0], "missing.json") || !strings.Contains(lines[1], "broken.yaml:1:") {
		t.Errorf("%q", stderr)
	}
}

func TestCheckNamesFilesWithoutAPolicyBesideOthers(t *testing.T) {
	files(t, map[string]string{"service.yaml": "apiVersion: v1\nkind: Service\n", "clean.json": cleanPolicy, "error.json": errorPolicy})
	for policy, want := range map[string]int{"clean.json": exitClean, "error.json": exitFindings} {
		if code, _, stderr := runCheck(t, "", "service.yaml", policy); code != want || stderr != "corsguard: service.yaml: holds no policy\n" {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	}
	if code, stdout, _ := runCheck(t, "", "--output", "json", "service.yaml", "clean.json"); code != exitClean || !strings.Contains(stdout, `"withoutPolicy": [`) {
		t.Errorf("exit code %d, %s", code, stdout)
	}
}

func TestCheckWritesJSON(t *testing.T) {
	files(t, map[string]string{"all.yaml": "cors: {allowOrigins: ['http://a.example.com']}\n---\n" + envoyFilter, "clean.json": cleanPolicy})
	code, stdout, _ := runCheck(t, "", "--output", "json", "all.yaml", "clean.json", "missing.json")
	type found struct {
		Rule, Severity, Message, Why, Fix string
		Place                             finding.Place
	}
	var got struct {
		Findings   []found
		Summary    map[string]int
		Policies   []map[string]string
		Unreadable []string
	}
	if err := json.Unmarshal([]byte(stdout), &got); err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	if code != exitUnusable || len(got.Unreadable) != 1 || got.Summary["error"] != 1 || got.Summary["warning"] != 2 || len(got.Findings) != got.Summary["error"]+got.Summary["warning"]+got.Summary["note"] {
		t.Errorf("exit code %d, %+v", code, got)
	}
	want := []map[string]string{
		{"file": "all.yaml", "document": "document 1", "kind": "policy"}, {"file": "all.yaml", "document": "filter corsguard", "kind": "Envoy"}, {"file": "clean.json", "kind": "policy"},
	}
	if len(got.Policies) != len(want) {
		t.Fatalf("%v", got.Policies)
	}
	for i := range want {
		for key, value := range want[i] {
			if got.Policies[i][key] != value {
				t.Errorf("policy %d: %v", i, got.Policies[i])
			}
		}
	}
	if f := got.Findings[slices.IndexFunc(got.Findings, func(f found) bool { return f.Rule == "insecure-origin" })]; f.Severity != "warning" || f.Place != (finding.Place{File: "all.yaml", Line: 1, Column: 23, Document: "document 1", Path: "cors.allowOrigins[0]"}) || f.Why == "" || f.Fix == "" {
		t.Errorf("%+v", f)
	}
	if _, stdout, _ = runCheck(t, cleanPolicy, "--output", "json", "-"); !strings.Contains(stdout, `"findings": []`) {
		t.Errorf("no empty list: %s", stdout)
	}
}

func TestCheckWritesSARIFThatItsSchemaTakes(t *testing.T) {
	files(t, map[string]string{"a policy.json": errorPolicy, "envoy.yaml": envoyFilter})
	for _, args := range [][]string{{"a policy.json", "envoy.yaml", "-"}, {"--rules"}} {
		_, stdout, stderr := runCheck(t, warningPolicy, append([]string{"--output", "sarif"}, args...)...)
		report, err := sarif.FromBytes([]byte(stdout))
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", args, err, stdout, stderr)
		}
		if err := report.Validate(); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		run := report.Runs[0]
		if len(run.Tool.Driver.Rules) != len(checkRules()) {
			t.Errorf("%d rules", len(run.Tool.Driver.Rules))
		}
		for _, r := range run.Results {
			region := r.Locations[0].PhysicalLocation.Region
			if region == nil || *region.StartLine < 1 || r.RuleIndex < 0 || *run.Tool.Driver.Rules[r.RuleIndex].ID != *r.RuleID {
				t.Errorf("%+v", r)
			}
		}
	}
}

func TestCheckListsItsRulesOnce(t *testing.T) {
	_, stdout, _ := runCheck(t, "", "--rules")
	seen := map[string]bool{}
	for line := range strings.Lines(stdout) {
		id, rest, _ := strings.Cut(line, " ")
		severity, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if _, err := finding.ParseSeverity(severity); err != nil || seen[id] {
			t.Errorf("%q", line)
		}
		seen[id] = true
	}
	if len(seen) != len(checkRules()) || len(seen) < 40 {
		t.Errorf("%d rules", len(seen))
	}
}

func TestCheckColoursOnRequestOnly(t *testing.T) {
	if _, stdout, _ := runCheck(t, errorPolicy, "-"); strings.Contains(stdout, "\x1b") {
		t.Errorf("%q", stdout)
	}
	if _, stdout, _ := runCheck(t, errorPolicy, "--color", "always", "-"); !strings.Contains(stdout, "\x1b[31m") {
		t.Errorf("%q", stdout)
	}
}

func TestCheckSaysInSARIFWhatItCouldNotRead(t *testing.T) {
	t.Parallel()
	good, empty := filepath.Join(t.TempDir(), "good.json"), filepath.Join(t.TempDir(), "empty.yaml")
	if err := errors.Join(os.WriteFile(good, []byte(`{"cors": {"allowOrigins": ["https://app.example.com"]}}`), 0o600), os.WriteFile(empty, []byte("a: 1\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		files []string
		says  string
	}{
		{[]string{good}, `"executionSuccessful": true`},
		{[]string{good, empty}, `"executionSuccessful": true`},
		{[]string{good, "no-such-file.json"}, `no-such-file.json`},
		{[]string{good, "no-such-file.json"}, `"executionSuccessful": false`},
		{[]string{empty}, `"executionSuccessful": false`},
	} {
		var stdout, stderr bytes.Buffer
		Run(append([]string{"check", "-o", "sarif", "--fail-on", "never"}, test.files...), strings.NewReader(""), &stdout, &stderr)
		if !strings.Contains(stdout.String(), test.says) {
			t.Errorf("%q: %s%s", test.files, stdout.Bytes(), stderr.Bytes())
		}
	}
}
