package envoygateway_test

import (
	"errors"
	"slices"
	"testing"
)

// update holds that a policy is replaced under load: each request gets the answer of the old one or of the new one.
func update(t *testing.T, c *control, m manifests) {
	const after = "204\n" + granted + "60" + preflightVary
	finish := c.watch(t, preflight("GET", "/items", origin), grantedPreflight, after)
	finishDenied := c.watch(t, request("GET", "/items", origin), "401"+readable+"Origin")
	c.apply(t, m.with("EnvoyExtensionPolicy", 60, "spec", "wasm", 0, "config", "cors", "maxAge"))
	c.comesTo(t, preflight("GET", "/items", origin), after)
	finish()
	finishDenied()

	c.apply(t, m.with("EnvoyExtensionPolicy", []string{foreign}, "spec", "wasm", 0, "config", "cors", "allowOrigins"))
	c.comesTo(t, preflight("GET", "/items", origin), refusedPreflight)
	c.answers(t, request("GET", "/items", origin), "401\nvary: Origin")
}

// mistake holds that an Envoy that runs keeps the policy that it has, and that its log says why.
func mistake(t *testing.T, c *control, m manifests) {
	const counter = "listener_manager.lds.update_rejected"
	before, err := c.stat(t.Context(), counter)
	if err != nil {
		t.Fatal(err)
	}
	finish := c.watch(t, preflight("GET", "/items", origin), grantedPreflight)
	c.apply(t, withMistake(m))
	c.Until(t, updateLimit, func() error {
		now, err := c.stat(t.Context(), counter)
		if err == nil && now == before {
			err = errors.New("Envoy has not rejected the listener")
		}
		return err
	})
	finish()
	c.answers(t, request("GET", "/items", origin), "401"+readable+"Origin")
	c.says(t, updateLimit, configError)
}

const configError = "corsguard: config error: cors.allowOrigins[0]"

func withMistake(m manifests) manifests {
	return m.with("EnvoyExtensionPolicy", []string{origin + "/"}, "spec", "wasm", 0, "config", "cors", "allowOrigins")
}

// routePolicy holds that a route with a policy of its own is without the Gateway's, unless it is merged.
func routePolicy(t *testing.T, c *control, m manifests) {
	const script = "function envoy_on_response(handle) handle:headers():add('x-script', 'ran') end"
	own := object{
		"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyExtensionPolicy", "metadata": object{"name": "script", "namespace": "shop"},
		"spec": object{
			"targetRefs": []object{{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "api"}},
			"lua":        []object{{"type": "Inline", "inline": script}},
		},
	}
	c.apply(t, append(m.copy(), own))
	c.comesTo(t, preflight("GET", "/items", origin), "401")
	c.answers(t, request("GET", "/items", origin), "401")

	own["spec"].(object)["mergeType"] = "StrategicMerge"
	c.apply(t, append(m.copy(), own))
	c.comesTo(t, preflight("GET", "/items", origin), grantedPreflight)
	c.answers(t, request("GET", "/items", origin), "401"+readable+"Origin")
	names, _, err := c.chain(t.Context())
	if want := []string{"envoy.filters.http.wasm", "envoy.filters.http.jwt_authn", "envoy.filters.http.lua", "envoy.filters.http.router"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the filters are %q (%v)", names, err)
	}
}

func shadow(t *testing.T, c *control, m manifests) {
	c.apply(t, m.with("EnvoyExtensionPolicy", "shadow", "spec", "wasm", 0, "config", "mode"))
	// Nobody answers the preflight but who comes next.
	c.comesTo(t, preflight("GET", "/items", origin), "401")
	c.answers(t, request("GET", "/items", origin), "401")
	c.answers(t, withToken(t, request("GET", "/items", foreign)), "200\naccess-control-allow-headers: *\naccess-control-allow-origin: *\nvary: accept")
	c.Until(t, updateLimit, func() error { // a worker hands its counters over now and then
		n, err := c.stat(t.Context(), "wasmcustom.corsguard.rule.default.kind.actual.decision.shadowed.reason.origin_not_allowed")
		if err == nil && n == 0 {
			err = errors.New("nothing is counted as shadowed")
		}
		return err
	})
}
