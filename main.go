// Package main is the Corsguard plugin: a proxy-wasm HTTP filter for Envoy.
package main

import "corsguard/filter"

// The host runs the init functions (_initialize), and never main.
func init() { filter.Start() }

func main() {}
