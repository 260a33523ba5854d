//go:build wasip1 && !tinygo

// This file lets the package declare functions without a body: those that //go:wasmimport supplies.
