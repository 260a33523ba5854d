package convert

import "corsguard/cmd/corsguard/internal/finding"

// Rules are the findings of this package.
var Rules = []*finding.Rule{
	anyWithCredentials, nullOrigin, insecureWithCredentials, prefixMatch, suffixMatch, unanchoredRegex, regexRefused, originRefused, originNeverMatches, originNarrowed,
	nameLeftOut, literalStar, exposeStar, maxAgeChanged, methodsTooWide, settingLost, unknownKey, invalidSource, conditionalMatch, matchLost, hostLost, hostPort,
	scopeConflict, ruleShadowed, scopeUnknown, notInForce, refusedPreflight, upstreamHeaders, runtimeKey, nothingLeft, placeholder, programmed,
}

var (
	anyWithCredentials = &finding.Rule{
		ID: "convert-any-origin-with-credentials", Severity: finding.Error, Title: "Any origin is allowed with credentials",
		Why: "Every page on the web could read what your users may read. Corsguard refuses that: any origin is kept without credentials only.",
	}
	nullOrigin = &finding.Rule{
		ID: "convert-null-origin", Severity: finding.Warning, Title: "The null origin is allowed",
		Why: "Every page can give itself a null origin, with a sandboxed frame. Corsguard never allows it with credentials.",
	}
	insecureWithCredentials = &finding.Rule{
		ID: "convert-not-with-credentials", Severity: finding.Error, Title: "An origin that must not have credentials",
		Why: "Whoever sits on the network can act as an http origin, and what stands below a public suffix belongs to others. Such origins are kept without credentials only.",
	}
	prefixMatch = &finding.Rule{
		ID: "convert-prefix-match", Severity: finding.Error, Title: "Origins are matched by their beginning",
		Why: "A prefix admits hosts of other owners: https://example.com admits https://example.com.evil.test.",
	}
	suffixMatch = &finding.Rule{
		ID: "convert-suffix-match", Severity: finding.Error, Title: "Origins are matched by their end, or by what they contain",
		Why: "Without a dot before the site, evilexample.com passes for example.com; what contains a name may be any site.",
	}
	unanchoredRegex = &finding.Rule{
		ID: "convert-unanchored-regex", Severity: finding.Error, Title: "A regular expression that is not anchored",
		Why: "It is searched for anywhere in the origin, so https://app.example.com.evil.test passes for app.example.com.",
	}
	regexRefused = &finding.Rule{
		ID: "convert-regex-refused", Severity: finding.Error, Title: "A regular expression that Corsguard refuses",
		Why: "Corsguard takes a part of RE2's syntax, and only expressions that write every site out, so that nobody can register a name that they match.",
	}
	originRefused = &finding.Rule{
		ID: "convert-origin-refused", Severity: finding.Error, Title: "An origin that Corsguard refuses",
		Why: "The pattern admits more than it seems to, or has no equal.",
	}
	originNeverMatches = &finding.Rule{
		ID: "convert-origin-never-matches", Severity: finding.Warning, Title: "An origin that no browser sends",
		Why: "The source compares it to the letter, so it grants nothing there either.",
	}
	originNarrowed = &finding.Rule{
		ID: "convert-origin-narrowed", Severity: finding.Warning, Title: "A pattern became narrower",
		Why: "The source's wildcard stands for any characters. Corsguard's stands for whole labels, or for letters, digits and hyphens inside of one.",
	}
	nameLeftOut = &finding.Rule{
		ID: "convert-name-left-out", Severity: finding.Note, Title: "A method or header was left out",
		Why: "Browsers forbid it to pages, or it is no method or header name, so it granted nothing.",
	}
	literalStar = &finding.Rule{
		ID: "convert-literal-star", Severity: finding.Warning, Title: "A * that browsers take to the letter",
		Why: "With credentials, * in a list that is sent as it is stands for a method or header of that name. Corsguard would answer what is asked for instead, which is more.",
	}
	exposeStar = &finding.Rule{
		ID: "convert-expose-star", Severity: finding.Warning, Title: "All response headers are exposed, with credentials",
		Why: "With credentials browsers take * for a header of that name, so pages saw none by it.",
	}
	maxAgeChanged = &finding.Rule{
		ID: "convert-max-age", Severity: finding.Note, Title: "The preflight cache's time changed",
		Why: "Browsers cap it: Firefox at 86400 seconds, Chromium at 7200. Corsguard takes 0 to 86400.",
	}
	methodsTooWide = &finding.Rule{
		ID: "convert-simple-methods", Severity: finding.Error, Title: "A method that Corsguard cannot withhold",
		Why: "The source refuses requests of methods that it does not list. Corsguard always allows GET, HEAD and POST, as browsers do, so the policy would grant more.",
	}
	settingLost = &finding.Rule{
		ID: "convert-setting-lost", Severity: finding.Warning, Title: "A setting has no equal",
		Why: "The policy works without it, but not in the same way.",
	}
	unknownKey = &finding.Rule{
		ID: "convert-unknown-key", Severity: finding.Warning, Title: "An unknown key",
		Why: "It may be a typing mistake, or of a later version of the product; what it means is not in the policy.",
	}
	invalidSource = &finding.Rule{
		ID: "convert-invalid-source", Severity: finding.Error, Title: "The source is invalid",
		Why: "The product would refuse it, or do something else than it says. Nothing is granted for it.",
	}
	conditionalMatch = &finding.Rule{
		ID: "convert-conditional-match", Severity: finding.Error, Title: "A route depends on more than host and path",
		Why: "Corsguard's rules know hosts, paths and Envoy's route names. Where a route also asks for headers, methods or queries, and others follow with another policy, nothing is granted.",
	}
	matchLost = &finding.Rule{
		ID: "convert-match-lost", Severity: finding.Error, Title: "A path cannot be said in a rule",
		Why: "Corsguard has no equal for it. Nothing is granted for what it might match.",
	}
	hostLost = &finding.Rule{
		ID: "convert-host-lost", Severity: finding.Error, Title: "A host cannot be said in a rule",
		Why: "Corsguard's rules take exact hosts and a wildcard for the first labels. Nothing is granted for what it might match.",
	}
	hostPort = &finding.Rule{
		ID: "convert-host-port", Severity: finding.Note, Title: "Ports of hosts do not count",
		Why: "Corsguard's hosts match whatever the port.",
	}
	scopeConflict = &finding.Rule{
		ID: "convert-conflict", Severity: finding.Error, Title: "Two policies for the same requests",
		Why: "Which of them wins is not in the files. Nothing is granted for what both match.",
	}
	ruleShadowed = &finding.Rule{
		ID: "convert-shadowed", Severity: finding.Note, Title: "A policy that never decides",
		Why: "Earlier rules take all requests that it is for.",
	}
	scopeUnknown = &finding.Rule{
		ID: "convert-scope-unknown", Severity: finding.Error, Title: "Which requests the policy is for is not in the file",
		Why: "The policy holds for all requests that the plugin sees. In front of more than the source's scope it grants more than the source.",
	}
	notInForce = &finding.Rule{
		ID: "convert-not-in-force", Severity: finding.Warning, Title: "A policy that is not in force",
		Why: "The source ignores it, so nothing is granted by it here either.",
	}
	refusedPreflight = &finding.Rule{
		ID: "convert-refused-preflight", Severity: finding.Note, Title: "Preflights of refused origins are answered",
		Why: "The source leaves them to the upstream. Corsguard answers them without CORS headers, unless onRefusedPreflight is forward.",
	}
	upstreamHeaders = &finding.Rule{
		ID: "convert-upstream-headers", Severity: finding.Note, Title: "The upstream's CORS headers are removed",
		Why: "The source leaves them to origins that it refuses. With Corsguard the policy is the only one; upstreamHeaders: keep is for services that answer CORS themselves.",
	}
	runtimeKey = &finding.Rule{
		ID: "convert-runtime-key", Severity: finding.Warning, Title: "A runtime key",
		Why: "A mode changes with the configuration only. What the key holds at run time is not in the file; its default is taken.",
	}
	nothingLeft = &finding.Rule{
		ID: "convert-nothing-left", Severity: finding.Error, Title: "No policy is left",
		Why: "Corsguard refuses a configuration that grants nothing, since it is mostly a mistake.",
	}
	placeholder = &finding.Rule{
		ID: "convert-placeholder", Severity: finding.Note, Title: "A placeholder to fill in",
		Why: "What the file is made for is not known here.",
	}
	programmed = &finding.Rule{
		ID: "convert-code", Severity: finding.Error, Title: "The origin is decided by code, or by something that no file tells",
		Why: "Nothing is granted for it.",
	}
)
