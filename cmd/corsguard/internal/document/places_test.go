package document

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// marked returns src without its mark, and the line and column where that is.
func marked(t *testing.T, src string) (data string, line, column int) {
	t.Helper()
	before, after, found := strings.Cut(src, "‸")
	if !found || strings.Contains(after, "‸") {
		t.Fatal("the source must have one mark")
	}
	last := strings.TrimPrefix(before[strings.LastIndexByte(before, '\n')+1:], "\ufeff")
	return before + after, strings.Count(before, "\n") + 1, utf8.RuneCountInString(last) + 1
}

const wasmHead = `name: corsguard
typed_config:
  "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
  config:
    configuration:
      "@type": type.googleapis.com/google.protobuf.StringValue
`

func TestPathsLeadToTheirPlaces(t *testing.T) {
	for _, test := range []struct{ name, file, src, path string }{
		{"a key of a bare policy in JSON", "p.json", `{"cors": {‸"allowOrigins": ["https://a.example"]}}`, "cors.allowOrigins"},
		{"an element", "p.json", "{\n\t\"cors\": {\"allowOrigins\": [\"https://ä.example\", ‸\"x\"]}\n}", "cors.allowOrigins[1]"},
		{"the document", "p.json", "\n ‸{\"cors\": {}}", "$"},
		{"what is not there, at the nearest that is", "p.json", `{‸"cors": {"maxAge": 1}}`, "cors.allowOrigins[0].regex"},
		{"an odd key", "p.json", `{"cors": {‸"a.b[\u00e9": 1}}`, `cors["a.b[\xc3\xa9"]`},
		{"the second of two equal keys", "p.json", `{"cors": {"maxAge": 1, ‸"maxAge": 2}}`, "cors.maxAge"},
		{"behind surrogates", "p.json", `{"cors": {"x": "\ud83d\ude00", ‸"maxAge": 2}}`, "cors.maxAge"},
		{"JSON from standard input", "<stdin>", `{"cors": {‸"maxAge": 2}}`, "cors.maxAge"},
		{"a bare policy in YAML", "p.yaml", "# ä\ncors:\n  allowOrigins:\n  - https://a.example\n  - ‸x\n", "cors.allowOrigins[1]"},
		{"a key in YAML", "p.yaml", "cors:\n  ‸\"allowOrigins\": [x]\n", "cors.allowOrigins"},
		{"YAML without a name", "<stdin>", "cors:\n  ‸maxAge: 2\n", "cors.maxAge"},
		{"YAML with carriage returns", "p.yaml", "cors:\r\n  ‸maxAge: 2\r\n", "cors.maxAge"},
		{"YAML behind a byte order mark and a line separator", "p.yaml", "\ufeff# \u2028cors: {‸maxAge: 2}\n", "cors.maxAge"},
		{"a literal block", "e.yaml", wasmHead + "      value: |\n        {\n          \"cors\": {\n            ‸\"maxAge\": 1\n          }\n        }\n", "cors.maxAge"},
		{"a literal block with its indentation and a comment", "e.yaml", wasmHead + "      value: |2- # ä\n\n          {\"cors\":\n        {‸\"maxAge\": 1}}\n", "cors.maxAge"},
		{"a folded block", "e.yaml", wasmHead + "      value: >-\n        {\n        \"cors\": {\"allowOrigins\":\n        [\"a\",\n\n          ‸\"b\"]}\n        }\n", "cors.allowOrigins[1]"},
		{"a block with a tag and an anchor", "e.yaml", wasmHead + "      value: &a !!str |\n        {\"cors\": {‸\"maxAge\": 1}}\n", "cors.maxAge"},
		{"a quoted scalar with escapes", "e.yaml", wasmHead + `      value: "{\"cors\":\n\t{\x22\u00e4\": \"\_\", ‸\"maxAge\": 1}}"` + "\n", "cors.maxAge"},
		{"a quoted scalar of several lines", "e.yaml", wasmHead + "      value: \"{\\\"cors\\\": \\\n        \\  {\n\n        ‸\\\"maxAge\\\": 1}}\"\n", "cors.maxAge"},
		{"a single-quoted scalar", "e.yaml", wasmHead + `      value: '{"cors": {"it''s": 1, ‸"maxAge": 1}}'` + "\n", "cors.maxAge"},
		{"JSON in JSON", "e.json", `{"name": "corsguard", "typed_config": {"@type": "t/envoy.extensions.filters.http.wasm.v3.Wasm", "config": {"configuration": {"@type": "t/google.protobuf.StringValue",
 "value": "{\"cors\": {\n\"x\": \"\\ud83d\\ude00\ud83d\ude00\", ‸\"maxAge\": 1}}"}}}}`, "cors.maxAge"},
		{"invalid JSON in a block", "e.yaml", wasmHead + "      value: |\n        {\"cors\": {\n          \"maxAge\": 1,\n        ‸}}\n", "$"},
		{"JSON that ends too early", "e.yaml", wasmHead + "      value: |-\n        {\"cors\": ‸{\n", "$"},
		{"bytes in base64", "e.yaml", strings.ReplaceAll(wasmHead, "StringValue", "BytesValue") + "      value: ‸eyJjb3JzIjogeyJtYXhBZ2UiOiAxfX0=\n", "cors.maxAge"},
		{"a plugin without a configuration", "e.yaml", "‸\"@type\": t/envoy.extensions.filters.http.wasm.v3.Wasm\nconfig: {name: corsguard}\n", "$"},
		{"a file in a ConfigMap", "k.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  policy.json: |\n    {\"cors\": {\n    ‸\"maxAge\": 1}}\n", "cors.maxAge"},
		{"a block in a file in a ConfigMap", "k.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n  envoy.yaml: |\n    " +
			strings.ReplaceAll(wasmHead+"      value: |\n        {\"cors\": {\n         ‸\"maxAge\": 1}}", "\n", "\n    ") + "\n", "cors.maxAge"},
		{"an alias, at its anchor", "p.yaml", "cors: &a {‸maxAge: 1}\nrules:\n- {name: a, cors: *a}\n", "rules[0].cors.maxAge"},
		{"what was merged, at where it was merged from", "p.yaml", "cors: &a {‸maxAge: 1}\nrules:\n- {name: a, cors: {<<: *a, allowNull: true}}\n", "rules[0].cors.maxAge"},
	} {
		t.Run(test.name, func(t *testing.T) {
			data, line, column := marked(t, test.src)
			policies, _, err := Read(test.file, []byte(data))
			if err != nil || len(policies) != 1 {
				t.Fatalf("%d policies, error %v", len(policies), err)
			}
			place := policies[0].Place(test.path)
			if place.Line != line || place.Column != column || place.File != test.file || place.Path != test.path {
				t.Errorf("%+v, want line %d, column %d", place, line, column)
			}
		})
	}
}
