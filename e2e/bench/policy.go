package main

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
)

// The one CORS policy, in plain values. Every subject that enforces it gets it in its own spelling.
var (
	exactOrigins   = []string{"https://www.example.com", "https://app.example.com", "https://admin.example.com"}
	wildcardOf     = "preview.example.com" // https://*.preview.example.com
	allowedMethods = []string{"GET", "HEAD", "POST", "PUT", "DELETE"}
	allowedHeaders = []string{"authorization", "content-type", "x-request-id"}
	exposedHeaders = []string{"etag", "x-request-id"}
	maxAge         = 7200
)

// object is a JSON object under construction.
type object = map[string]any

// corsguardPolicy is the policy as Corsguard's plugin configuration, with other blocks beside it. Refusals are not logged: of thousands a second the
// log takes one a second, but under callgrind those would be a good part of all.
func corsguardPolicy(blocks object) string {
	config := object{
		"cors": object{
			"allowOrigins":     append(append([]string{}, exactOrigins...), "https://*."+wildcardOf),
			"allowMethods":     allowedMethods,
			"allowHeaders":     allowedHeaders,
			"exposeHeaders":    exposedHeaders,
			"allowCredentials": true,
			"maxAge":           maxAge,
		},
		"log": object{"refusalsPerMinute": 0},
	}
	maps.Copy(config, blocks)
	doc, err := json.Marshal(config)
	if err != nil {
		panic(err) // plain strings and numbers always marshal
	}
	return string(doc)
}

// nativePolicy is the policy as Envoy's CorsPolicy. Without forward_not_matching_preflights: false the native filter would send refused
// preflights upstream, where Corsguard answers them itself.
func nativePolicy() object {
	var origins []object
	for _, o := range exactOrigins {
		origins = append(origins, object{"exact": o})
	}
	suffix := strings.ReplaceAll(wildcardOf, ".", `\.`)
	origins = append(origins, object{"safe_regex": object{"regex": `https://([a-z0-9-]+\.)+` + suffix}})
	return object{
		"@type":                           "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
		"allow_origin_string_match":       origins,
		"allow_methods":                   strings.Join(allowedMethods, ", "),
		"allow_headers":                   strings.Join(allowedHeaders, ", "),
		"expose_headers":                  strings.Join(exposedHeaders, ", "),
		"max_age":                         strconv.Itoa(maxAge),
		"allow_credentials":               true,
		"forward_not_matching_preflights": false,
	}
}

// header is a line of a response.
type header struct{ name, value string }

// setHeader is a header that responses get beside those of CORS, and what sets it in Corsguard's configuration.
type setHeader struct {
	header
	block, key string
	config     any // the key's value; nil where it is the header's
}

const (
	isolation = "isolation"
	security  = "securityHeaders"
)

// typicalHeaders are what many sites send.
var typicalHeaders = []setHeader{
	{header{"cross-origin-opener-policy", "same-origin"}, isolation, "crossOriginOpenerPolicy", nil},
	{header{"cross-origin-resource-policy", "same-site"}, isolation, "crossOriginResourcePolicy", nil},
	{header{"x-content-type-options", "nosniff"}, security, "xContentTypeOptions", nil},
	{header{"x-frame-options", "DENY"}, security, "xFrameOptions", nil},
	{header{"referrer-policy", "strict-origin-when-cross-origin"}, security, "referrerPolicy", nil},
	{header{"strict-transport-security", "max-age=63072000; includeSubDomains; preload"}, security, "strictTransportSecurity", nil},
}

// fullHeaders are all that a page can do with, among them those of the preset.
var fullHeaders = []setHeader{
	{header{"cross-origin-opener-policy", "same-origin"}, isolation, "preset", "cross-origin-isolated"},
	{header{"cross-origin-embedder-policy", "require-corp"}, isolation, "preset", "cross-origin-isolated"},
	{header{"cross-origin-opener-policy-report-only", `same-origin; report-to="isolation"`},
		isolation, "crossOriginOpenerPolicyReportOnly", object{"value": "same-origin", "reportTo": "isolation"}},
	{header{"cross-origin-embedder-policy-report-only", `require-corp; report-to="isolation"`},
		isolation, "crossOriginEmbedderPolicyReportOnly", object{"value": "require-corp", "reportTo": "isolation"}},
	{header{"cross-origin-resource-policy", "same-site"}, isolation, "crossOriginResourcePolicy", nil},
	{header{"origin-agent-cluster", "?1"}, isolation, "originAgentCluster", true},
	{header{"reporting-endpoints", `isolation="https://reports.example.com/isolation"`},
		isolation, "reportingEndpoints", object{"isolation": "https://reports.example.com/isolation"}},
	{header{"content-security-policy", "default-src 'self'; script-src 'self' https://cdn.example.com; style-src 'self' https://cdn.example.com; " +
		"img-src 'self' https: data:; connect-src 'self' https://api.example.com; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"},
		security, "contentSecurityPolicy", nil},
	{header{"content-security-policy-report-only", "default-src 'self'; script-src 'self'; require-trusted-types-for 'script'; report-to isolation"},
		security, "contentSecurityPolicyReportOnly", nil},
	{header{"strict-transport-security", "max-age=63072000; includeSubDomains; preload"}, security, "strictTransportSecurity", nil},
	{header{"x-content-type-options", "nosniff"}, security, "xContentTypeOptions", nil},
	{header{"x-frame-options", "DENY"}, security, "xFrameOptions", nil},
	{header{"referrer-policy", "strict-origin-when-cross-origin"}, security, "referrerPolicy", nil},
	{header{"permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(self)"}, security, "permissionsPolicy", nil},
	{header{"x-xss-protection", "0"}, security, "xXssProtection", nil},
}

// corsguardBlocks are the blocks of Corsguard's configuration that set headers.
func corsguardBlocks(headers []setHeader) object {
	blocks := object{}
	for _, h := range headers {
		block, ok := blocks[h.block].(object)
		if !ok {
			block = object{}
			blocks[h.block] = block
		}
		block[h.key] = h.config
		if h.config == nil {
			block[h.key] = h.value
		}
	}
	return blocks
}

// nativeHeaders are headers as a route's response_headers_to_add. Like Corsguard, it replaces what the upstream sent.
func nativeHeaders(headers []setHeader) []object {
	var options []object
	for _, h := range headers {
		options = append(options, object{
			"header":        object{"key": h.name, "value": h.value},
			"append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
		})
	}
	return options
}

// lines are the headers as they go out.
func lines(headers []setHeader) []header {
	var list []header
	for _, h := range headers {
		list = append(list, h.header)
	}
	return list
}
