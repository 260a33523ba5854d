package deploy_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"corsguard/e2e/repo"
)

// envoyGateway returns the objects of deploy/envoy-gateway by their kinds, and all of its files as one.
func envoyGateway(t *testing.T) (byKind map[string]map[string]any, whole []byte) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "deploy", "envoy-gateway", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("deploy/envoy-gateway has no manifests: %v", err)
	}
	byKind = map[string]map[string]any{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, text...)
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			o := map[string]any{}
			if err := yaml.Unmarshal(document, &o); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			kind, _ := o["kind"].(string)
			if byKind[kind] != nil {
				t.Errorf("%s: a second %s", file, kind)
			}
			byKind[kind] = o
		}
	}
	return byKind, whole
}

// at returns the value at a path of keys and indexes.
func at(t *testing.T, o any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			o = o.(map[string]any)[step]
		case int:
			o = o.([]any)[step]
		}
		if o == nil {
			t.Fatalf("nothing is at %v", path)
		}
	}
	return o
}

// TestEnvoyGatewaysPolicyHasNothingToWarnOf has the command look at the files together, as they are applied, and holds that it would see a filterOrder that is missing.
func TestEnvoyGatewaysPolicyHasNothingToWarnOf(t *testing.T) {
	_, whole := envoyGateway(t)
	dir := t.TempDir()
	corsguard, err := repo.BuildCommand(dir)
	if err != nil {
		t.Fatal(err)
	}
	const note = "behind-gateway-authentication"
	for _, test := range []struct {
		name, text string
		noted      bool
	}{
		{"as they are", string(whole), false},
		{"without filterOrder", strings.Replace(string(whole), "\n  filterOrder:\n", "\n  unused:\n", 1), true},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(dir, "all.yaml")
			if err := os.WriteFile(file, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), corsguard, "check", file).CombinedOutput()
			if noted := strings.Contains(string(out), note); noted != test.noted || err != nil && !test.noted {
				t.Errorf("%s: %v (%v)\n%s", note, noted, err, out)
			}
		})
	}
}

// TestEnvoyGatewaysFilterOrderIsItsOwnBackwards holds the order that gateway.yaml explains: the last rule that does something wins, so the filter that Envoy Gateway has first must be
// last.
func TestEnvoyGatewaysFilterOrderIsItsOwnBackwards(t *testing.T) {
	byKind, _ := envoyGateway(t)
	// Those that stand before Wasm in Envoy Gateway 1.9.
	order := []string{
		"custom_response", "health_check", "fault", "cors", "csrf", "header_mutation", "ext_authz", "api_key_auth", "basic_auth", "oauth2", "jwt_authn", "stateful_session", "buffer", "lua", "ext_proc",
	}
	slices.Reverse(order)
	const prefix = "envoy.filters.http."
	for i, rule := range at(t, byKind["EnvoyProxy"], "spec", "filterOrder").([]any) {
		if at(t, rule, "name") != prefix+"wasm" || i >= len(order) || at(t, rule, "before") != prefix+order[i] {
			t.Errorf("rule %d is %v", i, rule)
		}
	}
	if n := len(at(t, byKind["EnvoyProxy"], "spec", "filterOrder").([]any)); n != len(order) {
		t.Errorf("%d rules for %d filters", n, len(order))
	}
}

func TestEnvoyGatewaysFilterFailsClosed(t *testing.T) {
	byKind, _ := envoyGateway(t)
	if at(t, byKind["EnvoyExtensionPolicy"], "spec", "wasm", 0, "failOpen") != false {
		t.Error("the policy fails open")
	}
}

// TestEnvoyGatewaysMethodMatchesHaveOptions holds that each path with a match of methods has one for preflights.
func TestEnvoyGatewaysMethodMatchesHaveOptions(t *testing.T) {
	byKind, _ := envoyGateway(t)
	seen := 0
	for _, rule := range at(t, byKind["HTTPRoute"], "spec", "rules").([]any) {
		methods := map[any][]any{}
		for _, match := range at(t, rule, "matches").([]any) {
			if method := match.(map[string]any)["method"]; method != nil {
				path := at(t, match, "path", "value")
				methods[path] = append(methods[path], method)
			}
		}
		for path, of := range methods {
			if seen++; !slices.Contains(of, any("OPTIONS")) {
				t.Errorf("%v has %v", path, of)
			}
		}
	}
	if seen == 0 {
		t.Error("no route matches on methods")
	}
}
