package envoygateway_test

import (
	"slices"
	"testing"
)

// TestWithoutFilterOrderPreflightsAreDenied holds that gateway.yaml needs it.
func TestWithoutFilterOrderPreflightsAreDenied(t *testing.T) {
	c := start(t, func(c *control) manifests {
		m := adapted(t, c)
		delete(m.find("EnvoyProxy")["spec"].(object), "filterOrder")
		return m
	})
	// With a token a request gets to the filter, which is there and ready then.
	c.Until(t, readyLimit, func() error {
		return c.differs(withToken(t, request("GET", "/items", origin)), "200"+readable+"accept, Origin")
	})
	names, _, err := c.chain(t.Context())
	if want := []string{"envoy.filters.http.jwt_authn", "envoy.filters.http.wasm", "envoy.filters.http.router"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the filters are %q (%v)", names, err)
	}
	c.answers(t, preflight("GET", "/items", origin), "401")
	c.answers(t, request("GET", "/items", origin), "401")
}

// TestAFreshEnvoyWithAMistakeAnswers503 holds the limit that the documentation tells of: the module comes after the listener has been accepted, so there is nothing to keep and
// nothing to refuse. A corrected policy comes into force by itself.
func TestAFreshEnvoyWithAMistakeAnswers503(t *testing.T) {
	var m manifests
	c := start(t, func(c *control) manifests { m = adapted(t, c); return withMistake(m) })
	c.says(t, readyLimit, configError)
	c.comesTo(t, preflight("GET", "/items", origin), "503")
	c.answers(t, request("GET", "/items", origin), "503")
	c.answers(t, withToken(t, request("GET", "/items", origin)), "503")
	if n, err := c.stat(t.Context(), "listener_manager.lds.update_rejected"); err != nil || n != 0 {
		t.Errorf("%d listeners rejected (%v)", n, err)
	}
	c.apply(t, m)
	c.comesTo(t, preflight("GET", "/items", origin), grantedPreflight)
}
