package istio_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/tools"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
	"corsguard/e2e/wire"
)

// What all tests of this package share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	engine    envoy.Engine
	plugin    string // path of a copy of the built plugin
	manifests string // deploy/istio
	program   = map[string]string{}
)

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "istio", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	root, err := repo.Root()
	if err != nil {
		return 0, err
	}
	manifests = filepath.Join(root, "deploy", "istio")
	if plugin, err = repo.CopyWasm(dir); err != nil {
		return 0, err
	}
	for _, name := range []string{tools.PilotDiscovery, tools.PilotAgent, tools.Istioctl, tools.IstioCRDs, tools.IstioBootstrap, tools.GatewayAPICRDs} {
		if program[name], err = tools.Path(name); err != nil {
			return 0, err
		}
	}
	if engine, err = envoy.Find(context.Background()); err != nil {
		return 0, err
	}
	if engine.Binary == "" {
		return 0, fmt.Errorf("%s: the agent starts an executable", engine)
	}
	fmt.Println("with", engine, "and Istio", tools.IstioVersion)
	return m.Run(), nil
}

// manifest returns the objects of a file of deploy/istio.
func manifest(t *testing.T, name string) []cluster.Object {
	t.Helper()
	return read(t, filepath.Join(manifests, name))
}

// read returns the objects of a file.
func read(t *testing.T, path string) []cluster.Object {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	objects, err := cluster.Parse(file)
	if err != nil || len(objects) == 0 {
		t.Fatalf("%s: %d objects: %v", path, len(objects), err)
	}
	return objects
}

// The host that the gateway of deploy/istio serves, and origins that its policy knows and does not know.
const (
	host     = "api.example.com"
	shop     = "https://shop.example.com"
	stranger = "https://evil.test"
)

// request returns a request of the host, with the Origin if there is one, and more headers.
func request(method, path, origin string, headers ...corpus.Header) corpus.Request {
	r := corpus.Request{Method: method, Authority: host, Path: path}
	if origin != "" {
		r.Headers = []corpus.Header{{"origin", origin}}
	}
	r.Headers = append(r.Headers, headers...)
	return r
}

// preflight asks for PUT with a token.
func preflight(path, origin string) corpus.Request {
	return request("OPTIONS", path, origin,
		corpus.Header{"access-control-request-method", "PUT"}, corpus.Header{"access-control-request-headers", "authorization"})
}

// answer sends a request.
func answer(t *testing.T, addr string, r corpus.Request) wire.Response {
	t.Helper()
	got, err := wire.H1(addr, r)
	if err != nil {
		t.Fatalf("%s %s: %v", r.Method, r.Path, err)
	}
	return got
}

// compare returns what differs from the status and the complete set of the headers that are Corsguard's to set.
func compare(got wire.Response, status int, want []corpus.Header) error {
	if owned := corpus.Owned(got.Headers); got.Status != status || !slices.Equal(owned, corpus.Owned(want)) {
		return fmt.Errorf("%d %q, want %d %q; body %q", got.Status, owned, status, corpus.Owned(want), got.Body)
	}
	return nil
}

// Complete sets of headers.
var (
	granted = []corpus.Header{
		{"access-control-allow-origin", shop}, {"access-control-allow-credentials", "true"}, {"access-control-expose-headers", "etag, www-authenticate"}, {"vary", "Origin"},
	}
	preflightGranted = []corpus.Header{
		{"access-control-allow-origin", shop}, {"access-control-allow-credentials", "true"}, {"access-control-expose-headers", "etag, www-authenticate"},
		{"access-control-allow-methods", "GET, HEAD, POST, PUT, DELETE"}, {"access-control-allow-headers", "authorization, content-type"}, {"access-control-max-age", "7200"},
		{"vary", preflightVary},
	}
	preflightRefused = []corpus.Header{{"vary", preflightVary}}
	notGranted       = []corpus.Header{{"vary", "Origin"}}
)

const preflightVary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

// logged reports whether a log has a line.
func logged(log, line string) error {
	if !strings.Contains(log, line) {
		return fmt.Errorf("the log has no %q", line)
	}
	return nil
}
