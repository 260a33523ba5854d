package plain_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
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

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "plain", run)) }

func run(m *testing.M, dir string) (code int, err error) {
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

// until waits for what must come within updateLimit.
func until(t *testing.T, check func() error) {
	t.Helper()
	suite.Until(t, updateLimit, check)
}
