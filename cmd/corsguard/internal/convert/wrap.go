package convert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"corsguard/cmd/corsguard/internal/finding"
)

// Wrapping is what the YAML around a configuration needs to know.
type Wrapping struct {
	// To is policy, istio, envoy-gateway or envoy.
	To string
	// Name is that of the object or filter, Namespace where the object is; an empty one is left to the source, then to the namespace that applies.
	Name, Namespace string
	// URL is where the wasm is: an image (oci://…), a URL, or for Envoy a file. Empty, a placeholder is written.
	URL string
	// SHA256 is the wasm's, in hex; it may be empty, but for Envoy Gateway with an http URL it is asked for.
	SHA256 string
	// Selector is the labels of the workloads that an Istio WasmPlugin is for.
	Selector map[string]string
	// Target is what an EnvoyExtensionPolicy is for, where the source does not say: kind/name.
	Target string
}

// The values of Wrapping.To.
const (
	ToPolicy       = "policy"
	ToIstio        = "istio"
	ToEnvoyGateway = "envoy-gateway"
	ToEnvoy        = "envoy"
)

// Targets returns the values that Wrapping.To may have.
func Targets() []string { return []string{ToPolicy, ToIstio, ToEnvoyGateway, ToEnvoy} }

// placeholders, which begin with a word that stands out and with names that nobody can have registered.
const (
	placeholderImage  = "oci://registry.example/corsguard:CHANGE-ME"
	placeholderFile   = "/etc/envoy/main.wasm"
	placeholderTarget = "CHANGE-ME"
)

// Wrap returns the configurations of r as a file: JSON, one object after the other, or YAML documents. Findings say what is left to fill in.
func (r *Result) Wrap(w Wrapping) ([]byte, []finding.Finding, error) {
	var out bytes.Buffer
	var all []finding.Finding
	used := map[string]bool{}
	for i := range r.Configurations {
		configuration := &r.Configurations[i]
		if w.To == ToPolicy {
			out.Write(configuration.JSON)
			continue
		}
		hint := w.Name
		if i > 0 && configuration.Name != "" {
			hint += "-" + configuration.Name
		}
		o := wrapper{Wrapping: w, name: strings.ReplaceAll(ruleName(hint, used), "_", "-"), configuration: configuration}
		text, err := o.document()
		if err != nil {
			return nil, nil, err
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(text)
		all = append(all, o.findings...)
	}
	return out.Bytes(), all, nil
}

// wrapper makes one document.
type wrapper struct {
	Wrapping
	name          string
	configuration *Configuration
	findings      []finding.Finding
}

func (o *wrapper) document() ([]byte, error) {
	switch o.To {
	case ToIstio:
		return o.yaml(o.wasmPlugin())
	case ToEnvoyGateway:
		return o.yaml(o.extensionPolicy())
	case ToEnvoy:
		return o.yaml(o.httpFilter())
	}
	return nil, fmt.Errorf("--to %q: write %s", o.To, strings.Join(Targets(), ", "))
}

func (o *wrapper) fill(message, fix string) {
	o.findings = append(o.findings, finding.New(placeholder, finding.Place{Document: o.name}, message, fix))
}

type metadata struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace,omitempty"`
}

func (o *wrapper) metadata() metadata {
	namespace := o.Namespace
	if namespace == "" {
		namespace = o.configuration.Namespace
	}
	return metadata{o.name, namespace}
}

func (o *wrapper) image() string {
	if o.URL != "" {
		return o.URL
	}
	o.fill("the URL of the wasm is a placeholder", "give --url the image or address that you keep the plugin at")
	return placeholderImage
}

// wasmPlugin puts the filter before authentication, and refuses requests where it cannot run.
func (o *wrapper) wasmPlugin() any {
	type selector struct {
		MatchLabels map[string]string `json:"matchLabels"`
	}
	type spec struct {
		Selector     *selector       `json:"selector,omitempty"`
		URL          string          `json:"url"`
		SHA256       string          `json:"sha256,omitempty"`
		Phase        string          `json:"phase"`
		FailStrategy string          `json:"failStrategy"`
		PluginName   string          `json:"pluginName"`
		PluginConfig json.RawMessage `json:"pluginConfig"`
	}
	s := spec{URL: o.image(), SHA256: o.SHA256, Phase: "AUTHN", FailStrategy: "FAIL_CLOSE", PluginName: "corsguard", PluginConfig: o.configuration.JSON}
	if len(o.Selector) > 0 {
		s.Selector = &selector{o.Selector}
	} else {
		o.fill("the plugin has no selector, so it is for all workloads of its namespace", "give --selector the labels of the gateway, such as istio=ingressgateway")
	}
	return struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Metadata   metadata `json:"metadata"`
		Spec       spec     `json:"spec"`
	}{"extensions.istio.io/v1alpha1", "WasmPlugin", o.metadata(), s}
}

