package config

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// docs/schema.json tells editors what Parse takes. These tests walk it along a configuration that has every key of it, and try what it says of each place.

// everyKey is a configuration with every key, and with every kind of value where there are several. The long name is that of the endpoint that reports go to
// where the length of such names is tried.
const everyKey = `{
	"mode": {"enforce": {"numerator": 5, "denominator": "MILLION"}, "otherwise": "off"},
	"cors": {
		"allowOrigins": ["https://first.example.com", {"exact": "https://b.example.com"}, {"regex": "https://pr-[0-9]+\\.preview\\.example\\.com"}],
		"allowMethods": ["GET", "HEAD", "POST"], "allowHeaders": ["x-a"], "exposeHeaders": ["x-b"], "allowCredentials": false, "maxAge": 5, "allowNull": true,
		"allowPrivateNetwork": false, "timingAllowOrigin": false, "preflightStatus": 204, "onRefusedPreflight": "answer", "onRefusedOrigin": "pass",
		"onMissingOrigin": "pass", "upstreamHeaders": "replace", "presets": ["grpc-web"],
		"allowOriginsFrom": {"cluster": "origins", "authority": "origins.internal", "path": "/origins", "interval": "2m", "timeout": "500ms", "maxBytes": 1000},
		"dangerously": {"allowInsecureOrigins": false, "allowPublicSuffixWildcards": false}
	},
	"isolation": {
		"crossOriginOpenerPolicy": {"value": "same-origin", "reportTo": "default"}, "crossOriginOpenerPolicyReportOnly": {"value": "unsafe-none", "reportTo": "coop"},
		"crossOriginEmbedderPolicy": {"value": "require-corp", "reportTo": "default"}, "crossOriginEmbedderPolicyReportOnly": {"value": "credentialless", "reportTo": "coop"},
		"crossOriginResourcePolicy": "same-site", "originAgentCluster": true, "documentIsolationPolicy": {"value": "none", "reportTo": "default"},
		"reportingEndpoints": {"default": "https://reports.example.com/", "coop": "/coop", "` + longName + `": "/long"}
	},
	"securityHeaders": {
		"contentSecurityPolicy": {"value": "default-src 'self'", "ifAbsent": true}, "contentSecurityPolicyReportOnly": {"value": "img-src 'self'", "ifAbsent": true},
		"strictTransportSecurity": {"value": "max-age=5", "ifAbsent": true}, "xContentTypeOptions": {"value": "nosniff", "ifAbsent": true},
		"xFrameOptions": {"value": "DENY", "ifAbsent": true}, "referrerPolicy": {"value": "origin", "ifAbsent": true},
		"permissionsPolicy": {"value": "camera=()", "ifAbsent": true}, "xXssProtection": {"value": "0", "ifAbsent": true}
	},
	"fetchMetadata": {"mode": "report", "allowSameSite": false, "allowUnsafeNavigations": false},
	"rules": [
		{
			"name": "a", "match": {"hosts": ["a.example.com"]}, "mode": "shadow", "cors": null, "isolation": {"preset": "cross-origin-isolated"},
			"securityHeaders": {
				"contentSecurityPolicy": "default-src 'self'", "contentSecurityPolicyReportOnly": "img-src 'self'", "strictTransportSecurity": "max-age=5", "xContentTypeOptions": "nosniff",
				"xFrameOptions": "DENY", "referrerPolicy": "origin", "permissionsPolicy": "camera=()", "xXssProtection": "0"
			},
			"fetchMetadata": {}
		},
		{
			"name": "b",
			"match": {"hosts": ["b.example.com"], "paths": [{"exact": "/a"}, {"prefix": "/b"}, {"regex": "/c[0-9]"}], "routes": ["r"]},
			"cors": [{"allowOrigins": ["https://a.example.com"]}, {"allowOrigins": ["https://b.example.com"]}],
			"isolation": {
				"crossOriginOpenerPolicy": "same-origin", "crossOriginOpenerPolicyReportOnly": "same-origin", "crossOriginEmbedderPolicy": "require-corp",
				"crossOriginEmbedderPolicyReportOnly": "require-corp", "documentIsolationPolicy": "none"
			}
		},
		{"name": "c", "match": {"hosts": ["c.example.com"]}, "isolation": null, "securityHeaders": null, "fetchMetadata": null}
	],
	"log": {"refusalsPerMinute": 60}
}`

