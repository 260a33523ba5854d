package advice

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

// check returns what Check says of a policy, a line for each finding of the rules that are asked for, or of all but the headers that are missing.
func check(t *testing.T, policy string, only ...*finding.Rule) []string {
	t.Helper()
	policies, around, err := document.Read("policy.json", []byte(policy))
	if err != nil || len(policies) != 1 || len(around) != 0 {
		t.Fatalf("%d policies, %v, error %v", len(policies), around, err)
	}
	var lines []string
	for _, f := range Check(&policies[0]) {
		if len(only) == 0 && !strings.HasPrefix(f.Rule.ID, "missing-") || slices.Contains(only, f.Rule) {
			lines = append(lines, fmt.Sprintf("%s %s %s", f.Severity, f.Rule.ID, f.Place.Path))
		}
		if f.Place.Line == 0 || f.Place.Column == 0 || f.Message == "" {
			t.Errorf("%+v has no place, or says nothing", f)
		}
	}
	return lines
}

// origins is a policy of these patterns, as JSON texts, and further keys.
func origins(keys string, patterns ...string) string {
	for i, p := range patterns {
		if !strings.HasPrefix(p, "{") {
			patterns[i] = `"` + p + `"`
		}
	}
	if keys != "" {
		keys = ", " + keys
	}
	return `{"cors": {"allowOrigins": [` + strings.Join(patterns, ", ") + `]` + keys + `}}`
}

const (
	withCredentials = `"allowCredentials": true`
	app             = "https://app.example.com"
	first           = "cors.allowOrigins[0]"
	second          = "cors.allowOrigins[1]"
)

