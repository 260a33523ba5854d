// Package command_test runs the command against Envoys: Corsguard in its ways, and Envoy's own CORS filter as it is often set up.
package command_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"corsguard/e2e/command"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
	"corsguard/e2e/upstream"
)

// What all tests share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	binary  command.Binary
	gateway *envoy.Gateway
	wasm    string
	backend *upstream.Upstream
)

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "command", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	ctx := context.Background()
	if binary, err = command.Build(dir); err != nil {
		return 0, err
	}
	if wasm, err = repo.CopyWasm(dir); err != nil {
		return 0, err
	}
	engine, err := envoy.Find(ctx)
	if err != nil {
		return 0, err
	}
	fmt.Println("with", engine)
	if backend, err = upstream.Start(); err != nil {
		return 0, err
	}
	backend.On("document", upstream.Answer{Headers: document, Body: "<!DOCTYPE html><title>items</title>"})
	backend.On("wide", upstream.Answer{Headers: wide, Body: "{}"})
	gateway, err = engine.Gateway(ctx, []envoy.Object{envoy.Cluster("upstream", backend.Addr, false)}, []string{wasm}, "--concurrency", "1")
	if err != nil {
		return 0, errors.Join(err, backend.Close())
	}
	code = m.Run()
	return code, errors.Join(gateway.Stop(), backend.Close())
}
