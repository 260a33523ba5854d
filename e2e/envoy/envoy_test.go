package envoy

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

// TestAskedForEngineIsFinal holds that an engine asked for by name is not passed over for another one.
func TestAskedForEngineIsFinal(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"a path without an Envoy":    {"ENVOY": "/nonexistent/envoy"},
		"a path to something else":   {"ENVOY": "/bin/true"},
		"an engine that is unknown":  {"ENVOY_ENGINE": "podman"},
		"an image that is not there": {"ENVOY_ENGINE": "docker", "ENVOY_IMAGE": "localhost:1/none:none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("ENVOY", "")
			t.Setenv("ENVOY_ENGINE", "")
			for k, v := range env {
				t.Setenv(k, v)
			}
			if e, err := Find(context.Background()); err == nil {
				t.Errorf("found %s", e)
			}
		})
	}
}

// TestEntries holds that an entry of several lines stays whole.
func TestEntries(t *testing.T) {
	var log Log
	io.WriteString(&log, "before any entry\n[2026-01-02 03:04:05.678][9][error][wasm] one\n  goes on\n[2026-01-02 03:04:05.679][9][error][wasm] two\n")
	got := log.Entries("[wasm]")
	want := []string{"[2026-01-02 03:04:05.678][9][error][wasm] one\n  goes on\n", "[2026-01-02 03:04:05.679][9][error][wasm] two\n"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if got := log.Entries("goes on", "one"); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	io.WriteString(log.Out(), "printed\n")
	if got := log.Entries("printed"); len(got) > 0 || !strings.HasSuffix(log.String(), "two\nprinted\n") {
		t.Errorf("got %q of %q", got, log.String())
	}
	if got := log.Tail(2); !strings.HasPrefix(got, "  goes on\n") {
		t.Errorf("tail %q", got)
	}
}
