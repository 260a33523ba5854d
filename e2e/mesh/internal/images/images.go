// Package images serves a registry on the loopback interface, and has the repository's own program push the plugin to it.
package images

import (
	"bytes"
	"io"
	"log"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"corsguard/e2e/repo"
)

// Layouts are the layouts of the images, and what their tags end in.
var Layouts = map[string]string{"oci": "", "docker": "-docker", "artifact": "-artifact"}

// Module is the name by which [Push] tells the digest of the module itself.
const Module = "module"

// Serve returns the host of an empty registry, which speaks plain HTTP until the test ends.
func Serve(t testing.TB) (host string) {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Push pushes a module to a repository in all layouts, as make push does, and returns the digests that it prints: of [Module], and of each layout's image.
func Push(t testing.TB, repository, tag, wasm string) map[string]string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	wasm, err = filepath.Abs(wasm)
	if err != nil {
		t.Fatal(err)
	}
	push := exec.Command("go", "run", ".", "-wasm", wasm, "-push", repository, "-tag", tag)
	push.Dir = filepath.Join(root, "deploy", "image")
	var errs bytes.Buffer
	push.Stderr = &errs
	out, err := push.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", push, err, errs.Bytes())
	}
	digests := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if name, digest, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(digest, "sha256:") {
			digests[name] = digest
		}
	}
	if len(digests) != 1+len(Layouts) {
		t.Fatalf("%s printed:\n%s", push, out)
	}
	return digests
}
