//go:build wasip1 && !tinygo

package abi

import _ "unsafe" // for linkname

// The SDK's callbacks. TestCallbacks compares them with the SDK's source.

//go:linkname sdkOnVMStart github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnVMStart
func sdkOnVMStart(id uint32, size int) bool

//go:linkname sdkOnConfigure github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnConfigure
func sdkOnConfigure(id uint32, size int) bool

//go:linkname sdkOnTick github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnTick
func sdkOnTick(id uint32)

//go:linkname sdkOnContextCreate github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnContextCreate
func sdkOnContextCreate(id, parent uint32)

//go:linkname sdkOnDelete github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.proxyOnDelete
func sdkOnDelete(id uint32)

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_vm_start
func onVMStart(id, size uint32) (ok bool) {
	defer contain(id, VMStart, nil)
	return sdkOnVMStart(id, int(size))
}

//go:wasmexport proxy_on_configure
func onConfigure(id, size uint32) (ok bool) {
	defer contain(id, Configure, nil)
	return sdkOnConfigure(id, int(size))
}

//go:wasmexport proxy_on_tick
func onTick(id uint32) {
	defer contain(id, Tick, nil)
	sweep(id)
	sdkOnTick(id)
}

// onContextCreate is called for plugins, whose parent is 0, and for streams.
//
//go:wasmexport proxy_on_context_create
func onContextCreate(id, parent uint32) {
	defer contain(id, ContextCreate, nil)
	if parent == 0 {
		sdkOnContextCreate(id, parent)
		return
	}
	add(id, plugins[parent].NewHttpContext(id))
}

//go:wasmexport proxy_on_request_headers
func onRequestHeaders(id, headers, end uint32) (action uint32) {
	defer contain(id, RequestHeaders, &action)
	return uint32(find(id).stream.OnHttpRequestHeaders(int(headers), end != 0))
}

//go:wasmexport proxy_on_response_headers
func onResponseHeaders(id, headers, end uint32) (action uint32) {
	defer contain(id, ResponseHeaders, &action)
	s := find(id)
	action = uint32(s.stream.OnHttpResponseHeaders(int(headers), end != 0))
	s.end()
	return action
}

// contain ends a panic. The callback then returns its zero value, a failure where it starts something, unless the handler of panics chooses an
// action.
func contain(id uint32, callback Callback, action *uint32) {
	v := recover()
	if v == nil {
		return
	}
	// The handler may panic itself. What it was about to refuse then goes on without it having granted anything.
	defer func() { _ = recover() }()
	UseScratch(false)
	if panics == nil {
		return
	}
	if a := panics(id, callback, v); action != nil {
		*action = uint32(a)
	}
}
