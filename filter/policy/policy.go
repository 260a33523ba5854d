package policy

import (
	"errors"
	"strconv"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

// Policy is a compiled cors block. It is immutable: any number of goroutines may use it at once. Nothing that it returns may be changed.
type Policy struct {
	origins origin.Set
	// anyOrigin: the one pattern is `*`, so no response depends on the Origin. Never with credentials.
	anyOrigin           bool
	allowNull           bool // never with credentials
	credentials         bool
	privateNetwork      bool
	timing              bool
	preflightStatus     int
	onRefusedPreflight  RefusedPreflight
	onRefusedOrigin     OnRefused
	onMissingOrigin     OnRefused
	keepUpstreamHeaders bool

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
)

// Compile makes the policy of c. Package config has checked c and reports mistakes by their place; what Compile refuses on top of that guards
// against a Spec that did not come from there.
func Compile(c *CORS) (*Policy, error) {
	p := &Policy{
		allowNull:           c.AllowNull,
		credentials:         c.AllowCredentials,
		privateNetwork:      c.AllowPrivateNetwork,
		timing:              c.TimingAllowOrigin,
		preflightStatus:     c.PreflightStatus,
		onRefusedPreflight:  c.OnRefusedPreflight,
		onRefusedOrigin:     c.OnRefusedOrigin,
		onMissingOrigin:     c.OnMissingOrigin,
		keepUpstreamHeaders: c.UpstreamHeaders == Keep,
		headers:             newHeaderSet(c.AllowHeaders),
		methodsValue:        list(c.AllowMethods),
		headersValue:        list(c.AllowHeaders),
		exposeValue:         list(c.ExposeHeaders),
	}
	if len(c.AllowOrigins) == 0 && !c.AllowNull {
		return nil, ErrNoOrigins
	}
	if c.AllowNull && c.AllowCredentials {
		return nil, ErrNullWithCredentials
	}
	for i := range c.AllowOrigins {
		pattern := &c.AllowOrigins[i]
		switch pattern.Kind {
		case origin.Any:
			p.anyOrigin = true
			fallthrough
		case origin.AnyHost:
			if c.AllowCredentials {
				return nil, ErrAnyOriginWithCredentials
			}
		}
		p.origins.Add(pattern)
	}
	if p.anyOrigin && len(c.AllowOrigins) > 1 {
		return nil, ErrMixedAnyOrigin
	}
	for _, m := range c.AllowMethods {
		p.anyMethod = p.anyMethod || m == fetch.Wildcard
		p.methods = append(p.methods, m)
	}
	if c.MaxAge != MaxAgeUnset {
		p.maxAgeValue = strconv.Itoa(c.MaxAge)
	}
	return p, nil
}

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
func (p *Policy) echoes() bool { return p.credentials }

// headerSet is a set of header names, looked up without regard to case and without allocation.
type headerSet struct {
	any           bool // `*`: every name but authorization
	authorization bool
	names         map[string]struct{} // lower case
	longest       int
}

// maxName bounds methods and header names; configuration refuses longer ones.
const maxName = 256

func newHeaderSet(names []string) headerSet {
	s := headerSet{names: make(map[string]struct{}, len(names))}
	for _, n := range names {
		n = fetch.Lower(n)
		s.any = s.any || n == fetch.Wildcard
		s.authorization = s.authorization || n == fetch.HeaderAuthorization
		s.names[n] = struct{}{}
		s.longest = max(s.longest, len(n))
	}
	return s
}

func (s *headerSet) has(name string) bool {
	if s.any {
		return s.authorization || !fetch.EqualFold(name, fetch.HeaderAuthorization)
	}
	if len(name) > s.longest || len(name) > maxName {
		return false
	}
	if _, ok := s.names[name]; ok {
		return true // as browsers send it, in lower case
	}
	var buf [maxName]byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	_, ok := s.names[string(buf[:len(name)])]
	return ok
}
