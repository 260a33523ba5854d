package wasmhost

import "encoding/binary"

// Bounds that Envoy puts on the lists of pairs that a module hands over. A list beyond them counts as empty.
const (
	maxPairs      = 1024
	maxPairsBytes = 1 << 20
)

// Envoy lets a module make only these host calls while it starts and while it allocates memory for the host; others trap.
var (
	startCalls = map[Release]map[string]bool{
		Envoy136: set("proxy_log", "fd_write", "args_sizes_get", "args_get", "environ_sizes_get", "environ_get", "fd_prestat_get",
			"fd_prestat_dir_name", "clock_time_get", "random_get", "fd_fdstat_get", "fd_fdstat_set_flags"),
		Envoy140: set("proxy_log", "fd_write", "args_sizes_get", "args_get", "environ_sizes_get", "environ_get", "fd_prestat_get",
			"fd_prestat_dir_name", "clock_time_get", "random_get", "fd_fdstat_get", "fd_fdstat_set_flags", "poll_oneoff"),
	}
	allocateCalls = map[Release]map[string]bool{
		Envoy136: set("proxy_log", "fd_write", "clock_time_get"),
		Envoy140: set("proxy_log", "fd_write", "clock_time_get", "poll_oneoff"),
	}
)

// read returns a copy of the module's memory.
func (v *VM) read(ptr, size uint64) (string, bool) {
	b, ok := v.module.Memory().Read(uint32(ptr), uint32(size))
	return string(b), ok
}

func (v *VM) setWord(ptr uint64, value uint32) bool {
	return v.module.Memory().WriteUint32Le(uint32(ptr), value)
}

// allocate has the module make room for what the host gives it. Envoy prefers an exported malloc.
func (v *VM) allocate(size int) (uint32, bool) {
	name := "proxy_on_memory_allocate"
	if v.exported["malloc"] != nil {
		name = "malloc"
	}
	v.restrict("it allocates memory", allocateCalls[v.process.host.opts.Release])
	ptr, ok := v.callback(v.contexts[0], name, uint64(size))
	v.unrestrict()
	return uint32(ptr), ok && ptr != 0
}

// give copies a value into the module and writes where it is and how long. An empty value takes no memory, and has address 0.
func (v *VM) give(value string, ptrPtr, sizePtr uint64) Result {
	var ptr uint32
	if len(value) > 0 {
		var ok bool
		if ptr, ok = v.allocate(len(value)); !ok || !v.module.Memory().WriteString(ptr, value) {
			return InvalidMemoryAccess
		}
	}
	if !v.setWord(ptrPtr, ptr) || !v.setWord(sizePtr, uint32(len(value))) {
		return InvalidMemoryAccess
	}
	return OK
}

// marshal lays pairs out as proxy-wasm does: the number, all lengths, then names and values, each with a NUL behind it.
func marshal(pairs []Header) string {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(pairs)))
	for _, p := range pairs {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p[0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p[1])))
	}
	for _, p := range pairs {
		for _, s := range p {
			b = append(append(b, s...), 0)
		}
	}
	return string(b)
}

// unmarshal is marshal's inverse. What is not laid out exactly so, or too large, counts as no pairs, as in Envoy.
func unmarshal(s string) []Header {
	b := []byte(s)
	if len(b) < 4 || len(b) > maxPairsBytes {
		return nil
	}
	n := binary.LittleEndian.Uint32(b)
	if n > maxPairs || uint64(len(b)-4) < uint64(n)*8 {
		return nil
	}
	lengths, rest := b[4:4+8*n], s[4+8*n:]
	pairs := make([]Header, n)
	for i := range 2 * n {
		size := uint64(binary.LittleEndian.Uint32(lengths[4*i:]))
		if uint64(len(rest)) < size+1 || rest[size] != 0 {
			return nil
		}
		pairs[i/2][i%2], rest = rest[:size], rest[size+1:]
	}
	if rest != "" {
		return nil
	}
	return pairs
}
