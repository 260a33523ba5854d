//go:build !tinygo

package abi

import "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

// Callback names a callback of the host.
type Callback string

// The callbacks that are exported.
const (
	VMStart         Callback = "proxy_on_vm_start"
	Configure       Callback = "proxy_on_configure"
	Tick            Callback = "proxy_on_tick"
	ContextCreate   Callback = "proxy_on_context_create"
	RequestHeaders  Callback = "proxy_on_request_headers"
	ResponseHeaders Callback = "proxy_on_response_headers"

	HTTPCallResponse Callback = "proxy_on_http_call_response"
)

// CallReceiver is a plugin context that is told of the answers to its calls: the number that the call was given, how many headers the answer has, none where
// there is no answer, and how long its body is.
type CallReceiver interface {
	OnHTTPCallResponse(call uint32, headers, bodySize int)
}

var panics func(id uint32, callback Callback, value any) types.Action

// HandlePanics sets the function that a panic of a callback is handed to, with the id of the context that it happened in. The function answers in its
// stead; the action counts for request and response headers. It is called within the callback, so host calls are open to it.
func HandlePanics(f func(id uint32, callback Callback, value any) types.Action) { panics = f }
