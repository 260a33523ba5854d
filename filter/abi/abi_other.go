//go:build !wasip1 && !tinygo

package abi

// UseScratch says whether results of host calls may share one buffer. The emulator gives each its own.
func UseScratch(bool) {}
