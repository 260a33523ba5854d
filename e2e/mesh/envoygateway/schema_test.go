package envoygateway_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/e2e/mesh/internal/tools"
)

// translate has egctl read objects as the API server of a cluster would, by the schemas of their kinds.
func translate(t *testing.T, m manifests) (string, error) {
	t.Helper()
	egctl, err := tools.Path(tools.Egctl)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "all.yaml")
	if err := os.WriteFile(file, m.yaml(), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), egctl, "x", "translate", "--from", "gateway-api", "--to", "gateway-api", "--add-missing-resources", "-f", file).CombinedOutput()
	return string(out), err
}

// TestManifestsMeetTheSchemas also holds that the check would see a mistake.
func TestManifestsMeetTheSchemas(t *testing.T) {
	m, err := deployed()
	if err != nil {
		t.Fatal(err)
	}
	out, err := translate(t, m)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// The one thing that egctl cannot do is to fetch modules.
	const noCache = "wasm cache is not initialized"
	if n := strings.Count(out, `status: "False"`); n != 1 || strings.Count(out, noCache) != 1 {
		t.Errorf("%d conditions are false:\n%s", n, out)
	}
	for name, broken := range map[string]manifests{
		"failOpne": m.with("EnvoyExtensionPolicy", false, "spec", "wasm", 0, "failOpne"),
		"nonesuch": m.with("EnvoyProxy", "nonesuch", "spec", "filterOrder", 0, "name"),
	} {
		if out, err := translate(t, broken); err == nil || !strings.Contains(out, name) {
			t.Errorf("%s is accepted: %v\n%s", name, err, out)
		}
	}
}
