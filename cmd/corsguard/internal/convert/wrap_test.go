package convert

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	egv1a1 "github.com/envoyproxy/gateway/api/v1alpha1"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protojson"
	extensions "istio.io/api/extensions/v1alpha1"
	k8syaml "sigs.k8s.io/yaml"
)

// awkward has names and values that YAML reads as something else without quotes.
const awkward = `
virtual_hosts:
- name: "on"
  domains: [a.example.com]
  routes:
  - name: "1e3"
    match: { prefix: / }
    route: { cluster: a }
    typed_per_filter_config:
      x: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, allow_origin_string_match: [{ exact: "https://app.example.com" }], allow_headers: "no, y, 0x1, ~, null" }
- name: "null"
  domains: [b.example.com]
  routes:
  - name: "null"
    match: { prefix: / }
    redirect: {}
- name: rest
  domains: ["*"]
  routes:
  - match: { prefix: / }
    route: { cluster: a }
    typed_per_filter_config:
      x: { "@type": type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy, allow_origin_string_match: [{ exact: "*" }] }
`

func wrapped(t *testing.T, w Wrapping) (*Result, []byte) {
	t.Helper()
	result, err := Convert([]Input{{"awkward.yaml", []byte(awkward)}}, Auto)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := result.Wrap(w)
	if err != nil {
		t.Fatal(err)
	}
	return result, text
}

// samePolicy compares JSON texts by what they say.
func samePolicy(t *testing.T, got, want []byte) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	x, y := marshal(a), marshal(b)
	if !bytes.Equal(x, y) {
		t.Errorf("the policy inside is\n%s\nand was\n%s", x, y)
	}
}

func TestIstioTakesTheWasmPlugin(t *testing.T) {
	result, text := wrapped(t, Wrapping{To: ToIstio, Name: "cors", Namespace: "edge", URL: "oci://r.example/c:1", Selector: map[string]string{"istio": "ingressgateway"}})
	var object struct {
		APIVersion, Kind string
		Metadata         map[string]string
		Spec             json.RawMessage
	}
	if err := k8syaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatal(err)
	}
	var spec extensions.WasmPlugin
	if err := protojson.Unmarshal(object.Spec, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.GetPhase() != extensions.PluginPhase_AUTHN || spec.GetFailStrategy() != extensions.FailStrategy_FAIL_CLOSE || spec.GetUrl() != "oci://r.example/c:1" ||
		spec.GetSelector().GetMatchLabels()["istio"] != "ingressgateway" || object.Metadata["namespace"] != "edge" || object.Metadata["name"] != "cors" {
		t.Errorf("got %s", text)
	}
	inside, err := spec.GetPluginConfig().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	samePolicy(t, inside, result.Configurations[0].JSON)
}

func TestEnvoyGatewayTakesTheExtensionPolicy(t *testing.T) {
	result, text := wrapped(t, Wrapping{To: ToEnvoyGateway, Name: "cors", URL: "https://r.example/main.wasm", SHA256: strings.Repeat("0", 64), Target: "HTTPRoute/shop"})
	var object egv1a1.EnvoyExtensionPolicy
	if err := k8syaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatal(err)
	}
	if refs := object.Spec.TargetRefs; len(refs) != 1 || refs[0].Kind != "HTTPRoute" || refs[0].Name != "shop" {
		t.Errorf("the target is %+v", refs)
	}
	wasm := object.Spec.Wasm[0]
	if wasm.Code.Type != egv1a1.HTTPWasmCodeSourceType || wasm.Code.HTTP.URL != "https://r.example/main.wasm" || *wasm.FailOpen {
		t.Errorf("got %s", text)
	}
	samePolicy(t, wasm.Config.Raw, result.Configurations[0].JSON)
}

func TestEnvoyTakesTheFilter(t *testing.T) {
	result, text := wrapped(t, Wrapping{To: ToEnvoy, Name: "cors", URL: "/main.wasm"})
	var filters []struct {
		Name        string
		TypedConfig struct {
			Type   string `yaml:"@type"`
			Config struct {
				VMConfig struct {
					Code struct{ Local struct{ Filename string } }
				} `yaml:"vm_config"`
				Configuration struct {
					Type  string `yaml:"@type"`
					Value string
				}
			}
		} `yaml:"typed_config"`
	}
	if err := yaml.Unmarshal(text, &filters); err != nil {
		t.Fatal(err)
	}
	f := filters[0]
	if f.Name != "cors" || f.TypedConfig.Config.VMConfig.Code.Local.Filename != "/main.wasm" || !strings.HasSuffix(f.TypedConfig.Config.Configuration.Type, "StringValue") {
		t.Errorf("got %s", text)
	}
	if f.TypedConfig.Config.Configuration.Value != string(result.Configurations[0].JSON) {
		t.Errorf("the policy inside differs:\n%s", f.TypedConfig.Config.Configuration.Value)
	}
}

func TestTargetsOfTheSourceAreKept(t *testing.T) {
	const source = `{"kind": "SecurityPolicy", "metadata": {"name": "a", "namespace": "edge"}, "spec": {"targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway",
 "name": "public", "sectionName": "https"}], "cors": {"allowOrigins": ["https://app.example.com"]}}}`
	result, err := Convert([]Input{{"a.json", []byte(source)}}, Auto)
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := result.Wrap(Wrapping{To: ToEnvoyGateway, Name: "cors"})
	if err != nil {
		t.Fatal(err)
	}
	var object egv1a1.EnvoyExtensionPolicy
	if err := k8syaml.UnmarshalStrict(text, &object); err != nil {
		t.Fatal(err)
	}
	refs := object.Spec.TargetRefs
	if len(refs) != 1 || refs[0].Name != "public" || refs[0].SectionName == nil || *refs[0].SectionName != "https" || object.Namespace != "edge" {
		t.Errorf("got %s", text)
	}
	if !bytes.Contains(text, []byte(placeholderImage[len("oci://"):])) || !bytes.HasPrefix(text, []byte("#")) {
		t.Errorf("the placeholder is not named:\n%s", text)
	}
}
