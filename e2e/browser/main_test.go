// Package browser_test has a real browser talk https to the built plugin in a real Envoy. The other tests hold which headers go out; these hold what
// a browser makes of them. Next to what a policy brings about stands what happens without it, so that no test holds by itself.
package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
	"corsguard/e2e/suite"
)

// What all tests share. TestMain sets it, and fails where a part is missing: nothing is skipped.
var (
	wasm     string
	identity *certificate
	backend  *upstream      // the server behind every site
	stage    *theatre       // another one, behind some paths of every site
	gateway  *envoy.Gateway // has all sites
	chromium *browser
	bare     site // no plugin: what the upstream sends is what the browser gets
)

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "browser", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	if err := start(context.Background(), dir); err != nil {
		return 0, errors.Join(err, stop())
	}
	code = m.Run()
	return code, stop()
}

func start(ctx context.Context, dir string) error {
	path, err := findBrowser()
	if err != nil {
		return err
	}
	if wasm, err = repo.CopyWasm(dir); err != nil {
		return err
	}
	if identity, err = newCertificate(); err != nil {
		return err
	}
	if backend, err = startUpstream(); err != nil {
		return err
	}
	if stage, err = startTheatre(); err != nil {
		return err
	}

	// Both take seconds.
	var starts sync.WaitGroup
	var noBrowser, noGateway error
	starts.Go(func() { chromium, noBrowser = startBrowser(ctx, path, dir, flags()) })
	starts.Go(func() { noGateway = startGateway(ctx) })
	starts.Wait()
	return errors.Join(noBrowser, noGateway)
}

func startGateway(ctx context.Context) error {
	engine, err := envoy.Find(ctx)
	if err != nil {
		return err
	}
	fmt.Println("with", engine)
	clusters := []envoy.Object{
		envoy.Cluster("upstream", backend.addr, false), envoy.Cluster("down", nobody, false),
		envoy.Cluster("stage", stage.addr, false), envoy.Cluster("stage-h2", stage.addr, true),
	}
	if gateway, err = engine.Gateway(ctx, clusters, []string{wasm}, "--concurrency", "1"); err != nil {
		return err
	}
	bare, err = serve(ctx, "bare")
	return err
}

// nobody is an address of a service that no machine has had for decades.
const nobody = "127.0.0.1:1"

func stop() error {
	var err error
	if chromium != nil {
		err = errors.Join(err, chromium.close())
	}
	if gateway != nil {
		err = errors.Join(err, panics(), gateway.Stop())
	}
	if backend != nil {
		err = errors.Join(err, backend.close())
	}
	if stage != nil {
		err = errors.Join(err, stage.server.Close())
	}
	return err
}

// panics fails where the plugin panicked, contained or not, whatever the tests saw of it.
func panics() error {
	const counter = "wasmcustom.corsguard.panics"
	stats, err := gateway.Admin.Stats(context.Background(), "^"+counter+"$")
	if n := stats[counter] + int64(len(gateway.Log.Entries("[wasm]", "Uncaught RuntimeError"))); n > 0 {
		err = errors.Join(err, fmt.Errorf("the plugin panicked %d times; the end of the log:\n%s", n, gateway.Log.Tail(40)))
	}
	return err
}
