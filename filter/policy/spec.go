package policy

import (
	"corsguard/filter/origin"
	"corsguard/filter/regex"
)

// Spec is a configuration as plain data. Package config makes it from JSON and checks it.
type Spec struct {
	// CORS is the default policy: its groups of origins, in order. Without any, CORS is off where no rule says otherwise.
	CORS []CORS
	// Isolation and SecurityHeaders are the response headers of the default blocks of these names. No name stands twice in a block, nor in both.
	Isolation, SecurityHeaders []SetHeader
	FetchMetadata              FetchMetadata
	Mode                       Mode

	Rules []Rule // in order
	Log   Log

	// Sources are those that groups get origins from at run time, each once.
	Sources []Source
}

// DefaultRule is the name, in metrics and logs, of what belongs to no rule. No rule may have it.
const DefaultRule = "default"

// Rule is what holds for some requests in place of the defaults.
type Rule struct {
	Name  string
	Match Match
	// OwnCORS tells that CORS stands for the default policy; with no groups in it, CORS is off.
	OwnCORS bool
	CORS    []CORS
	// Likewise for the other blocks.
	OwnIsolation, OwnSecurityHeaders, OwnFetchMetadata, OwnMode bool

	Isolation, SecurityHeaders []SetHeader
	FetchMetadata              FetchMetadata
	Mode                       Mode
}

// Match is what a rule matches: all of its parts that are not empty, each by one of its elements.
type Match struct {
	Hosts  []Host
	Paths  []Path
	Routes []string // names of Envoy routes
}

// Host matches the host of a request.
type Host struct {
	// Name is in lower case, without a port. With Subdomains it stands for what has one or more labels before it, and not for itself.
	Name       string
	Subdomains bool
}

// PathKind tells how a Path matches.
type PathKind uint8

const (
	// ExactPath matches Value itself.
	ExactPath PathKind = iota
	// PrefixPath matches Value and what is below it. Value `/` matches whatever there is.
	PrefixPath
	// RegexPath matches what Regex matches.
	RegexPath
)

// Path matches the path of a request. Value is canonical, and without a slash at the end where it is a prefix.
type Path struct {
	Kind  PathKind
	Value string
	Regex *regex.Regexp
}

// SetHeader is a response header that a policy sets, beside those of CORS.
type SetHeader struct {
	Name  HeaderName
	Value string
	// IfAbsent leaves those that the upstream sent.
	IfAbsent bool
}

// FetchMetadata is a resource isolation policy: requests of other sites' pages are refused that are neither navigations nor allowed by CORS. The zero value is none.
type FetchMetadata struct {
	On bool
	// Report counts and logs what would be refused, and lets it through.
	Report bool
	// RefuseSameSite refuses requests of other origins of the same site too.
	RefuseSameSite bool
	// RefuseUnsafeNavigations refuses navigations that are neither GET nor HEAD, such as the posting of a form.
	RefuseUnsafeNavigations bool
}

// Mode tells for which share of requests a policy is enforced. The zero value is: for all.
type Mode struct {
	Unenforced uint32 // out of Million
	Otherwise  Otherwise
}

// Million is what the shares of a Mode are parts of.
const Million = 1_000_000

// Otherwise is what becomes of requests for which a policy is not enforced.
type Otherwise uint8

const (
	// Shadow decides, counts and logs, and changes nothing.
	Shadow Otherwise = iota
	// Off does nothing.
	Off
)

// Log bounds what the filter logs.
type Log struct {
	// RefusalsPerMinute is how many refusals a VM logs in a minute; 0 logs none.
	RefusalsPerMinute int
}

// MaxAgeUnset is the MaxAge that sends no Access-Control-Max-Age.
const MaxAgeUnset = -1

// CORS is a cors block, or one group of several, as plain data, defaults filled in. From PreflightStatus on, all groups of a list have the same values.
type CORS struct {
	AllowOrigins        origin.List
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

	// Source is the number of the source among those of the Spec, from 1; 0 where there is none.
	Source int
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
