package advice

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

const repository = "../../../.."

// corpus reads the files of the corpus of the end-to-end tests; these are the parts of its format that are needed here.
func corpus[F any](t *testing.T, dir string) (files []F) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(repository, "e2e/corpus", dir, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no corpus in %s: %v", dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f F
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files = append(files, f)
	}
	return files
}

type (
	refusal struct {
		Name         string
		Config       json.RawMessage
		Text, Base64 *string
		Paths        []string
	}
	refusals struct{ Refused []refusal }
	accepted struct {
		Config json.RawMessage
		Cases  []struct{ Config json.RawMessage }
	}
)

// embedded returns an Envoy filter, in YAML, that has a configuration, at a line of its own.
func embedded(t *testing.T, configuration []byte) []byte {
	t.Helper()
	head := "name: corsguard\ntyped_config:\n  '@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\n  config:\n    configuration:\n"
	body, err := yaml.Marshal(map[string]string{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": string(configuration)})
	if err != nil {
		t.Fatal(err)
	}
	return []byte(head + "      " + strings.ReplaceAll(strings.TrimSuffix(string(body), "\n"), "\n", "\n      ") + "\n")
}

// errorsIn returns the findings of severity error in a file with one policy.
func errorsIn(t *testing.T, file string, data []byte) (found []finding.Finding) {
	t.Helper()
	policies, around, err := document.Read(file, data)
	if err != nil || len(policies) != 1 || len(around) > 0 {
		t.Fatalf("%d policies, %v, error %v\n%s", len(policies), around, err, data)
	}
	for _, f := range Check(&policies[0]) {
		lines := strings.Split(string(data), "\n")
		if f.Place.Line < 1 || f.Place.Line > len(lines) || f.Place.Column < 1 || f.Place.Column > len(lines[f.Place.Line-1])+1 {
			t.Errorf("%v is outside of the file", f.Place)
		}
		if f.Severity == finding.Error {
			found = append(found, f)
		}
	}
	return found
}

func TestWhatThePluginRefusesIsAnErrorWithItsPlace(t *testing.T) {
	located := regexp.MustCompile(`^policy\.json(:\d+:\d+)?: `)
	n := 0
	for _, file := range corpus[refusals](t, "refused") {
		for _, r := range file.Refused {
			n++
			t.Run(r.Name, func(t *testing.T) {
				data, isText := []byte(r.Config), true
				switch {
				case r.Text != nil:
					data = []byte(*r.Text)
				case r.Base64 != nil:
					data, _ = base64.StdEncoding.DecodeString(*r.Base64)
					isText = false
				}
				_, _, err := document.Read("policy.json", data)
				if err != nil {
					if r.Config != nil && looksWhole(r.Config) {
						t.Errorf("cannot be read: %v", err)
					}
					if !located.MatchString(err.Error()) {
						t.Errorf("%v: names no place", err)
					}
				} else {
					assertPaths(t, errorsIn(t, "policy.json", data), r.Paths)
				}
				if isText {
					assertPaths(t, errorsIn(t, "envoy.yaml", embedded(t, data)), r.Paths)
				}
			})
		}
	}
	if n < 300 {
		t.Errorf("%d refusals", n)
	}
}

// looksWhole reports whether a policy has a key by which it can be told from other files.
func looksWhole(config json.RawMessage) bool {
	var keys map[string]json.RawMessage
	if json.Unmarshal(config, &keys) != nil {
		return false
	}
	for _, key := range []string{"cors", "rules", "isolation", "securityHeaders", "fetchMetadata"} {
		if _, ok := keys[key]; ok {
			return true
		}
	}
	return len(keys) == 0
}

func assertPaths(t *testing.T, found []finding.Finding, want []string) {
	t.Helper()
	if len(found) == 0 {
		t.Error("is clean")
	}
	for _, path := range want {
		has := false
		for _, f := range found {
			has = has || f.Place.Path == path
		}
		if !has {
			t.Errorf("nothing is found at %s: %v", path, found)
		}
	}
}

func TestWhatThePluginTakesIsNotInvalid(t *testing.T) {
	seen := map[string]bool{}
	for _, file := range corpus[accepted](t, "cases") {
		configs := []json.RawMessage{file.Config}
		for _, c := range file.Cases {
			configs = append(configs, c.Config)
		}
		for _, config := range configs {
			if len(config) == 0 || seen[string(config)] {
				continue
			}
			seen[string(config)] = true
			for _, f := range append(errorsIn(t, "policy.json", config), errorsIn(t, "envoy.yaml", embedded(t, config))...) {
				if f.Rule == invalidPolicy {
					t.Errorf("%s\n%v", config, f)
				}
			}
		}
	}
	if len(seen) < 50 {
		t.Errorf("%d configurations", len(seen))
	}
}

func TestTheRepositorysOwnPoliciesAreClean(t *testing.T) {
	for _, name := range []string{"envoy.yaml", "deploy/envoy/rate-limit.yaml", "docs/environments/production.json", "docs/environments/staging.json", "docs/environments/development.json"} {
		data, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		policies, found, err := document.Read(name, data)
		if err != nil || len(policies) == 0 {
			t.Errorf("%s: %v", name, err)
		}
		for i := range policies {
			found = append(found, Check(&policies[i])...)
		}
		for _, f := range found {
			if f.Severity > finding.Note {
				t.Errorf("%v: %s", f.Place, f.Message)
			}
		}
	}
}
