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

var (
	// slots is a hash table: the host counts ids up, so the low bits spread them evenly. A stream stands within maxProbes of its place, or in
	// crowd: a table that is less than half full does not grow because a few long-lived streams happen to meet.
	slots = make([]slot, 64)
	crowd = map[uint32]*slot{}
	live  int
)

const maxProbes = 8

// find returns the slot of a stream, nil where there is none.
func find(id uint32) *slot {
	mask := uint32(len(slots) - 1)
	for i := uint32(0); i < maxProbes; i++ {
		if s := &slots[(id+i)&mask]; s.id == id && s.stream != nil {
			return s
		}
	}
	if len(crowd) == 0 {
		return nil
	}
	return crowd[id]
}

func add(id uint32, stream types.HttpContext) {
	live++
	put(slot{id: id, stream: stream})
}

func put(s slot) {
	mask := uint32(len(slots) - 1)
	for i := uint32(0); i < maxProbes; i++ {
		if at := &slots[(s.id+i)&mask]; at.stream == nil {
			*at = s
			return
		}
	}
	if live*2 < len(slots) {
		kept := s // &s would put every stream's slot on the heap
		crowd[s.id] = &kept
		return
	}
	old := slots
	slots = make([]slot, 2*len(old))
	for i := range old {
		if old[i].stream != nil {
			put(old[i])
		}
	}
	put(s)
}

// end forgets a stream.
func (s *slot) end() {
	stream, id := s.stream, s.id
	*s = slot{}
	live--
	if len(crowd) > 0 {
		delete(crowd, id)
	}
	stream.OnHttpStreamDone()
}

// sweepAt is where in slots the last sweep ended.
var sweepAt int

// A sweep asks the host about this many streams, and no less than a share of the table, so that it is through within seconds however many clients went
// away. Long polls live long, and are asked about in turns.
const (
	minAsked   = 64
	askedShare = 4
)

// sweep forgets contexts that the host has forgotten. The effective context is then that of the plugin whose tick it is.
func sweep(plugin uint32) {
	sweepStreams()
	for id := range plugins {
		if id != plugin && !hostKnows(id) {
			delete(plugins, id)
			sdk.OnDelete(id)
		}
	}
	proxySetEffectiveContext(plugin)
}

func sweepStreams() {
	asked, most := 0, max(minAsked, len(slots)/askedShare)
	for i := 0; i < len(slots) && asked < most; i++ {
		sweepAt = (sweepAt + 1) & (len(slots) - 1)
		if s := &slots[sweepAt]; s.stream != nil {
			asked += s.sweep()
		}
	}
	for _, s := range crowd {
		s.sweep()
	}
}

// sweep ends s if the host has forgotten it, and returns how often it asked.
func (s *slot) sweep() int {
	if !s.swept {
		s.swept = true
		return 0
	}
	if !hostKnows(s.id) {
		s.end()
	}
	return 1
}

func hostKnows(id uint32) bool { return proxySetEffectiveContext(id) == 0 }
