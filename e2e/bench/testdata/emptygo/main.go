//go:build wasip1

// Command emptygo is a plugin that does nothing. It exports what Corsguard exports, so it costs what any Go plugin costs that Envoy calls as often.
package main

import "unsafe"

func main() {}

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_vm_start
func onVMStart(uint32, uint32) bool { return true }

//go:wasmexport proxy_on_configure
func onConfigure(uint32, uint32) bool { return true }

//go:wasmexport proxy_on_tick
func onTick(uint32) {}

//go:wasmexport proxy_on_context_create
func onContextCreate(uint32, uint32) {}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(uint32, uint32, uint32) uint32 { return 0 }

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(uint32, uint32, uint32) uint32 { return 0 }

var result []byte

//go:wasmexport proxy_on_memory_allocate
func onMemoryAllocate(size uint32) unsafe.Pointer {
	result = make([]byte, max(size, 1))
	return unsafe.Pointer(&result[0])
}
