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
	// lent is memory that results may be put into.
	lent    []byte
	nothing byte
)

// LendMemory has results put into b, from its beginning, as long as it is lent and where its capacity suffices. Nil ends that.
func LendMemory(b []byte) { lent = b[:cap(b)] }

// UseScratch says whether results of host calls may share one buffer: each is then valid until the next call that has a result.
func UseScratch(on bool) { scratchInUse = on }

// ReleaseResult lets go of the last result, which may be as long as a configuration.
func ReleaseResult() { allocated = nil }

// CollectGarbage runs a whole garbage collection. One that is under way would not end for a long time, since requests allocate next to nothing, and
// until then each of their writes of a pointer costs ten times as much.
//
// It does nothing where the host has no poll_oneoff, as Envoys before 1.38: a collection that was asked for lets Go's scavenger run, which may set a timer, and with
// a timer set the next collection polls, and kills the VM where that fails.
func CollectGarbage() {
	if hostPolls() {
		runtime.GC()
	}
}

// hostPolls reports whether the host waits for a clock, as WASI has it.
func hostPolls() bool {
	var subscription [48]byte // to clock 0, for no time
	var event [32]byte
	var events uint32
	return pollOneoff(unsafe.Pointer(&subscription), unsafe.Pointer(&event), 1, unsafe.Pointer(&events)) == 0
}

// onMemoryAllocate gives the host memory for the result of the host call that is under way.
//
//go:wasmexport proxy_on_memory_allocate
func onMemoryAllocate(size uint32) unsafe.Pointer {
	switch {
	case size == 0:
		return unsafe.Pointer(&nothing)
	case scratchInUse && size <= uint32(len(scratch)):
		return unsafe.Pointer(&scratch)
	case size <= uint32(len(lent)):
		return unsafe.Pointer(&lent[0])
	}
	allocated = make([]byte, size)
	return unsafe.Pointer(&allocated[0])
}
