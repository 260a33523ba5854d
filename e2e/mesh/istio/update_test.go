package istio_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// mistaken is the WasmPlugin with a mistake in its policy, which says where in Envoy's log.
func mistaken(t *testing.T) (o cluster.Object, says string) {
	t.Helper()
	o = local(t)
	policyOf(o)["cors"].(cluster.Object)["allowOrigins"] = []any{"https://Shop.example.com"}
	return o, `config error: cors.allowOrigins[0]: "https://Shop.example.com"`
}

// withMaxAge is the WasmPlugin with another policy, and the answer to a preflight under it.
func withMaxAge(o cluster.Object, seconds string, n int) (cluster.Object, []corpus.Header) {
	policyOf(o)["cors"].(cluster.Object)["maxAge"] = n
	headers := append([]corpus.Header{}, preflightGranted...)
	for i := range headers {
		if headers[i][0] == "access-control-max-age" {
			headers[i][1] = seconds
		}
	}
	return o, headers
}

// traffic sends preflights, one after the other, until the returned function is called. That returns what was no answer under any of the policies.
func (m *mesh) traffic(allowed ...[]corpus.Header) (stop func() (sent int, wrong []error)) {
	var (
		done  = make(chan struct{})
		ended sync.WaitGroup
		sent  int
		wrong []error
	)
	ended.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			sent++
			got, err := wire.H1(m.gateway, preflight("/items", shop))
			for i := 0; err == nil && i < len(allowed); i++ {
				if err = compare(got, 204, allowed[i]); err == nil {
					break
				} else if i+1 < len(allowed) {
					err = nil
				}
			}
			if err != nil {
				wrong = append(wrong, err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	return func() (int, []error) {
		close(done)
		ended.Wait()
		return sent, wrong
	}
}

func TestAPolicyIsChangedUnderTraffic(t *testing.T) {
	m := startMesh(t, manifest(t, "gateway.yaml"), []cluster.Object{local(t)})
	proxy := m.envoy(t)
	m.until(t, preflight("/items", shop), 204, preflightGranted)
	changed, want := withMaxAge(local(t), "600", 600)
	stop := m.traffic(preflightGranted, want)

	bad, says := mistaken(t)
	m.apply(t, bad)
	m.pilot.Until(t, updateLimit, func() error { return logged(m.pilot.Log.String(), "ACK ERROR") })
	m.pilot.Until(t, updateLimit, func() error { return logged(proxy.Log.String(), says) })
	m.pilot.Until(t, updateLimit, func() error { return logged(scrape(t, m.metrics, "/metrics"), ecdsRejects+" 1\n") })
	t.Run("a policy with a mistake leaves the old one in force", func(t *testing.T) {
		for range 10 {
			m.check(t, preflight("/items", shop), 204, preflightGranted)
		}
	})

	m.apply(t, changed)
	m.until(t, preflight("/items", shop), 204, want)
	sent, wrong := stop()
	if len(wrong) > 0 || sent < 10 {
		t.Errorf("%d of %d answers are of neither policy, the first: %v", len(wrong), sent, append(wrong, nil)[0])
	}
	t.Logf("%d preflights while the policy changed", sent)
}

// An Envoy that starts has no old policy to keep.
func TestANewGatewayWithAMistakeInThePolicyAnswersEverythingWith500(t *testing.T) {
	bad, says := mistaken(t)
	m := startMesh(t, manifest(t, "gateway.yaml"), []cluster.Object{bad})
	proxy := m.envoy(t)
	m.until(t, preflight("/items", shop), 500, nil)
	m.check(t, request("GET", "/items", shop), 500, nil)
	m.check(t, request("GET", "/webhooks/bank", ""), 500, nil)
	m.pilot.Until(t, updateLimit, func() error { return logged(proxy.Log.String(), says) })
	if seen := m.backend.Seen(badCORS); len(seen) > 0 {
		t.Errorf("the upstream saw %+v", seen)
	}
	m.apply(t, local(t))
	m.until(t, preflight("/items", shop), 204, preflightGranted)
}

func TestAPolicyIsRolledOutWithShadow(t *testing.T) {
	of := func(mode any) cluster.Object {
		o := local(t)
		policyOf(o)["mode"] = mode
		return o
	}
	m := startMesh(t, manifest(t, "gateway.yaml"), []cluster.Object{of("shadow")})
	proxy := m.envoy(t)
	own := []corpus.Header{{"access-control-allow-credentials", "true"}, {"access-control-allow-origin", "*"}} // the upstream's
	throughUpstream := func(r corpus.Request) corpus.Request { return wire.With(r, upstream.CaseHeader, badCORS) }
	m.until(t, throughUpstream(preflight("/items", shop)), 200, own)
	m.check(t, request("GET", "/items", stranger), 200, own)
	counted := func(decision string) {
		t.Helper()
		name := "wasmcustom.corsguard.rule.default.kind.actual.decision." + decision + ".reason.origin_not_allowed"
		m.pilot.Until(t, updateLimit, func() error {
			stats, err := proxy.Admin.Stats(t.Context(), "^"+strings.ReplaceAll(name, ".", "\\.")+"$")
			if err == nil && stats[name] == 0 {
				err = fmt.Errorf("%s is 0", name)
			}
			return err
		})
	}
	counted("shadowed")

	// A share of requests: both answers come.
	m.apply(t, of(cluster.Object{"enforce": cluster.Object{"numerator": 50}}))
	m.until(t, throughUpstream(request("GET", "/items", stranger)), 200, notGranted)
	m.until(t, throughUpstream(request("GET", "/items", stranger)), 200, own)

	m.apply(t, of("enforce"))
	m.pilot.Until(t, updateLimit, func() error {
		for range 20 { // a share of one half would show
			got, err := wire.H1(m.gateway, throughUpstream(request("GET", "/items", stranger)))
			if err != nil {
				return err
			}
			if err := compare(got, 200, notGranted); err != nil {
				return err
			}
		}
		return nil
	})
	m.check(t, preflight("/items", shop), 204, preflightGranted)
	counted("refused")

	// And back.
	m.apply(t, of("off"))
	m.until(t, throughUpstream(preflight("/items", shop)), 200, own)
}
