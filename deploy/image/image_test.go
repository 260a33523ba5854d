package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/crane"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// module writes a file that begins as a Wasm module does, and returns its path and its bytes. Most of it does not compress.
func module(t *testing.T) (path string, content []byte) {
	t.Helper()
	noise := make([]byte, 1<<16)
	random := rand.NewChaCha8([32]byte{7})
	if _, err := random.Read(noise); err != nil {
		t.Fatal(err)
	}
	content = slices.Concat([]byte("\x00asm\x01\x00\x00\x00"), noise, bytes.Repeat([]byte("corsguard"), 1000))
	path = filepath.Join(t.TempDir(), "main.wasm")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path, content
}

// command runs the program, which must succeed, and returns what it prints.
func command(t *testing.T, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(args, &out, &errs); code != exitOK {
		t.Fatalf("%q: exit code %d: %s", args, code, errs.String())
	}
	return out.String()
}

// digests returns what the program says of each layout.
func digests(printed string) map[string]string {
	said := map[string]string{}
	for line := range strings.Lines(printed) {
		if name, digest, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(digest, "sha256:") {
			said[name] = digest
		}
	}
	return said
}

// host serves an empty registry on loopback.
func host(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// suffixes are what the layouts' tags end in.
var suffixes = map[string]string{layoutOCI: "", layoutDocker: "-docker", layoutArtifact: "-artifact"}

// plugin returns the one module that an image holds, and in which manner.
func plugin(t *testing.T, img v1.Image) (content []byte, as string) {
	t.Helper()
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	last := layers[len(layers)-1]
	mediaType, err := last.MediaType()
	if err != nil {
		t.Fatal(err)
	}
	blob, err := last.Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := blob.Close(); err != nil {
			t.Error(err)
		}
	}()
	if mediaType == wasmModule {
		content, err = io.ReadAll(blob)
		if err != nil || len(layers) != 2 {
			t.Fatalf("%d layers: %v", len(layers), err)
		}
		return content, "the layer itself"
	}
	files := tar.NewReader(blob)
	head, err := files.Next()
	if err != nil {
		t.Fatal(err)
	}
	if content, err = io.ReadAll(files); err != nil {
		t.Fatal(err)
	}
	if _, err := files.Next(); !errors.Is(err, io.EOF) || len(layers) != 1 {
		t.Errorf("%d layers, and more than one file: %v", len(layers), err)
	}
	return content, fmt.Sprintf("/%s, mode %o, %v", head.Name, head.Mode, head.ModTime.UTC().Format("2006-01-02"))
}

func TestARegistryGivesBackTheModuleInEachLayout(t *testing.T) {
	path, want := module(t)
	registry := host(t)
	printed := command(t, "-wasm", path, "-push", registry+"/team/corsguard", "-tag", "v1.2.3")
	if sum := fmt.Sprintf("sha256:%x", sha256.Sum256(want)); digests(printed)["module"] != sum {
		t.Errorf("module %s in %q", sum, printed)
	}
	for name, suffix := range suffixes {
		ref := registry + "/team/corsguard:v1.2.3" + suffix
		img, err := crane.Pull(ref)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, as := plugin(t, img)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: %d other bytes", name, len(got))
		}
		if wantAs := "/plugin.wasm, mode 644, 1970-01-01"; name != layoutArtifact && as != wantAs {
			t.Errorf("%s: the module is %s, want %s", name, as, wantAs)
		}
		digest, err := img.Digest()
		if err != nil || digests(printed)[name] != digest.String() || !strings.Contains(printed, "pushed "+ref+"@"+digest.String()+"\n") {
			t.Errorf("%s: the registry has %s: %v; printed:\n%s", name, digest, err, printed)
		}
	}
}

