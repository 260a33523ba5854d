package document

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// summary reads a file, and returns a line for each policy, with its kind, name and JSON, and one for each finding, with its severity, rule and line.
func summary(file, data string) []string {
	policies, findings, err := Read(file, []byte(data))
	if err != nil {
		return []string{"error " + err.Error()}
	}
	var lines []string
	for _, p := range policies {
		lines = append(lines, fmt.Sprintf("%s|%s|%s", p.Kind, p.Name, strings.TrimSpace(string(p.JSON))))
	}
	for _, f := range findings {
		lines = append(lines, fmt.Sprintf("%s %s %d", f.Severity, f.Rule.ID, f.Place.Line))
	}
	return lines
}

// filter is an HTTP filter in YAML's flow style.
func filter(name, typ, config string) string {
	return `{name: ` + name + `, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.` + typ + config + `}}`
}

// wasm is a Wasm filter with a policy; more goes into its config.
func wasm(name, more string) string {
	return filter(name, "wasm.v3.Wasm", `, config: {`+more+`configuration: {"@type": type.googleapis.com/google.protobuf.StringValue, value: '{"cors": 1}'}}`)
}

// manager is a listener with HTTP filters, and further keys of the connection manager.
func manager(keys string, filters ...string) string {
	return "static_resources:\n  listeners:\n  - name: main\n    filter_chains:\n    - filters:\n      - name: hcm\n        typed_config:\n          " + keys + "\n          http_filters:\n          - " +
		strings.Join(filters, "\n          - ") + "\n"
}

const (
	jwt      = "jwt_authn.v3.JwtAuthentication"
	pathRule = `{"rules": [{"name": "a", "match": {"paths": [{"prefix": "/a"}]}}]}`
)

var noPolicy = []string{"error f.yaml: holds no policy: looked for a policy by itself, and for the plugin in an Envoy configuration, a WasmPlugin, an EnvoyFilter, an EnvoyExtensionPolicy and an EnvoyPatchPolicy"}

func istio(kind, spec string) string {
	group := map[string]string{"WasmPlugin": "extensions.istio.io/v1alpha1", "EnvoyFilter": "networking.istio.io/v1alpha3"}[kind]
	if group == "" {
		group = "gateway.envoyproxy.io/v1alpha1"
	}
	return "apiVersion: " + group + "\nkind: " + kind + "\nmetadata: {name: cg, namespace: ns}\nspec: " + spec + "\n"
}

