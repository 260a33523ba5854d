package e2e_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// A version of the rules tells itself and its rules apart in every header that it grants.
type version int

// rules returns the names of the rules of a version, in order. Every other one has a rule more, before the one that stays.
func (v version) rules() []string {
	if v%2 == 0 {
		return []string{"kept"}
	}
	return []string{"extra", "kept"}
}

func (v version) config() string {
	var rules []string
	for _, name := range v.rules() {
		rules = append(rules, fmt.Sprintf(`{"name": %q, "match": {"paths": [{"prefix": "/%s"}]}, "cors": %s}`, name, name, v.policy(name)))
	}
	return fmt.Sprintf(`{"cors": %s, "rules": [%s]}`, v.policy(corpus.DefaultRule), strings.Join(rules, ", "))
}

func (v version) policy(rule string) string {
	return fmt.Sprintf(`{"allowOrigins": [%q], "allowMethods": ["V%d"], "allowHeaders": [%q], "exposeHeaders": ["x-%[4]s-%[2]d"], "maxAge": %[2]d}`,
		appOrigin, v, "x-"+rule, rule)
}

// granted returns what a request to path gets from the version, and the rule that decides.
func (v version) granted(path string, asks bool) (rule string, headers []corpus.Header) {
	rule = corpus.DefaultRule
	for _, name := range v.rules() {
		if path == "/"+name {
			rule = name
		}
	}
	headers = []corpus.Header{{"access-control-allow-origin", appOrigin}, {"access-control-expose-headers", fmt.Sprintf("x-%s-%d", rule, v)}}
	if !asks {
		return rule, append(headers, varyOrigin)
	}
	return rule, append(headers, varyPreflight,
		corpus.Header{"access-control-allow-methods", fmt.Sprintf("V%d", v)},
		corpus.Header{"access-control-allow-headers", "x-" + rule},
		corpus.Header{"access-control-max-age", fmt.Sprint(int(v))})
}

// updater sends requests while versions follow one another, and keeps account of them.
type updater struct {
	addr string
	// versions is one more than the last version.
	versions version

	mu   sync.Mutex
	want tally
}

// exchange sends a request to path and returns the version that answered it. The answer must be wholly of one version.
func (u *updater) exchange(path string, asks bool) (version, error) {
	return u.exchangeBy(func(r corpus.Request) (wire.Response, error) { return wire.H1(u.addr, r) }, path, asks)
}

// exchangeBy does the same by a connection that is there, with these headers too.
func (u *updater) exchangeBy(do func(corpus.Request) (wire.Response, error), path string, asks bool, more ...corpus.Header) (version, error) {
	r := corpus.Request{Path: path, Headers: append([]corpus.Header{originHeader(appOrigin)}, more...)}
	kind, decision, reason := "actual", "allowed", "origin_allowed"
	if asks {
		r.Method = "OPTIONS"
		r.Headers = append(r.Headers, corpus.Header{"access-control-request-method", "OTHER"})
		kind, decision, reason = "preflight", "refused", "method_not_allowed"
	}
	got, err := do(r)
	if err != nil {
		return 0, err
	}
	for v := range u.versions {
		if rule, headers := v.granted(path, asks); compareOwned(got.Headers, headers) == nil {
			u.mu.Lock()
			defer u.mu.Unlock()
			u.want.add(corpus.Want{Rule: rule, Kind: kind, Decision: decision, Reason: reason})
			return v, nil
		}
	}
	return 0, fmt.Errorf("%s: status %d, and headers of no version:\n%s", path, got.Status, lines(got.Headers))
}

// load sends requests of all kinds until stop is called, which returns how many there were.
func (u *updater) load(t *testing.T) (stop func() int) {
	var wg sync.WaitGroup
	done, sent := make(chan struct{}), make([]int, 4)
	for worker := range sent {
		wg.Go(func() {
			for n := worker; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if _, err := u.exchange([]string{"/extra", "/kept", "/"}[n%3], n%2 == 0); err != nil {
					t.Error(err)
					return
				}
				sent[worker]++
			}
		})
	}
	stop = sync.OnceValue(func() (total int) {
		close(done)
		wg.Wait()
		for _, n := range sent {
			total += n
		}
		return total
	})
	t.Cleanup(func() { stop() }) // a test that gives up leaves no sender behind
	return stop
}

