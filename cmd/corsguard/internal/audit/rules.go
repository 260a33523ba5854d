package audit

import "corsguard/cmd/corsguard/internal/finding"

// Rules are all that an audit may find.
var Rules = []*finding.Rule{
	ruleReflectsAnyOrigin, ruleAllowsAnyOrigin, ruleAllowsNull, ruleOriginPrefix, ruleOriginSuffix, ruleOriginDot, ruleOriginSpecial, ruleAnySubdomain, ruleAnyPort,
	ruleInsecureOrigin, ruleLoopbackOrigin, ruleForeignScheme, ruleLooseComparison, ruleOriginRefused,
	ruleWildcardCredentials, ruleDoubledHeader, ruleInvalidAllowOrigin, ruleInvalidCredentials, ruleMissingVary,
	rulePreflightAnyOrigin, rulePreflightRedirected, rulePreflightAuthentication, rulePreflightUnanswered, rulePreflightMethod, rulePreflightHeader,
	rulePreflightCredentials, ruleAnyMethod, ruleAnyHeader, ruleUnusualMethod, ruleMaxAgeLong, ruleMaxAgeAbsent, ruleMaxAgeInvalid, rulePrivateNetwork,
	ruleErrorWithoutCORS, ruleRedirectWithoutCORS, ruleTimingAnyOrigin, ruleExposesCookies, ruleExposesAll,
	ruleMissingCORP, ruleMissingCOOP, ruleMissingCOEP, ruleInvalidIsolation,
	ruleMissingHSTS, ruleMissingNosniff, ruleMissingCSP, ruleMissingReferrerPolicy, ruleMissingFraming, ruleInvalidSecurity,
}

// Which origins are allowed.
var (
	ruleReflectsAnyOrigin = &finding.Rule{
		ID: "reflects-any-origin", Severity: finding.Warning, Title: "Every origin is reflected",
		Why: "Any page on the web may read the responses; with credentials, as the person who looks at that page.",
	}
	ruleAllowsAnyOrigin = &finding.Rule{
		ID: "answers-any-origin", Severity: finding.Note, Title: "Every origin may read",
		Why: "That is right for what is public anyhow, and wrong for what only an internal network or an address can reach.",
	}
	ruleAllowsNull = &finding.Rule{
		ID: "answers-null-origin", Severity: finding.Warning, Title: "The origin null is allowed",
		Why: "Every page can give itself the origin null, with a sandboxed frame.",
	}
	ruleOriginPrefix = &finding.Rule{
		ID: "origin-prefix-match", Severity: finding.Warning, Title: "Only the beginning of an origin is compared",
		Why: "Anybody can register a domain and give it a host name that begins like an allowed one.",
	}
	ruleOriginSuffix = &finding.Rule{
		ID: "origin-suffix-match", Severity: finding.Warning, Title: "Only the end of an origin is compared",
		Why: "Anybody can register a domain that ends like an allowed one.",
	}
	ruleOriginDot = &finding.Rule{
		ID: "origin-unescaped-dot", Severity: finding.Warning, Title: "A dot stands for any character",
		Why: "In a regular expression a dot that is not escaped lets other names through, which others may register.",
	}
	ruleOriginSpecial = &finding.Rule{
		ID: "origin-special-characters", Severity: finding.Warning, Title: "A special character ends the comparison",
		Why: "Browsers send host names with such characters, and DNS has them; so anybody can have such a host below a domain of their own.",
	}
	ruleAnySubdomain = &finding.Rule{
		ID: "answers-any-subdomain", Severity: finding.Note, Title: "Every subdomain is allowed",
		Why: "A forgotten DNS record or a hole in one subdomain is then enough to read the endpoint.",
	}
	ruleAnyPort = &finding.Rule{
		ID: "answers-any-port", Severity: finding.Note, Title: "Every port is allowed",
		Why: "Whatever else listens on that host may read the endpoint.",
	}
	ruleInsecureOrigin = &finding.Rule{
		ID: "answers-http-origin", Severity: finding.Warning, Title: "The http twin of an https origin is allowed",
		Why: "Whoever is between a visitor and the server can write http pages, and read the https endpoint with them.",
	}
	ruleLoopbackOrigin = &finding.Rule{
		ID: "answers-loopback-origin", Severity: finding.Note, Title: "Origins of the visitor's own machine are allowed",
		Why: "It is a leftover of development, mostly. Any program that serves pages on the visitor's machine may then read the endpoint.",
	}
	ruleForeignScheme = &finding.Rule{
		ID: "answers-foreign-scheme", Severity: finding.Warning, Title: "Files or any browser extension are allowed",
		Why: "Anybody can write such a file or extension.",
	}
	ruleLooseComparison = &finding.Rule{
		ID: "origin-loosely-compared", Severity: finding.Note, Title: "Origins are not compared byte for byte",
		Why: "Browsers write an origin in one way only. A server that takes others for it compares by rules of its own, in which there may be more.",
	}
	ruleOriginRefused = &finding.Rule{
		ID: "allowed-origin-refused", Severity: finding.Error, Title: "An origin that must be allowed is refused",
		Why: "Pages of that origin see a network error in place of the response.",
	}
)

