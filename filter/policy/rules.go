package policy

// Rules is a compiled Spec: which policy is for which request. It is immutable: any number of goroutines may use it at once.
type Rules struct {
	_ [0]func() // not comparable

	table *table // nil without rules
	named []chosen
	// last is the default.
	last   chosen
	denied denials // by any rule
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
	denied := make([]denials, len(r.named))
	for i := range r.named {
		denied[i] = r.named[i].policy.denials()
		r.denied |= denied[i]
	}
	var ok bool
	if r.table, ok = newTable(s.Rules, denied); !ok {
		return nil, ErrTooManyRules
	}
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

// Closed returns a policy that refuses what rule i may grant, and denies what any rule denies: for when it is not known which rule is to decide.
func (r *Rules) Closed(i int) *Policy {
	return r.at(i).closed.denying(r.denied | r.last.policy.denials())
}

// Pick returns the number of the first rule that matches q, that of the default rule if none does, and the policy that counts. Where the path can be read in two
// ways that lead to different rules, that is one which grants nothing, and denies what either of them denies. It allocates only for paths that are not canonical.
func (r *Rules) Pick(q *Target) (int, *Policy) {
	if r.table == nil {
		return r.Default()
	}
	l := lookup{path: withoutQuery(q.Path), route: q.Route}
	if r.table.asksHost {
		l.host = hostOf(q.Authority)
	}
	got := r.table.find(&l)
	rule := r.number(got.rule)
	if got.pathCounts {
		if d, alike := r.readAgain(&l, &got); !alike {
			return rule, r.at(rule).closed.denying(d)
		}
	}
	return rule, r.at(rule).policy
}

// number returns the number of a rule that a table gave.
func (r *Rules) number(rule int32) int { return min(int(rule), len(r.named)) }

// readAgain reports whether all readings of the path lead to the rule that was found for the path as it came. If not, it returns what is denied by those rules for which
// the path may be.
func (r *Rules) readAgain(l *lookup, got *finding) (denials, bool) {
	unclear := func() (denials, bool) { return r.table.denialsOf(l.host) | r.last.policy.denials(), false }
	switch {
	case got.unclear:
		return unclear()
	case isCanonicalPath(l.path), l.path == "", l.path[0] != '/':
		return 0, true
	}
	path, isClear, did := undo(l.path)
	again := r.table.find(&lookup{host: l.host, path: path, route: l.route})
	if !isClear || again.unclear || did&(did-1) != 0 && (got.regexes || again.regexes) {
		return unclear()
	}
	if before, cut := beforeDelimiter(path); cut && again.rule == got.rule {
		again = r.table.find(&lookup{host: l.host, path: before, route: l.route})
	}
	if again.rule != got.rule || again.unclear {
		return r.at(r.number(got.rule)).policy.denials() | r.at(r.number(again.rule)).policy.denials(), false
	}
	return 0, true
}