// longName is a name of the greatest length that endpoints may have.
const longName = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

type schemaNode = map[string]any

// visit is a place of everyKey, and a schema that is about it.
type visit struct {
	at   []any // keys and indices from the top
	path string
	name string // of the schema: a JSON pointer
	node schemaNode
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func readSchema(t *testing.T) schemaNode {
	t.Helper()
	text, err := os.ReadFile("../../docs/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return decoded(t, string(text)).(schemaNode)
}

// visits returns every schema with every place of everyKey that it is about.
func visits(t *testing.T) []visit {
	t.Helper()
	root := readSchema(t)
	defs := root["$defs"].(schemaNode)
	var all []visit
	var walk func(at []any, path, name string, node schemaNode, value any)
	walk = func(at []any, path, name string, node schemaNode, value any) {
		at = slices.Clone(at)
		if ref, ok := node["$ref"].(string); ok {
			def := strings.TrimPrefix(ref, "#/$defs/")
			walk(at, path, ref, defs[def].(schemaNode), value)
		}
		if !isOfType(value, node["type"]) {
			return
		}
		all = append(all, visit{at, path, name, node})
		for _, keyword := range []string{"anyOf", "allOf"} {
			subs, _ := node[keyword].([]any)
			for i, sub := range subs {
				walk(at, path, fmt.Sprintf("%s/%s/%d", name, keyword, i), sub.(schemaNode), value)
			}
		}
		properties, _ := node["properties"].(schemaNode)
		object, _ := value.(map[string]any)
		for key, sub := range properties {
			if v, ok := object[key]; ok {
				below := Key(path, key)
				if node["maxProperties"] == 1.0 {
					below = path // what is wrong with a matcher is reported where it stands
				}
				walk(append(at, key), below, name+"/properties/"+key, sub.(schemaNode), v)
			}
		}
		if others, ok := node["additionalProperties"].(schemaNode); ok {
			for key, v := range object {
				if _, named := properties[key]; !named {
					walk(append(at, key), Key(path, key), name+"/additionalProperties", others, v)
				}
			}
		}
		items, _ := node["items"].(schemaNode)
		array, _ := value.([]any)
		for i, v := range array {
			if items != nil {
				walk(append(at, i), fmt.Sprintf("%s[%d]", path, i), name+"/items", items, v)
			}
		}
	}
	walk(nil, "", "#", root, decoded(t, everyKey))
	return all
}

func isOfType(value, want any) bool {
	if want == nil {
		return true
	}
	switch value.(type) {
	case nil:
		return want == "null"
	case bool:
		return want == "boolean"
	case float64:
		return want == "integer"
	case string:
		return want == "string"
	case []any:
		return want == "array"
	}
	return want == "object"
}

// absent as a value of with takes the key away.
var absent = &struct{}{}

// with returns everyKey with another value at a place.
func with(t *testing.T, at []any, value any) []byte {
	t.Helper()
	document := decoded(t, everyKey)
	put(document, at, value)
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func put(in any, at []any, value any) {
	for ; len(at) > 1; at = at[1:] {
		in = child(in, at[0])
	}
	switch object := in.(type) {
	case map[string]any:
		if object[at[0].(string)] = value; value == absent {
			delete(object, at[0].(string))
		}
	case []any:
		object[at[0].(int)] = value
	}
}

func child(in, step any) any {
	if i, ok := step.(int); ok {
		return in.([]any)[i]
	}
	return in.(map[string]any)[step.(string)]
}

func valueAt(t *testing.T, at []any) any {
	t.Helper()
	v := decoded(t, everyKey)
	for _, step := range at {
		v = child(v, step)
	}
	return v
}

// problemAt returns the first problem of data at path or below it.
func problemAt(data []byte, path string) *Problem {
	_, _, err := Parse(data)
	problems, _ := err.(Error)
	for i := range problems {
		if strings.HasPrefix(problems[i].Path, path) {
			return &problems[i]
		}
	}
	return nil
}

func keysOf(node schemaNode) []string {
	keys := []string{}
	for key := range node["properties"].(schemaNode) {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// isClosed reports whether node names all keys of an object.
func isClosed(node schemaNode) bool { return node["additionalProperties"] == false }
