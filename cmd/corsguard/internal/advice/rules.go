package advice

import "corsguard/cmd/corsguard/internal/finding"

// Rules are all kinds of findings of this package.
var Rules = []*finding.Rule{
	invalidPolicy, unwiseSetting,
	publicSuffix, insecureOrigin, loopbackOrigin, privateName, addressOrigin, anyOrigin, anyPort, wholeDomain, openLabel, manySites, shadowedPattern, nullOrigin,
	anyMethod, anyHeader, uncoveredAuthorization, needlessName, safelistedMethods, longMaxAge, noMaxAge, credentialsBesideTokens, privateNetwork, needlessOverride,
	keptHeaders, forwardedPreflight, repeatedBlock,
	noHSTS, noCSP, noSniff, noReferrerPolicy, weakHSTS, weakCSP,
	isolatesNothing, openerAlone, reportsOnly, noResourcePolicy, unknownToSafari,
	notEnforced, silentRefusals, onlyReported,
}

// What the plugin says itself.
var (
	invalidPolicy = &finding.Rule{ID: "invalid-policy", Severity: finding.Error, Title: "The plugin refuses the policy",
		Why: "Envoy does not start with it, or keeps the policy that it has."}
	unwiseSetting = &finding.Rule{ID: "unwise-setting", Severity: finding.Warning, Title: "The plugin warns of a setting",
		Why: "It is in force, and does less or allows more than it seems to."}
)

// Origins.
var (
	publicSuffix = &finding.Rule{ID: "public-suffix-wildcard", Severity: finding.Warning, Title: "A wildcard spans a public suffix",
		Why: "Names below a public suffix belong to whoever registers them, so pages of strangers are allowed. With credentials they read what your users may read."}
	insecureOrigin = &finding.Rule{ID: "insecure-origin", Severity: finding.Warning, Title: "An http origin of another machine",
		Why: "Whoever sits on the network can change pages that come over http, and so act as that origin."}
	loopbackOrigin = &finding.Rule{ID: "loopback-origin", Severity: finding.Note, Title: "A loopback origin beside those of a public site",
		Why: "It lets in whatever listens on the user's own machine, which developers need and users do not."}
	privateName = &finding.Rule{ID: "private-name", Severity: finding.Note, Title: "A name that is in no public DNS beside those of a public site",
		Why: "On every network such a name is another machine's: whoever runs the network of a user can act as it."}
	addressOrigin = &finding.Rule{ID: "ip-address-origin", Severity: finding.Note, Title: "An origin that is an IP address",
		Why: "Addresses change hands: who has it next is allowed then."}
	anyOrigin = &finding.Rule{ID: "any-origin", Severity: finding.Note, Title: "Every site may read responses",
		Why: "That is right for what is public, and wrong for what is kept from others by the network alone: a page in a browser inside of it reads that too."}
	anyPort = &finding.Rule{ID: "any-port", Severity: finding.Note, Title: "Any port of a host is allowed",
		Why: "Whatever else serves pages on that host, at whatever port, reads responses too. Ports above 1023 need no privileges."}
	wholeDomain = &finding.Rule{ID: "whole-domain-with-credentials", Severity: finding.Note, Title: "All subdomains of a domain are allowed, with credentials",
		Why: "One subdomain that is taken over, or has a script injected, reads what its visitors may read here."}
	openLabel = &finding.Rule{ID: "open-label", Severity: finding.Note, Title: "A wildcard in a label without a separator",
		Why: "It takes every name that begins or ends in these letters, and is easily wider than meant: pr* takes private too."}
	manySites = &finding.Rule{ID: "many-sites", Severity: finding.Note, Title: "A regular expression admits many sites",
		Why: "Each of them has to be yours, and to stay so: whoever registers one that was given up is allowed."}
	shadowedPattern = &finding.Rule{ID: "shadowed-pattern", Severity: finding.Note, Title: "A pattern that another one of the list covers",
		Why: "It changes nothing. Who takes it out to shut that origin out is mistaken."}
	nullOrigin = &finding.Rule{ID: "null-origin", Severity: finding.Warning, Title: "The null origin is allowed",
		Why: "Every page can make itself a null origin, with a sandboxed frame."}
)