// await waits until a version is in force.
func (u *updater) await(t *testing.T, want version) {
	t.Helper()
	until(t, updateLimit, func() error {
		got, err := u.exchange("/extra", false)
		if err == nil && got != want {
			err = fmt.Errorf("version %d answers, not %d", got, want)
		}
		return err
	})
}

// connect returns a connection by which a version answers. It stays with its worker, while another worker may still have the version before.
func (u *updater) connect(t *testing.T, want version) *wire.H1Conn {
	t.Helper()
	var conn *wire.H1Conn
	until(t, updateLimit, func() error {
		c, err := wire.DialH1(u.addr)
		if err != nil {
			return err
		}
		got, err := u.exchangeBy(c.Do, "/extra", false)
		if err == nil && got != want {
			err = fmt.Errorf("version %d answers, not %d", got, want)
		}
		if err != nil {
			return errors.Join(err, c.Close())
		}
		conn = c
		return nil
	})
	t.Cleanup(func() { conn.Close() })
	return conn
}

// begin sends a request to /extra that the upstream holds, under a version, and returns when it has got there. Finish lets it go and returns the version that answered it.
func (u *updater) begin(t *testing.T, under version, id string) (finish func() (version, error)) {
	t.Helper()
	client := u.connect(t, under)
	arrived, release := make(chan struct{}), make(chan struct{})
	backend.On(id, upstream.Answer{Raw: func(conn net.Conn) {
		defer conn.Close()
		close(arrived)
		<-release
		// Envoy must not take the connection, which closes now, for one to reuse. The client misses what does not get out.
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
	}})
	var answered version
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answered, err = u.exchangeBy(client.Do, "/extra", false, corpus.Header{upstream.CaseHeader, id})
	}()
	select {
	case <-arrived:
	case <-ended:
		t.Fatalf("version %d answered, and the upstream did not see the request (%v)", answered, err)
	}
	return func() (version, error) {
		close(release)
		<-ended
		return answered, err
	}
}

// TestRulesUpdate adds a rule before another and removes it again, over and over, while requests run. Each is answered whole by one version, one that is under
// way by the version that it began with. The counters, of rules that have gone too, are the sum of all.
func TestRulesUpdate(t *testing.T) {
	t.Parallel()
	const versions = 6
	g := startGateway(t, "--concurrency", "2")
	want := tally{}
	for _, way := range updateWays {
		t.Run(way.name, func(t *testing.T) {
			way.apply(t, g, version(0).config())
			u := &updater{addr: g.Addr(way.name), versions: versions, want: want}
			u.await(t, 0)
			stop := u.load(t)
			for v := version(1); v < versions; v++ {
				finish := u.begin(t, v-1, fmt.Sprintf("%s-%d", t.Name(), v))
				way.apply(t, g, v.config())
				u.await(t, v)
				if got, err := finish(); err != nil || got != v-1 {
					t.Errorf("a request that began under version %d was answered by %d (%v)", v-1, got, err)
				}
			}
			t.Logf("%d requests", stop())
		})
	}
	want.compare(t, g)
}

// TestLargeAndSmallPoliciesInTurn updates one VM to and fro between a policy of many origins and a policy of one. The heap that the large one leaves behind makes
// the language's runtime busy, which has killed VMs of hosts that do not let it wait.
func TestLargeAndSmallPoliciesInTurn(t *testing.T) {
	t.Parallel()
	const origins, turns = 30_000, 4
	var all strings.Builder
	for n := range origins {
		fmt.Fprintf(&all, `"https://store-%06d.example.net",`, n)
	}
	g := startGateway(t, "--concurrency", "1")
	way := updateWays[0]
	for n := range turns {
		small, smallFrom := policyFor(n)
		way.apply(t, g, small)
		until(t, updateLimit, func() error { return grants(g.Addr(way.name), smallFrom) })
		for range 200 {
			if err := grants(g.Addr(way.name), smallFrom); err != nil {
				t.Fatal(err)
			}
		}
		const largeFrom = "https://large.example.com"
		way.apply(t, g, `{"cors": {"allowOrigins": [`+all.String()+fmt.Sprintf(`"https://turn-%d.example.com", %q]}}`, n, largeFrom))
		until(t, updateLimit, func() error { return grants(g.Addr(way.name), largeFrom) })
	}
}
