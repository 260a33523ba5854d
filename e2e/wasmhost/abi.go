package wasmhost

import (
	"encoding/binary"
	"slices"
	"time"
)

// proxyFunctions are the host functions of ABI 0.2.1, in module env.
var proxyFunctions = slices.Concat([]hostFunction{
	{name: "proxy_log", typ: "(i32,i32,i32)i32", run: proxyLog},
	{name: "proxy_get_log_level", typ: "(i32)i32", run: func(v *VM, a []uint64) Result { return v.word(a[0], uint32(Info)) }},
	{name: "proxy_get_current_time_nanoseconds", typ: "(i32)i32", run: func(v *VM, a []uint64) Result {
		return v.word64(a[0], uint64(v.process.now().UnixNano()))
	}},
	{name: "proxy_set_tick_period_milliseconds", typ: "(i32)i32", run: setTickPeriod},
	{name: "proxy_set_effective_context", typ: "(i32)i32", run: setEffectiveContext},
	{name: "proxy_get_property", typ: "(i32,i32,i32,i32)i32", run: getProperty},
	{name: "proxy_set_property", typ: "(i32,i32,i32,i32)i32", run: setProperty},
	{name: "proxy_get_buffer_bytes", typ: "(i32,i32,i32,i32,i32)i32", run: getBufferBytes},
	{name: "proxy_get_buffer_status", typ: "(i32,i32,i32)i32", run: getBufferStatus},
	{name: "proxy_set_buffer_bytes", typ: "(i32,i32,i32,i32,i32)i32", run: unimplemented},
	{name: "proxy_send_local_response", typ: "(i32,i32,i32,i32,i32,i32,i32,i32)i32", run: sendLocalResponse},
	{name: "proxy_continue_stream", typ: "(i32)i32", run: continueStream},
	{name: "proxy_close_stream", typ: "(i32)i32", run: closeStream},
	{name: "proxy_done", typ: "()i32", run: done},
	{name: "proxy_call_foreign_function", typ: "(i32,i32,i32,i32,i32,i32)i32", run: func(*VM, []uint64) Result { return NotFound }},
	{name: "proxy_get_status", typ: "(i32,i32,i32)i32", run: unimplemented},
	{name: "proxy_http_call", typ: "(i32,i32,i32,i32,i32,i32,i32,i32,i32,i32)i32", run: httpCall},
	{name: "proxy_grpc_call", typ: "(i32,i32,i32,i32,i32,i32,i32,i32,i32,i32,i32,i32)i32", run: unimplemented},
	{name: "proxy_grpc_stream", typ: "(i32,i32,i32,i32,i32,i32,i32,i32,i32)i32", run: unimplemented},
	{name: "proxy_grpc_cancel", typ: "(i32)i32", run: unimplemented},
	{name: "proxy_grpc_close", typ: "(i32)i32", run: unimplemented},
	{name: "proxy_grpc_send", typ: "(i32,i32,i32,i32)i32", run: unimplemented},
}, headerFunctions, metricFunctions, sharedFunctions)

func unimplemented(*VM, []uint64) Result { return Unimplemented }

// word writes a 32-bit result.
func (v *VM) word(ptr uint64, value uint32) Result {
	if !v.setWord(ptr, value) {
		return InvalidMemoryAccess
	}
	return OK
}

// word64 writes a 64-bit result.
func (v *VM) word64(ptr, value uint64) Result {
	if !v.module.Memory().Write(uint32(ptr), binary.LittleEndian.AppendUint64(nil, value)) {
		return InvalidMemoryAccess
	}
	return OK
}

// reads returns the memory behind pairs of pointer and size.
func (v *VM) reads(pointers ...uint64) (values []string, ok bool) {
	for i := 0; i < len(pointers); i += 2 {
		value, ok := v.read(pointers[i], pointers[i+1])
		if !ok {
			return nil, false
		}
		values = append(values, value)
	}
	return values, true
}

