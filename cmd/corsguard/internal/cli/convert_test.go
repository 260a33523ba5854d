package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/filter/config"
)

const (
	virtualService = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: [shop.example.com]
  http:
  - corsPolicy:
      allowOrigins:
      - exact: https://app.example.com
      - prefix: https://app.example.org
      allowCredentials: true
      unmatchedPreflights: IGNORE
`
	rsOptions = `{"AllowedOrigins": ["https://app.example.com"], "AllowedHeaders": ["x-a"]}`
)

// converted runs convert with text as standard input, before args.
func converted(t *testing.T, text string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = Run(append([]string{"convert", "--color", "never"}, args...), strings.NewReader(text), &out, &errs)
	return code, out.String(), errs.String()
}

func TestConvertWritesThePolicyAndSaysWhatItLeftOut(t *testing.T) {
	code, stdout, stderr := converted(t, virtualService, "-")
	if _, _, err := config.Parse([]byte(stdout)); err != nil {
		t.Errorf("the plugin refuses what was written: %v\n%s", err, stdout)
	}
	if code != exitFindings {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"<stdin>:10:9: error: spec.http[0].corsPolicy.allowOrigins[1]", "https://app.example.org.evil.test", "[convert-prefix-match]", "1 error, 0 warnings, 1 note"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in\n%s", want, stderr)
		}
	}
}

func TestConvertIsSilentWhereNothingIsToBeSaid(t *testing.T) {
	code, stdout, stderr := converted(t, rsOptions, "-")
	if code != exitClean || stderr != "" || !strings.HasPrefix(stdout, "{\n  \"cors\": {\n    \"allowOrigins\": [") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestConvertFailsFromTheSeverityOnThatIsAskedFor(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
	}{
		{nil, exitFindings}, {[]string{"--fail-on", "warning"}, exitFindings}, {[]string{"--fail-on", "never"}, exitClean}, {[]string{"--fail-on", "fatal"}, exitUnusable},
		{[]string{"--output", "xml"}, exitUnusable}, {[]string{"--to", "nginx"}, exitUnusable}, {[]string{"--from", "caddy"}, exitUnusable},
	} {
		if code, _, stderr := converted(t, virtualService, append([]string{"-"}, c.args...)...); code != c.want {
			t.Errorf("%q: exit code %d, not %d\n%s", c.args, code, c.want, stderr)
		}
	}
}

func TestConvertWritesAllInOneObject(t *testing.T) {
	_, stdout, stderr := converted(t, virtualService, "-", "--output", "json", "--to", "istio")
	var object struct {
		From, To, Text string
		Configurations []struct{ Policy json.RawMessage }
		Findings       []struct {
			Rule  string
			Place struct {
				File   string
				Line   int
				Column int
			}
		}
	}
	if err := json.Unmarshal([]byte(stdout), &object); err != nil {
		t.Fatal(err)
	}
	if object.From != "istio" || object.To != "istio" || !strings.Contains(object.Text, "kind: WasmPlugin") || len(object.Configurations) != 1 || stderr != "" {
		t.Errorf("got %s%s", stdout, stderr)
	}
	if _, _, err := config.Parse(object.Configurations[0].Policy); err != nil {
		t.Error(err)
	}
	for _, f := range object.Findings {
		if f.Rule == "convert-prefix-match" && f.Place.Line == 10 && f.Place.Column == 9 && f.Place.File == stdinName {
			return
		}
	}
	t.Errorf("the prefix is not found in its place: %+v", object.Findings)
}

func TestConvertReadsFilesThatBelongTogether(t *testing.T) {
	dir := t.TempDir()
	first, second := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	other := strings.NewReplacer("shop.example.com", "admin.example.com", "app.example", "admin.example").Replace(virtualService)
	for name, text := range map[string]string{first: virtualService, second: other} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, stdout, _ := converted(t, "", first, second)
	spec, _, err := config.Parse([]byte(stdout))
	if err != nil {
		t.Fatalf("%v\n%s", err, stdout)
	}
	if len(spec.Rules) != 2 {
		t.Errorf("there are %d rules, not one for each file:\n%s", len(spec.Rules), stdout)
	}
}

func TestConvertRefusesWhatItCannotRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                                       "is empty",
		"a: b: c":                                "<stdin>:1:5: is not valid YAML: ",
		"{\n  \"a\": [1}\n}":                     "<stdin>:2:10: is not valid JSON: ",
		"a: \xff":                                "<stdin>:1:4: is not valid UTF-8",
		"a: 1\na: 2":                             `<stdin>:2:1: the key "a" stands here twice`,
		"kind: Pod\napiVersion: v1":              "no CORS settings",
		`{"allowedOrigins": ["https://a.test"]}`: "--from spring or --from rs-cors",
	} {
		code, stdout, stderr := converted(t, text, "-")
		if code != exitUnusable || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d, %q, %q", text, code, stdout, stderr)
		}
	}
	if code, _, stderr := converted(t, "", filepath.Join(t.TempDir(), "none.yaml")); code != exitUnusable || !strings.Contains(stderr, "none.yaml") {
		t.Errorf("a missing file: exit code %d, %s", code, stderr)
	}
}

func TestConvertHelpNamesEverySource(t *testing.T) {
	_, stdout, _ := converted(t, "", "--help")
	for _, want := range []string{"ingress-nginx 1.13", "Envoy 1.37", "Kong Gateway 3.9", "--from", "--to", "--url", "--selector", "Examples:"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
}
