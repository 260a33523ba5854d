//go:build wasip1 && !tinygo

package abi

import "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"

//go:wasmexport proxy_abi_version_0_2_0
func abiVersion() {}

//go:wasmexport proxy_on_vm_start
func onVMStart(id, size uint32) (ok bool) {
	defer contain(id, VMStart, nil)
	return bool(sdk.OnVMStart(id, int(size)))
}

//go:wasmexport proxy_on_configure
func onConfigure(id, size uint32) (ok bool) {
	defer contain(id, Configure, nil)
	return bool(sdk.OnConfigure(id, int(size)))
}

//go:wasmexport proxy_on_tick
func onTick(id uint32) {
	defer contain(id, Tick, nil)
	sweep(id)
	sdk.OnTick(id)
}

// onContextCreate is called for plugins, whose parent is 0, and for streams.
//
//go:wasmexport proxy_on_context_create
func onContextCreate(id, parent uint32) {
	defer contain(id, ContextCreate, nil)
	if parent == 0 {
		sdk.OnContextCreate(id, parent)
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

// onHTTPCallResponse is told of the answer to a call that a plugin made.
//
//go:wasmexport proxy_on_http_call_response
func onHTTPCallResponse(id, call, headers, bodySize, _ uint32) {
	defer contain(id, HTTPCallResponse, nil)
	if p, ok := plugins[id].(CallReceiver); ok {
		p.OnHTTPCallResponse(call, int(headers), int(bodySize))
	}
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
	LendMemory(nil)
	if panics == nil {
		return
	}
	if a := panics(id, callback, v); action != nil {
		*action = uint32(a)
	}
}
