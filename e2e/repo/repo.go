// Package repo knows where things stand in the checked-out repository.
package repo

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Root returns the top directory of the repository: the nearest one, from the working directory upwards, with the plugin's go.mod.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if line, _, _ := bytes.Cut(mod, []byte("\n")); err == nil && string(line) == "module corsguard" {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not inside the corsguard repository", start)
		}
	}
}

// Wasm returns the path of the built plugin, and an error that says what to do when it has not been built.
func Wasm() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, "main.wasm")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the plugin is not built (run `make build`): %w", err)
	}
	return path, nil
}

// BuildFaulty compiles into dir the plugin that panics on demand (build tag corsguard_faults), and returns its path.
func BuildFaulty(dir string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "faulty.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-tags", "corsguard_faults", "-o", out, ".")
	build.Dir = root
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	return out, run(build)
}

// BuildCommand compiles into dir the host-side command, and returns its path.
func BuildCommand(dir string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "corsguard")
	build := exec.Command("go", "build", "-o", out, "./cmd/corsguard")
	build.Dir = root
	return out, run(build)
}

// run runs a command, and tells what it printed if it fails.
func run(cmd *exec.Cmd) error {
	if printed, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, printed)
	}
	return nil
}

// CopyWasm returns the path of a copy of the built plugin. Envoy runs plugins of the same code in one VM: a build in the midst of the tests would
// have them in several, and mix what is tested.
func CopyWasm(dir string) (string, error) {
	built, err := Wasm()
	if err != nil {
		return "", err
	}
	code, err := os.ReadFile(built)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "main.wasm")
	return path, os.WriteFile(path, code, 0o644)
}
