package policy

import "corsguard/filter/origin"

// Spec is a configuration as plain data. Package config makes it from JSON and checks it.
type Spec struct {
	CORS *CORS
	Log  Log
}

// Log bounds what the filter logs.
type Log struct {
	// RefusalsPerMinute is how many refusals a VM logs in a minute; 0 logs none.
	RefusalsPerMinute int
}

// MaxAgeUnset is the MaxAge that sends no Access-Control-Max-Age.
const MaxAgeUnset = -1

// CORS is a cors block as plain data, defaults filled in.
type CORS struct {
	AllowOrigins        []origin.Pattern
	AllowNull           bool
	AllowMethods        []string // as configured; `*` stands alone
	AllowHeaders        []string // as configured; only authorization may stand beside `*`
	ExposeHeaders       []string // as configured; `*` stands alone
	AllowCredentials    bool
	MaxAge              int // seconds, or MaxAgeUnset
	AllowPrivateNetwork bool
	TimingAllowOrigin   bool
	PreflightStatus     int // 200…299
	OnRefusedPreflight  RefusedPreflight
	OnRefusedOrigin     OnRefused
	OnMissingOrigin     OnRefused
	UpstreamHeaders     UpstreamHeaders
}

// RefusedPreflight is what a preflight of a refused origin gets.
type RefusedPreflight uint8

const (
	// AnswerPreflight answers with the success status and no CORS headers.
	AnswerPreflight RefusedPreflight = iota
	// DenyPreflight answers 403.
	DenyPreflight
	// ForwardPreflight lets the upstream answer.
	ForwardPreflight
)

// OnRefused is what an actual request gets whose origin is refused or missing.
type OnRefused uint8

const (
	// Pass forwards it; its response carries no CORS headers.
	Pass OnRefused = iota
	// Deny answers 403 before the upstream sees it.
	Deny
)

// UpstreamHeaders is what becomes of the CORS headers that the upstream sent.
type UpstreamHeaders uint8

const (
	// Replace removes them; the policy's take their place.
	Replace UpstreamHeaders = iota
	// Keep leaves them where the upstream sent any, and adds none beside them.
	Keep
)