// ruleTests are policies with all that there is to say about them, but for headers that are missing.
var ruleTests = []struct {
	name, policy string
	want         []string
}{
	{"a small policy", origins("", app), nil},
	{"a misspelt key", `{"cors": {"allowOrigin": ["https://app.example.com"]}}`, []string{"error invalid-policy cors.allowOrigin", "error invalid-policy cors"}},
	{"a warning of the plugin", origins(`"allowMethods": ["GET", "POST", "put"], "maxAge": 5`, app), []string{"warning unwise-setting cors.allowMethods[2]"}},
	{"the upper-case method", origins(`"allowMethods": ["GET", "POST", "PUT"], "maxAge": 5`, app), nil},

	{"a public suffix that both lists have", origins("", "https://*.github.io"), []string{"warning public-suffix-wildcard " + first}},
	{"one that only the newer list has", origins("", "https://*.deta.dev"), []string{"warning public-suffix-wildcard " + first}},
	{"that with credentials", origins(withCredentials, "https://*.deta.dev"), []string{"error public-suffix-wildcard " + first}},
	{"that with the override", origins(withCredentials+`, "dangerously": {"allowPublicSuffixWildcards": true}`, "https://*.deta.dev"),
		[]string{"warning public-suffix-wildcard " + first, "warning needless-override cors.dangerously.allowPublicSuffixWildcards"}},
	{"one that the override lets through", origins(withCredentials+`, "dangerously": {"allowPublicSuffixWildcards": true}`, "https://*.github.io"), []string{"warning public-suffix-wildcard " + first}},
	{"a wildcard in a label of a shared host", origins(withCredentials, "https://pr-*.deta.dev"), []string{"error public-suffix-wildcard " + first}},
	{"an expression that leaves sites of a shared host open", origins(withCredentials, `{"regex": "https://pr-[0-9]+\\.deta\\.dev"}`), []string{"error public-suffix-wildcard " + first}},
	{"that without credentials", origins("", `{"regex": "https://.*\\.deta\\.dev"}`), []string{"warning public-suffix-wildcard " + first}},
	{"an expression with the names of a shared host", origins(withCredentials, `{"regex": "https://(one|two|three)\\.deta\\.dev(:[0-9]+)?"}`), nil},
	{"an expression below a site", origins(withCredentials, `{"regex": "https://pr-[0-9]+\\.example\\.com"}`, `{"regex": "https://.*\\.a\\.deta\\.dev"}`), nil},
	{"an expression with many sites", origins("", `{"regex": "https://app\\.example\\.(com|org|net|de|fr|it)"}`), []string{"note many-sites " + first}},
	{"an expression with few", origins("", `{"regex": "https://app\\.example\\.(com|org|net|de|fr)"}`), nil},
	{"a site below a public suffix", origins("", "https://*.someone.deta.dev", "https://someone.github.io"), nil},

	{"http", origins("", "http://app.example.com"), []string{"warning insecure-origin " + first}},
	{"http with the override", origins(withCredentials+`, "dangerously": {"allowInsecureOrigins": true}`, "http://app.example.com"), []string{"warning insecure-origin " + first}},
	{"http of the own machine alone", origins(withCredentials, "http://localhost:*", "http://127.0.0.1:3000"), nil},
	{"http of the own machine beside a site of users", origins("", app, "http://localhost:*"), []string{"note loopback-origin " + second}},
	{"http of the own machine beside a site of developers", origins("", "https://shop.dev.example.com", "https://pr-*.preview.example.com", "http://localhost:*"), nil},
	{"an app's own scheme", origins("", app, "capacitor://localhost", "chrome-extension://*"), []string{"note any-origin cors.allowOrigins[2]"}},
	{"a private name beside a site of users", origins("", app, "https://wiki.corp", "https://intranet"), []string{"note private-name " + second, "note private-name cors.allowOrigins[2]"}},
	{"private names alone", origins("", "https://wiki.corp", "https://intranet"), nil},
	{"names that look private", origins("", app, "https://internal.example.com", "https://local.example.com"), nil},
	{"an address", origins("", "https://192.0.2.1"), []string{"note ip-address-origin " + first}},
	{"an address of version 6", origins("", "https://[2001:db8::1]:8443"), []string{"note ip-address-origin " + first}},
	{"addresses of the own machine", origins("", "https://127.0.0.1", "https://[::1]"), nil},

	{"any origin", origins("", "*"), []string{"note any-origin " + first}},
	{"any host", origins("", "https://*"), []string{"note any-origin " + first}},
	{"any port", origins("", "https://app.example.com:*"), []string{"note any-port " + first}},
	{"any port with credentials", origins(withCredentials, "https://*.a.example.com:*"), []string{"warning any-port " + first}},
	{"one port", origins(withCredentials, "https://app.example.com:8443"), nil},
	{"a whole domain with credentials", origins(withCredentials, "https://*.example.co.uk"), []string{"note whole-domain-with-credentials " + first}},
	{"a whole domain without", origins("", "https://*.example.co.uk"), nil},
	{"a part of a domain with credentials", origins(withCredentials, "https://*.apps.example.co.uk"), nil},
	{"no separator before a wildcard", origins("", "https://pr*.example.com"), []string{"note open-label " + first}},
	{"none behind it, with credentials", origins(withCredentials, "https://*eu.example.com"), []string{"warning open-label " + first}},
	{"separators and digits", origins(withCredentials, "https://pr-*.example.com", "https://*-eu.example.com", "https://v1*.example.com"), nil},
	{"an origin that a wildcard covers", origins("", "https://*.example.com", app), []string{"note shadowed-pattern " + second}},
	{"a wildcard that another covers", origins("", "https://*.a.example.com", "https://*.example.com"), []string{"note shadowed-pattern " + first}},
	{"wildcards beside each other", origins("", "https://*.a.example.com", "https://*.b.example.com", "https://example.com"), nil},
	{"the null origin beside others", origins(`"allowNull": true`, app), []string{"warning null-origin cors.allowNull"}},
	{"the null origin beside any", origins(`"allowNull": true`, "*"), []string{"note any-origin " + first, "warning null-origin cors.allowNull"}},
	{"the null origin alone", `{"cors": {"allowNull": true}}`, []string{"note null-origin cors.allowNull"}},
	{"no null origin", origins(`"allowNull": false`, app), nil},

	{"any method", origins(`"allowMethods": ["*"], "maxAge": 5`, app), []string{"note any-method cors.allowMethods[0]"}},
	{"any method with credentials", origins(`"allowMethods": ["*"], "maxAge": 5, `+withCredentials, app), []string{"warning any-method cors.allowMethods[0]"}},
	{"any header", origins(`"allowHeaders": ["*"], "maxAge": 5`, app), []string{"note any-header cors.allowHeaders[0]", "note authorization-not-covered cors.allowHeaders[0]"}},
	{"any header and authorization", origins(`"allowHeaders": ["Authorization", "*"], "maxAge": 5`, app), []string{"note any-header cors.allowHeaders[1]"}},
	{"needless names", origins(`"allowMethods": ["GET", "POST", "OPTIONS"], "allowHeaders": ["Accept", "x-a"], "exposeHeaders": ["etag", "expires"], "maxAge": 5`, app),
		[]string{"note needless-name cors.allowMethods[2]", "note needless-name cors.allowHeaders[0]", "note needless-name cors.exposeHeaders[1]"}},
	{"needed names", origins(`"allowHeaders": ["content-type", "range"], "exposeHeaders": ["etag"], "maxAge": 5`, app), nil},
	{"methods that are allowed all the same", origins(`"allowMethods": ["GET", "HEAD"]`, app), []string{"note always-allowed-methods cors.allowMethods"}},
	{"all of them", origins(`"allowMethods": ["POST", "GET"]`, app), nil},
	{"a long maxAge", origins(`"maxAge": 7201`, app), []string{"warning max-age-above-caps cors.maxAge"}},
	{"what Chromium takes", origins(`"maxAge": 7200`, app), nil},
	{"no maxAge and preflights", origins(`"allowHeaders": ["x-a"]`, app), []string{"note no-max-age cors"}},
	{"no maxAge and no preflights", origins(`"allowMethods": ["GET", "HEAD", "POST"]`, app), nil},
	{"a maxAge of 0", origins(`"maxAge": 0`, app), []string{"note no-max-age cors.maxAge"}},
	{"credentials and tokens", origins(`"allowHeaders": ["Authorization"], "maxAge": 5, `+withCredentials, app), []string{"note credentials-beside-authorization cors.allowCredentials"}},
	{"tokens alone", origins(`"allowHeaders": ["Authorization"], "maxAge": 5`, app), nil},
	{"private networks", origins(`"allowPrivateNetwork": true`, app), []string{"note private-network cors.allowPrivateNetwork"}},
	{"a needless override", origins(withCredentials+`, "dangerously": {"allowInsecureOrigins": true}`, app), []string{"warning needless-override cors.dangerously.allowInsecureOrigins"}},
	{"an override that is off", origins(withCredentials+`, "dangerously": {"allowInsecureOrigins": false}`, app), nil},
	{"kept headers beside one origin", origins(`"upstreamHeaders": "keep"`, app), []string{"note upstream-headers-kept cors.upstreamHeaders"}},
	{"kept headers beside several", origins(`"upstreamHeaders": "keep"`, app, "https://b.example.com"), []string{"warning upstream-headers-kept cors.upstreamHeaders"}},
	{"replaced headers", origins(`"upstreamHeaders": "replace"`, app, "https://b.example.com"), nil},
	{"forwarded preflights", origins(`"onRefusedPreflight": "forward"`, app), []string{"note refused-preflight-forwarded cors.onRefusedPreflight"}},
	{"answered ones", origins(`"onRefusedPreflight": "answer"`, app), nil},
	{"groups", `{"cors": [{"allowOrigins": ["https://app.example.com"]}, {"allowOrigins": ["https://b.example.com"], "maxAge": 0}]}`, []string{"note no-max-age cors[1].maxAge"}},

	{"a rule that repeats", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "a", "match": {"hosts": ["a.example.com"]}, "cors": {"allowOrigins":["https://app.example.com"]}, "isolation": null}]}`,
		[]string{"note repeated-block rules[0].cors", "note repeated-block rules[0].isolation"}},
	{"a rule that differs", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "a", "match": {"hosts": ["a.example.com"]}, "cors": null}]}`, nil},

	{"half of isolation", `{"isolation": {"crossOriginEmbedderPolicy": "require-corp", "crossOriginResourcePolicy": "same-site"}}`, []string{"warning isolates-nothing isolation.crossOriginEmbedderPolicy"}},
	{"half of it, as an object", `{"isolation": {"crossOriginOpenerPolicy": "same-origin-allow-popups", "crossOriginEmbedderPolicy": {"value": "require-corp"}, "crossOriginResourcePolicy": "same-site"}}`,
		[]string{"warning isolates-nothing isolation.crossOriginEmbedderPolicy.value"}},
	{"the other half", `{"isolation": {"crossOriginOpenerPolicy": "same-origin"}}`, []string{"note opener-policy-alone isolation.crossOriginOpenerPolicy"}},
	{"all of it", `{"isolation": {"crossOriginOpenerPolicy": "same-origin", "crossOriginEmbedderPolicy": "require-corp", "crossOriginResourcePolicy": "same-site"}}`, nil},
	{"the preset", `{"isolation": {"preset": "cross-origin-isolated", "crossOriginResourcePolicy": "same-origin"}}`, nil},
	{"documents alone", `{"isolation": {"documentIsolationPolicy": "isolate-and-require-corp", "crossOriginEmbedderPolicy": "require-corp", "crossOriginResourcePolicy": "same-origin"}}`, nil},
	{"credentialless", `{"isolation": {"preset": "cross-origin-isolated", "crossOriginEmbedderPolicy": "credentialless"}}`, []string{"note credentialless-in-safari isolation.crossOriginEmbedderPolicy"}},
	{"reports alone", `{"isolation": {"crossOriginOpenerPolicyReportOnly": {"value": "same-origin", "reportTo": "a"}, "reportingEndpoints": {"a": "/a"}}}`, []string{"note isolation-only-reported isolation"}},
	{"reports beside the policy", `{"isolation": {"crossOriginOpenerPolicy": "same-origin-allow-popups", "crossOriginOpenerPolicyReportOnly": {"value": "same-origin", "reportTo": "a"}, "reportingEndpoints": {"a": "/a"}}}`, nil},

	{"a short HSTS", `{"securityHeaders": {"strictTransportSecurity": "max-age=300; includeSubDomains"}}`, []string{"note weak-hsts securityHeaders.strictTransportSecurity"}},
	{"HSTS without subdomains", `{"securityHeaders": {"strictTransportSecurity": {"value": "Max-Age=\"31536000\""}}}`, []string{"note weak-hsts securityHeaders.strictTransportSecurity.value"}},
	{"a good HSTS", `{"securityHeaders": {"strictTransportSecurity": "includesubdomains; max-age=31536000"}}`, nil},
	{"a CSP with inline scripts", `{"securityHeaders": {"contentSecurityPolicy": "default-src 'self' 'unsafe-inline'"}}`, []string{"warning weak-csp securityHeaders.contentSecurityPolicy"}},
	{"a CSP with hosts of all", `{"securityHeaders": {"contentSecurityPolicy": "default-src 'self'; script-src 'self' https:"}}`, []string{"warning weak-csp securityHeaders.contentSecurityPolicy"}},
	{"a CSP without scripts", `{"securityHeaders": {"contentSecurityPolicy": "frame-ancestors 'none'"}}`, []string{"note weak-csp securityHeaders.contentSecurityPolicy"}},
	{"inline styles, and hashes beside inline scripts", `{"securityHeaders": {"contentSecurityPolicy": "default-src 'none'; style-src 'unsafe-inline' *; script-src 'unsafe-inline' https: 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"}}`, nil},

	{"shadow", `{"mode": "shadow", "cors": {"allowOrigins": ["https://app.example.com"]}}`, []string{"warning not-enforced mode"}},
	{"off", `{"mode": "off", "cors": {"allowOrigins": ["https://app.example.com"]}}`, []string{"warning not-enforced mode"}},
	{"a share", `{"mode": {"enforce": {"numerator": 99}}, "cors": {"allowOrigins": ["https://app.example.com"]}}`, []string{"warning not-enforced mode"}},
	{"a share in a rule", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "a", "match": {"hosts": ["a.example.com"]}, "mode": {"enforce": {"numerator": 100, "denominator": "MILLION"}}}]}`,
		[]string{"note not-enforced rules[0].mode"}},
	{"all requests", `{"mode": {"enforce": {"numerator": 1e6, "denominator": "MILLION"}}, "cors": {"allowOrigins": ["https://app.example.com"]}}`, nil},
	{"no log", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "log": {"refusalsPerMinute": 0}}`, []string{"note refusals-not-logged log.refusalsPerMinute"}},
	{"a log", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "log": {"refusalsPerMinute": 1}}`, nil},
	{"reported Fetch Metadata", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "fetchMetadata": {"mode": "report"}}`, []string{"note fetch-metadata-only-reported fetchMetadata.mode"}},
	{"enforced Fetch Metadata", `{"cors": {"allowOrigins": ["https://app.example.com"]}, "fetchMetadata": {}}`, nil},
}

