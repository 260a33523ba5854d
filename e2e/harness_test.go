// Package e2e_test runs the built plugin in a real Envoy, and looks at it from outside only.
package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// What all tests of this package share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	engine  envoy.Engine
	wasm    string
	backend *upstream.Upstream // the server behind every Envoy
)

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "e2e", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	ctx := context.Background()
	if wasm, err = repo.CopyWasm(dir); err != nil {
		return 0, err
	}
	if engine, err = envoy.Find(ctx); err != nil {
		return 0, err
	}
	fmt.Println("with", engine)
	if backend, err = upstream.Start(); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, errors.Join(stopShared(), backend.Close())
}

// clusters returns the ones that routes of the tests name.
func clusters() []envoy.Object {
	return []envoy.Object{
		envoy.Cluster("upstream", backend.Addr, false),
		envoy.Cluster("upstream-h2", backend.Addr, true),
		envoy.Cluster("down", refusingAddr(), false),
	}
}

// refusingAddr returns an address that refuses connections for as long as the test process lives: its port is taken, and nobody listens.
func refusingAddr() string {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		panic(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
}

// startGateway starts an Envoy of the test's own, which the end of the test stops.
func startGateway(t *testing.T, args ...string) *envoy.Gateway {
	t.Helper()
	g, err := engine.Gateway(t.Context(), clusters(), []string{wasm}, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stopGateway(g); err != nil {
			t.Error(err)
		}
	})
	return g
}

// stopGateway also fails where the plugin panicked, contained or not, whatever the tests saw of it.
func stopGateway(g *envoy.Gateway) error {
	const panics = "wasmcustom.corsguard.panics"
	stats, err := g.Admin.Stats(context.Background(), "^"+panics+"$")
	if n := stats[panics]; n > 0 {
		err = errors.Join(err, fmt.Errorf("the plugin panicked %d times; the end of the log:\n%s", n, g.Log.Tail(40)))
	}
	if crashes := g.Log.Entries("[wasm]", "Uncaught RuntimeError"); len(crashes) > 0 {
		err = errors.Join(err, fmt.Errorf("the VM crashed %d times, first with %s", len(crashes), crashes[0]))
	}
	return errors.Join(err, g.Stop())
}

// shared is the Envoy of the tests that need none of their own: starting one takes seconds. The first of them starts it.
var shared struct {
	once    sync.Once
	gateway *envoy.Gateway
	err     error
}

func sharedGateway(t *testing.T) *envoy.Gateway {
	t.Helper()
	shared.once.Do(func() {
		shared.gateway, shared.err = engine.Gateway(context.Background(), clusters(), []string{wasm}, "--concurrency", "1")
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.gateway
}

func stopShared() error {
	if shared.gateway == nil {
		return nil
	}
	return stopGateway(shared.gateway)
}

// listen adds a listener to the shared Envoy and returns its address.
func listen(t *testing.T, h envoy.HCM) (addr string) {
	t.Helper()
	g := sharedGateway(t)
	name := strings.ReplaceAll(t.Name(), "/", "_")
	put(t, g, h.Listener(name))
	return g.Addr(name)
}

// put adds listeners that must be accepted.
func put(t *testing.T, g *envoy.Gateway, listeners ...envoy.Object) {
	t.Helper()
	refused, err := g.Put(t.Context(), listeners...)
	if err != nil {
		t.Fatal(err)
	}
	for name, why := range refused {
		t.Errorf("listener %s was refused: %s", name, why)
	}
	if len(refused) > 0 {
		t.FailNow()
	}
}

// plugin returns the filter with a configuration.
func plugin(config string) envoy.Object {
	return envoy.Plugin{Wasm: wasm, Config: []byte(config), Name: "corsguard"}.Filter()
}

// protocol is a way to send a request.
type protocol struct {
	name  string
	do    func(addr string, r corpus.Request) (wire.Response, error)
	takes func(r corpus.Request) bool // whether it can say the request
}

var (
	http1     = protocol{"HTTP/1.1", wire.H1, func(corpus.Request) bool { return true }}
	http2     = protocol{"HTTP/2", wire.H2, wire.InHTTP2}
	protocols = []protocol{http1, http2}
)

var until = suite.Until
