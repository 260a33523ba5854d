// Package wasmhost is an embedded proxy-wasm host: it runs a plugin's wasm as Envoy does, without Envoy.
//
// It exists to test what Envoy does not show: every host call and every callback is counted, memory is measured, and a plugin can be
// given bytes that no HTTP codec would let through. What it does is written after Envoy's source/extensions/common/wasm and the
// proxy-wasm-cpp-host library that Envoy embeds, ABI 0.2.0 and 0.2.1: which callback comes when, which header map is there in
// which phase, what a host call returns, and what it refuses while the module allocates memory.
//
//	host, err := wasmhost.New(ctx, wasm, wasmhost.Options{}) // compiles, once
//	vm, err := host.NewVM()                                  // one worker's instance
//	plugin, err := vm.Configure(config)                      // one filter configuration
//	out := plugin.NewStream().Do(request, response)          // one request and its response
//
// A Host may be shared by goroutines. A Process and what is made from it belong to one goroutine at a time: Envoy's workers are
// single-threaded, and so are these.
//
// HTTP calls of the plugin wait in Process.HTTPCalls for the test to answer them, if there is the cluster (Process.SetCluster). Time passes by itself, and by
// Process.Advance.
//
// What it leaves out: bodies, trailers and metadata, network filters, gRPC calls (they return Unimplemented), and the parts of Envoy that
// stand around a filter, such as the header checks of its codecs.
package wasmhost
