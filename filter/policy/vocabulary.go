// Package policy holds the cross-origin policy: plain data (Spec) that is compiled once into an immutable Policy, which decides requests and
// tells what to change on responses. It is pure: it knows no JSON, no SDK, and does no I/O.
package policy

// Kind is the kind of a request as the policy sees it.
type Kind uint8

const (
	// NoOrigin: a request without an Origin header.
	NoOrigin Kind = iota
	// Actual: a request with an Origin header that is no preflight.
	Actual
	// Preflight: a CORS-preflight request (Fetch standard, "CORS-preflight request").
	Preflight
	numKinds
)

// Verdict is the outcome of a decision.
type Verdict uint8

const (
	// Refused: the policy does not grant what the request needs.
	Refused Verdict = iota
	// Allowed: it does, or nothing needs granting.
	Allowed
	// Shadowed: the policy would refuse, and is not enforced.
	Shadowed
)

// Reason is why. One vocabulary serves metrics, logs and tests; the strings are part of the product's interface.
type Reason uint8

const (
	// InternalError: deciding failed; treated as a refusal.
	InternalError Reason = iota
	// OriginNotAllowed: no pattern matches the origin.
	OriginNotAllowed
	// NullNotAllowed: the origin is `null`, and allowNull is off.
	NullNotAllowed
	// OriginMalformed: the Origin header is empty, repeated, over-long, or no origin as browsers send it.
	OriginMalformed
	// OriginMissing: there is no Origin header, and the policy wants one.
	OriginMissing
	// MethodNotAllowed: a preflight asks for a method that is not in the list.
	MethodNotAllowed
	// HeaderNotAllowed: a preflight asks for a header that is not in the list, or its list is malformed.
	HeaderNotAllowed
	// PathAmbiguous: the path can be read in two ways, to which different rules may apply.
	PathAmbiguous
	// CrossSiteNotAllowed: the request comes from another site (Fetch Metadata), and is neither a navigation nor allowed by CORS.
	CrossSiteNotAllowed
	// SameSiteNotAllowed: likewise from another origin of the same site, where these are not let through.
	SameSiteNotAllowed
	// OriginAllowed: a pattern matches the origin.
	OriginAllowed
	// AnyOrigin: the policy allows any origin.
	AnyOrigin
	// SameOrigin: the origin is the request's own; there is nothing to grant.
	SameOrigin
	// NothingAsked: there is no Origin header; there is nothing to grant.
	NothingAsked
	// CORSOff: there is no policy for the request; nothing is done about it.
	CORSOff
	numReasons
)

var (
	kindNames = [numKinds]string{"no_origin", "actual", "preflight"}
	// reasonDetails are the reasons as response code details.
	reasonDetails = [numReasons]string{
		"corsguard_internal_error", "corsguard_origin_not_allowed", "corsguard_null_not_allowed", "corsguard_origin_malformed", "corsguard_origin_missing",
		"corsguard_method_not_allowed", "corsguard_header_not_allowed", "corsguard_path_ambiguous", "corsguard_cross_site_not_allowed",
		"corsguard_same_site_not_allowed", "corsguard_origin_allowed", "corsguard_any_origin", "corsguard_same_origin", "corsguard_no_origin", "corsguard_cors_off",
	}
)

func (k Kind) String() string   { return kindNames[k] }
func (r Reason) String() string { return reasonDetails[r][len("corsguard_"):] }

// Details returns r as the details of a local reply.
func (r Reason) Details() string { return reasonDetails[r] }

func (v Verdict) String() string {
	switch v {
	case Allowed:
		return "allowed"
	case Shadowed:
		return "shadowed"
	}
	return "refused"
}

// Verdict returns the verdict that r explains, where the policy is enforced.
func (r Reason) Verdict() Verdict {
	if r >= OriginAllowed {
		return Allowed
	}
	return Refused
}

// NumReasons bounds Reason.
const NumReasons = int(numReasons)

// Outcome is what is counted of a request: a kind with a reason, which implies the verdict as long as the policy is enforced. It indexes arrays of NumOutcomes counters.
type Outcome uint8

// NumOutcomes bounds Outcome.
const NumOutcomes = 2 * numEnforced

const numEnforced = int(numKinds) * int(numReasons)

// OutcomeOf returns the outcome of a kind and a reason.
func OutcomeOf(k Kind, r Reason) Outcome { return Outcome(uint8(k)*uint8(numReasons) + uint8(r)) }

// Shadow returns o as it is where the policy is not enforced: what would be refused is shadowed.
func (o Outcome) Shadow() Outcome {
	if _, reason := o.Split(); int(o) < numEnforced && reason.Verdict() == Refused {
		return o + Outcome(numEnforced)
	}
	return o
}

// Split returns the kind and the reason of o.
func (o Outcome) Split() (Kind, Reason) {
	at := uint8(o) % uint8(numEnforced)
	return Kind(at / uint8(numReasons)), Reason(at % uint8(numReasons))
}

// Verdict returns the verdict of o.
func (o Outcome) Verdict() Verdict {
	if int(o) >= numEnforced {
		return Shadowed
	}
	_, reason := o.Split()
	return reason.Verdict()
}

// IsPossible reports whether a request can have the outcome o. What can't happen needs no counter.
func (o Outcome) IsPossible() bool {
	kind, reason := o.Split()
	if o.Verdict() == Shadowed && reason.Verdict() == Allowed {
		return false
	}
	switch reason {
	case InternalError, PathAmbiguous, AnyOrigin, CORSOff:
		return true
	case CrossSiteNotAllowed, SameSiteNotAllowed:
		return kind != Preflight
	case OriginMissing, NothingAsked:
		return kind == NoOrigin
	case MethodNotAllowed, HeaderNotAllowed:
		return kind == Preflight
	case SameOrigin:
		return kind == Actual
	}
	return kind != NoOrigin
}