func TestTheManifestsAreOfTheirLayout(t *testing.T) {
	_, content := module(t)
	images, err := build(content, about{version: "v1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	type shape struct{ manifest, config, layers string }
	want := map[string]shape{
		layoutOCI:      {string(types.OCIManifestSchema1), string(types.OCIConfigJSON), string(types.OCILayer)},
		layoutDocker:   {string(types.DockerManifestSchema2), string(types.DockerConfigJSON), string(types.DockerLayer)},
		layoutArtifact: {string(types.OCIManifestSchema1), string(wasmConfig), string(wasmConfig) + " " + string(wasmModule)},
	}
	for _, i := range images {
		m, err := i.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		var layers []string
		for _, l := range m.Layers {
			layers = append(layers, string(l.MediaType))
		}
		if got := (shape{string(m.MediaType), string(m.Config.MediaType), strings.Join(layers, " ")}); got != want[i.layout] {
			t.Errorf("%s: %+v, want %+v", i.layout, got, want[i.layout])
		}
		delete(want, i.layout)
	}
	if len(want) > 0 {
		t.Errorf("not built: %v", slices.Collect(maps.Keys(want)))
	}
}

func TestAnnotationsSayWhatItIs(t *testing.T) {
	_, content := module(t)
	for _, a := range []about{{version: "v1.2.3"}, {version: "v1.2.3", source: "https://git.example.com/corsguard"}} {
		images, err := build(content, a)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"org.opencontainers.image.title":       "corsguard",
			"org.opencontainers.image.description": "CORS policy filter for Envoy, a proxy-wasm plugin",
			"org.opencontainers.image.version":     "v1.2.3",
			"org.opencontainers.image.licenses":    "Apache-2.0",
		}
		if a.source != "" {
			want["org.opencontainers.image.source"] = a.source
		}
		for _, i := range images {
			m, err := i.Manifest()
			if err != nil {
				t.Fatal(err)
			}
			if i.layout != layoutDocker && !maps.Equal(m.Annotations, want) {
				t.Errorf("%s: annotations %v", i.layout, m.Annotations)
			}
			if i.layout == layoutArtifact {
				continue
			}
			config, err := i.ConfigFile()
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(config.Config.Labels, want) || config.Architecture != "wasm" || config.OS != "wasi" {
				t.Errorf("%s: %s/%s, labels %v", i.layout, config.OS, config.Architecture, config.Config.Labels)
			}
		}
	}
}

// tree returns the content of all files below dir.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		files[path] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestTwoRunsSaveTheSameBytes(t *testing.T) {
	first, content := module(t)
	second := filepath.Join(t.TempDir(), "elsewhere.wasm")
	if err := os.WriteFile(second, content, 0o600); err != nil {
		t.Fatal(err)
	}
	a, b := t.TempDir(), t.TempDir()
	printed := command(t, "-wasm", first, "-out", a, "-version", "v1.2.3")
	again := command(t, "-wasm", second, "-out", b, "-version", "v1.2.3")
	if said := digests(printed); len(said) != 4 || !maps.Equal(said, digests(again)) {
		t.Errorf("digests:\n%s%s", printed, again)
	}
	if files := tree(t, a); len(files) < 10 || !maps.Equal(files, tree(t, b)) {
		t.Errorf("%d files, and not the same", len(files))
	}
	// Another module, or another version, is another image.
	other := command(t, "-wasm", first, "-version", "v1.2.4")
	for name, digest := range digests(printed) {
		if same := digests(other)[name] == digest; same != (name == "module") {
			t.Errorf("%s of two versions: the same %v", name, same)
		}
	}
}

func TestSavingAgainLeavesNothingOfTheImagesBefore(t *testing.T) {
	path, content := module(t)
	dir, fresh := t.TempDir(), t.TempDir()
	command(t, "-wasm", path, "-out", dir)
	if err := os.WriteFile(path, append(content, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	command(t, "-wasm", path, "-out", dir)
	command(t, "-wasm", path, "-out", fresh)
	if !maps.Equal(tree(t, dir), tree(t, fresh)) {
		t.Error("there is more in the directory than one run writes")
	}
}

func TestWhatIsSavedIsTheImages(t *testing.T) {
	path, want := module(t)
	dir := t.TempDir()
	said := digests(command(t, "-wasm", path, "-out", dir, "-tag", "v1.2.3"))
	index, err := layout.ImageIndexFromPath(filepath.Join(dir, layoutDirectory))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil || len(manifest.Manifests) != len(suffixes) {
		t.Fatalf("%+v: %v", manifest, err)
	}
	for name, suffix := range suffixes {
		i := slices.IndexFunc(manifest.Manifests, func(d v1.Descriptor) bool { return d.Annotations[refName] == "v1.2.3"+suffix })
		if i < 0 || manifest.Manifests[i].Digest.String() != said[name] {
			t.Errorf("%s is not there as printed: %+v", name, manifest.Manifests)
			continue
		}
		img, err := index.Image(manifest.Manifests[i].Digest)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := plugin(t, img); !bytes.Equal(got, want) {
			t.Errorf("%s: %d other bytes", name, len(got))
		}
	}
	img, err := tarball.ImageFromPath(filepath.Join(dir, dockerTarball), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := plugin(t, img); !bytes.Equal(got, want) {
		t.Errorf("the tarball: %d other bytes", len(got))
	}
}

func TestWhatCannotBeDoneIsSaid(t *testing.T) {
	path, _ := module(t)
	text := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(text, []byte("package main"), 0o644); err != nil {
		t.Fatal(err)
	}
	registry := host(t)
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a module that is not there":      {[]string{"-wasm", "/nonexistent"}, exitFailed, "make build"},
		"a file that is no module":        {[]string{"-wasm", text}, exitFailed, "no Wasm module"},
		"a repository with a tag":         {[]string{"-wasm", path, "-push", registry + "/corsguard:v1"}, exitFailed, "without a tag"},
		"a repository without a registry": {[]string{"-wasm", path, "-push", "corsguard"}, exitFailed, "host/repository"},
		"a tag with a space":              {[]string{"-wasm", path, "-push", registry + "/corsguard", "-tag", "a b"}, exitFailed, "tag"},
		"a registry that is not there":    {[]string{"-wasm", path, "-push", "127.0.0.1:1/corsguard"}, exitFailed, "refused"},
		"an unknown flag":                 {[]string{"-layout", "oci"}, exitUsage, "Usage"},
		"an argument":                     {[]string{"push"}, exitUsage, "Usage"},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(test.args, &out, &errs); code != test.code || !strings.Contains(errs.String(), test.says) {
				t.Errorf("exit code %d, want %d with %q: %s", code, test.code, test.says, errs.String())
			}
			if strings.Contains(out.String(), "pushed") {
				t.Errorf("pushed: %s", out.String())
			}
		})
	}
	if tags, err := crane.ListTags(registry + "/corsguard"); err == nil {
		t.Errorf("the registry has %q", tags)
	}
}

func TestHelpIsNoMistake(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"-h"}, &out, &errs); code != exitOK || !strings.Contains(errs.String(), "-push") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}
