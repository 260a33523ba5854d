// Package filter is the proxy-wasm side of Corsguard: the contexts of the VM, of a plugin (one configuration on one worker) and of a stream (one
// request), and what they ask of the host. Package policy decides; this package asks it and does what it says.
//
// A VM runs one callback at a time, so nothing here is locked.
package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/policy"
)

// NewVMContext returns the context of a VM.
func NewVMContext() types.VMContext {
	v := &vm{}
	v.containPanics()
	return v
}

// vm is what the plugins of a VM share. Several listeners, and the old and the new configuration of one, may share a VM.
type vm struct {
	types.DefaultVMContext
	counters counters
	log      refusalLog
	// current is the stream whose callback is under way, for what handles a panic; nil between callbacks.
	current *stream

	// source is the one whose document is being read, likewise.
	source *source

	// Scratch of the callback that is under way.
	memo    policy.VaryMemo
	edits   []policy.Edit
	headers []policy.Header
	route   []byte
	state   []byte
}

// NewPluginContext implements types.VMContext.
func (v *vm) NewPluginContext(id uint32) types.PluginContext {
	p := &plugin{vm: v}
	track(id, p)
	return p
}
