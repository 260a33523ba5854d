package headervalue

import (
	"slices"
	"strings"
	"testing"
)

// finding is what is looked for in a Finding: parts of its reason and of its fix.
type finding struct {
	reason, fix string
	warning     bool
}

func assertFindings(t *testing.T, check, value string, want ...finding) {
	t.Helper()
	found := checks[check](value)
	if len(found) != len(want) {
		t.Errorf("%s %q: %d findings, want %d: %+v", check, value, len(found), len(want), found)
		return
	}
	for _, w := range want {
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return strings.Contains(f.Reason, w.reason) && strings.Contains(f.Fix, w.fix) && f.Warning == w.warning
		}) {
			t.Errorf("%s %q: %+v, want %+v", check, value, found, w)
		}
	}
}

const (
	notThere     = "which there is not"
	twice        = "twice"
	noHost       = "neither a host nor a scheme"
	noKeyword    = "without its quotes"
	noSemicolon  = "no semicolon is before it"
	noPort       = "something behind its colon that is no port"
	wrongQuotes  = "whose quotes are wrong"
	badPath      = "malformed path"
	query        = "a query or a fragment"
	noBase64     = "no base64"
	wrongLength  = "another length"
	beside       = "'none' beside others"
	takenOut     = "taken out of the standard"
	noValueTaken = "which takes none"
	withoutValue = "without a value"
	ancestors    = "takes hosts, schemes and 'self' alone"
	oneName      = "the name of one endpoint"
	noURL        = "no URL"
	noFlag       = "no token of it"
	policyName   = "no name of a policy"
)

func TestPoliciesWithAMistakeAreRefused(t *testing.T) {
	for _, r := range refusedPolicies {
		assertFindings(t, "csp", r.value, finding{r.reason, r.fix, false})
	}
}

func TestAllMistakesOfAPolicyAreFound(t *testing.T) {
	assertFindings(t, "csp", "defalt-src self; script-src self 'unsafe-inlin' http://; report-to a b; sandbox x; script-src *; plugin-types; img-src 'none' data:",
		finding{reason: `"defalt-src"`},
		finding{reason: "'self' without its quotes in script-src"}, finding{reason: "'unsafe-inlin' in script-src"}, finding{reason: `"http://" in script-src`},
		finding{reason: `"b" in report-to`}, finding{reason: `"x" in sandbox`}, finding{reason: `"script-src" twice`}, finding{reason: `"plugin-types"`},
		finding{reason: "beside others in img-src"})
}

func TestWhatIsUnwiseInAPolicyIsWarnedOf(t *testing.T) {
	for _, w := range []struct{ check, value, reason, fix string }{
		{"csp", "script-src 'nonce-abc123'", "the same in every response", "hashes"},
		{"csp", "style-src 'NONCE-abc123=='", "the same in every response", "hashes"},
		{"csp", "default-src 'nonce-abc_-+/' https:", "the same in every response", "hashes"},
		{"csp", "script-src 'strict-dynamic'", "no script of the page runs", "hashes"},
		{"csp", "default-src 'self' 'strict-dynamic' https:", "no script of the page runs", "hashes"},
		{"csp", "script-src-elem 'strict-dynamic'", "no script of the page runs", "hashes"},
		{"csp", "script-src " + strings.TrimSuffix(sha256, "='") + "'", "wrong number of =", "all of its base64"},
		{"csp", "script-src " + strings.TrimSuffix(sha384, "'") + "=='", "wrong number of =", "all of its base64"},
		{"csp", "script-src " + strings.TrimSuffix(sha512, "='") + "'", "wrong number of =", "all of its base64"},
		{"csp", "script-src", "without sources", "'none'"},
		{"csp", "default-src ;", "without sources", "'none'"},
		{"csp", "frame-ancestors", "without sources", "'none'"},
		{"csp", "img-src http", "which is a host there", "a colon behind a scheme"},
		{"csp", "img-src https", "which is a host there", "a colon behind a scheme"},
		{"csp", "img-src DATA", "which is a host there", "a colon behind a scheme"},
		{"csp", "img-src blob:*", "which is a host there", "a colon behind a scheme"},
		{"csp", "img-src wss/", "which is a host there", "a colon behind a scheme"},
		{"csp", "default-src https: sandbox", "which is a host there", "; before a directive"},
		{"csp", "default-src https: webrtc", "which is a host there", "; before a directive"},
		{"csp", "img-src https://example.com/*", "no wildcard", "ends in /"},
		{"csp", "img-src example.com/*.png", "no wildcard", "ends in /"},
		{"csp", "img-src 'unsafe-inline'", "does nothing", "leave it out"},
		{"csp", "font-src 'self' 'unsafe-eval'", "does nothing", "leave it out"},
		{"csp", "connect-src 'strict-dynamic'", "does nothing", "leave it out"},
		{"csp", "style-src 'strict-dynamic'", "does nothing", "leave it out"},
		{"csp", "style-src 'wasm-unsafe-eval'", "does nothing", "leave it out"},
		{"csp", "frame-src 'report-sample'", "does nothing", "leave it out"},
		{"csp", "base-uri " + sha256, "does nothing", "leave it out"},
		{"csp", "form-action 'nonce-abc'", "does nothing", "leave it out"},
		{"csp", "script-src 'unsafe-webtransport-hashes'", "does nothing", "leave it out"},
		{"csp", "default-src 'unsafe-allow-redirects'", "does nothing", "leave it out"},
		{"csp", "block-all-mixed-content", "obsolete", "leave it out"},
		{"csp-report", "default-src 'self'", "neither report-to nor report-uri", "report-to"},
		{"csp-report", "report-to a; sandbox", "does nothing where a policy only reports", "contentSecurityPolicy"},
		{"csp-report", "report-to a; upgrade-insecure-requests", "does nothing where a policy only reports", "contentSecurityPolicy"},
		{"csp-report", "report-uri /a; treat-as-public-address", "does nothing where a policy only reports", "contentSecurityPolicy"},
		{"csp-report", "report-uri /a; block-all-mixed-content", "obsolete", "leave it out"},
		{"hsts", "max-age=31536000; preload", "ask for includeSubDomains", "add them"},
		{"hsts", "max-age=31535999; includeSubDomains; preload", "preload", "leave preload out"},
		{"hsts", "max-age=0; includeSubDomains; preload", "preload", "leave preload out"},
		{"referrer", "unsafe-url", "whole URLs", "strict-origin-when-cross-origin"},
		{"referrer", "no-referrer, unsafe-url", "whole URLs", "strict-origin-when-cross-origin"},
		{"permissions", "camra=()", "is unknown", "did you mean camera?"},
		{"permissions", "geo-location=()", "is unknown", "did you mean geolocation?"},
		{"permissions", "full-screen=(self)", "is unknown", "did you mean fullscreen?"},
		{"permissions", "camera=(self *)", "* beside others", "camera=*"},
		{"permissions", "camera=(* \"https://a.example\")", "* beside others", "camera=*"},
		{"permissions", "camera=(\"a.example\")", "no scheme", "https://"},
		{"permissions", "camera=\"*.a.example\"", "no scheme", "https://"},
	} {
		assertFindings(t, w.check, w.value, finding{w.reason, w.fix, true})
	}
}
