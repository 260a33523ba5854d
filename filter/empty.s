//go:build !tinygo

// This file lets the package declare functions without a body: those that //go:linkname supplies.
