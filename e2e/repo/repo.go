// Package repo knows where things stand in the checked-out repository.
package repo

import (
	"bytes"
	"fmt"
	"os"
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