func TestPoliciesAreFound(t *testing.T) {
	for _, test := range []struct {
		name, data string
		want       []string
	}{
		{"bare", "cors: {maxAge: 1}", []string{`policy||{"cors": {"maxAge": 1}}`}},
		{"bare, with a typing mistake", "Corss: {maxAge: 1}", []string{`policy||{"Corss": {"maxAge": 1}}`}},
		{"bare, and sets nothing", "mode: off\nlog: {}", []string{`policy||{"mode": false, "log": {}}`}},
		{"several documents, some empty", "---\n# nothing\n---\ncors: 1\n---\n---\nrules: []\n...\n", []string{`policy|document 1|{"cors": 1}`, `policy|document 2|{"rules": []}`}},
		{"something else", "name: x\nversion: 1", noPolicy},
		{"nothing", "# nothing\n", noPolicy},
		{"a scalar", "cors", noPolicy},
		{"a policy beside something else", "cors: 1\n---\nrule: 1\ncore: 2\n---\nrules: [{alert: x}]\ngroups: []\n", []string{`policy|document 1|{"cors": 1}`}},
		{"a resource of another kind", "apiVersion: networking.k8s.io/v1\nkind: Ingress\nrules: []\ncors: {}", noPolicy},

		{"a bootstrap", manager("", wasm("cg", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`}},
		{"a discovery response", "resources:\n- \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n  name: l\n  filterChains: [{filters: [{typedConfig: {httpFilters: [" + strings.ReplaceAll(wasm("cg", ""), "typed_config", "typedConfig") + "]}}]}]",
			[]string{`Envoy|listener l, filter cg|{"cors": 1}`}},
		{"an HTTP filter", wasm("cg", ""), []string{`Envoy|filter cg|{"cors": 1}`}},
		{"a list of filters", "- " + wasm("a", "") + "\n- " + wasm("b", ""), []string{`Envoy|filter a|{"cors": 1}`, `Envoy|filter b|{"cors": 1}`}},
		{"the configuration of a filter", `{"@type": t/envoy.extensions.filters.http.wasm.v3.Wasm, config: {name: plug, configuration: {"@type": t/google.protobuf.StringValue, value: '{"rules":[{"match":1}]}'}}}`,
			[]string{`Envoy|filter plug|{"rules":[{"match":1}]}`}},
		{"an extension of ECDS", `{"@type": t/envoy.config.core.v3.TypedExtensionConfig, name: e, typed_config: {"@type": t/xds.type.v3.TypedStruct, type_url: t/envoy.extensions.filters.http.wasm.v3.Wasm, value: {config: {configuration: {"@type": t/google.protobuf.StringValue, value: '{"cors":1}'}}}}}`,
			[]string{`Envoy|filter e|{"cors":1}`}},
		{"a filter within a filter", manager("", filter("m", "composite.v3.Composite", ", extension_config: "+wasm("cg", ""))), []string{`Envoy|listener main, filter cg|{"cors": 1}`}},
		{"another plugin", filter("waf", "wasm.v3.Wasm", `, config: {configuration: {"@type": t/google.protobuf.StringValue, value: '{"rules": ["SecRuleEngine On"]}'}}`), noPolicy},
		{"another plugin beside ours", manager("", filter("waf", "wasm.v3.Wasm", `, config: {fail_open: true, configuration: {"@type": t/google.protobuf.StringValue, value: 'x'}}`), wasm("cg", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`}},
		{"ours by the path of the code, with what is no JSON", filter("x", "wasm.v3.Wasm", `, config: {vm_config: {code: {local: {filename: /etc/Corsguard/main.wasm}}}, configuration: {"@type": t/google.protobuf.StringValue, value: 'x'}}`),
			[]string{`Envoy|filter x|x`}},
		{"ours without a configuration", filter("corsguard", "wasm.v3.Wasm", `, config: {}`), []string{`Envoy|filter corsguard|`}},
		{"a struct", filter("x", "wasm.v3.Wasm", `, config: {configuration: {"@type": t/google.protobuf.Struct, value: {cors: {maxAge: 1}}}}`),
			[]string{`Envoy|filter x|{"cors": {"maxAge": 1}}`, "error configuration-is-no-string 1"}},
		{"an object where the string belongs", filter("corsguard", "wasm.v3.Wasm", `, config: {configuration: {"@type": t/google.protobuf.StringValue, value: {cors: 1}}}`),
			[]string{`Envoy|filter corsguard|{"cors": 1}`, "error configuration-is-no-string 1"}},
		{"a configuration without a type", filter("corsguard", "wasm.v3.Wasm", `, config: {configuration: '{"cors": 1}'}`), []string{"error configuration-is-no-string 1"}},
		{"bytes that are no base64", filter("corsguard", "wasm.v3.Wasm", `, config: {configuration: {"@type": t/google.protobuf.BytesValue, value: '{}'}}`), []string{"error configuration-is-no-string 1"}},

		{"a WasmPlugin", istio("WasmPlugin", "{phase: AUTHN, pluginConfig: {cors: {maxAge: 1}}}"), []string{`WasmPlugin|WasmPlugin ns/cg|{"cors": {"maxAge": 1}}`}},
		{"a WasmPlugin of ours, empty", istio("WasmPlugin", "{phase: AUTHN, url: oci://x/corsguard:1}"), []string{`WasmPlugin|WasmPlugin ns/cg|`}},
		{"a WasmPlugin of others", istio("WasmPlugin", "{phase: STATS, failStrategy: FAIL_OPEN, pluginConfig: {a: 1}}"), noPolicy},
		{"an EnvoyFilter", istio("EnvoyFilter", "{configPatches: [{applyTo: HTTP_FILTER, patch: {operation: INSERT_FIRST, value: "+wasm("x", "")+"}}]}"), []string{`EnvoyFilter|EnvoyFilter ns/cg, filter x|{"cors": 1}`}},
		{"an EnvoyExtensionPolicy and an EnvoyProxy behind it", istio("EnvoyExtensionPolicy", "{wasm: [{name: w, config: {cors: 1}}, {name: other, config: {}}]}") + "---\n" +
			istio("EnvoyProxy", "{filterOrder: [{name: envoy.filters.http.wasm, before: envoy.filters.http.jwt_authn}]}"), []string{`EnvoyExtensionPolicy|EnvoyExtensionPolicy ns/cg, filter w|{"cors": 1}`}},
		{"an EnvoyPatchPolicy", istio("EnvoyPatchPolicy", "{jsonPatches: [{operation: {op: add, path: /x, value: "+wasm("x", "")+"}}]}"), []string{`EnvoyPatchPolicy|EnvoyPatchPolicy ns/cg, filter x|{"cors": 1}`}},
		{"a list", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, spec: {}}\n- {apiVersion: extensions.istio.io/v1alpha1, kind: WasmPlugin, metadata: {name: a}, spec: {phase: AUTHN, pluginConfig: {cors: 1}}}",
			[]string{`WasmPlugin|WasmPlugin a|{"cors": 1}`}},
		{"a ConfigMap", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a.json: '{\"cors\": 1, \"cors\": 2}'\n  b.yaml: |\n    - " + wasm("x", "") + "\n  c: 'not: [yaml'\n",
			[]string{`policy|ConfigMap m a.json|{"cors": 1, "cors": 2}`, `Envoy|ConfigMap m b.yaml, filter x|{"cors": 1}`}},

		{"a policy in a ConfigMap that cannot be read", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: m}\ndata:\n  a.json: |\n    {\"cors\": {\n      \"allowOrigins\": [,]}}\n",
			[]string{"error unreadable-text 7"}},

		{"a failure policy", wasm("cg", "failure_policy: FAIL_OPEN, "), []string{`Envoy|filter cg|{"cors": 1}`, "warning fails-open 1"}},
		{"a failure policy in camel case", wasm("cg", "failurePolicy: FAIL_OPEN, "), []string{`Envoy|filter cg|{"cors": 1}`, "warning fails-open 1"}},
		{"the older key", wasm("cg", "fail_open: true, "), []string{`Envoy|filter cg|{"cors": 1}`, "warning fails-open 1"}},
		{"what fails closed", wasm("cg", "fail_open: false, failure_policy: FAIL_RELOAD, "), []string{`Envoy|filter cg|{"cors": 1}`}},
		{"a WasmPlugin that fails open, late", istio("WasmPlugin", "\n  phase: AUTHZ\n  failStrategy: FAIL_OPEN\n  pluginConfig: {cors: 1}"), []string{`WasmPlugin|WasmPlugin ns/cg|{"cors": 1}`, "warning fails-open 6", "warning late-phase 5"}},
		{"a WasmPlugin without a phase", istio("WasmPlugin", "\n  pluginConfig: {cors: 1}"), []string{`WasmPlugin|WasmPlugin ns/cg|{"cors": 1}`, "warning late-phase 5"}},
		{"an EnvoyExtensionPolicy that fails open, by itself", istio("EnvoyExtensionPolicy", "\n  wasm:\n  - config: {cors: 1}\n    failOpen: true"),
			[]string{`EnvoyExtensionPolicy|EnvoyExtensionPolicy ns/cg|{"cors": 1}`, "warning fails-open 7", "note behind-gateway-authentication 6"}},
		{"behind authentication", manager("", filter("a", jwt, ""), "{name: envoy.filters.http.rbac}", wasm("cg", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`, "warning behind-another-filter 12"}},
		{"before it", manager("", wasm("cg", ""), filter("a", jwt, ""), filter("b", "header_to_metadata.v3.Config", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`}},
		{"behind what refuses nothing", manager("", filter("b", "header_to_metadata.v3.Config", ""), wasm("cg", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`}},
		{"before Envoy's own", manager("", wasm("cg", ""), filter("b", "cors.v3.Cors", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`, "note native-cors-filter 11"}},
		{"behind Envoy's own", manager("", filter("b", "cors.v3.Cors", ""), wasm("cg", "")), []string{`Envoy|listener main, filter cg|{"cors": 1}`, "warning native-cors-filter 10"}},
		{"paths that are not normalized", manager("normalize_path: true", strings.ReplaceAll(wasm("cg", ""), `{"cors": 1}`, pathRule)), []string{`Envoy|listener main, filter cg|` + pathRule, "warning paths-not-normalized 10"}},
		{"the path of all", manager("", strings.ReplaceAll(wasm("cg", ""), `{"cors": 1}`, strings.Replace(pathRule, "/a", "/", 1))), []string{`Envoy|listener main, filter cg|` + strings.Replace(pathRule, "/a", "/", 1)}},
		{"paths that are", manager("normalizePath: true\n          merge_slashes: true\n          path_with_escaped_slashes_action: REJECT_REQUEST", strings.ReplaceAll(wasm("cg", ""), `{"cors": 1}`, pathRule)),
			[]string{`Envoy|listener main, filter cg|` + pathRule}},
		{"keys that are no strings", "cors:\n  on: 1\n  'no': 2\n  5: 3", []string{`policy||{"cors": {"true": 1, "no": 2, "5": 3}}`, "error key-is-no-string 2", "error key-is-no-string 4"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := summary("f.yaml", test.data); !slices.Equal(got, test.want) {
				t.Errorf("got  %q\nwant %q\n%s", got, test.want, test.data)
			}
		})
	}
}

func TestJSONIsLeftByteForByte(t *testing.T) {
	for _, data := range []string{
		"{\"cors\": 1}", " \n{\t\"cors\" : {\"a\":1e400, \"a\": 0.10, \"\\ud800\":\"\\u0000\"}}\n\n", `{"cors":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}`, "{}", `{"log": {}}`,
	} {
		for _, file := range []string{"p.json", "<stdin>", "p.yaml"} {
			policies, findings, err := Read(file, []byte(data))
			if err != nil || len(policies) != 1 || len(findings) != 0 || string(policies[0].JSON) != data {
				t.Errorf("%s: %q gave %v, %v, %v", file, data, policies, findings, err)
			}
		}
	}
}

func TestYAMLIsWhatKubernetesMakesOfIt(t *testing.T) {
	got := summary("f.yaml", `cors: {a: no, b: 1_000, c: 0o17, d: 2001-01-01, e: ~, f: , g: 0x1f, h: Yes, i: 'no', j: 010, k: +5, l: .5, m: 12:30, n1: 1e3, o: 1.10, p: !!str 5, q: !!int "5", r: "\u00e9\t", s: -, t: '', u: !!binary aGk=, v: !x y, w: on}`)
	want := `policy||{"cors": {"a": false, "b": 1000, "c": 15, "d": "2001-01-01", "e": null, "f": null, "g": 31, "h": true, "i": "no", "j": 8, "k": 5, "l": 0.5, "m": "12:30", "n1": 1000, "o": 1.1, "p": "5", "q": 5, ` +
		`"r": "é\t", "s": "-", "t": "", "u": "hi", "v": "y", "w": true}}`
	if !slices.Equal(got, []string{want}) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestAliasesAndMergesAreWrittenOut(t *testing.T) {
	for data, want := range map[string]string{
		"cors: &a [1, {b: &c x}]\nrules: [*a, *c]":                        `{"cors": [1, {"b": "x"}], "rules": [[1, {"b": "x"}], "x"]}`,
		"cors: &a {x: 1, v: 2}\nrules: {v: 3, <<: *a, z: 4}":              `{"cors": {"x": 1, "v": 2}, "rules": {"v": 3, "z": 4, "x": 1}}`,
		"cors: [&a {x: 1, v: 2}, &b {v: 3, z: 4}]\nrules: {<<: [*a, *b]}": `{"cors": [{"x": 1, "v": 2}, {"v": 3, "z": 4}], "rules": {"x": 1, "v": 2, "z": 4}}`,
		"cors: {'<<': 1, a: 1, a: 2}":                                     `{"cors": {"<<": 1, "a": 1, "a": 2}}`,
	} {
		if got := summary("f.yaml", data); !slices.Equal(got, []string{"policy||" + want}) {
			t.Errorf("%q\ngot  %q\nwant %q", data, got, want)
		}
	}
}

func TestWhatCannotBeReadIsNamedWithItsPlace(t *testing.T) {
	deep := strings.Repeat("[", 2000) + strings.Repeat("]", 2000)
	for _, test := range []struct{ file, data, want string }{
		{"f.json", "{\"cors\": {\n  \"a\": 1,\n}}", `f\.json:3:1: is not valid JSON: invalid character '}'`},
		{"f.json", "{} x", `f\.json:1:4: is not valid JSON: `},
		{"f.json", "", `f\.json:1:1: is not valid JSON: unexpected end`},
		{"f.json", "{\"cors\": \"a\xff\"}", `f\.json:1:12: is not valid UTF-8`},
		{"<stdin>", "{cors: 1}", `<stdin>:1:2: is not valid JSON: `},
		{"f.json", "\xff\xfe{\x00", `f\.json:1:1: is UTF-16: save it as UTF-8`},
		{"f.yaml", "\xfe\xff\x00c", `f\.yaml:1:1: is UTF-16: save it as UTF-8`},
		{"f.json", "\ufeff{\"cors\": 1}", `f\.json:1:1: is not valid JSON: it begins with a byte order mark`},
		{"f.yaml", "\ufeffcors: [1}", `f\.yaml:1:\d+: is not valid YAML: `},
		{"f.yaml", "a: \xff\xfe", `f\.yaml:1:4: is not valid UTF-8`},
		{"f.yaml", "cors:\n  a: b: c\n", `f\.yaml:2:7: is not valid YAML: mapping values`},
		{"f.yaml", "cors:\n  a: {{ .Values.a }}\n", `f\.yaml:2:7: has a key that is no string; is it a template`},
		{"f.yaml", "cors:\n\ta: 1\n", `f\.yaml:2:1: is not valid YAML: found character`},
		{"f.yaml", "cors:\n  a: 1\n b: 2\nrules: 1\n", `f\.yaml:3:2: is not valid YAML: `},
		{"f.yaml", "cors: 1\n---\nrules: 1\n- x\n", `f\.yaml:4:1: is not valid YAML: `},
		{"f.yaml", "cors: [\n  1,\n  2\n]\nrules: 'a\n\n  b'\nisolation: [1\nmode: 1\n", `f\.yaml:8:1: is not valid YAML: `},
		{"f.yaml", "cors: 1\nrules: *x\n", `f\.yaml:2:8: is not valid YAML: unknown anchor 'x'`},
		{"f.yaml", "cors:\n  a: &a {b: *a}\n", `f\.yaml:2:13: has the alias \*a within its own anchor`},
		{"f.yaml", "cors:\n  {a: 1}: 2\n", `f\.yaml:2:3: has a key that is no string`},
		{"f.yaml", "cors:\n  <<: 5\n", `f\.yaml:2:7: merges \(<<\) what is no mapping`},
		{"f.yaml", "cors: " + deep, `f\.yaml:1:\d+: is nested more than 1000 levels deep`},
		{"f.yaml", "a: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + bomb(9), `f\.yaml:1:\d+: has more than 2097152 nodes, once aliases are written out`},
	} {
		best := time.Hour
		for try := 0; try < 3 && best > 20*time.Second; try++ { // a machine may stall
			start := time.Now()
			_, _, err := Read(test.file, []byte(test.data))
			if best = min(best, time.Since(start)); err == nil || !regexp.MustCompile(`^`+test.want).MatchString(err.Error()) {
				t.Errorf("%.80q: %v", test.data, err)
			}
		}
		if best > 20*time.Second {
			t.Errorf("%.80q took %v", test.data, best)
		}
	}
}

// bomb is levels of lists of ten aliases of the level before.
func bomb(levels int) string {
	var b strings.Builder
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 10), ","))
	}
	return b.String()
}

