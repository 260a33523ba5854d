package tools

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestTheVersionOfIstioIsThatOfTheModule(t *testing.T) {
	version, err := command(t.Context(), nil, "list", "-m", "-f", "{{.Version}}", istioModule)
	if err != nil || version != IstioVersion {
		t.Errorf("go.mod has %s: %v", version, err)
	}
}

func TestAnUnknownNameHasNoPath(t *testing.T) {
	if path, err := Path("nonesuch"); err == nil {
		t.Error(path)
	}
}

// An interrupted build must not leave a directory that later runs take for a whole one.
func TestABuildThatFailsLeavesNothing(t *testing.T) {
	p := product{"probe", "v0-" + filepath.Base(t.TempDir()), []string{"a", "b"}}
	dir, err := p.dir()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	half := func(_ context.Context, dir string) error { return os.WriteFile(filepath.Join(dir, "a"), nil, 0o644) }
	if err := p.build(t.Context(), io.Discard, half); err == nil {
		t.Error("half a build is taken for a whole one")
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("half a build stays")
	}
}
