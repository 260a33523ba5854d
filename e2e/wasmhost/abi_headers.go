package wasmhost

// The header maps that a module can ask for. Those of trailers and gRPC are never there.
const (
	requestHeaderMap  = 0
	responseHeaderMap = 2
	answerHeaderMap   = 6
	maxHeaderMap      = 7
)

var headerFunctions = []hostFunction{
	{name: "proxy_get_header_map_value", typ: "(i32,i32,i32,i32,i32)i32", run: getHeaderMapValue},
	{name: "proxy_add_header_map_value", typ: "(i32,i32,i32,i32,i32)i32", run: addHeaderMapValue},
	{name: "proxy_replace_header_map_value", typ: "(i32,i32,i32,i32,i32)i32", run: replaceHeaderMapValue},
	{name: "proxy_remove_header_map_value", typ: "(i32,i32,i32)i32", run: removeHeaderMapValue},
	{name: "proxy_get_header_map_pairs", typ: "(i32,i32,i32)i32", run: getHeaderMapPairs},
	{name: "proxy_set_header_map_pairs", typ: "(i32,i32,i32)i32", run: setHeaderMapPairs},
	{name: "proxy_get_header_map_size", typ: "(i32,i32)i32", run: getHeaderMapSize},
}

// headerMap returns the map of a type, nil if it is not there in this phase.
func (v *VM) headerMap(kind uint64) *headerMap {
	s := v.context().stream
	switch {
	case s != nil && kind == requestHeaderMap:
		return s.requestHeaders
	case s != nil && kind == responseHeaderMap:
		return s.responseHeaders
	case v.answer != nil && kind == answerHeaderMap:
		return v.answer.headers
	}
	return nil
}

// change runs a change to a map, and counts what it does to Envoy's route cache.
func (v *VM) change(kind uint64, change func(*headerMap)) Result {
	m := v.headerMap(kind)
	if m == nil {
		return BadArgument
	}
	change(m)
	if kind == requestHeaderMap {
		v.context().stream.out.RouteCacheCleared++
	}
	return OK
}

func getHeaderMapValue(v *VM, a []uint64) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	key, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	m := v.headerMap(a[0])
	if m == nil {
		return BadArgument
	}
	value, ok := m.get(key)
	if !ok {
		return NotFound
	}
	return v.give(value, a[3], a[4])
}

func addHeaderMapValue(v *VM, a []uint64) Result {
	return v.setValue(a, func(m *headerMap, key, value string) { m.add(key, value) })
}

func replaceHeaderMapValue(v *VM, a []uint64) Result {
	return v.setValue(a, func(m *headerMap, key, value string) { m.replace(key, value) })
}

func (v *VM) setValue(a []uint64, change func(m *headerMap, key, value string)) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	values, ok := v.reads(a[1], a[2], a[3], a[4])
	if !ok {
		return InvalidMemoryAccess
	}
	return v.change(a[0], func(m *headerMap) { change(m, values[0], values[1]) })
}

func removeHeaderMapValue(v *VM, a []uint64) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	key, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	return v.change(a[0], func(m *headerMap) { m.remove(key) })
}

// getHeaderMapPairs gives nothing, and no error, for a map that is not there.
func getHeaderMapPairs(v *VM, a []uint64) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	m := v.headerMap(a[0])
	if m == nil || len(m.lines) == 0 {
		return v.give("", a[1], a[2])
	}
	return v.give(marshal(m.lines), a[1], a[2])
}

func setHeaderMapPairs(v *VM, a []uint64) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	pairs, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	return v.change(a[0], func(m *headerMap) {
		m.lines = nil
		m.addAll(unmarshal(pairs))
	})
}

func getHeaderMapSize(v *VM, a []uint64) Result {
	if a[0] > maxHeaderMap {
		return BadArgument
	}
	m := v.headerMap(a[0])
	if m == nil {
		return BadArgument
	}
	return v.word(a[1], uint32(m.byteSize()))
}
