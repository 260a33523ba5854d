package audit

import "corsguard/cmd/corsguard/internal/finding"

// Errors, redirects, and what is shown to pages.
var (
	ruleErrorWithoutCORS = &finding.Rule{
		ID: "error-without-cors", Severity: finding.Warning, Title: "An error carries no CORS headers",
		Why: "Pages see a network error, and people a message about CORS, in place of the status: nobody can tell a wrong password from an outage.",
	}
	ruleRedirectWithoutCORS = &finding.Rule{
		ID: "redirect-without-cors", Severity: finding.Warning, Title: "A redirect carries no CORS headers",
		Why: "Browsers follow a redirect of a CORS request only if the redirect itself passes the CORS check.",
	}
	ruleTimingAnyOrigin = &finding.Rule{
		ID: "timing-allow-any-origin", Severity: finding.Note, Title: "Every page may read detailed timing",
		Why: "Sizes and times of responses tell pages that may not read them something of what is in them.",
	}
	ruleExposesCookies = &finding.Rule{
		ID: "exposes-set-cookie", Severity: finding.Note, Title: "Set-Cookie is listed as exposed",
		Why: "Browsers never show it to pages; the entry says that somebody wanted them to.",
	}
	ruleExposesAll = &finding.Rule{
		ID: "exposes-any-header", Severity: finding.Note, Title: "All response headers are exposed",
		Why: "Pages may also read headers that were meant for clients of another kind.",
	}
)

// Isolation.
var (
	ruleMissingCORP = &finding.Rule{
		ID: "missing-corp-header", Severity: finding.Note, Title: "No Cross-Origin-Resource-Policy",
		Why: "Any page may embed the response as an image or a script, which takes it into that page's process.",
	}
	ruleMissingCOOP = &finding.Rule{
		ID: "missing-coop-header", Severity: finding.Note, Title: "A document without Cross-Origin-Opener-Policy",
		Why: "Pages of other sites that open it keep a reference to its window.",
	}
	ruleMissingCOEP = &finding.Rule{
		ID: "missing-coep-header", Severity: finding.Note, Title: "A document without Cross-Origin-Embedder-Policy",
		Why: "It is not cross-origin isolated, so it lacks SharedArrayBuffer and precise timers. Most documents need neither.",
	}
	ruleInvalidIsolation = &finding.Rule{
		ID: "isolation-header-invalid", Severity: finding.Warning, Title: "An isolation header has no effect",
		Why: "Browsers take a value that they do not know, a list, or several lines for no header at all.",
	}
)

// Security headers.
var (
	ruleMissingHSTS = &finding.Rule{
		ID: "missing-hsts-header", Severity: finding.Note, Title: "No Strict-Transport-Security",
		Why: "A visitor's first request may go over http, where it can be intercepted.",
	}
	ruleMissingNosniff = &finding.Rule{
		ID: "missing-nosniff-header", Severity: finding.Note, Title: "No X-Content-Type-Options: nosniff",
		Why: "Browsers may take the response for a script or a style sheet, whatever its type says.",
	}
	ruleMissingCSP = &finding.Rule{
		ID: "missing-csp-header", Severity: finding.Note, Title: "A document without Content-Security-Policy",
		Why: "It is the second line of defence where somebody gets a script into the page.",
	}
	ruleMissingReferrerPolicy = &finding.Rule{
		ID: "missing-referrer-policy-header", Severity: finding.Note, Title: "A document without Referrer-Policy",
		Why: "Current browsers send no more than the origin to other sites of themselves; older ones send the whole URL.",
	}
	ruleMissingFraming = &finding.Rule{
		ID: "missing-framing-protection", Severity: finding.Note, Title: "A document that every site may frame",
		Why: "People can be made to click in it without seeing it.",
	}
	ruleInvalidSecurity = &finding.Rule{
		ID: "security-header-invalid", Severity: finding.Warning, Title: "A security header has no effect",
		Why: "Somebody wanted the protection, and browsers ignore the header as it stands.",
	}
)
