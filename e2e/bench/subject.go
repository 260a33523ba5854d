package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// A subject is one way to set Envoy up; the benchmark compares subjects.
type subject struct {
	name   string // as flags and the JSON file spell it
	title  string // as the tables spell it
	plugin plugin
	wasm   string      // path of the plugin's file, for the subjects that have one
	policy string      // the plugin's configuration
	native bool        // whether Envoy's own CORS filter is in the chain
	adds   []setHeader // what the route adds to responses
	beside bool        // whether it gets fewer kinds of requests and no start-ups, and stands in tables of its own

	// What its answers must be.
	duty   duty
	sets   []header // one line of each on what comes from the upstream
	denies string   // the kind that it answers with 403, if any
}

// duty is whose answers a subject must give.
type duty int

const (
	toNothing  duty = iota
	toPolicy        // those of the CORS policy
	toUpstream      // the upstream's, unchanged
)

// The names of the subjects that are always there. Differences are to bareName.
const (
	bareName          = "bare"
	nativeName        = "native"
	nativeHeadersName = "native-headers"
	corsguardName     = "corsguard"
	typicalName       = "typical"
	fullName          = "full"
	fetchMetadataName = "fetch-metadata"
	shadowName        = "shadow"
	offName           = "off"
	emptyGoName       = "empty-go"
	emptyName         = "empty"
)

// mainSubjects returns those that the benchmark is about: what CORS costs. wasm is Corsguard's file.
func mainSubjects(wasm string) []subject {
	return []subject{
		{name: bareName, title: "no CORS filter", duty: toUpstream},
		{name: nativeName, title: "native filter", native: true, duty: toPolicy},
		{name: corsguardName, title: "Corsguard", plugin: givenPlugin, wasm: wasm, policy: corsguardPolicy(nil), duty: toPolicy, sets: []header{varyOrigin}},
	}
}

// besideSubjects returns those that tell what else costs: headers, Fetch Metadata, modes, and being a plugin at all. Those that are compared with each
// other stand close, so that they are measured shortly after one another.
func besideSubjects(wasm string) []subject {
	list := []subject{
		{name: typicalName, title: "Corsguard, typical headers", policy: corsguardPolicy(corsguardBlocks(typicalHeaders)), duty: toPolicy,
			sets: append(lines(typicalHeaders), varyOrigin)},
		{name: fullName, title: "Corsguard, all headers", policy: corsguardPolicy(corsguardBlocks(fullHeaders)), duty: toPolicy,
			sets: append(lines(fullHeaders), varyOrigin)},
		{name: nativeHeadersName, title: "native filter, all headers by the route", native: true, adds: fullHeaders, duty: toPolicy, sets: lines(fullHeaders)},
		{name: fetchMetadataName, title: "Corsguard, fetchMetadata", policy: corsguardPolicy(object{"fetchMetadata": object{}}), duty: toPolicy,
			sets: []header{varyFetchMetadata}, denies: refusedKind},
		{name: shadowName, title: "Corsguard, mode shadow", policy: corsguardPolicy(object{"mode": "shadow"}), duty: toUpstream},
		{name: offName, title: "Corsguard, mode off", policy: corsguardPolicy(object{"mode": "off"}), duty: toUpstream},
		{name: emptyGoName, title: "empty Go plugin", plugin: emptyGo, duty: toUpstream},
		{name: emptyName, title: "empty plugin", plugin: emptyWasm, duty: toUpstream},
	}
	for i := range list {
		s := &list[i]
		s.beside = true
		if s.policy != "" {
			s.plugin, s.wasm = givenPlugin, wasm
		}
	}
	return list
}

// The Vary of Corsguard's responses, which is that of the upstream and what was added.
var (
	varyOrigin        = header{"vary", "Accept-Encoding, Origin"}
	varyFetchMetadata = header{"vary", "Accept-Encoding, Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"}
)

// subjects returns the subjects in the order of the tables: those that the comma-separated list names, which are then measured all alike (where it is empty, all), and the
// plugins of also, each given as name=path, which must tolerate Corsguard's configuration and are not held to its answers.
func subjects(list, wasm string, also []string) ([]subject, error) {
	known := append(mainSubjects(wasm), besideSubjects(wasm)...)
	picked := known
	if list != "" {
		picked = nil
		for name := range strings.SplitSeq(list, ",") {
			i := slices.IndexFunc(known, func(s subject) bool { return s.name == name })
			if i < 0 {
				return nil, fmt.Errorf("no subject %q; there are %s, and -also adds others", name, strings.Join(subjectNames(known), ", "))
			}
			s := known[i]
			s.beside = false
			picked = append(picked, s)
		}
	}
	for _, pair := range also {
		name, path, ok := strings.Cut(pair, "=")
		if !ok || name == "" || path == "" {
			return nil, fmt.Errorf("-also %q is not name=path", pair)
		}
		picked = append(picked, subject{name: name, title: name, plugin: givenPlugin, wasm: path, policy: corsguardPolicy(nil)})
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

func subjectNames(list []subject) []string {
	var names []string
	for _, s := range list {
		names = append(names, s.name)
	}
	return names
}

// bootstrap returns the Envoy bootstrap of the subject: one listener, one route to one cluster at upstream, the filter in question first.
// Ports are the kernel's to choose. Statistics are flushed only on demand, so that no timer runs into a measurement.
func (s subject) bootstrap(upstreamPort int) ([]byte, error) {
	route := object{"match": object{"prefix": "/"}, "route": object{"cluster": "upstream", "timeout": "0s"}}
	var filters []object
	if s.adds != nil {
		route["response_headers_to_add"] = nativeHeaders(s.adds)
	}
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
