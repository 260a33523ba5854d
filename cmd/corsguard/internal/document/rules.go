package document

import "corsguard/cmd/corsguard/internal/finding"

// Rules are all kinds of findings of this package: about what is around policies.
var Rules = []*finding.Rule{structConfiguration, noString, unreadableText, failsOpen, behindFilter, nativeFilter, pathsNotNormalized, latePhase, gatewayOrder}

var (
	structConfiguration = &finding.Rule{
		ID: "configuration-is-no-string", Severity: finding.Error, Title: "The plugin's configuration is no string",
		Why: "Envoy hands what is no StringValue to plugins as protobuf bytes. Corsguard refuses those, and Envoy the listener.",
	}
	noString = &finding.Rule{
		ID: "key-is-no-string", Severity: finding.Error, Title: "A key is no string in YAML",
		Why: "YAML 1.1 reads words such as no, on and y as booleans, and digits as numbers. Tools turn such keys into strings, and not always into the ones that were written.",
	}
	unreadableText = &finding.Rule{
		ID: "unreadable-text", Severity: finding.Error, Title: "A policy in a ConfigMap cannot be read",
		Why: "What mounts the ConfigMap gets a file that is neither JSON nor YAML.",
	}
	failsOpen = &finding.Rule{
		ID: "fails-open", Severity: finding.Warning, Title: "Requests go on without the plugin where it fails",
		Why: "While the plugin does not run, what the policy denies gets through, and the upstream's own CORS headers go out.",
	}
	behindFilter = &finding.Rule{
		ID: "behind-another-filter", Severity: finding.Warning, Title: "A filter that may refuse requests stands before the plugin",
		Why: "Preflights carry no credentials, so such a filter refuses them, and pages cannot read its other refusals: they pass the plugin by and have no CORS headers.",
	}
	nativeFilter = &finding.Rule{
		ID: "native-cors-filter", Severity: finding.Warning, Title: "Envoy's own CORS filter is in the same chain",
		Why: "Two layers of CORS answer for the same requests. Before the plugin, Envoy's filter answers preflights by itself.",
	}
	pathsNotNormalized = &finding.Rule{
		ID: "paths-not-normalized", Severity: finding.Warning, Title: "Rules look at paths that Envoy does not normalize",
		Why: "Paths with dot segments, empty segments or encoded slashes can be read in two ways. The plugin then grants nothing, also to those who are allowed.",
	}
	latePhase = &finding.Rule{
		ID: "late-phase", Severity: finding.Warning, Title: "The WasmPlugin does not stand before authentication",
		Why: "In phases other than AUTHN Istio puts the plugin behind its own authentication, which refuses preflights, since they carry no credentials.",
	}
	gatewayOrder = &finding.Rule{
		ID: "behind-gateway-authentication", Severity: finding.Note, Title: "Envoy Gateway puts Wasm behind authentication",
		Why: "Unless an EnvoyProxy says otherwise, preflights meet JWT, OIDC, basic authentication and external authorization first, which refuse them.",
	}
)
