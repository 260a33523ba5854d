package filter

import "corsguard/filter/policy"

// counters counts outcomes, by rule. The host is told at ticks: until then counts are numbers in the VM.
type counters struct {
	_ [0]func() // not comparable: nothing compares counters, so nothing is linked for it

	rules map[string]*ruleCounters
	// changed lists the rules that have something to tell.
	changed []*ruleCounters
	panics  metric
	// pendingPanics counts callbacks that a panic ended.
	pendingPanics uint64
}

// ruleCounters are those of one rule. Plugins of a VM that have rules of the same name share them.
type ruleCounters struct {
	_ [0]func() // not comparable

	name    string
	changed bool
	defined [policy.NumOutcomes]bool
	metrics [policy.NumOutcomes]metric
	pending [policy.NumOutcomes]uint64
}

// define creates the metrics of the default rule as far as p, its policy, can have them, and reports whether the host took them. Those of other rules are created when they first
// count: a thousand rules have tens of thousands of them. Their number depends on the configuration and not on traffic.
func (c *counters) define(p *policy.Policy) bool {
	if c.rules == nil {
		ok := true
		if c.panics = defineCounter(&ok, "corsguard.panics"); !ok {
			return false
		}
		c.rules = map[string]*ruleCounters{}
	}
	r := c.of(policy.DefaultRule)
	for i := range r.metrics {
		if o := policy.Outcome(i); !r.defined[i] && p.MayHave(o) && !r.define(o) {
			return false
		}
	}
	return true
}

// of returns the counters of a rule.
func (c *counters) of(rule string) *ruleCounters {
	r := c.rules[rule]
	if r == nil {
		r = &ruleCounters{name: rule}
		c.rules[rule] = r
	}
	return r
}

// define creates the metric of an outcome, and reports whether the host took it.
func (r *ruleCounters) define(o policy.Outcome) bool {
	kind, reason := o.Split()
	ok := true
	r.metrics[o] = defineCounter(&ok, "corsguard.rule."+r.name+".kind."+kind.String()+
		".decision."+o.Verdict().String()+".reason."+reason.String())
	r.defined[o] = ok
	return ok
}

func (c *counters) count(r *ruleCounters, o policy.Outcome) {
	r.pending[o]++
	if !r.changed {
		r.changed = true
		c.changed = append(c.changed, r)
	}
}

func (c *counters) flush() {
	for _, r := range c.changed {
		r.flush()
	}
	c.changed = c.changed[:0]
	if c.pendingPanics > 0 {
		c.panics.increment(c.pendingPanics)
		c.pendingPanics = 0
	}
}

func (r *ruleCounters) flush() {
	r.changed = false
	for i, n := range r.pending {
		if n == 0 {
			continue
		}
		// What the host does not take now is kept for the next count.
		if r.defined[i] || r.define(policy.Outcome(i)) {
			r.metrics[i].increment(n)
			r.pending[i] = 0
		}
	}
}