// How it is said.
var (
	ruleWildcardCredentials = &finding.Rule{
		ID: "wildcard-with-credentials", Severity: finding.Warning, Title: "* together with credentials",
		Why: "With credentials browsers take * for a name and not for everything, so such requests fail. Whoever wrote this wanted one or the other.",
	}
	ruleDoubledHeader = &finding.Rule{
		ID: "doubled-header", Severity: finding.Error, Title: "A header that must be there once is there more often",
		Why: "Browsers join the lines, and the result matches nothing. Two layers that both do CORS are the usual cause.",
	}
	ruleInvalidAllowOrigin = &finding.Rule{
		ID: "invalid-allow-origin", Severity: finding.Error, Title: "Access-Control-Allow-Origin is neither an origin, nor *, nor null",
		Why: "Browsers compare it byte for byte: lists, wildcards in names, paths and trailing slashes match nothing.",
	}
	ruleInvalidCredentials = &finding.Rule{
		ID: "invalid-allow-credentials", Severity: finding.Warning, Title: "Access-Control-Allow-Credentials is not true",
		Why: "true, in lower case, is the only value that means anything.",
	}
	ruleMissingVary = &finding.Rule{
		ID: "missing-vary-origin", Severity: finding.Warning, Title: "The answer depends on Origin, and Vary does not say so",
		Why: "A cache may give the answer for one origin to a page of another one, which then cannot read it.",
	}
)

// Preflights.
var (
	rulePreflightAnyOrigin = &finding.Rule{
		ID: "preflight-answers-any-origin", Severity: finding.Warning, Title: "Preflights are granted to origins that are refused otherwise",
		Why: "The browser then sends the request, whatever it does, from any page; only its response is kept from that page.",
	}
	rulePreflightRedirected = &finding.Rule{
		ID: "preflight-redirected", Severity: finding.Error, Title: "Preflights are redirected",
		Why: "Browsers do not follow redirects of preflights: the request fails.",
	}
	rulePreflightAuthentication = &finding.Rule{
		ID: "preflight-needs-authentication", Severity: finding.Error, Title: "Preflights are answered by authentication",
		Why: "Browsers send preflights without credentials, so no preflight ever passes.",
	}
	rulePreflightUnanswered = &finding.Rule{
		ID: "preflight-not-answered", Severity: finding.Error, Title: "Preflights are not answered",
		Why: "Requests with other methods than GET, HEAD and POST, or with headers such as Authorization, fail in browsers.",
	}
	rulePreflightMethod = &finding.Rule{
		ID: "preflight-refuses-method", Severity: finding.Error, Title: "The preflight does not allow the method",
		Why: "The browser does not send the request.",
	}
	rulePreflightHeader = &finding.Rule{
		ID: "preflight-refuses-header", Severity: finding.Error, Title: "The preflight does not allow a header",
		Why: "The browser does not send the request.",
	}
	rulePreflightCredentials = &finding.Rule{
		ID: "preflight-lacks-credentials", Severity: finding.Warning, Title: "The response allows credentials and the preflight does not",
		Why: "Requests with credentials that need a preflight fail.",
	}
	ruleAnyMethod = &finding.Rule{
		ID: "answers-any-method", Severity: finding.Note, Title: "Every method is allowed",
		Why: "Pages of allowed origins may send whatever the server understands, also what nobody meant for them.",
	}
	ruleAnyHeader = &finding.Rule{
		ID: "answers-any-header", Severity: finding.Note, Title: "Every request header is allowed",
		Why: "Pages of allowed origins may set headers that servers or proxies trust, such as X-Forwarded-For or X-HTTP-Method-Override.",
	}
	ruleUnusualMethod = &finding.Rule{
		ID: "lists-forbidden-method", Severity: finding.Note, Title: "Methods are listed that browsers never send",
		Why: "CONNECT, TRACE and TRACK cannot be sent by pages. The list is a default that nobody looked at.",
	}
	ruleMaxAgeLong = &finding.Rule{
		ID: "preflight-max-age-above-caps", Severity: finding.Note, Title: "Preflights are to be kept longer than browsers do",
		Why: "Safari keeps them for 600 seconds at most, Chromium for 7200, Firefox for 86400.",
	}
	ruleMaxAgeAbsent = &finding.Rule{
		ID: "preflight-max-age-absent", Severity: finding.Note, Title: "Preflights have no Access-Control-Max-Age",
		Why: "Browsers keep the answer for 5 seconds, so nearly every request costs a preflight.",
	}
	ruleMaxAgeInvalid = &finding.Rule{
		ID: "preflight-max-age-invalid", Severity: finding.Warning, Title: "Access-Control-Max-Age is no number of seconds",
		Why: "Browsers take 5 seconds in its place.",
	}
	rulePrivateNetwork = &finding.Rule{
		ID: "answers-private-network", Severity: finding.Note, Title: "Requests from public pages into the private network are allowed",
		Why: "Older Chromium takes this for the consent of a device in a private network. Newer browsers ask the person.",
	}
)
