package main

import (
	"encoding/json"
	"strconv"
	"strings"
)

// The one policy, in plain values. Every subject that enforces it gets it in its own spelling.
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

// corsguardPolicy is the policy as Corsguard's plugin configuration.
func corsguardPolicy() string {
	doc, err := json.Marshal(object{"cors": object{
		"allowOrigins":     append(append([]string{}, exactOrigins...), "https://*."+wildcardOf),
		"allowMethods":     allowedMethods,
		"allowHeaders":     allowedHeaders,
		"exposeHeaders":    exposedHeaders,
		"allowCredentials": true,
		"maxAge":           maxAge,
	}})
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
