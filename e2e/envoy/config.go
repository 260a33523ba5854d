package envoy

import (
	"maps"
	"net"
	"strconv"
	"unicode/utf8"
)

// Object is a JSON object of Envoy's configuration.
type Object = map[string]any

// anyPort has the kernel choose a free port of the loopback interface.
const anyPort = "127.0.0.1:0"

func address(hostport string) Object {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		panic(err) // an address that a test wrote down or a listener returned
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		panic(err)
	}
	return Object{"socket_address": Object{"address": host, "port_value": n}}
}

func typed(typ string, fields Object) Object {
	o := Object{"@type": "type.googleapis.com/" + typ}
	maps.Copy(o, fields)
	return o
}

// Filter returns an HTTP filter: its name and, in config, its type's fields.
func Filter(name, typ string, config Object) Object {
	return Object{"name": name, "typed_config": typed(typ, config)}
}

// Router returns the last filter of every chain.
func Router() Object {
	return Filter("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", nil)
}

// Plugin is the Corsguard filter as a listener has it.
type Plugin struct {
	Wasm   string // path of the module
	Config []byte // its configuration, of any bytes
	Name   string // by which Envoy tells that it failed to load
	// Reload has Envoy start a VM anew that has died.
	Reload bool
}

// All plugins have one VM id, so an Envoy runs all of them in one VM per worker.
const vmID = "corsguard"

// Filter returns the plugin as an HTTP filter.
func (p Plugin) Filter() Object { return Object{"name": "corsguard", "typed_config": p.typedConfig()} }

func (p Plugin) typedConfig() Object {
	config := Object{
		"name":          p.Name,
		"configuration": anyBytes(p.Config),
		"vm_config": Object{
			"vm_id":   vmID,
			"runtime": "envoy.wasm.runtime.v8",
			"code":    Object{"local": Object{"filename": p.Wasm}},
		},
	}
	if p.Reload {
		config["failure_policy"] = "FAIL_RELOAD"
		config["reload_config"] = Object{"backoff": Object{"base_interval": "0.2s", "max_interval": "1s"}}
	}
	return typed("envoy.extensions.filters.http.wasm.v3.Wasm", Object{"config": config})
}

// anyBytes wraps text as a string, as users do, and what is no UTF-8 as bytes: both reach the plugin as they are.
func anyBytes(b []byte) Object {
	if utf8.Valid(b) {
		return typed("google.protobuf.StringValue", Object{"value": string(b)})
	}
	return typed("google.protobuf.BytesValue", Object{"value": b})
}

// HCM is an HTTP connection manager. Only Filters must be given; the router is added to them.
type HCM struct {
	Filters []Object
	Routes  []Object // empty means DefaultRoutes
	Extra   Object   // further fields, which go over the ones set here
	// TransportSocket, where set, is what the listener has in place of plain TCP.
	TransportSocket Object
}

// Listener returns a listener on a free port. The connection manager trusts the client's x-forwarded-proto, as behind another proxy.
func (h HCM) Listener(name string) Object {
	routes := h.Routes
	if routes == nil {
		routes = DefaultRoutes()
	}
	config := Object{
		"stat_prefix":        name,
		"use_remote_address": false,
		"normalize_path":     true,
		"route_config": Object{
			"name":          name,
			"virtual_hosts": []Object{{"name": "all", "domains": []string{"*"}, "routes": routes}},
		},
		"http_filters":           append(append([]Object{}, h.Filters...), Router()),
		"upgrade_configs":        []Object{{"upgrade_type": "websocket"}, {"upgrade_type": "CONNECT"}},
		"http2_protocol_options": Object{"allow_connect": true},
	}
	maps.Copy(config, h.Extra)
	manager := Filter("envoy.filters.network.http_connection_manager",
		"envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager", config)
	chain := Object{"filters": []Object{manager}}
	if h.TransportSocket != nil {
		chain["transport_socket"] = h.TransportSocket
	}
	// With a socket for each worker, which listeners have by default, the kernel now and then gives a free port to two listeners.
	return Object{"name": name, "address": address(anyPort), "enable_reuse_port": false, "filter_chains": []Object{chain}}
}

// DefaultRoutes returns routes of everything, CONNECT too, to the cluster "upstream". They are the caller's to change.
func DefaultRoutes() []Object { return []Object{ConnectRoute("upstream"), Route("/", "upstream")} }

// Route returns a route of a path prefix to a cluster. It sets no timeout: what a test waits for is the test's to bound.
func Route(prefix, cluster string) Object {
	return Object{"match": Object{"prefix": prefix}, "route": Object{"cluster": cluster, "timeout": "0s"}}
}

// ConnectRoute returns a route that passes CONNECT on to a cluster as it came.
func ConnectRoute(cluster string) Object {
	return Object{"match": Object{"connect_matcher": Object{}}, "route": Object{"cluster": cluster, "timeout": "0s"}}
}

// Cluster returns a cluster of one address, which is spoken to over HTTP/2 or HTTP/1.1.
func Cluster(name, addr string, http2 bool) Object {
	protocol := Object{"http_protocol_options": Object{}}
	if http2 {
		protocol = Object{"http2_protocol_options": Object{}}
	}
	const options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
	return Object{
		"name":            name,
		"connect_timeout": "5s",
		"load_assignment": Object{
			"cluster_name": name,
			"endpoints":    []Object{{"lb_endpoints": []Object{{"endpoint": Object{"address": address(addr)}}}}},
		},
		// A hostile run must not exhaust a default of 1024.
		"circuit_breakers": Object{"thresholds": []Object{{"max_connections": 1 << 16, "max_pending_requests": 1 << 16, "max_requests": 1 << 16}}},
		"typed_extension_protocol_options": Object{
			options: typed(options, Object{"explicit_http_config": protocol}),
		},
	}
}
