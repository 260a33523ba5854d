package policy

import (
	"errors"
	"strconv"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

// Policy is a compiled cors block, or list of them. It is immutable: any number of goroutines may use it at once. Nothing that it returns may be changed.
type Policy struct {
	_ [0]func() // not comparable: nothing compares policies, so nothing is linked for it

	// off: there is no block. Requests and responses are left alone.
	off bool
	// closed: nothing is granted, since it is not clear which policy counts.
	closed bool

	origins origin.Set // gives indexes of groups
	groups  []group
	// anyOrigin: the one pattern is `*`, so no response depends on the Origin. Never with credentials.
	anyOrigin bool
	// null is the group that knows the null origin, -1 where none does.
	null int

	// What holds for all groups, and for the origins that none knows.
	preflightStatus     int
	onRefusedPreflight  RefusedPreflight
	onRefusedOrigin     OnRefused
	onMissingOrigin     OnRefused
	keepUpstreamHeaders bool
}

// group is what a group of origins gets.
type group struct {
	_ [0]func() // not comparable

	any            bool // the one pattern is `*`; never with credentials
	credentials    bool
	privateNetwork bool
	timing         bool

	anyMethod bool
	methods   []string // as browsers send them
	headers   headerSet

	// Header values as they go out, "" for a header that does not.
	methodsValue, headersValue, exposeValue, maxAgeValue string
}

// Errors of Compile: grants that no policy may make, whatever a configuration says.
var (
	ErrAnyOriginWithCredentials = errors.New("policy: any origin, with credentials")
	ErrNullWithCredentials      = errors.New("policy: the null origin, with credentials")
	ErrNoOrigins                = errors.New("policy: no origin is allowed")
	ErrMixedAnyOrigin           = errors.New("policy: any origin, beside other patterns")
	ErrTooManyRules             = errors.New("policy: the rules do not fit into a table")
)

// offPolicy is that of requests for which there is none.
var offPolicy = Policy{off: true}

// compile makes the policy of groups. Package config has checked them and reports mistakes by their place; what is refused on top of that guards
// against a Spec that did not come from there.
func compile(groups []CORS) (*Policy, error) {
	if len(groups) == 0 {
		return &offPolicy, nil
	}
	shared := &groups[0]
	p := &Policy{
		groups:              make([]group, len(groups)),
		null:                -1,
		preflightStatus:     shared.PreflightStatus,
		onRefusedPreflight:  shared.OnRefusedPreflight,
		onRefusedOrigin:     shared.OnRefusedOrigin,
		onMissingOrigin:     shared.OnMissingOrigin,
		keepUpstreamHeaders: shared.UpstreamHeaders == Keep,
	}
	for i := range groups {
		c, g := &groups[i], &p.groups[i]
		if err := g.compile(c); err != nil {
			return nil, err
		}
		p.origins.AddList(&c.AllowOrigins, int32(i))
		if p.null < 0 && (c.AllowNull || g.any) {
			p.null = i
		}
	}
	p.anyOrigin = len(groups) == 1 && p.groups[0].any
	return p, nil
}

func (g *group) compile(c *CORS) error {
	*g = group{
		credentials:    c.AllowCredentials,
		privateNetwork: c.AllowPrivateNetwork,
		timing:         c.TimingAllowOrigin,
		headers:        newHeaderSet(c.AllowHeaders),
		methodsValue:   list(c.AllowMethods),
		headersValue:   list(c.AllowHeaders),
		exposeValue:    list(c.ExposeHeaders),
	}
	if c.AllowOrigins.Len() == 0 && !c.AllowNull {
		return ErrNoOrigins
	}
	if c.AllowNull && c.AllowCredentials {
		return ErrNullWithCredentials
	}
	for i := range c.AllowOrigins.Patterns {
		switch c.AllowOrigins.Patterns[i].Kind {
		case origin.Any:
			g.any = true
			fallthrough
		case origin.AnyHost:
			if c.AllowCredentials {
				return ErrAnyOriginWithCredentials
			}
		}
	}
	if g.any && c.AllowOrigins.Len() > 1 {
		return ErrMixedAnyOrigin
	}
	for _, m := range c.AllowMethods {
		g.anyMethod = g.anyMethod || m == fetch.Wildcard
		g.methods = append(g.methods, m)
	}
	if c.MaxAge != MaxAgeUnset {
		g.maxAgeValue = strconv.Itoa(c.MaxAge)
	}
	return nil
}

// closedTwin returns the policy that refuses what p may grant.
func (p *Policy) closedTwin() *Policy {
	twin := &Policy{
		closed:             true,
		null:               -1,
		preflightStatus:    p.preflightStatus,
		onRefusedPreflight: p.onRefusedPreflight,
		onRefusedOrigin:    p.onRefusedOrigin,
		onMissingOrigin:    p.onMissingOrigin,
	}
	if p.off {
		twin.preflightStatus = DefaultPreflightStatus
	}
	return twin
}

// DefaultPreflightStatus is that of a policy that says nothing of it.
const DefaultPreflightStatus = 204

// denials are the requests that a policy denies with 403.
type denials uint8

const (
	denialPreflight denials = 1 << iota
	denialOrigin
	denialMissing
)

func (p *Policy) denials() denials {
	var d denials
	if p.onRefusedPreflight == DenyPreflight {
		d |= denialPreflight
	}
	if p.onRefusedOrigin == Deny {
		d |= denialOrigin
	}
	if p.onMissingOrigin == Deny {
		d |= denialMissing
	}
	return d
}

// denying returns p, which is closed, with the denials of d too.
func (p *Policy) denying(d denials) *Policy {
	if have := p.denials(); have|d == have {
		return p
	}
	stricter := *p
	if d&denialPreflight != 0 {
		stricter.onRefusedPreflight = DenyPreflight
	}
	if d&denialOrigin != 0 {
		stricter.onRefusedOrigin = Deny
	}
	if d&denialMissing != 0 {
		stricter.onMissingOrigin = Deny
	}
	return &stricter
}

// LeavesResponses reports whether nothing is done about responses.
func (p *Policy) LeavesResponses() bool { return p.off }

// list returns elements as the value of a header.
//
//go:noinline
func list(elements []string) string {
	var b []byte
	for i, e := range elements {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, e...)
	}
	return string(b)
}

// echoes reports whether `*` in a list must be answered by what was asked: with credentials browsers take `*` to the letter.
func (g *group) echoes() bool { return g.credentials }
