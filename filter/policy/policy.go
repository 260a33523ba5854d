package policy

import (
	"errors"
	"strconv"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

// Policy is what holds for a request: a compiled cors block, or list of them, and the other blocks. It is immutable: any number of goroutines may use it at once. Nothing that it returns may be changed.
type Policy struct {
	_ [0]func() // not comparable: nothing compares policies, so nothing is linked for it

	// off: there is no cors block. The CORS headers of responses are left alone.
	off bool
	// closed: nothing is granted, since it is not clear which policy counts. mixed: nor is it clear what to set on a response, so that requests are denied.
	closed, mixed bool

	origins origin.Set // gives indexes of groups
	groups  []group
	// anyOrigin: the one pattern is `*`, so no response depends on the Origin. Never with credentials.
	anyOrigin bool
	// null is the group that knows the null origin, -1 where none does.
	null int
	// fetches: some group has a source.
	fetches bool

	// What holds for all groups, and for the origins that none knows.
	preflightStatus     int
	onRefusedPreflight  RefusedPreflight
	onRefusedOrigin     OnRefused
	onMissingOrigin     OnRefused
	keepUpstreamHeaders bool

	plan          *headerPlan // nil where nothing is set
	fetchMetadata FetchMetadata
	mode          Mode
	// class stands for the plan and the resource isolation policy: policies of equal ones have the same.
	class int

	// What responses say that they depend on, other than answers to preflights: those that are passed on, and denials.
	actualVary, deniedVary VaryOn
}

// group is what a group of origins gets.
type group struct {
	_ [0]func() // not comparable

	any            bool // the one pattern is `*`; never with credentials
	source         int  // as in CORS
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

// compile makes the policy of groups, without the other blocks. Package config has checked them and reports mistakes by their place; what is refused on top of that guards
// against a Spec that did not come from there.
func compile(groups []CORS) (*Policy, error) {
	if len(groups) == 0 {
		return &Policy{off: true, preflightStatus: DefaultPreflightStatus}, nil
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
		p.fetches = p.fetches || g.source > 0
	}
	p.anyOrigin = len(groups) == 1 && p.groups[0].any
	p.setVary()
	return p, nil
}

// setVary fills in what responses depend on.
func (p *Policy) setVary() {
	p.actualVary, p.deniedVary = VaryOrigin, VaryOrigin
	if p.fetchMetadata.On && !p.fetchMetadata.Report {
		p.actualVary, p.deniedVary = VaryOriginAndFetchMetadata, VaryOriginAndFetchMetadata
		if p.off {
			p.actualVary, p.deniedVary = VaryFetchMetadata, VaryFetchMetadata
		}
	} else if p.off {
		p.actualVary = VaryNothing
	}
	if p.anyOrigin {
		// All responses are alike, and no request is asked where it comes from.
		p.actualVary, p.deniedVary = VaryNothing, VaryOrigin
	}
}

func (g *group) compile(c *CORS) error {
	*g = group{
		source:         c.Source,
		credentials:    c.AllowCredentials,
		privateNetwork: c.AllowPrivateNetwork,
		timing:         c.TimingAllowOrigin,
		headers:        newHeaderSet(c.AllowHeaders),
		methodsValue:   list(c.AllowMethods),
		headersValue:   list(c.AllowHeaders),
		exposeValue:    list(c.ExposeHeaders),
	}
	if c.AllowOrigins.Len() == 0 && !c.AllowNull && c.Source == 0 {
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
	if g.any && (c.AllowOrigins.Len() > 1 || c.Source != 0) {
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

// IsAnyOrigin reports whether c allows any origin by `*`.
func IsAnyOrigin(c *CORS) bool {
	return len(c.AllowOrigins.Patterns) == 1 && c.AllowOrigins.Patterns[0].Kind == origin.Any
}

// closedTwin returns the policy that refuses what p may grant. Where p has no cors block, there is nothing that it grants.
func (p *Policy) closedTwin() *Policy {
	twin := &Policy{
		off:                p.off,
		closed:             true,
		null:               -1,
		preflightStatus:    p.preflightStatus,
		onRefusedPreflight: p.onRefusedPreflight,
		onRefusedOrigin:    p.onRefusedOrigin,
		onMissingOrigin:    p.onMissingOrigin,
		plan:               p.plan,
		fetchMetadata:      p.fetchMetadata,
		mode:               p.mode,
		class:              p.class,
	}
	twin.setVary()
	return twin
}

// DefaultPreflightStatus is that of a policy that says nothing of it.
const DefaultPreflightStatus = 204

// LeavesResponses reports whether nothing is done about responses.
func (p *Policy) LeavesResponses() bool {
	return p.off && p.plan == nil && p.actualVary == VaryNothing
}

// AsksScheme reports whether responses depend on the scheme of the request.
func (p *Policy) AsksScheme() bool { return p.plan != nil && p.plan.asksScheme }

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
