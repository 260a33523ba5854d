package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A subject is one way to set Envoy up; the benchmark compares subjects.
type subject struct {
	name     string // as flags and the JSON file spell it
	title    string // as the table spells it
	wasm     string // path of the plugin, for the subjects that have one
	policy   string // the plugin's configuration
	native   bool   // whether Envoy's own CORS filter is in the chain
	enforces bool   // whether the answers must be those of the policy
}

// The names of the subjects that are always there. Differences are to bareName.
const (
	bareName      = "bare"
	nativeName    = "native"
	corsguardName = "corsguard"
)

// subjects returns the subjects in the order of the table: those that the comma-separated list names (all where it is empty), and the
// plugins of also, each given as name=path, which must tolerate Corsguard's configuration and are not held to its answers.
func subjects(list, wasm string, also []string) ([]subject, error) {
	known := []subject{
		{name: bareName, title: "no CORS filter"},
		{name: nativeName, title: "native filter", native: true, enforces: true},
		{name: corsguardName, title: "Corsguard", wasm: wasm, policy: corsguardPolicy(), enforces: true},
	}
	picked := known
	if list != "" {
		picked = nil
		for name := range strings.SplitSeq(list, ",") {
			found := false
			for _, s := range known {
				if s.name == name {
					picked, found = append(picked, s), true
				}
			}
			if !found {
				return nil, fmt.Errorf("no subject %q; there are bare, native and corsguard, and -also adds others", name)
			}
		}
	}
	for _, pair := range also {
		name, path, ok := strings.Cut(pair, "=")
		if !ok || name == "" || path == "" {
			return nil, fmt.Errorf("-also %q is not name=path", pair)
		}
		picked = append(picked, subject{name: name, title: name, wasm: path, policy: corsguardPolicy()})
	}
	seen := map[string]bool{}
	for _, s := range picked {
		if seen[s.name] {
			return nil, fmt.Errorf("two subjects are called %q", s.name)
		}
		seen[s.name] = true
	}
	return picked, nil
}

// copyPlugins makes the subjects run copies of their plugins, in dir: a plugin that is built anew meanwhile must not change halfway
// through the measurements.
func copyPlugins(list []subject, dir string) error {
	for i := range list {
		s := &list[i]
		if s.wasm == "" {
			continue
		}
		module, err := os.ReadFile(s.wasm)
		if err != nil {
			return err
		}
		s.wasm = filepath.Join(dir, fmt.Sprintf("%d.wasm", i))
		if err := os.WriteFile(s.wasm, module, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// bootstrap returns the Envoy bootstrap of the subject: one listener, one route to one cluster at upstream, the filter in question first.
// Ports are the kernel's to choose. Statistics are flushed only on demand, so that no timer runs into a measurement.
func (s subject) bootstrap(upstreamPort int) ([]byte, error) {
	route := object{"match": object{"prefix": "/"}, "route": object{"cluster": "upstream", "timeout": "0s"}}
	var filters []object
	if s.native {
		filters = append(filters, object{"name": "cors", "typed_config": object{
			"@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors",
		}})
		route["typed_per_filter_config"] = object{"cors": nativePolicy()}
	}
	if s.wasm != "" {
		filters = append(filters, object{"name": "wasm", "typed_config": object{
			"@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
			"config": object{
				"name": s.name, "root_id": s.name,
				"vm_config":     object{"runtime": "envoy.wasm.runtime.v8", "code": object{"local": object{"filename": s.wasm}}},
				"configuration": object{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": s.policy},
			},
		}})
	}
	filters = append(filters, object{"name": "router", "typed_config": object{
		"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
	}})
	manager := object{
		"@type":        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
		"stat_prefix":  "ingress",
		"http_filters": filters,
		"route_config": object{"name": "routes", "virtual_hosts": []object{{"name": "all", "domains": []string{"*"}, "routes": []object{route}}}},
	}
	return json.Marshal(object{
		"admin":                object{"address": socket(0)},
		"stats_flush_on_admin": true,
		"static_resources": object{
			"listeners": []object{{
				"name": "main", "address": socket(0),
				"filter_chains": []object{{"filters": []object{{"name": "http", "typed_config": manager}}}},
			}},
			"clusters": []object{{
				"name": "upstream", "type": "STATIC", "connect_timeout": "5s",
				"load_assignment": object{"cluster_name": "upstream", "endpoints": []object{{"lb_endpoints": []object{{
					"endpoint": object{"address": socket(upstreamPort)},
				}}}}},
			}},
		},
	})
}

func socket(port int) object {
	return object{"socket_address": object{"address": "127.0.0.1", "port_value": port}}
}
