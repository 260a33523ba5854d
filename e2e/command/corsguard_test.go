package command_test

import (
	"testing"

	"corsguard/e2e/envoy"
)

// production is what a site with one front end, and nothing that others may read, has.
const production = `{
	"cors": {
		"allowOrigins": ["https://app.example.com", "https://admin.example.com"],
		"allowMethods": ["GET", "HEAD", "POST", "PUT", "DELETE"],
		"allowHeaders": ["authorization", "content-type"],
		"exposeHeaders": ["etag", "x-request-id"],
		"allowCredentials": true,
		"maxAge": 7200
	},
	"isolation": {"preset": "cross-origin-isolated", "crossOriginResourcePolicy": "same-site"},
	"securityHeaders": {
		"contentSecurityPolicy": "default-src 'self'; frame-ancestors 'none'",
		"strictTransportSecurity": "max-age=31536000; includeSubDomains",
		"xContentTypeOptions": "nosniff",
		"referrerPolicy": "strict-origin-when-cross-origin"
	},
	"fetchMetadata": {}
}`

// with adds to the security headers of a policy that has none, so that tests are about its cors.
func with(cors string) string {
	return `{"cors": ` + cors + `, "isolation": {"crossOriginResourcePolicy": "same-site"},
		"securityHeaders": {"strictTransportSecurity": "max-age=31536000", "xContentTypeOptions": "nosniff"}}`
}

func behind(policy string, filters ...envoy.Object) *envoy.HCM {
	return &envoy.HCM{Filters: append([]envoy.Object{corsguard(policy)}, filters...)}
}

// page is what an auditor of the production policy knows.
func page(more ...string) []string {
	return append([]string{
		"--origin", "https://app.example.com", "--origin", "https://admin.example.com", "--credentials",
		"--method", "PUT", "--request-header", "authorization", "--request-header", "content-type",
	}, more...)
}

// TestCorsguard holds that a sound policy gives nothing to find, whatever stands behind it, and that wider ones are called what they are.
func TestCorsguard(t *testing.T) {
	sound, guarded := behind(production), behind(production, basicAuth())
	audit(t, []scenario{
		{"production", sound, page(), nil},
		{"production over HTTP/1.1", sound, page("--http1"), nil},
		{"production before a document", sound, page("--header", "x-case: document"), nil},
		{"production before an upstream that allows everything", sound, page("--header", "x-case: wide"), nil},
		{"production before authentication", guarded, page("--header", "Authorization: Basic YWRhOnBhc3N3b3Jk"), nil},
		{"production before authentication that fails", guarded, page(), nil},
		{"production after authentication", &envoy.HCM{Filters: []envoy.Object{basicAuth(), corsguard(production)}}, page("--header", "Authorization: Basic YWRhOnBhc3N3b3Jk"),
			[]string{"error-without-cors warning", "preflight-needs-authentication error"}},
		{"nothing known", sound, nil, nil},
		{"a refused origin", sound, []string{"--origin", "https://www.example.com"}, []string{"allowed-origin-refused error"}},
		{"a method that is not allowed", sound, []string{"--origin", "https://app.example.com", "--method", "PATCH"}, []string{"preflight-refuses-method error"}},
		{"refusals by status", behind(with(`{"allowOrigins": ["https://app.example.com"], "maxAge": 60, "onRefusedOrigin": "deny", "onRefusedPreflight": "deny"}`)),
			[]string{"--origin", "https://app.example.com"}, nil},
		{"a regular expression", behind(with(`{"allowOrigins": [{"regex": "https://(app|admin)\\.example\\.com"}], "allowCredentials": true, "maxAge": 60}`)),
			[]string{"--origin", "https://app.example.com", "--credentials"}, nil},
		{"subdomains", behind(with(`{"allowOrigins": ["https://*.example.com"], "allowCredentials": true, "maxAge": 60}`)),
			[]string{"--origin", "https://app.example.com", "--credentials"}, []string{"answers-any-subdomain warning"}},
		{"development", behind(with(`{"allowOrigins": ["https://app.example.com", "http://localhost:*"], "maxAge": 60}`)),
			[]string{"--origin", "https://app.example.com"}, []string{"answers-loopback-origin note"}},
		{"every https origin", behind(with(`{"allowOrigins": ["https://*"], "maxAge": 60}`)), nil, []string{"reflects-any-origin warning"}},
		{"null", behind(with(`{"allowOrigins": ["https://app.example.com"], "allowNull": true, "maxAge": 60}`)), nil, []string{"answers-null-origin warning"}},
		{"every method and header", behind(with(`{"allowOrigins": ["https://app.example.com"], "allowMethods": ["*"], "allowHeaders": ["*"], "allowCredentials": true, "maxAge": 60}`)),
			[]string{"--origin", "https://app.example.com", "--credentials"}, []string{"answers-any-header warning", "answers-any-method warning"}},
		{"a public API", behind(`{"cors": {"allowOrigins": ["*"], "allowMethods": ["GET", "HEAD"], "exposeHeaders": ["*"], "maxAge": 7200, "timingAllowOrigin": true},
			"isolation": {"crossOriginResourcePolicy": "cross-origin"}, "securityHeaders": {"strictTransportSecurity": "max-age=31536000", "xContentTypeOptions": "nosniff"}}`),
			nil, []string{"answers-any-origin note", "exposes-any-header note"}},
		{"CORS alone", behind(`{"cors": {"allowOrigins": ["https://app.example.com"]}}`), []string{"--origin", "https://app.example.com"},
			[]string{"missing-corp-header note", "missing-hsts-header note", "missing-nosniff-header note", "preflight-max-age-absent note"}},
		{"shadow before an upstream that allows everything", behind(`{"mode": "shadow", "cors": {"allowOrigins": ["https://app.example.com"]}}`),
			[]string{"--header", "x-case: wide"},
			[]string{"answers-any-origin note", "error-without-cors warning", "missing-corp-header note", "missing-hsts-header note", "missing-nosniff-header note",
				"preflight-not-answered warning", "wildcard-with-credentials warning"}},
	})
}
