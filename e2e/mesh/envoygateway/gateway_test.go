package envoygateway_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestGateway runs the manifests of deploy/envoy-gateway, and then changes them while they are in force.
func TestGateway(t *testing.T) {
	var m manifests
	c := start(t, func(c *control) manifests { m = adapted(t, c); return m })
	c.Until(t, readyLimit, func() error { return c.differs(preflight("GET", "/items", origin), grantedPreflight) })
	proxy, err := c.envoy()
	if err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name string
		run  func(*testing.T, *control, manifests)
	}{
		{"the filter is first", firstInChain},
		{"Envoy gets the module of the image", moduleOfImage},
		{"preflights pass authentication and pages read denials", past},
		{"paths are normalized", normalized},
		{"a match of methods needs OPTIONS", methodMatch},
		{"all layouts and an HTTP server", layouts},
		{"another module is in force without a restart", upgrade},
		{"another policy is in force without a restart", update},
		{"a mistake keeps the old policy", mistake},
		{"a policy of a route replaces that of the Gateway", routePolicy},
		{"shadow mode", shadow},
		{"a module that cannot be had", unusable},
		{"without the policy CORS is the services'", removed},
		{"the access log tells who answered", accessLog},
		{"counters have labels", labels},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, c, m)
			if t.Failed() {
				return
			}
			// The next one begins where this one did.
			c.apply(t, m)
			c.comesTo(t, preflight("GET", "/items", origin), grantedPreflight)
		})
	}
	if now, err := c.envoy(); err != nil || now != proxy {
		t.Errorf("Envoy was restarted, or ended: process %d, then %d (%v)", proxy, now, err)
	}
}

func past(t *testing.T, c *control, _ manifests) {
	c.answers(t, preflight("GET", "/items/7", origin), grantedPreflight)
	c.answers(t, preflight("GET", "/items/7", foreign), refusedPreflight)
	c.answers(t, request("GET", "/items/7", origin), "401"+readable+"Origin")
	c.answers(t, request("GET", "/items/7", foreign), "401\nvary: Origin")
	c.answers(t, withToken(t, request("GET", "/items/7", origin)), "200"+readable+"accept, Origin")
	c.answers(t, withToken(t, request("GET", "/items/7", foreign)), "200\nvary: accept, Origin")
	// An OPTIONS request that is no preflight is a request like others.
	c.answers(t, request("OPTIONS", "/items/7", origin), "401"+readable+"Origin")
}

// normalized holds that Envoy Gateway's defaults are those that rules by path ask for.
func normalized(t *testing.T, c *control, _ manifests) {
	text, err := c.get(t.Context(), "/config_dump?resource=dynamic_listeners")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"normalize_path": true`, `"merge_slashes": true`, `"path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the listener has no %s", want)
		}
	}
}

// methodMatch holds the limit that routes.yaml tells of.
func methodMatch(t *testing.T, c *control, m manifests) {
	c.answers(t, preflight("PUT", "/orders/7", origin), grantedPreflight)
	c.answers(t, withToken(t, request("PUT", "/orders/7", origin)), "200"+readable+"accept, Origin")
	c.answers(t, preflight("PUT", "/nowhere", origin), "404")
	c.answers(t, request("GET", "/orders/7", origin), "404")

	without := m.copy()
	rule := without.find("HTTPRoute")["spec"].(object)["rules"].([]any)[0].(object)
	matches := rule["matches"].([]any)
	if matches[1].(object)["method"] != "OPTIONS" {
		t.Fatalf("the second match is %v", matches[1])
	}
	rule["matches"] = matches[:1]
	c.apply(t, without)
	c.comesTo(t, preflight("PUT", "/orders/7", origin), "404")
	c.answers(t, withToken(t, request("PUT", "/orders/7", origin)), "200"+readable+"accept, Origin")
}

func removed(t *testing.T, c *control, m manifests) {
	without := slices.DeleteFunc(m.copy(), func(o object) bool { return o["kind"] == "EnvoyExtensionPolicy" })
	c.apply(t, without)
	c.comesTo(t, preflight("GET", "/items", origin), "401")
	c.answers(t, withToken(t, request("GET", "/items", origin)), "200\naccess-control-allow-headers: *\naccess-control-allow-origin: *\nvary: accept")
}

// accessLog holds what Envoy Gateway's default access log shows of a preflight: of one that Corsguard answered, and of one that it never saw.
func accessLog(t *testing.T, c *control, _ manifests) {
	c.answers(t, preflight("GET", "/items/logged", origin), grantedPreflight)
	c.answers(t, preflight("GET", "/logged", origin), "404")
	c.Until(t, updateLimit, func() error { // Envoy writes it now and then
		log := c.Log.String()
		for path, want := range map[string]string{"/items/logged": `"response_code_details":"corsguard_origin_allowed"`, "/logged": `"response_flags":"NR"`} {
			if !logged(log, path, want) {
				return fmt.Errorf("no entry of %s has %s", path, want)
			}
		}
		return nil
	})
}

func logged(log, path, want string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"x-envoy-origin-path":"`+path+`"`) && strings.Contains(line, want) {
			return true
		}
	}
	return false
}

// labels holds that the bootstrap of gateway.yaml makes labels of the names of counters.
func labels(t *testing.T, c *control, _ manifests) {
	c.answers(t, preflight("GET", "/items", origin), grantedPreflight)
	const want = `envoy_wasmcustom_corsguard{decision="allowed",kind="preflight",reason="origin_allowed",rule="default"`
	c.Until(t, updateLimit, func() error {
		text, err := c.get(t.Context(), "/stats/prometheus")
		if err == nil && !strings.Contains(string(text), "corsguard{") {
			err = errors.New("there are no counters")
		}
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "corsguard{") && strings.Contains(line, `decision="allowed"`) && strings.Contains(line, `kind="preflight"`) &&
				strings.Contains(line, `reason="origin_allowed"`) && strings.Contains(line, `rule="default"`) {
				return nil
			}
		}
		return fmt.Errorf("no line like %s", want)
	})
}
