package istio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/mesh/internal/cluster"
)

// The manifests as they are but for the module and the key, translated by Istio's control plane, in a plain Envoy.
func TestTheManifestsBringThePolicyIntoForce(t *testing.T) {
	login, token := authentication(t)
	m := startMesh(t, manifest(t, "gateway.yaml"), login, []cluster.Object{local(t)})
	proxy := m.envoy(t)
	m.until(t, preflight("/items", shop), 204, preflightGranted)

	badToken := corpus.Header{"authorization", "Bearer of.no.worth"}
	anyOrigin := []corpus.Header{{"access-control-allow-origin", "*"}}
	for name, test := range map[string]struct {
		request corpus.Request
		status  int
		headers []corpus.Header
	}{
		"a preflight to what needs a token":              {preflight("/account", shop), 204, preflightGranted},
		"a preflight to a route of another method":       {preflight("/reports", shop), 204, preflightGranted},
		"a preflight to no route":                        {preflight("/nowhere", shop), 204, preflightGranted},
		"a preflight with a bad token":                   {preflightWith(badToken), 204, preflightGranted},
		"a preflight of a stranger":                      {preflight("/items", stranger), 204, preflightRefused},
		"a request":                                      {request("GET", "/items", shop), 200, granted},
		"a request of a stranger":                        {request("GET", "/items", stranger), 200, notGranted},
		"a request without an Origin":                    {request("GET", "/items", ""), 200, notGranted},
		"a good token":                                   {request("GET", "/account", shop, token), 200, granted},
		"no token (RBAC)":                                {request("GET", "/account", shop), 403, granted},
		"no token, and a stranger":                       {request("GET", "/account", stranger), 403, notGranted},
		"a bad token (JWT)":                              {request("GET", "/items", shop, badToken), 401, granted},
		"no route":                                       {request("GET", "/nowhere", shop), 404, granted},
		"a route of another method":                      {request("PUT", "/reports", shop), 404, granted},
		"a public path":                                  {request("GET", "/public/a", stranger), 200, anyOrigin},
		"a public path, in another spelling":             {request("GET", "/x/..//public/%61", stranger), 200, anyOrigin},
		"another path with the same prefix":              {request("GET", "/publications", shop), 200, granted},
		"a rule with cors: null leaves the upstream's":   {request("POST", "/webhooks/bank", stranger), 200, []corpus.Header{{"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}}},
		"a preflight to a rule with cors: null goes on":  {preflight("/webhooks/bank", shop), 200, []corpus.Header{{"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}}},
		"a preflight of a public path, with a wild list": {request("OPTIONS", "/public/a", stranger, corpus.Header{"access-control-request-method", "GET"}), 204, publicPreflight},
	} {
		t.Run(name, func(t *testing.T) { m.check(t, test.request, test.status, test.headers) })
	}

	t.Run("the counters and the access log have the decisions", func(t *testing.T) {
		const refused = "wasmcustom.corsguard.rule.default.kind.actual.decision.refused.reason.origin_not_allowed"
		m.pilot.Until(t, updateLimit, func() error { // the plugin reports once a second
			stats, err := proxy.Admin.Stats(t.Context(), "^wasmcustom\\.corsguard\\.")
			if err == nil && stats[refused] == 0 {
				err = fmt.Errorf("%s is 0 of %d counters", refused, len(stats))
			}
			return err
		})
		m.pilot.Until(t, updateLimit, func() error {
			return logged(proxy.Log.String(), "ACCESS GET /items 200 via_upstream corsguard=decision=refused kind=actual reason=origin_not_allowed rule=default")
		})
	})
	t.Run("Istio's own CORS does nothing but where a rule leaves it to", func(t *testing.T) {
		routes := manifest(t, "gateway.yaml")[1]
		for _, route := range at(t, routes, "spec")["http"].([]any) {
			route.(cluster.Object)["corsPolicy"] = cluster.Object{"allowOrigins": []any{cluster.Object{"exact": stranger}}, "allowMethods": []any{"PUT"}}
		}
		m.apply(t, routes)
		m.until(t, preflight("/webhooks/bank", stranger), 200, []corpus.Header{{"access-control-allow-origin", stranger}, {"access-control-allow-methods", "PUT"}})
		m.check(t, preflight("/items", stranger), 204, preflightRefused)
		m.check(t, preflight("/items", shop), 204, preflightGranted)
		m.check(t, request("GET", "/items", stranger), 200, notGranted)
		m.check(t, request("GET", "/items", shop), 200, granted)
	})
	t.Run("the filters stand in the documented order", func(t *testing.T) {
		m.apply(t, manifest(t, "ext-authz/authorization.yaml")...)
		const name = "extensions.istio.io/trafficextension/istio-system.corsguard~istio-translated-wasmplugin"
		want := []string{"envoy.filters.http.ext_authz", name, "envoy.filters.http.jwt_authn", "envoy.filters.http.rbac", "envoy.filters.http.cors", "envoy.filters.http.router"}
		m.pilot.Until(t, updateLimit, func() error {
			all, err := filters(t.Context(), proxy.Admin)
			if err != nil {
				return err
			}
			known := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !slices.Contains(want, name) })
			// The policy that asks is a rule of RBAC before the filter that does.
			if i := slices.Index(known, want[0]); i > 0 {
				known = known[i:]
			}
			if !slices.Equal(known, want) {
				return fmt.Errorf("%q", all)
			}
			return nil
		})
	})
	t.Run("a service that is gone", func(t *testing.T) {
		if err := m.backend.Close(); err != nil {
			t.Fatal(err)
		}
		m.until(t, request("GET", "/items", shop), 503, granted)
	})
	if crashed := proxy.Log.Entries("[wasm]", "Uncaught"); len(crashed) > 0 || strings.Contains(proxy.Log.String(), "config error") {
		t.Errorf("the plugin said:\n%s", proxy.Log.Tail(20))
	}
}

var publicPreflight = []corpus.Header{
	{"access-control-allow-origin", "*"}, {"access-control-allow-methods", "GET, HEAD"}, {"access-control-max-age", "7200"},
	{"vary", preflightVary},
}

func preflightWith(headers ...corpus.Header) corpus.Request {
	r := preflight("/account", shop)
	r.Headers = append(r.Headers, headers...)
	return r
}

// filters returns the names of the HTTP filters of the gateway's listener, in their order.
func filters(ctx context.Context, admin envoy.Admin) ([]string, error) {
	dump, err := admin.Get(ctx, "/config_dump?resource=dynamic_listeners")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Configs []struct {
			State struct {
				Listener struct {
					Chains []struct {
						Filters []struct {
							Config struct {
								HTTP []struct {
									Name string `json:"name"`
								} `json:"http_filters"`
							} `json:"typed_config"`
						} `json:"filters"`
					} `json:"filter_chains"`
				} `json:"listener"`
			} `json:"active_state"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(dump, &doc); err != nil {
		return nil, err
	}
	var names []string
	for _, l := range doc.Configs {
		for _, chain := range l.State.Listener.Chains {
			for _, filter := range chain.Filters {
				for _, f := range filter.Config.HTTP {
					names = append(names, f.Name)
				}
			}
		}
	}
	return names, nil
}
