package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/policy"
)

// counters counts outcomes. The host is told at ticks: until then counts are numbers in the VM.
type counters struct {
	defined bool
	metrics [policy.NumOutcomes]proxywasm.MetricCounter
	pending [policy.NumOutcomes]uint64
	panics  proxywasm.MetricCounter
	// pendingPanics counts callbacks that a panic ended.
	pendingPanics uint64
}

// define creates the metrics, once for a VM. Their number does not depend on traffic.
func (c *counters) define(rule string) (err error) {
	if c.defined {
		return nil
	}
	// The SDK panics where the host refuses a metric.
	defer func() {
		if recover() != nil {
			err = types.ErrorInternalFailure
		}
	}()
	for i := range c.metrics {
		o := policy.Outcome(i)
		if !o.IsPossible() {
			continue
		}
		kind, reason := o.Split()
		c.metrics[i] = proxywasm.DefineCounterMetric("corsguard.rule." + rule + ".kind." + kind.String() +
			".decision." + reason.Verdict().String() + ".reason." + reason.String())
	}
	c.panics = proxywasm.DefineCounterMetric("corsguard.panics")
	c.defined = true
	return nil
}

func (c *counters) count(o policy.Outcome) { c.pending[o]++ }

func (c *counters) flush() {
	for i, n := range c.pending {
		if n > 0 {
			c.metrics[i].Increment(n)
			c.pending[i] = 0
		}
	}
	if c.pendingPanics > 0 {
		c.panics.Increment(c.pendingPanics)
		c.pendingPanics = 0
	}
}
