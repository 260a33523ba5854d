package istio_test

import (
	"path/filepath"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
)

// The manifests select a gateway of the Kubernetes Gateway API by targetRefs, as the comment in corsguard.yaml has it.
func TestThePolicyIsInForceOnAGatewayOfTheGatewayAPI(t *testing.T) {
	all, _ := authentication(t)
	all = append(all, local(t))
	for _, o := range all {
		spec := at(t, o, "spec")
		delete(spec, "selector")
		spec["targetRefs"] = []any{cluster.Object{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "api"}}
	}
	m := startGatewayAPI(t, read(t, filepath.Join("testdata", "gateway-api.yaml")), all)
	m.envoy(t)
	m.until(t, preflight("/items", shop), 204, preflightGranted)
	for name, test := range map[string]struct {
		request corpus.Request
		status  int
		headers []corpus.Header
	}{
		"a request":         {request("GET", "/items", shop), 200, granted},
		"a stranger's":      {request("GET", "/items", stranger), 200, notGranted},
		"a public path":     {request("GET", "/public/a", stranger), 200, []corpus.Header{{"access-control-allow-origin", "*"}}},
		"a bad token (JWT)": {request("GET", "/items", shop, corpus.Header{"authorization", "Bearer of.no.worth"}), 401, granted},
		"no token (RBAC)":   {request("GET", "/account", shop), 403, granted},
		"a preflight to a route of another method": {preflight("/reports", shop), 204, preflightGranted},
		"a preflight to no route":                  {preflight("/nowhere", shop), 204, preflightGranted},
		"no route":                                 {request("GET", "/nowhere", shop), 404, granted},
	} {
		t.Run(name, func(t *testing.T) { m.check(t, test.request, test.status, test.headers) })
	}
}
