package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// TestLongPoll holds that an answer that comes late has its headers.
func TestLongPoll(t *testing.T) {
	t.Parallel()
	backend.On(t.Name(), upstream.Answer{Delay: 5 * time.Second, Headers: upstreamCORS})
	addr := listen(t, app())
	got := send(t, http1, addr, corpus.Request{Headers: []corpus.Header{originHeader(appOrigin)}})
	check(t, got, 200, grantActual...)
}

// TestClientsThatLeave has thousands of clients go away before the upstream answers, and thousands of requests that end as they should. Afterwards no
// stream is left, and memory has not grown by what a stream that is kept would take.
func TestClientsThatLeave(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "1")
	put(t, g, app().Listener("leave"))
	addr := g.Addr("leave")
	backend.On("leave", upstream.Answer{Delay: time.Minute})

	const (
		warmUp  = 36_000 // fills pools, and the VM's heap nearly up to its size
		streams = 48_000
		// The heap still gains some 2 MB. A plugin that kept 280 bytes for each stream that it forgot about gained 7 MB.
		limit = 5 << 20
	)
	leave(t, addr, warmUp)
	before := settledMemory(t, g)
	leave(t, addr, streams)
	grown := settledMemory(t, g) - before
	t.Logf("memory grew by %d bytes, from %d, over %d streams", grown, before, streams)
	if grown > limit {
		t.Errorf("memory grew by more than %d bytes", limit)
	}
	checkActuals(t, addr, corpus.Request{}, 200)
	checkPreflights(t, addr)
}

// leave opens n streams. Half of them are cancelled before the upstream answers, the rest end.
func leave(t *testing.T, addr string, n int) {
	t.Helper()
	const perConn = 200 // Envoy closes a connection that cancels more streams than it ends
	waiting := corpus.Request{Headers: []corpus.Header{originHeader(appOrigin), {upstream.CaseHeader, "leave"}}}
	ending := corpus.Request{Headers: []corpus.Header{originHeader(appOrigin)}}
	for range n / perConn {
		c, err := wire.DialH2(addr)
		if err != nil {
			t.Fatal(err)
		}
		for range perConn / 2 {
			if err := c.Send(waiting); err != nil {
				t.Fatal(err)
			}
			if err := c.Cancel(); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(ending); err != nil {
				t.Fatal(err)
			}
		}
		// The last one is still waiting when its connection goes.
		if err := c.Send(waiting); err != nil {
			t.Fatal(err)
		}
		c.Close()
		hangUp(t, addr, waiting)
	}
}

// hangUp sends a request over HTTP/1.1 and closes the connection.
func hangUp(t *testing.T, addr string, r corpus.Request) {
	t.Helper()
	c, err := wire.DialH1(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, wire.Format(r)); err != nil {
		t.Fatal(err)
	}
}

// settledMemory waits until Envoy has no stream left and returns its resident memory.
func settledMemory(t *testing.T, g *envoy.Gateway) int64 {
	t.Helper()
	until(t, updateLimit, func() error {
		stats, err := g.Admin.Stats(t.Context(), `^(http\.leave\.downstream|cluster\.upstream\.upstream)_rq_active$`)
		for name, active := range stats {
			if active != 0 {
				return fmt.Errorf("%s: %d", name, active)
			}
		}
		return err
	})
	pid, err := g.PID()
	if err != nil {
		t.Fatal(err)
	}
	rss, err := residentBytes(pid)
	if err != nil {
		t.Fatal(err)
	}
	return rss
}

func residentBytes(pid int) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "VmRSS:"); ok {
			var kb int64
			_, err := fmt.Sscanf(rest, "%d kB", &kb)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", pid)
}
