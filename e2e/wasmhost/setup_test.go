package wasmhost_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"corsguard/e2e/wasmhost"
)

// patience returns a context that ends somewhat before the tests must, on any machine. A plugin that hangs traps then, instead of hanging the tests.
func patience(t testing.TB) (context.Context, context.CancelFunc) {
	if t, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, limited := t.Deadline(); limited {
			return context.WithDeadline(context.Background(), deadline.Add(-time.Until(deadline)/10))
		}
	}
	return context.WithTimeout(context.Background(), time.Hour)
}

// pluginWasm reads the plugin: CORSGUARD_WASM, or main.wasm at the top of the repository. Without one the test fails; it never skips.
func pluginWasm(t testing.TB) []byte {
	t.Helper()
	path := os.Getenv("CORSGUARD_WASM")
	if path == "" {
		path = filepath.Join("..", "..", "main.wasm")
	}
	wasm, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no plugin to test: %v; run `make build` first, or set CORSGUARD_WASM", err)
	}
	return wasm
}

// compiled are the hosts that tests share, by what they were made with: compiling takes seconds.
var compiled struct {
	sync.Mutex
	hosts map[wasmhost.Release]*wasmhost.Host
}

// pluginHost returns a host of the plugin for a release of Envoy.
func pluginHost(t testing.TB, release wasmhost.Release) *wasmhost.Host {
	t.Helper()
	wasm := pluginWasm(t)
	compiled.Lock()
	defer compiled.Unlock()
	if host := compiled.hosts[release]; host != nil {
		return host
	}
	host := newHost(t, wasm, wasmhost.Options{Release: release})
	if compiled.hosts == nil {
		compiled.hosts = map[wasmhost.Release]*wasmhost.Host{}
	}
	compiled.hosts[release] = host
	return host
}

// newHost compiles a module. It is freed when the tests end, not the one test: others may share it.
func newHost(t testing.TB, wasm []byte, opts wasmhost.Options) *wasmhost.Host {
	t.Helper()
	ctx, cancel := patience(t)
	host, err := wasmhost.New(ctx, wasm, opts)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	cleanups = append(cleanups, func() { _ = host.Close(); cancel() })
	return host
}

var cleanups []func()

func TestMain(m *testing.M) {
	code := m.Run()
	for _, clean := range cleanups {
		clean()
	}
	os.Exit(code)
}

// newVM starts a VM that ends with the test.
func newVM(t testing.TB, host *wasmhost.Host) *wasmhost.VM {
	t.Helper()
	vm, err := host.NewVM()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = vm.Close() })
	return vm
}

// configure starts a plugin with a configuration that it must take, in a VM of its own.
func configure(t testing.TB, host *wasmhost.Host, config string) *wasmhost.Plugin {
	t.Helper()
	vm := newVM(t, host)
	plugin, err := vm.Configure([]byte(config))
	if err != nil {
		t.Fatalf("configuration %s: %v\n%v", config, err, vm.Logs())
	}
	return plugin
}

// probeWasm builds the probe with the Go that runs the tests.
var probeWasm = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "probe")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "probe.wasm")
	build := exec.Command("go", "build", "-buildmode=c-shared", "-o", out, "./testdata/probe")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

// probe starts the probe with a script for its configuration.
func probe(t testing.TB, opts wasmhost.Options, config string) *wasmhost.Plugin {
	t.Helper()
	wasm, err := probeWasm()
	if err != nil {
		t.Fatalf("building the probe: %v", err)
	}
	return configure(t, newHost(t, wasm, opts), config)
}
