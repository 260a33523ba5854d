package browser

// Failure is the first check that a response does not pass, in the order of the Fetch standard. The zero value is none.
type Failure int

// The failures of the CORS check, of preflights and of actual requests alike.
const (
	None Failure = iota
	MissingAllowOrigin
	MultipleAllowOrigin      // more than one value, or more than one header
	WildcardWithCredentials  // * does not stand for an origin that sends credentials
	AllowOriginMismatch      // another origin, or none at all
	AllowCredentialsNotTrue  // missing, or anything but "true"
	PreflightRedirect        // preflights are not redirected
	PreflightStatus          // no ok status (200 to 299)
	InvalidAllowMethods      // no list of tokens
	InvalidAllowHeaders      // no list of tokens
	MethodNotAllowed         // not in Access-Control-Allow-Methods
	HeaderNotAllowed         // not in Access-Control-Allow-Headers
	AuthorizationByWildcard  // * in Access-Control-Allow-Headers does not stand for authorization
	RedirectWithCredentials  // the Location has a user name or a password
	RedirectScheme           // the Location is not of http or https
	ResourcePolicySameOrigin // the Cross-Origin-Resource-Policy keeps it for its own origin
	ResourcePolicySameSite   // the Cross-Origin-Resource-Policy keeps it for its own site
	ResourcePolicyMissing    // the page's Cross-Origin-Embedder-Policy asks for a Cross-Origin-Resource-Policy
)

var failureNames = [...]string{
	"", "missing-allow-origin", "multiple-allow-origin", "wildcard-with-credentials", "allow-origin-mismatch", "allow-credentials-not-true", "preflight-redirect",
	"preflight-status", "invalid-allow-methods", "invalid-allow-headers", "method-not-allowed", "header-not-allowed", "authorization-by-wildcard",
	"redirect-with-credentials", "redirect-scheme", "resource-policy-same-origin", "resource-policy-same-site", "resource-policy-missing",
}

// String returns the failure's name, which stays the same from version to version, or "".
func (f Failure) String() string { return failureNames[f] }

// Failures returns all failures.
func Failures() []Failure {
	all := make([]Failure, 0, len(failureNames))
	for f := MissingAllowOrigin; f <= ResourcePolicyMissing; f++ {
		all = append(all, f)
	}
	return all
}
