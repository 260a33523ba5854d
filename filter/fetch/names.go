// Package fetch holds the vocabulary of the Fetch standard that a CORS server needs: header names, methods, the standard's lists of
// them, and bounded scanners for the values that clients and upstreams send.
//
// Glossary, used across the project: a preflight is a CORS-preflight request; every other request with an Origin header is an actual
// request. ACAO, ACAC, ACAM, ACAH, ACEH and ACMA abbreviate Access-Control-Allow-Origin, -Allow-Credentials, -Allow-Methods,
// -Allow-Headers, -Expose-Headers and -Max-Age; ACRM and ACRH abbreviate Access-Control-Request-Method and -Request-Headers;
// TAO abbreviates Timing-Allow-Origin.
package fetch

// Header names, in lower case as Envoy and HTTP/2 have them.
const (
	HeaderOrigin                = "origin"
	HeaderVary                  = "vary"
	HeaderRequestMethod         = "access-control-request-method"
	HeaderRequestHeaders        = "access-control-request-headers"
	HeaderRequestPrivateNetwork = "access-control-request-private-network"
	HeaderAllowOrigin           = "access-control-allow-origin"
	HeaderAllowCredentials      = "access-control-allow-credentials"
	HeaderAllowMethods          = "access-control-allow-methods"
	HeaderAllowHeaders          = "access-control-allow-headers"
	HeaderExposeHeaders         = "access-control-expose-headers"
	HeaderMaxAge                = "access-control-max-age"
	HeaderAllowPrivateNetwork   = "access-control-allow-private-network"
	HeaderTimingAllowOrigin     = "timing-allow-origin"
	HeaderAuthorization         = "authorization"
	HeaderForwardedProto        = "x-forwarded-proto"
	HeaderAccept                = "accept"
	HeaderFetchSite             = "sec-fetch-site"
	HeaderFetchMode             = "sec-fetch-mode"
	HeaderFetchDest             = "sec-fetch-dest"
)

// Pseudo-header names of HTTP/2 (RFC 9113, section 8.3), which Envoy uses for HTTP/1.1 too.
const (
	PseudoMethod    = ":method"
	PseudoScheme    = ":scheme"
	PseudoAuthority = ":authority"
	PseudoPath      = ":path"
	PseudoStatus    = ":status"
)

// Wildcard is the value `*` of a CORS response header.
const Wildcard = "*"

// NullOrigin is the serialisation of an opaque origin.
const NullOrigin = "null"

// Values of the Sec-Fetch headers (Fetch Metadata Request Headers, section 2).
const (
	CrossSite = "cross-site" // of Sec-Fetch-Site
	SameSite  = "same-site"
	Navigate  = "navigate" // of Sec-Fetch-Mode
	Object    = "object"   // of Sec-Fetch-Dest
	Embed     = "embed"
)
