//go:build !wasip1 && !tinygo

package abi

import "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

// UseScratch says whether results of host calls may share one buffer. The emulator gives each its own.
func UseScratch(bool) {}

// ReleaseResult lets go of the last result. The emulator keeps none.
func ReleaseResult() {}

// LendMemory has no effect. The emulator gives each result its own.
func LendMemory([]byte) {}

// CollectGarbage leaves that to the process that the emulator is part of.
func CollectGarbage() {}

// AddPlugin makes p known, the plugin context of id. In the emulator the SDK keeps streams and finds it itself.
func AddPlugin(uint32, types.PluginContext) {}
