package plain_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/upstream"
)

// What all tests share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	engine   envoy.Engine
	wasm     string
	command  string // the path of the built command
	backend  *upstream.Upstream
	identity certificate
)

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "corsguard-plain-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if wasm, err = repo.CopyWasm(dir); err != nil {
		return 0, err
	}
	if command, err = repo.BuildCommand(dir); err != nil {
		return 0, err
	}
	if identity, err = writeCertificate(dir); err != nil {
		return 0, err
	}
	if engine, err = envoy.Find(context.Background()); err != nil {
		return 0, err
	}
	fmt.Println("with", engine)
	if backend, err = upstream.Start(); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, backend.Close()
}

// updateLimit bounds the time until an update is in force for everybody, or refused. One of them has a plugin to compile.
const updateLimit = 3 * time.Minute

// until calls check until it returns no error, and fails with the last one at the limit.
func until(t *testing.T, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(updateLimit); ; time.Sleep(20 * time.Millisecond) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", updateLimit, err)
		}
	}
}
