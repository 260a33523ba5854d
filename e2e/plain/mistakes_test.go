package plain_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"corsguard/e2e/envoy"
	"corsguard/e2e/plain"
	"corsguard/e2e/wire"
)

// mistake returns a file whose policy cannot be loaded.
func mistake(text string) string { return strings.Replace(text, "7200", "-7200", 1) }

// notYAML is what stays of a file that is written while it is read.
const notYAML = "resources: ["

// waitForStats waits until counters have these values.
func waitForStats(t *testing.T, p *envoy.Process, prefix string, want map[string]int64) {
	t.Helper()
	until(t, func() error {
		stats, err := p.Admin.Stats(t.Context(), "^"+prefix)
		for name, n := range want {
			if got := stats[prefix+name]; got != n {
				err = errors.Join(err, fmt.Errorf("%s%s is %d, not %d", prefix, name, got, n))
			}
		}
		return err
	})
}

// waitForMistake waits until the log, which comes when it comes, names the mistake.
func waitForMistake(t *testing.T, p *envoy.Process) {
	t.Helper()
	until(t, func() error {
		if len(p.Log.Entries("[wasm]", "config error: cors.maxAge")) == 0 {
			return fmt.Errorf("the log does not name the mistake:\n%s", p.Log.Tail(20))
		}
		return nil
	})
}

// TestAnEnvoyThatStartsWithAMistake holds that there is no fallback where no old policy is: one answers nobody, or everybody with an error, until the policy is mended.
func TestAnEnvoyThatStartsWithAMistake(t *testing.T) {
	t.Parallel()
	t.Run(plain.Static, func(t *testing.T) {
		t.Parallel()
		d := adapt(t)
		d.write(t, plain.Static, mistake(d.read(t, plain.Static)))
		p, err := engine.Start(t.Context(), envoy.Options{File: d.path(plain.Static), Mounts: []string{string(d), identity.dir}})
		exit := (*envoy.ExitError)(nil)
		if err == nil {
			p.Stop()
			t.Fatal("it runs")
		}
		if !errors.As(err, &exit) || exit.Code != 1 || !strings.Contains(exit.Log.String(), "config error: cors.maxAge") {
			t.Error(err)
		}
	})
	t.Run(plain.Listeners, func(t *testing.T) {
		t.Parallel()
		d := adapt(t)
		text := d.staticListener(t)
		d.write(t, plain.Listeners, mistake(text))
		p := d.start(t, plain.Dynamic)
		waitForStats(t, p, "listener_manager.", map[string]int64{"lds.update_rejected": 1, "total_listeners_active": 0})
		d.write(t, plain.Listeners, text)
		inForce(t, addr(t, p, plain.Edge), 0)
	})
	t.Run(plain.Discovered, func(t *testing.T) {
		t.Parallel()
		d := adapt(t)
		text := d.read(t, plain.Discovered)
		d.write(t, plain.Discovered, mistake(text))
		at := addr(t, d.start(t, plain.Dynamic), plain.Edge)
		var got wire.Response
		until(t, func() error {
			c, err := http1.connect(at)
			if err != nil {
				return err
			}
			got, err = c.do(preflight(shop))
			return errors.Join(err, c.Close())
		})
		if said := owned(got); said != fmt.Sprintln(http.StatusInternalServerError) {
			t.Errorf("a preflight gets\n%s", said)
		}
		d.write(t, plain.Discovered, text)
		inForce(t, at, 0)
	})
}
