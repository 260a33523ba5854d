package envoygateway_test

import (
	"net/netip"
	"testing"
)

// adapted returns the objects of deploy/envoy-gateway as they can run without a cluster: with the image from the tests' registry, the tests' issuer and upstream in place of
// services, and what Envoy Gateway otherwise has of its cluster.
func adapted(t *testing.T, c *control) manifests {
	t.Helper()
	m, err := deployed()
	if err != nil {
		t.Fatal(err)
	}
	m = m.copy()
	m.set("EnvoyProxy", object{"type": "Host", "host": object{"envoyVersion": engine.Version}}, "spec", "provider")
	m.set("Gateway", c.port, "spec", "listeners", 0, "port")
	m.set("EnvoyExtensionPolicy", c.images.image("oci"), "spec", "wasm", 0, "code", "image", "url")
	provider := m.find("SecurityPolicy")["spec"].(object)["jwt"].(object)["providers"].([]any)[0].(object)
	delete(provider, "remoteJWKS")
	provider["localJWKS"] = object{"type": "Inline", "inline": jwks()}
	for _, rule := range m.find("HTTPRoute")["spec"].(object)["rules"].([]any) {
		rule.(object)["backendRefs"] = []object{{"group": "gateway.envoyproxy.io", "kind": "Backend", "name": "upstream"}}
	}
	upstream, err := netip.ParseAddrPort(backend.Addr)
	if err != nil {
		t.Fatal(err)
	}
	const group, clusterType = "gateway.envoyproxy.io/v1alpha1", "type.googleapis.com/envoy.config.cluster.v3.Cluster"
	replace := func(path, value string) object {
		return object{"type": clusterType, "name": "wasm_cluster", "operation": object{"op": "replace", "path": path, "value": value}}
	}
	return append(m, c.secret,
		object{
			"apiVersion": group, "kind": "Backend", "metadata": object{"name": "upstream", "namespace": "shop"},
			"spec": object{"endpoints": []object{{"ip": object{"address": upstream.Addr(), "port": upstream.Port()}}}},
		},
		// Envoys get modules from Envoy Gateway, by a name of the cluster and with a certificate that is mounted into their containers.
		object{
			"apiVersion": group, "kind": "EnvoyPatchPolicy", "metadata": object{"name": "modules", "namespace": "shop"},
			"spec": object{
				"targetRef": object{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public"}, "type": "JSONPatch",
				"jsonPatches": []object{
					replace("/transport_socket/typed_config/common_tls_context/validation_context/trusted_ca/filename", c.certificate("ca.crt")),
					replace("/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address/address", "127.0.0.1"),
				},
			},
		})
}
