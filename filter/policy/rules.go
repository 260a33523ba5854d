package policy

// Rules is a compiled Spec: which policy is for which request. It is immutable: any number of goroutines may use it at once.
type Rules struct {
	_ [0]func() // not comparable

	table *table // nil without rules
	named []chosen
	// last is the default.
	last chosen
}

type chosen struct {
	_ [0]func() // not comparable

	name           string
	policy, closed *Policy
}

// Target is what rules may ask of a request. What it has not is "".
type Target struct {
	Authority string
	Path      string // with the query
	Route     string // the name of its Envoy route
}

// Compile compiles s, which package config has checked. The errors are those of policies that nobody may have.
func Compile(s *Spec) (*Rules, error) {
	r := &Rules{last: chosen{name: DefaultRule}}
	if err := r.last.compile(s.CORS); err != nil {
		return nil, err
	}
	if len(s.Rules) == 0 {
		return r, nil
	}
	r.named = make([]chosen, len(s.Rules))
	for i := range s.Rules {
		rule, c := &s.Rules[i], &r.named[i]
		c.policy, c.closed = r.last.policy, r.last.closed
		if rule.OwnCORS {
			if err := c.compile(rule.CORS); err != nil {
				return nil, err
			}
		}
		c.name = rule.Name
	}
	r.table = newTable(s.Rules)
	return r, nil
}

func (c *chosen) compile(groups []CORS) error {
	var err error
	if c.policy, err = compile(groups); err == nil {
		c.closed = c.policy.closedTwin()
	}
	return err
}

// Len returns how many rules there are, the default one, which is the last, included.
func (r *Rules) Len() int { return len(r.named) + 1 }

// Name returns the name of rule i.
func (r *Rules) Name(i int) string { return r.at(i).name }

func (r *Rules) at(i int) *chosen {
	if i < len(r.named) {
		return &r.named[i]
	}
	return &r.last
}

// AskHeaders reports whether Pick needs the authority or the path of a request.
func (r *Rules) AskHeaders() bool { return r.table != nil && (r.table.asksHost || r.table.asksPath) }

// AskRoute reports whether Pick needs the route of a request.
func (r *Rules) AskRoute() bool { return r.table != nil && r.table.asksRoute }

// Default returns the number and the policy of the default rule.
func (r *Rules) Default() (int, *Policy) { return len(r.named), r.last.policy }

// Closed returns a policy that refuses what rule i may grant.
func (r *Rules) Closed(i int) *Policy { return r.at(i).closed }

// Pick returns the number of the first rule that matches q, that of the default rule if none does, and the policy that counts. Where the path can be read in two
// ways that lead to different rules, that is one which grants nothing. It allocates only for paths that are not canonical.
func (r *Rules) Pick(q *Target) (int, *Policy) {
	if r.table == nil {
		return r.Default()
	}
	l := lookup{path: withoutQuery(q.Path), route: q.Route}
	if r.table.asksHost {
		l.host = hostOf(q.Authority)
	}
	got := r.table.find(&l)
	rule := min(int(got.rule), len(r.named))
	if got.unclear || got.pathCounts && !r.readsAlike(&l, got.rule) {
		return rule, r.at(rule).closed
	}
	return rule, r.at(rule).policy
}

// readsAlike reports whether the canonical reading of the path leads to rule too.
func (r *Rules) readsAlike(l *lookup, rule int32) bool {
	if isCanonicalPath(l.path) || l.path == "" || l.path[0] != '/' {
		return true
	}
	path, isClear := CanonicalPath(l.path)
	if !isClear {
		return false
	}
	again := r.table.find(&lookup{host: l.host, path: path, route: l.route})
	return again.rule == rule && !again.unclear
}
