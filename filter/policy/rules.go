package policy

// Rules is a compiled Spec: which policy is for which request. It is immutable: any number of goroutines may use it at once.
type Rules struct {
	_ [0]func() // not comparable

	table *table // nil without rules
	named []chosen
	// last is the default.
	last chosen
	// all is the strictness of all policies.
	all strictness
	// fetchMetadata: some policy asks for the Sec-Fetch headers.
	fetchMetadata bool
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
	r := &Rules{last: chosen{name: DefaultRule}, all: leastStrict}
	p, err := compile(s.CORS)
	if err != nil {
		return nil, err
	}
	p.plan, p.fetchMetadata, p.mode = newHeaderPlan(s.Isolation, s.SecurityHeaders), s.FetchMetadata, s.Mode
	var known []*Policy // of each class, one
	r.add(&r.last, p, &known)
	r.named = make([]chosen, len(s.Rules))
	strict := make([]strictness, len(s.Rules))
	for i := range s.Rules {
		rule, c := &s.Rules[i], &r.named[i]
		if err := r.compile(c, rule, s, &known); err != nil {
			return nil, err
		}
		c.name = rule.Name
		strict[i] = c.policy.strictness()
	}
	if len(s.Rules) == 0 {
		return r, nil
	}
	var ok bool
	if r.table, ok = newTable(s.Rules, strict); !ok {
		return nil, ErrTooManyRules
	}
	return r, nil
}

// compile makes the policy of a rule: its own blocks, and those of s that it does not have. A rule without any shares the default's.
func (r *Rules) compile(c *chosen, rule *Rule, s *Spec, known *[]*Policy) error {
	if !rule.OwnCORS && !rule.OwnIsolation && !rule.OwnSecurityHeaders && !rule.OwnFetchMetadata && !rule.OwnMode {
		c.policy, c.closed = r.last.policy, r.last.closed
		return nil
	}
	p := &Policy{}
	*p = *r.last.policy
	if rule.OwnCORS {
		own, err := compile(rule.CORS)
		if err != nil {
			return err
		}
		own.plan, own.fetchMetadata, own.mode = p.plan, p.fetchMetadata, p.mode
		p = own
	}
	if rule.OwnIsolation || rule.OwnSecurityHeaders {
		isolation, security := s.Isolation, s.SecurityHeaders
		if rule.OwnIsolation {
			isolation = rule.Isolation
		}
		if rule.OwnSecurityHeaders {
			security = rule.SecurityHeaders
		}
		p.plan = newHeaderPlan(isolation, security)
	}
	if rule.OwnFetchMetadata {
		p.fetchMetadata = rule.FetchMetadata
	}
	if rule.OwnMode {
		p.mode = rule.Mode
	}
	r.add(c, p, known)
	return nil
}

// add completes p, the policy of c, once its blocks are set.
func (r *Rules) add(c *chosen, p *Policy, known *[]*Policy) {
	p.class = len(*known)
	for i, q := range *known {
		if p.plan.equal(q.plan) && p.fetchMetadata == q.fetchMetadata {
			p.class = i
			break
		}
	}
	if p.class == len(*known) && p.class < maxClasses {
		*known = append(*known, p)
	}
	p.setVary()
	c.policy, c.closed = p, p.closedTwin()
	r.all = r.all.joined(p.strictness())
	r.fetchMetadata = r.fetchMetadata || p.fetchMetadata.On
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

// AreOff reports whether no request is decided at all.
func (r *Rules) AreOff() bool { return r.all.isOff() }

// AskFetchMetadata reports whether a decision may need the Sec-Fetch headers.
func (r *Rules) AskFetchMetadata() bool { return r.fetchMetadata }

// MayDeny reports whether requests may be answered with 403.
func (r *Rules) MayDeny() bool {
	return r.fetchMetadata || r.all.marks&(deniesPreflights|deniesOrigins|deniesMissing) != 0 || r.all.marks.isMixed()
}

// AskHeaders reports whether Pick needs the authority or the path of a request.
func (r *Rules) AskHeaders() bool { return r.table != nil && (r.table.asksHost || r.table.asksPath) }

// AskRoute reports whether Pick needs the route of a request.
func (r *Rules) AskRoute() bool { return r.table != nil && r.table.asksRoute }

// Default returns the number and the policy of the default rule.
func (r *Rules) Default() (int, *Policy) { return len(r.named), r.last.policy }

// Unasked returns the rule that decides before anything is known of a request: the default one, or where rules ask for nothing, the one that matches all requests, such as
// one for the path prefix "/".
func (r *Rules) Unasked() (int, *Policy) {
	if r.AskHeaders() || r.AskRoute() {
		return r.Default()
	}
	return r.Pick(&Target{})
}

// Closed returns a policy that refuses what rule i may grant, and is as strict as any: for when it is not known which rule is to decide.
func (r *Rules) Closed(i int) *Policy { return r.at(i).closed.strict(r.all) }

// Pick returns the number of the first rule that matches q, that of the default rule if none does, and the policy that counts. Where the path can be read in two
// ways that lead to different rules, that is one which grants nothing, and is as strict as either of them. It allocates only for paths that are not canonical.
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
		if s, alike := r.readAgain(&l, &got); !alike {
			return rule, r.at(rule).closed.strict(s)
		}
	}
	return rule, r.at(rule).policy
}

// number returns the number of a rule that a table gave.
func (r *Rules) number(rule int32) int { return min(int(rule), len(r.named)) }

// readAgain reports whether all readings of the path lead to the rule that was found for the path as it came. If not, it returns how strict those rules are for which
// the path may be.
func (r *Rules) readAgain(l *lookup, got *finding) (strictness, bool) {
	unclear := func() (strictness, bool) {
		return r.table.strictnessOf(l.host).joined(r.last.policy.strictness()), false
	}
	switch {
	case got.unclear:
		return unclear()
	case isCanonicalPath(l.path), l.path == "", l.path[0] != '/':
		return strictness{}, true
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
		return r.at(r.number(got.rule)).policy.strictness().joined(r.at(r.number(again.rule)).policy.strictness()), false
	}
	return strictness{}, true
}