func TestRulesHaveIDsOfTheirOwn(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range Rules {
		if ids[r.ID] || r.Title == "" || r.Why == "" {
			t.Errorf("%+v", r)
		}
		ids[r.ID] = true
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{"cors": {"allowOrigins": ["https://a.example"]}}`, "cors:\n  a: &x [1, no]\n  b: *x\n", manager("", wasm("cg", "")), istio("WasmPlugin", "{pluginConfig: {cors: {maxAge: 1}}}"),
		wasmHead + "      value: |\n        {\"cors\": {\"ä\": 1}}\n", wasmHead + "      value: \"{\\\"cors\\\":\\n 1}\"\n", wasmHead + "      value: >\n        {\"cors\":\n\n        1}\n", "? a\n: b\n", "\ufeffcors: 1", "a: [1, 2\nb", "%YAML 1.1\n---\ncors: {<<: {a: 1}}",
		"apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    cors: 1\n",
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, data string, isJSON bool) {
		file := "f.yaml"
		if isJSON {
			file = "f.json"
		}
		start := time.Now()
		policies, findings, err := Read(file, []byte(data))
		if took := time.Since(start); took > 10*time.Second {
			t.Fatalf("took %v", took)
		}
		lines := strings.Split(data, "\n")
		inside := func(line, column int) {
			if line < 1 || line > len(lines) || column < 1 || column > len(lines[line-1])+1 {
				t.Fatalf("line %d, column %d is outside", line, column)
			}
		}
		for i := range policies {
			p := &policies[i]
			for path := range p.places {
				place := p.Place(path)
				inside(place.Line, place.Column)
			}
			place := p.Place("$")
			inside(place.Line, place.Column)
			if isJSON && p.Kind == Bare && string(p.JSON) != data {
				t.Fatalf("%q is not %q", p.JSON, data)
			}
			if p.Kind != Envoy && len(p.JSON) > 0 && p.syntax == "" && !json.Valid(p.JSON) {
				t.Fatalf("%q is no JSON", p.JSON)
			}
		}
		for _, f := range findings {
			inside(f.Place.Line, f.Place.Column)
		}
		if e, ok := err.(*SyntaxError); ok {
			place := e.in.place(e.offset)
			inside(place.Line, place.Column)
		}
	})
}
