package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"corsguard/e2e/repo"
)

// plugin is where a subject's plugin comes from.
type plugin int

const (
	noPlugin    plugin = iota
	givenPlugin        // the file that the subject names
	emptyGo            // testdata/emptygo, compiled as Corsguard is
	emptyWasm          // emptyModule
)

// preparePlugins puts the subjects' plugins into dir and makes the subjects run them. Files are copied: a plugin that is built anew meanwhile must not
// change halfway through the measurements.
func preparePlugins(ctx context.Context, list []subject, dir string) error {
	for i := range list {
		s := &list[i]
		if s.plugin == noPlugin {
			continue
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.wasm", i))
		if err := s.writePlugin(ctx, file); err != nil {
			return fmt.Errorf("the plugin of %s: %w", s.name, err)
		}
		s.wasm = file
	}
	return nil
}

func (s *subject) writePlugin(ctx context.Context, file string) error {
	switch s.plugin {
	case emptyGo:
		return buildEmptyGo(ctx, file)
	case emptyWasm:
		return os.WriteFile(file, emptyModule(), 0o600)
	}
	module, err := os.ReadFile(s.wasm)
	if err != nil {
		return err
	}
	return os.WriteFile(file, module, 0o600)
}

// buildEmptyGo compiles testdata/emptygo with the flags of `make build`.
func buildEmptyGo(ctx context.Context, file string) error {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w", "-o", file, "./bench/testdata/emptygo")
	build.Dir = filepath.Join(root, "e2e")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if printed, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, printed)
	}
	return nil
}
