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
	kindNames   = [numKinds]string{"no_origin", "actual", "preflight"}
	reasonNames = [numReasons]string{
		"internal_error", "origin_not_allowed", "null_not_allowed", "origin_malformed", "origin_missing",
		"method_not_allowed", "header_not_allowed", "path_ambiguous", "origin_allowed", "any_origin", "same_origin", "no_origin", "cors_off",
	}
)

func (k Kind) String() string   { return kindNames[k] }
func (r Reason) String() string { return reasonNames[r] }

func (v Verdict) String() string {
	if v == Allowed {
		return "allowed"
	}
	return "refused"
}

// Verdict returns the verdict that r explains.
func (r Reason) Verdict() Verdict {
	if r >= OriginAllowed {
		return Allowed
	}
	return Refused
}

// Outcome is a kind with a reason, which implies the verdict. It indexes arrays of NumOutcomes counters.
type Outcome uint8

// NumOutcomes bounds Outcome.
const NumOutcomes = int(numKinds) * int(numReasons)

// OutcomeOf returns the outcome of a kind and a reason.
func OutcomeOf(k Kind, r Reason) Outcome { return Outcome(uint8(k)*uint8(numReasons) + uint8(r)) }

// Split returns the kind and the reason of o.
func (o Outcome) Split() (Kind, Reason) {
	return Kind(uint8(o) / uint8(numReasons)), Reason(uint8(o) % uint8(numReasons))
}

// IsPossible reports whether a decision can have the outcome o. What can't happen needs no counter.
func (o Outcome) IsPossible() bool {
	kind, reason := o.Split()
	switch reason {
	case InternalError, AnyOrigin, CORSOff:
		return true
	case OriginMissing, NothingAsked:
		return kind == NoOrigin
	case MethodNotAllowed, HeaderNotAllowed:
		return kind == Preflight
	case SameOrigin:
		return kind == Actual
	}
	return kind != NoOrigin
}
