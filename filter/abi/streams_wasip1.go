//go:build wasip1 && !tinygo

package abi

// live holds the contexts that the SDK knows of: true for those that a sweep has seen.
//
// The host would tell of the end of each stream, at the price of a call into the VM. But no callback is exported that follows the response headers, so
// there the stream is over for the plugin. What remains are streams that end before, because a client went away, and plugin contexts
// of replaced configurations: a sweep, at each tick, asks the host whether it still knows the oldest ones.
var live = map[uint32]bool{}

// maxProbes bounds the host calls of a sweep. Long polls are alive for long; the map's random order sees to it that all are asked in time.
const maxProbes = 64

func created(id uint32) { live[id] = false }

func ended(id uint32) {
	if _, ok := live[id]; ok {
		delete(live, id)
		sdkOnDelete(id)
	}
}

// sweep forgets contexts that the host has forgotten. The effective context is then that of the plugin whose tick it is.
func sweep(plugin uint32) {
	const ok = 0
	defer proxySetEffectiveContext(plugin)
	probes := 0
	for id, old := range live {
		if !old {
			live[id] = true
			continue
		}
		if probes++; probes > maxProbes {
			return
		}
		if proxySetEffectiveContext(id) != ok {
			ended(id)
		}
	}
}