// extensionPolicy is for what the source is for.
func (o *wrapper) extensionPolicy() any {
	type source struct {
		URL    string `json:"url"`
		SHA256 string `json:"sha256,omitempty"`
	}
	type code struct {
		Type  string  `json:"type"`
		Image *source `json:"image,omitempty"`
		HTTP  *source `json:"http,omitempty"`
	}
	type wasm struct {
		Name     string          `json:"name"`
		Code     code            `json:"code"`
		FailOpen bool            `json:"failOpen"`
		Config   json.RawMessage `json:"config"`
	}
	spec := map[string]any{}
	url := o.image()
	where := code{Type: "Image", Image: &source{strings.TrimPrefix(url, "oci://"), o.SHA256}}
	if strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
		where = code{Type: "HTTP", HTTP: &source{url, o.SHA256}}
	}
	spec["wasm"] = []wasm{{Name: "corsguard", Code: where, Config: o.configuration.JSON}}
	o.targets(spec)
	o.fill("Envoy Gateway puts Wasm after authentication, so preflights get 401 there", "set spec.filterOrder of the EnvoyProxy: envoy.filters.http.wasm before each of the filters that authenticate")
	return struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   metadata       `json:"metadata"`
		Spec       map[string]any `json:"spec"`
	}{"gateway.envoyproxy.io/v1alpha1", "EnvoyExtensionPolicy", o.metadata(), spec}
}

// targets writes what the policy is for: that of the source, or what the command line says.
func (o *wrapper) targets(spec map[string]any) {
	if o.Target == "" && o.configuration.Targets != nil {
		var kept map[string]any
		if err := json.Unmarshal(o.configuration.Targets, &kept); err == nil {
			for key, value := range kept {
				spec[key] = value
			}
			return
		}
	}
	kind, name, ok := strings.Cut(o.Target, "/")
	if !ok {
		kind, name = "Gateway", o.Target
	}
	if name == "" {
		name = placeholderTarget
		o.fill("the target is a placeholder", "give --target the Gateway or HTTPRoute, such as Gateway/public")
	}
	spec["targetRefs"] = []map[string]string{{"group": "gateway.networking.k8s.io", "kind": kind, "name": name}}
}

// httpFilter is an element of http_filters, to stand first there.
func (o *wrapper) httpFilter() any {
	type local struct {
		Filename string `json:"filename"`
	}
	type code struct {
		Local local `json:"local"`
	}
	type vm struct {
		VMID    string `json:"vm_id"`
		Runtime string `json:"runtime"`
		Code    code   `json:"code"`
	}
	type text struct {
		Type  string `json:"@type"`
		Value string `json:"value"`
	}
	type config struct {
		Name          string `json:"name"`
		VM            vm     `json:"vm_config"`
		Configuration text   `json:"configuration"`
	}
	type typed struct {
		Type   string `json:"@type"`
		Config config `json:"config"`
	}
	file := o.URL
	if file == "" {
		file = placeholderFile
		o.fill("the file of the wasm is a placeholder", "give --url the path of main.wasm where Envoy runs")
	}
	return []any{struct {
		Name  string `json:"name"`
		Typed typed  `json:"typed_config"`
	}{o.name, typed{"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", config{
		"corsguard", vm{"corsguard", "envoy.wasm.runtime.v8", code{local{file}}},
		text{"type.googleapis.com/google.protobuf.StringValue", string(o.configuration.JSON)},
	}}}}
}

// yaml writes v as YAML, its keys in their order.
func (o *wrapper) yaml(v any) ([]byte, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(marshal(v), &n); err != nil {
		return nil, err
	}
	plainStyle(&n)
	var b bytes.Buffer
	for _, f := range o.findings {
		fmt.Fprintf(&b, "# %s: %s\n", f.Message, f.Fix)
	}
	e := yaml.NewEncoder(&b)
	const indent = 2
	e.SetIndent(indent)
	if err := e.Encode(&n); err != nil {
		return nil, err
	}
	return b.Bytes(), e.Close()
}

// plainText is what every version of YAML reads as a string without quotes, but for a few words.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9/._-]*$`)

// words are what some versions of YAML take for a boolean or null.
var words = []string{"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

// plainStyle takes the style of JSON off n, and leaves quotes where some reader of YAML needs them.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" {
		switch {
		case strings.Contains(n.Value, "\n"):
			n.Style = yaml.LiteralStyle
		case !plainText.MatchString(n.Value) || slices.Contains(words, strings.ToLower(n.Value)):
			n.Style = yaml.DoubleQuotedStyle
		}
	}
	for _, c := range n.Content {
		plainStyle(c)
	}
}
