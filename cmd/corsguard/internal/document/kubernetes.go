package document

import (
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// kubernetes looks for policies in a resource of Kubernetes.
func (s *search) kubernetes(n *node) {
	kind := n.get("kind").text()
	if strings.HasSuffix(kind, "List") && n.get("items") != nil {
		for _, item := range n.get("items").list() {
			if item.kind == objectNode {
				s.document(item)
			}
		}
		return
	}
	metadata := n.get("metadata")
	s.resource = metadata.get("name").text()
	if namespace := metadata.get("namespace").text(); namespace != "" {
		s.resource = namespace + "/" + s.resource
	}
	s.resource = strings.TrimSpace(kind + " " + s.resource)
	spec := n.get("spec")
	switch group, _, _ := strings.Cut(n.get("apiVersion").text(), "/"); group + "/" + kind {
	case "extensions.istio.io/WasmPlugin":
		s.kind = WasmPlugin
		s.wasmPlugin(n, spec)
	case "networking.istio.io/EnvoyFilter":
		s.kind = EnvoyFilter
		for _, patch := range spec.get("configPatches").list() {
			if value := patch.get("patch").get("value"); value != nil {
				s.filterOr(value)
			}
		}
	case "gateway.envoyproxy.io/EnvoyExtensionPolicy":
		s.kind = EnvoyExtensionPolicy
		s.extensionPolicy(n, spec)
	case "gateway.envoyproxy.io/EnvoyPatchPolicy":
		s.kind = EnvoyPatchPolicy
		for _, patch := range spec.get("jsonPatches").list() {
			if value := patch.get("operation").get("value"); value != nil {
				s.filterOr(value)
			}
		}
	case "gateway.envoyproxy.io/EnvoyProxy":
		for _, order := range spec.get("filterOrder").list() {
			s.gateway = s.gateway || order.get("name").text() == "envoy.filters.http.wasm" && order.get("before") != nil
		}
	case "v1/ConfigMap":
		s.configMap(n)
	}
}

func (s *search) wasmPlugin(n, spec *node) {
	policy := spec.get("pluginConfig")
	name := s.name("")
	if !isOurs(n.get("metadata").get("name").text(), spec.get("url").text(), spec.get("pluginName").text()) && (policy == nil || !isPolicy(policy)) {
		return
	}
	s.fromNode(policy, n, name)
	if at := spec.get("failStrategy"); at.text() == "FAIL_OPEN" {
		s.add(failsOpen, at, name, "the plugin is passed by while it does not run", "write failStrategy: FAIL_CLOSE, or leave it out")
	}
	switch phase := spec.get("phase"); {
	case phase == nil:
		s.add(latePhase, spec, name, "has no phase, and so stands behind authentication and authorization", "write phase: AUTHN")
	case phase.text() != "AUTHN":
		s.add(latePhase, phase, name, "is in a phase behind authentication", "write phase: AUTHN")
	}
}

func (s *search) extensionPolicy(n, spec *node) {
	for _, wasm := range spec.get("wasm").list() {
		policy := wasm.get("config")
		code := wasm.get("code")
		plugin := wasm.get("name").text()
		if !isOurs(n.get("metadata").get("name").text(), plugin, wasm.down("root_id").text(), code.get("http").get("url").text(), code.get("image").get("url").text()) && (policy == nil || !isPolicy(policy)) {
			continue
		}
		name := s.name(plugin)
		s.fromNode(policy, wasm, name)
		if at := wasm.get("failOpen"); at.is("true") {
			s.add(failsOpen, at, name, "the plugin is passed by while it does not run, and where its configuration is refused", "write failOpen: false, or leave it out")
		}
		place := wasm.in.place(wasm.at)
		place.Document = name
		s.atGateway = append(s.atGateway, finding.New(gatewayOrder, place, "no EnvoyProxy in this file moves Wasm to the front",
			"list envoy.filters.http.wasm in the filterOrder of the EnvoyProxy, before each of ext_proc, lua, buffer, stateful_session, jwt_authn, oauth2, basic_auth, api_key_auth, ext_authz, header_mutation, csrf, cors, fault, health_check and custom_response"))
	}
}

// maxNested bounds ConfigMaps in ConfigMaps.
const maxNested = 3

// configMap looks into the files that a ConfigMap holds.
func (s *search) configMap(n *node) {
	if s.depth++; s.depth > maxNested {
		return
	}
	number, resource := s.number, s.resource
	for i := range n.get("data").membersOrNone() {
		m := &n.get("data").members[i]
		if m.value.kind != stringNode {
			continue
		}
		documents, err := documentsIn(m.value.in.within(m.value.at, m.value.str), m.key)
		if err != nil && strings.Contains(m.value.str, "allowOrigins") {
			place := err.in.place(err.offset)
			place.Document = strings.TrimSpace(resource + " " + m.key)
			s.findings = append(s.findings, finding.New(unreadableText, place, err.Reason, "mend it, or give it a key with the name of a file of another kind"))
		}
		for _, document := range documents {
			s.number = 0
			from := len(s.policies)
			s.document(document)
			for j := from; j < len(s.policies); j++ {
				s.policies[j].Name = strings.TrimSuffix(resource+" "+m.key+", "+s.policies[j].Name, ", ")
			}
		}
	}
	s.depth, s.number, s.resource = s.depth-1, number, resource
}

// documentsIn returns the documents of a text that stands in another.
func documentsIn(t *text, name string) ([]*node, *SyntaxError) {
	if !looksLikeJSON(name, []byte(t.data)) {
		return parseYAML(t)
	}
	n, err := parseJSON(t)
	if err != nil {
		return nil, err
	}
	return []*node{n}, nil
}

// membersOrNone returns the members of n, which may be nil.
func (n *node) membersOrNone() []member {
	if n == nil {
		return nil
	}
	return n.members
}
