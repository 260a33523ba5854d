package command_test

import (
	"slices"
	"testing"

	"corsguard/e2e/envoy"
)

// bareNotes is what Envoy's own filter leaves to others.
var bareNotes = []string{"missing-corp-header note", "missing-hsts-header note", "missing-nosniff-header note"}

func matching(kind string, value any) []envoy.Object {
	if kind == "safe_regex" {
		value = envoy.Object{"regex": value}
	}
	return []envoy.Object{{kind: value}}
}

// TestNative holds what an audit says of Envoy's own CORS filter. Paths without a route have no policy there, so their 404 carries none; and there is never a Vary.
func TestNative(t *testing.T) {
	policy := func(kind, value string) envoy.Object {
		return envoy.Object{
			"allow_origin_string_match": matching(kind, value), "allow_methods": "GET, PUT", "allow_headers": "content-type", "max_age": "600", "allow_credentials": true,
		}
	}
	public := policy("safe_regex", ".*")
	delete(public, "allow_credentials")
	star := policy("exact", "*")
	star["allow_methods"], star["allow_headers"] = "*", "*"
	known := []string{"--origin", "https://app.example.com", "--credentials", "--method", "PUT", "--request-header", "content-type"}
	always := append(slices.Clone(bareNotes), "error-without-cors warning", "missing-vary-origin warning")
	found := func(more ...string) []string { return append(slices.Clone(always), more...) }
	audit(t, []scenario{
		{"exact", native(policy("exact", "https://app.example.com")), known, found()},
		{"a prefix", native(policy("prefix", "https://app.example.com")), known, found("origin-prefix-match error")},
		{"a suffix", native(policy("suffix", "example.com")), known, found("origin-suffix-match error", "answers-http-origin error")},
		{"a part", native(policy("contains", "example.com")), known, found("origin-suffix-match error", "origin-prefix-match error", "answers-http-origin error")},
		{"a regular expression with an open end", native(policy("safe_regex", `https://app\.example\.com.*`)), known, found("origin-prefix-match error")},
		{"a regular expression with an open beginning", native(policy("safe_regex", `https://.*example\.com`)), known, found("origin-suffix-match error")},
		{"a regular expression with open dots", native(policy("safe_regex", `https://(app|api).example.com`)), known, found("origin-unescaped-dot error")},
		{"a regular expression for subdomains", native(policy("safe_regex", `https://([a-z0-9-]+\.)+example\.com`)), known, found("answers-any-subdomain warning")},
		{"a regular expression for both schemes", native(policy("safe_regex", `https?://app\.example\.com`)), known, found("answers-http-origin error")},
		{"everything", native(policy("safe_regex", ".*")), known, found("reflects-any-origin error")},
		{"everything, publicly", native(public), nil, found("reflects-any-origin warning")},
		{"stars", native(star), known, found("reflects-any-origin error", "answers-any-method warning", "answers-any-header warning")},
		{"null", native(policy("exact", "null")), nil, append(slices.Clone(bareNotes), "answers-null-origin error", "missing-vary-origin warning")},
		{"after authentication", native(policy("exact", "https://app.example.com"), basicAuth()), append([]string{"--header", "Authorization: Basic YWRhOnBhc3N3b3Jk"}, known...),
			found("preflight-needs-authentication error")},
		{"before an upstream that does CORS too", native(policy("exact", "https://app.example.com")), append([]string{"--header", "x-case: wide"}, known...),
			found("answers-any-origin note", "wildcard-with-credentials warning")},
		{"not at all", &envoy.HCM{}, nil, bareNotes},
	})
}
