package istio_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/tools"
)

// files are all manifests of deploy/istio.
func files(t *testing.T) []string {
	t.Helper()
	top, err := filepath.Glob(filepath.Join(manifests, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	below, err := filepath.Glob(filepath.Join(manifests, "*", "*.yaml"))
	if err != nil || len(top) < 3 || len(below) < 3 {
		t.Fatalf("%q, %q: %v", top, below, err)
	}
	return append(top, below...)
}

// istioctl runs Istio's command, and returns what it prints.
func istioctl(args ...string) (string, error) {
	out, err := exec.Command(program[tools.Istioctl], args...).CombinedOutput()
	return string(out), err
}

func TestIstioctlTakesTheManifests(t *testing.T) {
	for _, file := range files(t) {
		out, err := istioctl("validate", "-f", file)
		// It has that to say of every EnvoyFilter.
		warned := strings.Contains(out, "EnvoyFilter exposes internal implementation details") && strings.Count(out, "\t* ") == 1
		if err != nil || !strings.Contains(out, "is valid") && !warned {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
	// Each of the EnvoyFilters takes the place of the WasmPlugin.
	for _, set := range [][]string{
		{"gateway.yaml", "authentication.yaml", "corsguard.yaml"},
		{"gateway.yaml", "ext-authz/authorization.yaml", "ext-authz/corsguard.yaml"},
		{"gateway.yaml", "ext-authz/authorization.yaml", "ext-authz/corsguard-local.yaml"},
	} {
		args := []string{"analyze", "--use-kube=false", "--failure-threshold", "Warning"}
		for _, file := range set {
			args = append(args, filepath.Join(manifests, file))
		}
		if out, err := istioctl(args...); err != nil {
			t.Errorf("%q: %v\n%s", set, err, out)
		}
	}
}

// What Istio's validation finds, and what it does not look at: the policy is free in its schema, and so needs corsguard check.
func TestIstioctlSeesMistakesAroundThePolicyAlone(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(spec cluster.Object)
		refused bool
	}{
		"no change":            {func(cluster.Object) {}, false},
		"an unknown phase":     {func(s cluster.Object) { s["phase"] = "FIRST" }, true},
		"an unknown key":       {func(s cluster.Object) { s["failureStrategy"] = "FAIL_CLOSE" }, true},
		"a short digest":       {func(s cluster.Object) { s["sha256"] = strings.Repeat("0", 63) }, true},
		"a digest of a number": {func(s cluster.Object) { s["sha256"] = 1234567890 }, true},
		"no module":            {func(s cluster.Object) { delete(s, "url") }, true},
		"a mistaken policy":    {func(s cluster.Object) { s["pluginConfig"] = cluster.Object{"corss": 1} }, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := manifest(t, "corsguard.yaml")[0]
			test.change(at(t, o, "spec"))
			text, err := json.Marshal(o)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "corsguard.yaml")
			if err := os.WriteFile(path, text, 0o644); err != nil {
				t.Fatal(err)
			}
			if out, err := istioctl("validate", "-f", path); (err != nil) != test.refused {
				t.Errorf("refused: %v, want %v\n%s", err != nil, test.refused, out)
			}
		})
	}
}
