//go:build wasip1 && !tinygo

package abi

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// Streams do not go through the SDK's state, which keeps them in several maps: that costs more than the filter's own work. Nothing of the
// SDK's that a stream's callbacks use needs it there; calls to other services are made from plugin contexts, which the SDK keeps.
//
// The host would tell of the end of each stream, at the price of a call into the VM. But no callback is exported that follows the response headers, so
// there the stream is over for the plugin. What remains are streams that end before, because a client went away, and plugin contexts of replaced
// configurations: a sweep, at each tick, asks the host whether it still knows them.

// plugins holds the plugin contexts of the VM by their id: one for each configuration in use.
var plugins = map[uint32]types.PluginContext{}

// AddPlugin makes p known, the plugin context of id, so that streams find it.
func AddPlugin(id uint32, p types.PluginContext) { plugins[id] = p }

// slot holds a live stream; it is empty where stream is nil.
type slot struct {
	id     uint32
	swept  bool // a sweep has seen it
	stream types.HttpContext
}

// slots is a hash table: the host counts ids up, so the low bits spread them evenly. A stream stands within maxProbes of its place, or the
// table is too small.
var slots = make([]slot, 64)

const maxProbes = 8

func find(id uint32) *slot {
	mask := uint32(len(slots) - 1)
	for i := uint32(0); i < maxProbes; i++ {
		if s := &slots[(id+i)&mask]; s.id == id && s.stream != nil {
			return s
		}
	}
	return nil
}

func add(id uint32, stream types.HttpContext) {
	for !put(slots, slot{id: id, stream: stream}) {
		grow()
	}
}

func put(table []slot, s slot) bool {
	mask := uint32(len(table) - 1)
	for i := uint32(0); i < maxProbes; i++ {
		if at := &table[(s.id+i)&mask]; at.stream == nil {
			*at = s
			return true
		}
	}
	return false
}

func grow() {
	for size := 2 * len(slots); ; size *= 2 {
		bigger := make([]slot, size)
		fits := true
		for _, s := range slots {
			if s.stream != nil && !put(bigger, s) {
				fits = false
				break
			}
		}
		if fits {
			slots = bigger
			return
		}
	}
}

// end forgets a stream.
func (s *slot) end() {
	stream := s.stream
	*s = slot{}
	stream.OnHttpStreamDone()
}

var (
	// sweepAt is where in slots the next sweep goes on.
	sweepAt int
)

// maxAsked bounds the host calls of a sweep. Long polls live long, and are asked about in turns.
const maxAsked = 64

// sweep forgets contexts that the host has forgotten. The effective context is then that of the plugin whose tick it is.
func sweep(plugin uint32) {
	asked := 0
	for range slots {
		sweepAt = (sweepAt + 1) & (len(slots) - 1)
		s := &slots[sweepAt]
		switch {
		case s.stream == nil:
		case !s.swept:
			s.swept = true
		case asked == maxAsked:
			// The next sweep goes on here.
			sweepAt--
			proxySetEffectiveContext(plugin)
			return
		default:
			asked++
			if !hostKnows(s.id) {
				s.end()
			}
		}
	}
	for id := range plugins {
		if id != plugin && !hostKnows(id) {
			delete(plugins, id)
			sdk.OnDelete(id)
		}
	}
	proxySetEffectiveContext(plugin)
}

func hostKnows(id uint32) bool { return proxySetEffectiveContext(id) == 0 }
