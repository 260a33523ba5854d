package wasmhost

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Calls counts the crossings between host and module, by name.
//
// WASI calls are apart: the Go runtime makes them when it pleases (its garbage collector reads the clock), so they are
// no measure of a plugin.
type Calls struct {
	Host      map[string]int // host functions, without proxy_
	Callbacks map[string]int // callbacks, without proxy_; on_memory_allocate among them
	WASI      map[string]int
}

func newCalls() *Calls {
	return &Calls{Host: map[string]int{}, Callbacks: map[string]int{}, WASI: map[string]int{}}
}

// HostTotal returns the number of host calls, WASI's not among them.
func (c Calls) HostTotal() int { return total(c.Host) }

// CallbackTotal returns the number of callbacks.
func (c Calls) CallbackTotal() int { return total(c.Callbacks) }

// String returns the counts in a form fit for a table: "get_header_map_value 2, log 1 | on_request_headers 1".
func (c Calls) String() string { return list(c.Host) + " | " + list(c.Callbacks) }

func total(counts map[string]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}

func list(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}

// count adds a host call to the phase that is under way.
func (v *VM) count(f hostFunction) {
	if f.wasi {
		v.calls.WASI[f.name]++
		return
	}
	v.calls.Host[strings.TrimPrefix(f.name, "proxy_")]++
}

// counting sends what is counted during run to a set of its own, and returns it.
func (v *VM) counting(run func()) Calls {
	outer := v.calls
	v.calls = newCalls()
	run()
	inner := v.calls
	v.calls = outer
	for _, pair := range [][2]map[string]int{{outer.Host, inner.Host}, {outer.Callbacks, inner.Callbacks}, {outer.WASI, inner.WASI}} {
		for name, n := range pair[1] {
			pair[0][name] += n
		}
	}
	return *inner
}
