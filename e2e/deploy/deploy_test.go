// Package deploy_test holds the policies in deploy against the command, wherever in their manifests they stand.
package deploy_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"corsguard/e2e/repo"
)

// withPolicies returns the manifests below a directory that have a policy.
func withPolicies(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte("allowOrigins")) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTheCommandFindsNothingToWarnOfInTheManifestsForIstio(t *testing.T) {
	command, err := repo.BuildCommand(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	manifests := withPolicies(t, filepath.Join(root, "deploy", "istio"))
	if len(manifests) != 3 {
		t.Fatalf("policies in %q", manifests)
	}
	for _, path := range manifests {
		if out, err := exec.Command(command, "check", "--fail-on", "warning", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", path, err, out)
		}
		// The same check must see what it is for.
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		mistaken := filepath.Join(t.TempDir(), filepath.Base(path))
		if err := os.WriteFile(mistaken, bytes.Replace(text, []byte("https://shop."), []byte("https://Shop."), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(command, "check", mistaken).CombinedOutput(); err == nil || !strings.Contains(string(out), "upper case") {
			t.Errorf("%s: an origin in upper case is not seen: %v\n%s", path, err, out)
		}
	}
}
