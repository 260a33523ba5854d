package main

import "encoding/binary"

// emptyExport is a function that a plugin exports and that does nothing but return.
type emptyExport struct {
	name    string
	params  int  // all of them i32
	returns bool // an i32
	value   byte // what it returns, below 64: that is one byte of signed LEB128
}

// emptyExports are the callbacks that Corsguard exports, except the tick, which a plugin has to ask for.
var emptyExports = []emptyExport{
	{name: "proxy_abi_version_0_2_0"},
	{name: "proxy_on_vm_start", params: 2, returns: true, value: 1},
	{name: "proxy_on_configure", params: 2, returns: true, value: 1},
	{name: "proxy_on_context_create", params: 2},
	{name: "proxy_on_request_headers", params: 3, returns: true},
	{name: "proxy_on_response_headers", params: 3, returns: true},
	{name: "proxy_on_memory_allocate", params: 1, returns: true, value: 16}, // an address in memory that nothing else uses
}

// Of WebAssembly's binary format (Core Specification, chapter 5).
const (
	typeSection, functionSection, memorySection, exportSection, codeSection = 1, 3, 5, 7, 10

	functionType   = 0x60
	i32            = 0x7f
	exportFunction = 0x00
	exportMemory   = 0x02
	opConst        = 0x41 // i32.const
	opEnd          = 0x0b
)

// emptyModule assembles the least that can be a plugin: what remains of a request's cost is the host's own.
func emptyModule() []byte {
	var types, functions, exports, bodies [][]byte
	exports = append(exports, append(withLength([]byte("memory")), exportMemory, 0))
	for i, e := range emptyExports {
		signature := append([]byte{functionType}, listOf(e.params, i32)...)
		body := []byte{0} // no locals
		if e.returns {
			signature = append(signature, listOf(1, i32)...)
			body = append(body, opConst, e.value)
		} else {
			signature = append(signature, listOf(0, i32)...)
		}
		types = append(types, signature)
		functions = append(functions, []byte{byte(i)}) // its type is the one above
		exports = append(exports, append(withLength([]byte(e.name)), exportFunction, byte(i)))
		bodies = append(bodies, withLength(append(body, opEnd)))
	}
	onePage := []byte{0, 1} // no maximum, one page of 64 KiB
	module := []byte("\x00asm\x01\x00\x00\x00")
	module = appendSection(module, typeSection, types)
	module = appendSection(module, functionSection, functions)
	module = appendSection(module, memorySection, [][]byte{onePage})
	module = appendSection(module, exportSection, exports)
	return appendSection(module, codeSection, bodies)
}

// appendSection appends a section that is a list of entries.
func appendSection(module []byte, id byte, entries [][]byte) []byte {
	body := binary.AppendUvarint(nil, uint64(len(entries)))
	for _, e := range entries {
		body = append(body, e...)
	}
	return append(append(module, id), withLength(body)...)
}

func withLength(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

// listOf encodes a list of n times the same byte; n is below 128.
func listOf(n int, element byte) []byte {
	list := []byte{byte(n)}
	for range n {
		list = append(list, element)
	}
	return list
}
