package istio_test

import (
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
)

// localFilter returns deploy/istio/ext-authz/corsguard-local.yaml with the module of this machine.
func localFilter(t *testing.T) cluster.Object {
	t.Helper()
	o := manifest(t, "ext-authz/corsguard-local.yaml")[0]
	code := at(t, patches(t, o)[0], "typed_config", "config", "vm_config", "code", "local")
	code["filename"] = plugin
	return o
}

// patches returns the values of an EnvoyFilter's patches.
func patches(t *testing.T, o cluster.Object) []cluster.Object {
	t.Helper()
	var values []cluster.Object
	for _, p := range o["spec"].(cluster.Object)["configPatches"].([]any) {
		values = append(values, at(t, p.(cluster.Object), "patch", "value"))
	}
	return values
}

// at walks down an object.
func at(t *testing.T, o cluster.Object, keys ...string) cluster.Object {
	t.Helper()
	for _, key := range keys {
		next, ok := o[key].(cluster.Object)
		if !ok {
			t.Fatalf("there is no %s of %q in %v", key, keys, o)
		}
		o = next
	}
	return o
}

// A denial of AuthorizationPolicy with action CUSTOM is made before any WasmPlugin, and after the EnvoyFilter of deploy/istio/ext-authz.
func TestTheFirstFilterCoversCustomAuthorization(t *testing.T) {
	asPlugin := local(t)
	m := startMesh(t, manifest(t, "gateway.yaml"), manifest(t, "ext-authz/authorization.yaml"), []cluster.Object{asPlugin})
	m.envoy(t)
	m.until(t, preflight("/items", shop), 204, preflightGranted)

	session := corpus.Header{"cookie", "session=good"}
	t.Run("as a WasmPlugin it stands behind", func(t *testing.T) {
		m.check(t, preflight("/account", shop), 403, nil)
		m.check(t, request("GET", "/account", shop), 403, nil)
		m.check(t, request("GET", "/account", shop, session), 200, granted)
	})

	if err := m.cluster.Delete(asPlugin); err != nil {
		t.Fatal(err)
	}
	m.apply(t, localFilter(t))
	m.until(t, preflight("/account", shop), 204, preflightGranted)
	t.Run("as the first filter it stands before", func(t *testing.T) {
		m.check(t, preflight("/account", shop), 204, preflightGranted)
		m.check(t, request("GET", "/account", shop), 403, granted)
		m.check(t, request("GET", "/account", stranger), 403, notGranted)
		m.check(t, request("GET", "/account", shop, session), 200, granted)
		m.check(t, request("GET", "/items", shop), 200, granted)
	})
}
