package filter

import "corsguard/filter/policy"

// counters counts outcomes. The host is told at ticks: until then counts are numbers in the VM.
type counters struct {
	_ [0]func() // not comparable: nothing compares counters, so nothing is linked for it

	defined bool
	metrics [policy.NumOutcomes]metric
	pending [policy.NumOutcomes]uint64
	panics  metric
	// pendingPanics counts callbacks that a panic ended.
	pendingPanics uint64
}

// define creates the metrics, once for a VM. Their number does not depend on traffic.
func (c *counters) define(rule string) bool {
	if c.defined {
		return true
	}
	ok := true
	for i := range c.metrics {
		o := policy.Outcome(i)
		if !o.IsPossible() {
			continue
		}
		kind, reason := o.Split()
		c.metrics[i] = defineCounter(&ok, "corsguard.rule."+rule+".kind."+kind.String()+
			".decision."+reason.Verdict().String()+".reason."+reason.String())
	}
	c.panics = defineCounter(&ok, "corsguard.panics")
	c.defined = ok
	return ok
}

func (c *counters) count(o policy.Outcome) { c.pending[o]++ }

func (c *counters) flush() {
	for i, n := range c.pending {
		if n > 0 {
			c.metrics[i].increment(n)
			c.pending[i] = 0
		}
	}
	if c.pendingPanics > 0 {
		c.panics.increment(c.pendingPanics)
		c.pendingPanics = 0
	}
}
