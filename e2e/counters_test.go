package e2e_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
)

// countersLimit bounds the wait for the plugin's counters, which it hands to Envoy once a second.
const countersLimit = time.Minute

// anyRefusal is the wanted reason of a case that leaves open which of the two it is.
const anyRefusal = "refused_any"

var refusalsOfAny = []string{"origin_malformed", "origin_not_allowed"}

// tally counts outcomes, by what counterName gives.
type tally map[string]int64

func counterName(rule, kind, decision, reason string) string {
	return fmt.Sprintf("wasmcustom.corsguard.rule.%s.kind.%s.decision.%s.reason.%s", rule, kind, decision, reason)
}

func (n tally) add(w corpus.Want) {
	for _, o := range w.Outcomes() {
		n[counterName(o.Rule, o.Kind, o.Decision, o.Reason)]++
	}
}

// compare waits until the counters of an Envoy are exactly n.
func (n tally) compare(t *testing.T, g *envoy.Gateway) {
	t.Helper()
	until(t, countersLimit, func() error {
		stats, err := g.Admin.Stats(t.Context(), `^wasmcustom\.corsguard\.rule\.`)
		if err != nil {
			return err
		}
		return n.diff(stats)
	})
}

// diff compares n with got. An outcome of anyRefusal takes one from either of the counters that it may have gone to.
func (n tally) diff(got map[string]int64) error {
	left := tally{}
	for name, count := range got {
		left[name] += count
	}
	open := tally{}
	for name, count := range n {
		if prefix, ok := strings.CutSuffix(name, anyRefusal); ok {
			open[prefix] += count
			continue
		}
		left[name] -= count
	}
	var errs []error
	for prefix, count := range open {
		for _, reason := range refusalsOfAny {
			taken := min(count, max(0, left[prefix+reason]))
			left[prefix+reason] -= taken
			count -= taken
		}
		if count > 0 {
			errs = append(errs, fmt.Errorf("%s%s: %d too few", prefix, anyRefusal, count))
		}
	}
	for name, count := range left {
		if count != 0 {
			errs = append(errs, fmt.Errorf("%s: off by %+d", name, count))
		}
	}
	return errors.Join(errs...)
}

// TestTally holds that a count that is off is seen, and what "refused_any" leaves open.
func TestTally(t *testing.T) {
	refused := func(reason string) corpus.Want {
		return corpus.Want{Rule: "a", Kind: "actual", Decision: "refused", Reason: reason}
	}
	want := tally{}
	want.add(refused("origin_malformed"))
	want.add(refused(anyRefusal))
	want.add(refused(anyRefusal))
	malformed, notAllowed := counterName("a", "actual", "refused", "origin_malformed"), counterName("a", "actual", "refused", "origin_not_allowed")
	other, otherRule := counterName("a", "actual", "allowed", "origin_allowed"), counterName("b", "actual", "refused", "origin_malformed")
	for _, c := range []struct {
		got  map[string]int64
		fits bool
	}{
		{map[string]int64{malformed: 3}, true},
		{map[string]int64{malformed: 2, notAllowed: 1}, true},
		{map[string]int64{malformed: 1, notAllowed: 2, other: 0}, true},
		{map[string]int64{notAllowed: 3}, false},
		{map[string]int64{malformed: 2}, false},
		{map[string]int64{malformed: 4}, false},
		{map[string]int64{malformed: 3, other: 1}, false},
		{map[string]int64{malformed: 2, otherRule: 1}, false},
		{map[string]int64{malformed: 3, otherRule: 1}, false},
		{nil, false},
	} {
		if err := want.diff(c.got); (err == nil) != c.fits {
			t.Errorf("%v: %v", c.got, err)
		}
	}
}
