package policy

import (
	"strings"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

// MaxOrigin is the length of the longest Origin that is not malformed.
const MaxOrigin = origin.MaxLen

// Request is what a decision needs to know of a request. Absent headers and pseudo-headers are empty strings.
type Request struct {
	Method    string
	Scheme    string // as Envoy trusts it
	Authority string
	Path      string
	// Origins counts the Origin lines; Origin is the value of the first.
	Origins int
	Origin  string
	// Several lines of these arrive joined by commas.
	RequestMethod         string
	RequestHeaders        string
	RequestPrivateNetwork string
	// The first line of each of these.
	FetchSite, FetchMode, FetchDest string
	Accept                          string // only for the body of a refusal

	// InForce are the documents of the sources, in their order; nil for a source that has given none yet.
	InForce []*Fetched

	forwardedProto string

	// judged keeps what the patterns said of the Origin, for a request of which more is read once that is known.
	judged bool
	reason Reason
	group  *group

	_ [0]func() // not comparable: nothing compares requests, so nothing is linked for it
}

// VaryOn is what a response says that it depends on.
type VaryOn uint8

const (
	// VaryNothing: no header is added.
	VaryNothing VaryOn = iota
	// VaryOrigin: the Origin.
	VaryOrigin
	// VaryPreflight: whether the request is a preflight, and of what.
	VaryPreflight
	// VaryFetchMetadata: where in the browser the request comes from.
	VaryFetchMetadata
	// VaryOriginAndFetchMetadata: the Origin, too.
	VaryOriginAndFetchMetadata
)

// Decision is what a request gets. It is a value; its strings may alias those of the Request.
type Decision struct {
	_ [0]func() // not comparable, like Request

	Kind   Kind
	Reason Reason
	// Status is that of the local reply, 0 where the request goes on.
	Status int
	// Grant is the value of Access-Control-Allow-Origin, "" where nothing is granted.
	Grant string
	Vary  VaryOn
	// AllowMethods, AllowHeaders and PrivateNetwork belong to the reply to an allowed preflight.
	AllowMethods   string
	AllowHeaders   string
	PrivateNetwork bool
	// Reports tells that the resource isolation policy would refuse the request, for Reported, and only reports that.
	Reports  bool
	Reported Reason

	group *group // that grants; nil where Grant is ""
}

// Verdict returns the verdict of d.
func (d *Decision) Verdict() Verdict { return d.Reason.Verdict() }

// Outcome returns the outcome of d, where it is enforced.
func (d *Decision) Outcome() Outcome { return OutcomeOf(d.Kind, d.Reason) }

const (
	optionsMethod = "OPTIONS"
	connectMethod = "CONNECT"
	statusDenied  = 403
)

// IsPreflight reports whether r is a CORS-preflight request (Fetch standard, section 4.8): OPTIONS with an Origin and an
// Access-Control-Request-Method that are not empty. Every other OPTIONS is the upstream's business, `OPTIONS *` too.
func (r *Request) IsPreflight() bool {
	return r.Method == optionsMethod && r.Origin != "" && r.RequestMethod != "" && r.Path != "*"
}

// isAsterisk reports whether r is an `OPTIONS *`, which is about the server as a whole.
func (r *Request) isAsterisk() bool { return r.Method == optionsMethod && r.Path == "*" }

func (r *Request) kind() Kind {
	switch {
	case r.Origins == 0:
		return NoOrigin
	case r.IsPreflight():
		return Preflight
	}
	return Actual
}

// Decide decides r. It keeps in r what the patterns say of the Origin, so another policy must not decide r afterwards, nor its Origin change. It does not allocate, but to rebuild a list of header names from which something has to be left out.
func (p *Policy) Decide(r *Request) Decision {
	d := p.decideCORS(r)
	if p.AsksFetchMetadata(&d) {
		p.decideFetchMetadata(r, &d)
	}
	return d
}

func (p *Policy) decideCORS(r *Request) Decision {
	if p.off {
		d := Decision{Kind: r.kind(), Reason: CORSOff, Vary: p.actualVary}
		if d.Kind == Preflight {
			d.Vary = VaryNothing
		}
		return d
	}
	if r.Origins == 0 {
		return p.decideNoOrigin(r)
	}
	if !r.judged {
		r.judged = true
		r.reason, r.group = p.judgeOrigin(r)
	}
	if r.IsPreflight() {
		return p.decidePreflight(r)
	}
	reason := r.reason
	if reason.Verdict() == Allowed {
		return Decision{Kind: Actual, Reason: reason, Grant: r.grant(), group: r.group, Vary: p.actualVary}
	}
	if r.isSameOrigin() {
		return p.sameOrigin(p.actualVary)
	}
	// A tunnel is nothing that a page could open or read.
	return p.refuse(reason, p.DeniesOrigins() && r.Method != connectMethod)
}

// sameOrigin returns the decision for a request to its own origin, which no pattern matches.
func (p *Policy) sameOrigin(on VaryOn) Decision {
	d := Decision{Kind: Actual, Reason: SameOrigin, Vary: on}
	if p.anyOrigin {
		d.grantAny(p)
	}
	return d
}

// RefuseActual returns the decision for an actual request that is refused for reason.
func (p *Policy) RefuseActual(reason Reason) Decision {
	return p.refuse(reason, p.DeniesOrigins())
}

func (p *Policy) refuse(reason Reason, deny bool) Decision {
	d := Decision{Kind: Actual, Reason: reason, Vary: p.actualVary}
	switch {
	case deny:
		d.Status, d.Vary = statusDenied, p.deniedVary
	case p.anyOrigin:
		// All responses are the same, or a cache could hand out one without the grant.
		d.grantAny(p)
	}
	return d
}

// grantAny grants what a policy of exactly `*` grants on all responses.
func (d *Decision) grantAny(p *Policy) { d.Grant, d.group = fetch.Wildcard, &p.groups[0] }

func (p *Policy) decideNoOrigin(r *Request) Decision {
	d := Decision{Kind: NoOrigin, Reason: NothingAsked, Vary: p.actualVary}
	if p.anyOrigin {
		d.Reason = AnyOrigin
		d.grantAny(p)
	}
	// CONNECT and `OPTIONS *` come from no page.
	if p.onMissingOrigin == Deny && r.Method != connectMethod && !r.isAsterisk() {
		d = Decision{Kind: NoOrigin, Reason: OriginMissing, Status: statusDenied, Vary: p.deniedVary}
		if p.mixed {
			d.Reason = PathAmbiguous
		}
	}
	return d
}

// NeedsRequestLine reports whether Decide reads the method and the path of a request without an Origin.
func (p *Policy) NeedsRequestLine() bool { return p.onMissingOrigin == Deny }

// DeniesOrigins reports whether an actual request may be denied because of its Origin.
func (p *Policy) DeniesOrigins() bool { return p.onRefusedOrigin == Deny }

// judgeOrigin returns what the patterns say of the Origin, and the group that knows it.
func (p *Policy) judgeOrigin(r *Request) (Reason, *group) {
	switch {
	case p.closed:
		return PathAmbiguous, nil
	case r.Origins > 1:
		return OriginMalformed, nil
	case r.Origin == fetch.NullOrigin && p.null < 0:
		return NullNotAllowed, nil
	case r.Origin == fetch.NullOrigin:
		return p.groups[p.null].allowed()
	}
	verdict, i := p.origins.Match(r.Origin)
	if p.fetches && verdict != origin.Malformed {
		limit := int32(len(p.groups))
		if verdict == origin.Listed {
			limit = i
		}
		if g := p.fetchedGroup(r, limit); g < limit {
			verdict, i = origin.Listed, g
		}
	}
	switch verdict {
	case origin.Listed:
		return p.groups[i].allowed()
	case origin.Unlisted:
		return OriginNotAllowed, nil
	}
	return OriginMalformed, nil
}

func (g *group) allowed() (Reason, *group) {
	if g.any {
		return AnyOrigin, g // browsers take `*` for opaque origins too
	}
	return OriginAllowed, g
}

func (p *Policy) decidePreflight(r *Request) Decision {
	reason, g := r.reason, r.group
	if reason.Verdict() == Refused {
		if r.isSameOrigin() {
			if p.anyOrigin {
				return p.sameOrigin(VaryNothing)
			}
			return p.sameOrigin(VaryPreflight)
		}
		d := Decision{Kind: Preflight, Reason: reason, Vary: VaryPreflight}
		switch p.onRefusedPreflight {
		case AnswerPreflight:
			d.Status = p.preflightStatus
		case DenyPreflight:
			d.Status = statusDenied
		}
		return d
	}
	// Whatever is asked, the whole policy is the answer: the browser then names the real cause in its console, and its preflight cache can
	// serve the next request.
	d := Decision{
		Kind: Preflight, Reason: reason, Status: p.preflightStatus, Grant: r.grant(), group: g, Vary: VaryPreflight,
		AllowMethods: g.methodsValue, AllowHeaders: g.headersValue,
		PrivateNetwork: g.privateNetwork && r.RequestPrivateNetwork == "true",
	}
	methodOK := g.allowsMethod(r.RequestMethod)
	if g.anyMethod && g.echoes() {
		d.AllowMethods = ""
		if methodOK {
			d.AllowMethods = r.RequestMethod
		}
	}
	echoHeaders := g.headers.any && g.echoes()
	echo, headersOK := g.judgeHeaders(r.RequestHeaders, echoHeaders)
	if echoHeaders {
		d.AllowHeaders = echo
	}
	switch {
	case !methodOK:
		d.Reason = MethodNotAllowed
	case !headersOK:
		d.Reason = HeaderNotAllowed
	}
	return d
}

// allowsMethod reports whether browsers will send method (Fetch standard, section 4.8, the step that checks the method): safelisted methods need
// no permission, and the comparison is exact.
func (g *group) allowsMethod(method string) bool {
	if fetch.IsSafelistedMethod(method) {
		return true
	}
	if g.anyMethod {
		return len(method) <= MaxName && fetch.IsToken(method) && !fetch.IsForbiddenMethod(method)
	}
	for _, m := range g.methods {
		if m == method {
			return true
		}
	}
	return false
}

// judgeHeaders reports whether all names of the list value are allowed, and returns the list of those that are, where an echo is wanted: value itself
// if it is well-formed and whole.
func (g *group) judgeHeaders(value string, wanted bool) (echo string, ok bool) {
	if value == "" {
		return "", true
	}
	list := fetch.NewList(value)
	all := true
	for name, more := list.Next(); more; name, more = list.Next() {
		all = all && g.headers.has(name)
	}
	switch {
	case list.Malformed():
		return "", false
	case !wanted:
		return "", all
	case all && !list.HasEmpty():
		return fetch.TrimOWS(value), true
	}
	kept := make([]byte, 0, len(value))
	list = fetch.NewList(value)
	for name, more := list.Next(); more; name, more = list.Next() {
		if !g.headers.has(name) {
			continue
		}
		if len(kept) > 0 {
			kept = append(kept, ", "...)
		}
		kept = append(kept, name...)
	}
	return string(kept), all
}

// grant returns what the group that knows the Origin grants.
func (r *Request) grant() string {
	if r.group.any {
		return fetch.Wildcard
	}
	return r.Origin
}

// MayBeSameOrigin reports whether r, of which the scheme need not be known, may have been sent to its own origin.
func (r *Request) MayBeSameOrigin() bool {
	scheme, _, ok := strings.Cut(r.Origin, "://")
	return ok && origin.IsOf(r.Origin, scheme, r.Authority)
}

// isSameOrigin reports whether the Origin is the one that r was sent to.
func (r *Request) isSameOrigin() bool {
	return r.Origins == 1 && origin.IsOf(r.Origin, r.Scheme, r.Authority)
}