func proxyLog(v *VM, a []uint64) Result {
	if a[0] > uint64(Critical) {
		return BadArgument
	}
	message, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	v.logs = append(v.logs, Log{Level(a[0]), message})
	return OK
}

// setTickPeriod sets the period of the root context, also when a stream asks.
func setTickPeriod(v *VM, a []uint64) Result {
	if p := v.context().plugin; p != nil {
		p.tickPeriod = time.Duration(uint32(a[0])) * time.Millisecond
	}
	return OK
}

func setEffectiveContext(v *VM, a []uint64) Result {
	id := uint32(a[0])
	if v.contexts[id] == nil {
		return BadArgument
	}
	v.effective = id
	return OK
}

// The buffers that a module can ask for, of those that are not always empty here.
const (
	httpCallBodyBuffer        = 4
	vmConfigurationBuffer     = 6
	pluginConfigurationBuffer = 7
	maxBuffer                 = 8
)

// buffer returns a buffer. The plugin's configuration is there only while the plugin starts, that of a call never. Bodies are empty.
func (v *VM) buffer(kind uint64) (string, Result) {
	switch p := v.context().plugin; {
	case kind > maxBuffer:
		return "", BadArgument
	case kind == vmConfigurationBuffer:
		return string(v.process.host.opts.VMConfiguration), OK
	case kind == pluginConfigurationBuffer && p != nil && p.configOpen && v.context() == p.root:
		return string(p.config), OK
	case kind == httpCallBodyBuffer && v.answer != nil:
		return v.answer.body, OK
	case kind == pluginConfigurationBuffer || kind == httpCallBodyBuffer:
		return "", NotFound
	}
	return "", OK
}

func getBufferBytes(v *VM, a []uint64) Result {
	data, result := v.buffer(a[0])
	if result != OK {
		return result
	}
	start := min(a[1], uint64(len(data)))
	end := min(start+a[2], uint64(len(data)))
	return v.give(data[start:end], a[3], a[4])
}

func getBufferStatus(v *VM, a []uint64) Result {
	data, result := v.buffer(a[0])
	if result != OK {
		return result
	}
	if !v.setWord(a[1], uint32(len(data))) || !v.setWord(a[2], 0) {
		return InvalidMemoryAccess
	}
	return OK
}

// sendLocalResponse puts the reply off until the callback has returned, and stops the iteration whatever the callback returns.
func sendLocalResponse(v *VM, a []uint64) Result {
	values, ok := v.reads(a[1], a[2], a[3], a[4], a[5], a[6])
	if !ok {
		return InvalidMemoryAccess
	}
	v.stopIteration = true
	if s := v.context().stream; s != nil {
		reply := localReply{int(uint32(a[0])), values[0], values[1], int32(uint32(a[7])), unmarshal(values[2])}
		v.afterCall = append(v.afterCall, func() {
			if s.reply == nil { // Envoy drops a second reply
				s.reply = &reply
			}
		})
	}
	return OK
}

// maxStreamType is the last of proxy-wasm's stream types: request, response, downstream, upstream.
const maxStreamType = 3

func continueStream(v *VM, a []uint64) Result {
	if a[0] > maxStreamType {
		return BadArgument
	}
	if s := v.context().stream; s != nil && a[0] <= 1 {
		s.requestHeaders = nil
		v.afterCall = append(v.afterCall, func() { s.resumed = true })
	}
	return OK
}

func closeStream(v *VM, a []uint64) Result {
	if a[0] > maxStreamType {
		return BadArgument
	}
	if s := v.context().stream; s != nil && a[0] <= 1 {
		v.afterCall = append(v.afterCall, func() { s.reset = true })
	}
	return OK
}

// done ends a plugin whose proxy_on_done asked to wait.
func done(v *VM, _ []uint64) Result {
	c := v.context()
	if c.plugin == nil || c != c.plugin.root || !c.plugin.ending {
		return NotFound
	}
	c.plugin.ending = false
	v.afterCall = append(v.afterCall, c.plugin.delete)
	return OK
}
