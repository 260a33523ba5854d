//go:build wasip1 && !tinygo

package abi

import (
	"runtime"
	"unsafe"
)

// scratch takes the results of header calls, so that they cost no garbage; larger results get memory of their own.
var (
	scratch      [16 << 10]byte
	scratchInUse bool
	// allocated keeps the last result reachable: until the host call returns, only the host knows its address.
	allocated []byte
	nothing   byte
)

// UseScratch says whether results of host calls may share one buffer: each is then valid until the next call that has a result.
func UseScratch(on bool) { scratchInUse = on }

// ReleaseResult lets go of the last result, which may be as long as a configuration.
func ReleaseResult() { allocated = nil }

// CollectGarbage runs a whole garbage collection. One that is under way would not end for a long time, since requests allocate next to nothing, and
// until then each of their writes of a pointer costs ten times as much.
func CollectGarbage() { runtime.GC() }

// onMemoryAllocate gives the host memory for the result of the host call that is under way.
//
//go:wasmexport proxy_on_memory_allocate
func onMemoryAllocate(size uint32) unsafe.Pointer {
	switch {
	case size == 0:
		return unsafe.Pointer(&nothing)
	case scratchInUse && size <= uint32(len(scratch)):
		return unsafe.Pointer(&scratch)
	}
	allocated = make([]byte, size)
	return unsafe.Pointer(&allocated[0])
}
