// Package abi binds the proxy-wasm SDK to a real host when the standard Go compiler builds the plugin.
//
// The SDK declares its host calls and exports for TinyGo. Compiled otherwise, it talks to an interface that is meant for an emulator. This
// package supplies that interface from //go:wasmimport functions and exports the callbacks with //go:wasmexport; package sdk, beside it, reaches
// into the SDK. Under TinyGo it is empty, and so is the binding outside of Wasm: there the SDK's emulator is the host.
//
// Only the callbacks that the filter uses are exported: what is not exported is not called, and each call into the VM costs. In particular the
// ends of streams are not reported; streams.go tells how they are found.
//
// A panic never leaves a callback: it would take the VM down, and with it every request of the worker. It is handed to the function that
// HandlePanics was given.
package abi
