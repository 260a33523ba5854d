package plain_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"corsguard/e2e/envoy"
	"corsguard/e2e/plain"
)

// clients is how many connections of each protocol are busy.
const clients = 8

// rollout is an Envoy whose policy changes while clients ask. Version started is under way to the workers or has arrived, finished has arrived everywhere.
type rollout struct {
	addr string
	// pinned tells that a connection keeps the policy with which it began.
	pinned            bool
	started, finished atomic.Int64
	asked             atomic.Int64
	stop              chan struct{}
	halt              func()                    // ends the load, once
	at                [2 * clients]atomic.Int64 // the version that each client got last
}

// load has clients ask until halt is called, or the test ends.
func (r *rollout) load(t *testing.T) {
	r.stop = make(chan struct{})
	var clients sync.WaitGroup
	r.halt = sync.OnceFunc(func() {
		close(r.stop)
		clients.Wait()
	})
	t.Cleanup(r.halt)
	for n := range r.at {
		clients.Go(func() {
			for {
				select {
				case <-r.stop:
					return
				default:
				}
				if err := r.converse(t, n); err != nil {
					t.Errorf("%s: %v", protocols[n%2], err)
					return
				}
			}
		})
	}
}

// converse asks one question after the other on a connection, until it ends or the test does.
func (r *rollout) converse(t *testing.T, n int) error {
	token := token(t)
	least := version(r.finished.Load())
	c, err := protocols[n%2].connect(r.addr)
	if err != nil {
		return err
	}
	defer c.Close()
	for i := 0; !c.ends(); i++ {
		select {
		case <-r.stop:
			return nil
		default:
		}
		q := questions[i%len(questions)]
		got, err := c.do(q.request(token))
		if err != nil {
			return fmt.Errorf("request %d failed: %w", i, err)
		}
		r.asked.Add(1)
		said, v, most := owned(got), least, version(r.started.Load())
		if r.pinned && i > 0 {
			most = least
		}
		for said != v.answer(q) {
			if v++; v > most {
				return fmt.Errorf("request %d: %+v, under no version of %d to %d:\n%s", i, q, least, most, said)
			}
		}
		least = v // never again an older one
		r.at[n].Store(int64(v))
	}
	return nil
}

// await waits until every client has got a version.
func (r *rollout) await(t *testing.T, v version) {
	t.Helper()
	until(t, func() error {
		for n := range r.at {
			if at := r.at[n].Load(); at != int64(v) {
				return fmt.Errorf("client %d still gets version %d, not %d", n, at, v)
			}
		}
		return nil
	})
	r.finished.Store(int64(v))
}

// change puts a version into force.
func (r *rollout) change(t *testing.T, v version, write func(text string), text string) {
	t.Helper()
	begin := time.Now()
	r.started.Store(int64(v))
	write(v.apply(t, text))
	r.await(t, v)
	t.Logf("version %d after %v", v, time.Since(begin).Round(time.Millisecond))
	time.Sleep(200 * time.Millisecond) // time for an old answer to show
}

// end ends the load, of which each worker must have had its part.
func (r *rollout) end(t *testing.T, p *envoy.Process) {
	t.Helper()
	r.halt()
	t.Logf("%d requests", r.asked.Load())
	for worker, n := range connections(t, p, `worker_\d\.`) {
		if n < clients {
			t.Errorf("%s: %d", worker, n)
		}
	}
}

// TestPolicyChangesUnderLoad holds that a change of the policy, by the file of the filter, fails no request and closes no connection. Every answer is that of one version, whole;
// on no connection an older one comes after a newer one; and in the end everybody gets the new one. A policy with a mistake, or a file that is none, changes nothing for anybody. A newer build of the plugin comes in the same way.
func TestPolicyChangesUnderLoad(t *testing.T) {
	t.Parallel()
	d := adapt(t)
	text := d.read(t, plain.Discovered)
	p := d.start(t, plain.Dynamic)
	r := rollout{addr: addr(t, p, plain.Edge)}
	write := func(text string) { d.write(t, plain.Discovered, text) }
	r.load(t)
	r.await(t, 0)
	for v := version(1); v < 6; v++ {
		r.change(t, v, write, text)
	}
	const counters = "extension_config_discovery.http_filter.corsguard."
	write(mistake(text))
	waitForStats(t, p, counters, map[string]int64{"update_rejected": 1, "config_fail": 1, "update_failure": 0})
	waitForMistake(t, p)
	write(notYAML)
	waitForStats(t, p, counters, map[string]int64{"update_rejected": 1, "config_fail": 2, "update_failure": 1})
	for v := version(6); v < 9; v++ {
		r.change(t, v, func(text string) { d.mount(t, plain.Discovered, text) }, text)
	}
	r.change(t, 9, func(text string) { d.mount(t, plain.Discovered, strings.Replace(text, wasm, newerBuild(t, d), 1)) }, text)
	r.end(t, p)
	for name, n := range connections(t, p, "") {
		if n != 2*clients {
			t.Errorf("%s: %d", name, n)
		}
	}
}

// newerBuild returns the path of a plugin with other bytes, which Envoy has to compile: the same, with a custom section of one byte and no name.
func newerBuild(t *testing.T, d directory) string {
	t.Helper()
	code, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	path := d.path("newer.wasm")
	if err := os.WriteFile(path, append(code, 0, 2, 0, 1), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// drainTime is what Envoy has to tell every client that its connection ends, in seconds. It begins with few, so that most have long ended. One that is kept from asking for as long
// loses its connection.
const drainTime = "15"

// TestListenerChangesUnderLoad holds the same of a listener with the policy in it, but that connections keep the listener with which they began. Envoy ends them in good
// order, within the time that it has for it.
func TestListenerChangesUnderLoad(t *testing.T) {
	t.Parallel()
	d := adapt(t)
	text := d.staticListener(t)
	write := func(text string) { d.write(t, plain.Listeners, text) }
	write(text)
	p := d.start(t, plain.Dynamic, "--drain-time-s", drainTime)
	r := rollout{addr: addr(t, p, plain.Edge), pinned: true}
	r.load(t)
	r.await(t, 0)
	for v := version(1); v < 4; v++ {
		r.change(t, v, write, text)
	}
	const counters = "listener_manager.lds."
	write(mistake(text))
	waitForStats(t, p, counters, map[string]int64{"update_rejected": 1, "update_failure": 0})
	waitForMistake(t, p)
	write(notYAML)
	waitForStats(t, p, counters, map[string]int64{"update_rejected": 1, "update_failure": 1})
	r.change(t, 4, write, text)
	r.end(t, p)
}

// connections returns how many there have been, of the listener, or of each worker.
func connections(t *testing.T, p *envoy.Process, of string) map[string]int64 {
	t.Helper()
	stats, err := p.Admin.Stats(t.Context(), `^listener\.127\.0\.0\.1_\d+\.`+of+`downstream_cx_total$`)
	if err != nil || len(stats) == 0 {
		t.Fatal(err, stats)
	}
	return stats
}

// inForce waits until new connections get a version, whatever worker they come to.
func inForce(t *testing.T, addr string, v version) {
	t.Helper()
	q := question{preflight: true, origin: shop}
	until(t, func() error {
		for range 10 {
			c, err := http1.connect(addr)
			if err != nil {
				return err
			}
			got, err := c.do(preflight(shop))
			if err := errors.Join(err, c.Close()); err != nil {
				return err
			}
			if owned(got) != v.answer(q) {
				return fmt.Errorf("version %d does not answer this:\n%s", v, owned(got))
			}
		}
		return nil
	})
}
