package wasmhost

import "strings"

// getProperty knows the attributes that a filter of this kind may ask for: those of the request and the response, the route's name, the
// plugin's, and the filter state that the plugin itself set. Others are not found.
func getProperty(v *VM, a []uint64) Result {
	path, ok := v.read(a[0], a[1])
	if !ok {
		return InvalidMemoryAccess
	}
	value, ok := v.property(strings.Split(strings.TrimSuffix(path, "\x00"), "\x00"))
	if !ok {
		return NotFound
	}
	return v.give(value, a[2], a[3])
}

func (v *VM) property(path []string) (string, bool) {
	c := v.context()
	switch path[0] {
	case "plugin_name", "plugin_root_id", "plugin_vm_id":
		return "", len(path) == 1
	}
	s := c.stream
	if s == nil {
		return "", false
	}
	switch {
	case len(path) == 1:
		value, ok := s.filterState[path[0]]
		return value, ok
	case path[0] == "xds" && path[1] == "route_name" && len(path) == 2:
		return routeName(s.route)
	case path[0] == "request":
		return attribute(s.requestHeaders, path[1:], requestAttributes)
	case path[0] == "response":
		return attribute(s.responseHeaders, path[1:], nil)
	}
	return "", false
}

// routeName tells a request without a route, for which there is no name, from a route without a name, whose name is empty.
func routeName(route *string) (string, bool) {
	if route == nil {
		return "", false
	}
	return *route, true
}

var requestAttributes = map[string]string{
	"path": ":path", "host": ":authority", "scheme": ":scheme", "method": ":method", "referer": "referer", "useragent": "user-agent", "id": "x-request-id",
}

// attribute reads an attribute from the header map that the phase has. Without one there are none.
func attribute(m *headerMap, path []string, names map[string]string) (string, bool) {
	if m == nil {
		return "", false
	}
	switch {
	case path[0] == "headers" && len(path) == 2:
		return m.get(path[1])
	case path[0] == "headers" && len(path) == 1:
		return marshal(m.lines), true
	case len(path) != 1:
		return "", false
	case path[0] == "url_path" && names != nil:
		path, ok := m.get(":path")
		path, _, _ = strings.Cut(path, "?")
		return path, ok
	}
	name, ok := names[path[0]]
	if !ok {
		return "", false
	}
	return m.get(name)
}

// setProperty sets filter state, which only streams have.
func setProperty(v *VM, a []uint64) Result {
	values, ok := v.reads(a[0], a[1], a[2], a[3])
	if !ok {
		return InvalidMemoryAccess
	}
	s := v.context().stream
	if s == nil {
		return NotFound
	}
	if s.filterState == nil {
		s.filterState = map[string]string{}
	}
	s.filterState[values[0]] = values[1]
	return OK
}
