// Package main is the Corsguard plugin: a proxy-wasm HTTP filter for Envoy.
package main

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

	"corsguard/filter"
	_ "corsguard/filter/abi" // binds the SDK to the host
)

// Envoy calls _initialize, which runs the init functions, and never main.
func init() { proxywasm.SetVMContext(filter.NewVMContext()) }

func main() {}
