package envoygateway_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
	"corsguard/e2e/upstream"
)

// What all tests share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	engine  envoy.Engine
	module  []byte // the compiled plugin
	digest  string // of it, SHA-256 in hex
	backend *upstream.Upstream
	plugin  string          // path of a copy of it
	issuer  *rsa.PrivateKey // who signs the tokens
)

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "envoygateway", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	if plugin, err = repo.CopyWasm(dir); err != nil {
		return 0, err
	}
	if module, err = os.ReadFile(plugin); err != nil {
		return 0, err
	}
	sum := sha256.Sum256(module)
	digest = hex.EncodeToString(sum[:])
	if engine, err = findEnvoy(context.Background()); err != nil {
		return 0, err
	}
	fmt.Println("with", engine)
	if issuer, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return 0, err
	}
	if backend, err = upstream.Start(); err != nil {
		return 0, err
	}
	defer backend.Close()
	// What services behind a gateway send, and should not.
	backend.On("wide", upstream.Answer{Headers: []corpus.Header{{"access-control-allow-origin", "*"}, {"access-control-allow-headers", "*"}, {"vary", "accept"}}, Body: "items"})
	return m.Run(), nil
}

// findEnvoy returns an Envoy that is a program, not a script of Python that becomes one: Envoy Gateway looks after its child.
func findEnvoy(ctx context.Context) (envoy.Engine, error) {
	e, err := envoy.Find(ctx)
	if err == nil && e.Binary == "" {
		err = fmt.Errorf("%s: Envoy Gateway starts an executable", e)
	}
	if err != nil {
		return e, err
	}
	if e.Binary, err = filepath.Abs(e.Binary); err != nil {
		return e, err
	}
	f, err := os.Open(e.Binary)
	if err != nil {
		return e, err
	}
	defer f.Close()
	magic := make([]byte, 2)
	if _, err := io.ReadFull(f, magic); err != nil || !bytes.Equal(magic, []byte("#!")) {
		return e, err
	}
	found, err := filepath.Glob(filepath.Join(filepath.Dir(e.Binary), "..", "lib", "python3*", "site-packages", "envoy", "_bin", "envoy"))
	if err != nil || len(found) == 0 {
		return e, errors.Join(err, fmt.Errorf("%s is a script, and there is no executable beside it", e.Binary))
	}
	e.Binary = filepath.Clean(found[0])
	return e, nil
}