func TestEachRuleFindsWhatItIsForAndNothingLikeIt(t *testing.T) {
	for _, test := range ruleTests {
		t.Run(test.name, func(t *testing.T) {
			if got := check(t, test.policy); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestMissingHeadersAreNamedOnce(t *testing.T) {
	missing := []*finding.Rule{noHSTS, noCSP, noSniff, noReferrerPolicy, noResourcePolicy}
	all := `"strictTransportSecurity": "max-age=31536000; includeSubDomains", "contentSecurityPolicy": "default-src 'self'", "xContentTypeOptions": "nosniff", "referrerPolicy": "no-referrer"`
	withoutHSTS := strings.TrimPrefix(all, `"strictTransportSecurity": "max-age=31536000; includeSubDomains", `)
	for policy, want := range map[string][]string{
		origins("", app): {"note missing-hsts $", "note missing-csp $", "note missing-nosniff $", "note missing-referrer-policy $"},
		`{"securityHeaders": {"xContentTypeOptions": "nosniff"}}`: {"note missing-hsts securityHeaders", "note missing-csp securityHeaders", "note missing-referrer-policy securityHeaders"},
		`{"securityHeaders": {` + all + `}}`:                      nil,
		`{"securityHeaders": {` + all + `}, "rules": [{"name": "a", "match": {"hosts": ["a.example.com"]}, "securityHeaders": {"xFrameOptions": "DENY", ` + withoutHSTS + `}}]}`: {
			"note missing-hsts rules[0].securityHeaders"},
		`{"securityHeaders": {` + all + `}, "rules": [{"name": "a", "match": {"hosts": ["a.example.com"]}, "securityHeaders": null}]}`: nil,
		`{"securityHeaders": {` + all + `}, "isolation": {"preset": "cross-origin-isolated"}}`:                                         {"note missing-resource-policy isolation"},
	} {
		if got := check(t, policy, missing...); !slices.Equal(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", policy, got, want)
		}
	}
}

func TestEveryRuleIsTestedAndSaysWhy(t *testing.T) {
	tested := map[string]bool{}
	for _, test := range ruleTests {
		for _, line := range test.want {
			tested[strings.Fields(line)[1]] = true
		}
	}
	ids := map[string]bool{}
	for _, r := range Rules {
		if ids[r.ID] || r.Title == "" || r.Why == "" || !tested[r.ID] && !strings.HasPrefix(r.ID, "missing-") {
			t.Errorf("%+v", r)
		}
		ids[r.ID] = true
	}
}

func TestThereAreNotMoreFindingsOfARuleThanAPersonReads(t *testing.T) {
	var patterns []string
	for i := range 1000 {
		patterns = append(patterns, fmt.Sprintf("http://h%d.example.com", i))
	}
	got := check(t, origins("", patterns...))
	if len(got) != maxOfRule+1 || got[maxOfRule] != "warning insecure-origin $" {
		t.Errorf("%d findings, the last %q", len(got), got[len(got)-1])
	}
}