// What allowed origins may do.
var (
	anyMethod = &finding.Rule{ID: "any-method", Severity: finding.Note, Title: "Every method is allowed",
		Why: "Pages may then use methods that the service gains later, or that were never meant for browsers."}
	anyHeader = &finding.Rule{ID: "any-header", Severity: finding.Note, Title: "Every request header is allowed",
		Why: "Pages may then set headers that the service trusts, such as those of proxies or of overrides of methods."}
	uncoveredAuthorization = &finding.Rule{ID: "authorization-not-covered", Severity: finding.Note, Title: "* in allowHeaders does not cover authorization",
		Why: "Requests with tokens fail in the browser's preflight."}
	needlessName = &finding.Rule{ID: "needless-name", Severity: finding.Note, Title: "A name that nothing needs",
		Why: "Browsers ask for no permission for it, or never ask for it."}
	safelistedMethods = &finding.Rule{ID: "always-allowed-methods", Severity: finding.Note, Title: "Methods are left out that are always allowed",
		Why: "Pages may send GET, HEAD and POST without a preflight, so leaving them out keeps nobody from it."}
	longMaxAge = &finding.Rule{ID: "max-age-above-caps", Severity: finding.Warning, Title: "maxAge is above what browsers take",
		Why: "Chromium takes no more than 7200 seconds, Safari no more than 600, Firefox no more than 86400. Whoever reads the policy expects more."}
	noMaxAge = &finding.Rule{ID: "no-max-age", Severity: finding.Note, Title: "Preflights are not remembered",
		Why: "Without a maxAge browsers ask again after 5 seconds, with 0 before each request: a round trip each time. Chromium takes up to 7200 seconds, Safari 600, Firefox 86400."}
	credentialsBesideTokens = &finding.Rule{ID: "credentials-beside-authorization", Severity: finding.Note, Title: "Credentials are allowed, and the authorization header too",
		Why: "Pages that send tokens in the authorization header need no allowCredentials. Without it cookies stay out of reach of pages of other origins."}
	privateNetwork = &finding.Rule{ID: "private-network", Severity: finding.Note, Title: "Access to private networks is granted",
		Why: "Chromium has replaced the mechanism by asking the user. No header grants that now."}
	needlessOverride = &finding.Rule{ID: "needless-override", Severity: finding.Warning, Title: "A refusal is switched off that no pattern needs",
		Why: "It only waits for the pattern that the refusal is there for."}
	keptHeaders = &finding.Rule{ID: "upstream-headers-kept", Severity: finding.Warning, Title: "The upstream's CORS headers are kept",
		Why: "Where the upstream sends any, its policy holds and not this one, with its mistakes: any origin reflected, two headers, or one origin for all."}
	forwardedPreflight = &finding.Rule{ID: "refused-preflight-forwarded", Severity: finding.Note, Title: "Preflights of refused origins go upstream",
		Why: "The upstream answers them, which costs a hop, and what it says about CORS is removed."}
	repeatedBlock = &finding.Rule{ID: "repeated-block", Severity: finding.Note, Title: "A rule repeats a block of the top level",
		Why: "A rule without the block has that of the top level. Written twice, one of them is changed and the other forgotten."}
)

// Other headers.
var (
	noHSTS = &finding.Rule{ID: "missing-hsts", Severity: finding.Note, Title: "No Strict-Transport-Security is set",
		Why: "Unless services send it, a browser's first request to the site may go over http, where others read and change it."}
	noCSP = &finding.Rule{ID: "missing-csp", Severity: finding.Note, Title: "No Content-Security-Policy is set",
		Why: "Unless services send it, a script that gets into a page runs, and other sites may frame the pages."}
	noSniff = &finding.Rule{ID: "missing-nosniff", Severity: finding.Note, Title: "No X-Content-Type-Options is set",
		Why: "Unless services send it, browsers may take responses for scripts or pages that are none, and hand data to pages that embed it."}
	noReferrerPolicy = &finding.Rule{ID: "missing-referrer-policy", Severity: finding.Note, Title: "No Referrer-Policy is set",
		Why: "Unless services send it, old browsers tell other sites whole URLs, with what is secret in them."}
	weakHSTS = &finding.Rule{ID: "weak-hsts", Severity: finding.Note, Title: "Strict-Transport-Security says less than it could",
		Why: "Browsers forget it before the next visit, or subdomains stay open over http, from where cookies of the site can be set."}
	weakCSP = &finding.Rule{ID: "weak-csp", Severity: finding.Warning, Title: "The Content-Security-Policy lets in scripts of strangers",
		Why: "What it is there for is to run no script that somebody else got into a page."}
	isolatesNothing = &finding.Rule{ID: "isolates-nothing", Severity: finding.Warning, Title: "The embedder policy isolates nothing",
		Why: "Pages are crossOriginIsolated with an opener policy of same-origin beside it alone. As it is, it only blocks what pages embed."}
	openerAlone = &finding.Rule{ID: "opener-policy-alone", Severity: finding.Note, Title: "An opener policy without an embedder policy",
		Why: "Windows are kept apart, which is worth having. Pages are not crossOriginIsolated by it, and have no SharedArrayBuffer."}
	reportsOnly = &finding.Rule{ID: "isolation-only-reported", Severity: finding.Note, Title: "Isolation is only reported",
		Why: "A policy that only reports blocks nothing and isolates nothing."}
	noResourcePolicy = &finding.Rule{ID: "missing-resource-policy", Severity: finding.Note, Title: "require-corp without a crossOriginResourcePolicy",
		Why: "Pages of other hosts of the same site, with the same embedder policy, cannot embed what this policy is for."}
	unknownToSafari = &finding.Rule{ID: "credentialless-in-safari", Severity: finding.Note, Title: "Safari does not know credentialless",
		Why: "Pages are not crossOriginIsolated there."}
	notEnforced = &finding.Rule{ID: "not-enforced", Severity: finding.Warning, Title: "The policy is not enforced for all requests",
		Why: "What it refuses goes through and what it sets is not set, for a share of requests at random, or for all."}
	silentRefusals = &finding.Rule{ID: "refusals-not-logged", Severity: finding.Note, Title: "Refusals are not logged",
		Why: "Which origin was refused, and for what, is then in no log."}
	onlyReported = &finding.Rule{ID: "fetch-metadata-only-reported", Severity: finding.Note, Title: "fetchMetadata refuses nothing yet",
		Why: "In the mode report requests of other sites are counted and go through."}
)
