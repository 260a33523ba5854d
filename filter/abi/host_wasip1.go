//go:build wasip1 && !tinygo

package abi

import (
	"unsafe"
	_ "unsafe" // for linkname

	_ "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm" // the package that is bound
)

// hostCalls is the SDK's internal.ProxyWasmHost, its named integers written as the uint32 that they are. Method for method the two are laid out
// alike, so that a value of one serves as the other; TestHostInterface compares them.
type hostCalls interface {
	ProxyLog(level uint32, data *byte, size int) uint32
	ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) uint32
	ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) uint32
	ProxySendLocalResponse(status uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) uint32
	ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, cas *uint32) uint32
	ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, cas uint32) uint32
	ProxyRegisterSharedQueue(name *byte, nameSize int, id *uint32) uint32
	ProxyResolveSharedQueue(vmID *byte, vmIDSize int, name *byte, nameSize int, id *uint32) uint32
	ProxyDequeueSharedQueue(id uint32, value **byte, valueSize *int) uint32
	ProxyEnqueueSharedQueue(id uint32, value *byte, valueSize int) uint32
	ProxyGetHeaderMapValue(mapType uint32, key *byte, keySize int, value **byte, valueSize *int) uint32
	ProxyAddHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32
	ProxyReplaceHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32
	ProxyContinueStream(stream uint32) uint32
	ProxyCloseStream(stream uint32) uint32
	ProxyRemoveHeaderMapValue(mapType uint32, key *byte, keySize int) uint32
	ProxyGetHeaderMapPairs(mapType uint32, pairs **byte, pairsSize *int) uint32
	ProxySetHeaderMapPairs(mapType uint32, pairs *byte, pairsSize int) uint32
	ProxyGetBufferBytes(buffer uint32, start int, size int, data **byte, dataSize *int) uint32
	ProxySetBufferBytes(buffer uint32, start int, size int, data *byte, dataSize int) uint32
	ProxyHttpCall(upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, timeout uint32, id *uint32) uint32
	ProxyCallForeignFunction(name *byte, nameSize int, param *byte, paramSize int, result **byte, resultSize *int) uint32
	ProxySetTickPeriodMilliseconds(period uint32) uint32
	ProxySetEffectiveContext(id uint32) uint32
	ProxyDone() uint32
	ProxyDefineMetric(metricType uint32, name *byte, nameSize int, id *uint32) uint32
	ProxyIncrementMetric(id uint32, offset int64) uint32
	ProxyRecordMetric(id uint32, value uint64) uint32
	ProxyGetMetric(id uint32, value *uint64) uint32
}

//go:linkname registerHost github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.RegisterMockWasmHost
func registerHost(h hostCalls) (release func())

func init() {
	registerHost(host{})
	if out.pointer != 0 { // never: keepMethods must be reachable, not run
		keepMethods(host{})
	}
}

// out is what the host writes results into. A goroutine's stack would not do: the host asks for memory while it answers, which runs Go code, and a
// garbage collection there may move stacks. There is one host call at a time.
var out struct {
	pointer, size, word uint32
	wide                uint64
}

// host is the host that the plugin runs in.
type host struct{}

func raw(p *byte) unsafe.Pointer { return unsafe.Pointer(p) }

var outPointer, outSize, outWord = unsafe.Pointer(&out.pointer), unsafe.Pointer(&out.size), unsafe.Pointer(&out.word)

// result hands over what the host wrote, once a call has ended with status. The SDK's pointers and sizes are 8 bytes wide, the host's 4.
func result(status uint32, value **byte, size *int) uint32 {
	*value, *size = nil, 0
	if status == 0 && out.pointer != 0 {
		*value, *size = (*byte)(unsafe.Add(nil, out.pointer)), int(out.size)
	}
	out.pointer, out.size = 0, 0
	return status
}

func resultWord(status uint32, word *uint32) uint32 {
	*word = out.word
	out.word = 0
	return status
}

func (host) ProxyLog(level uint32, data *byte, size int) uint32 {
	return proxyLog(level, raw(data), uint32(size))
}

func (host) ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) uint32 {
	return proxySetProperty(raw(path), uint32(pathSize), raw(value), uint32(valueSize))
}

func (host) ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) uint32 {
	return result(proxyGetProperty(raw(path), uint32(pathSize), outPointer, outSize), value, valueSize)
}

func (host) ProxySendLocalResponse(status uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) uint32 {
	return proxySendLocalResponse(status, raw(details), uint32(detailsSize), raw(body), uint32(bodySize), raw(headers), uint32(headersSize), grpcStatus)
}

func (host) ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, cas *uint32) uint32 {
	status := proxyGetSharedData(raw(key), uint32(keySize), outPointer, outSize, outWord)
	return resultWord(result(status, value, valueSize), cas)
}

func (host) ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, cas uint32) uint32 {
	return proxySetSharedData(raw(key), uint32(keySize), raw(value), uint32(valueSize), cas)
}

func (host) ProxyRegisterSharedQueue(name *byte, nameSize int, id *uint32) uint32 {
	return resultWord(proxyRegisterSharedQueue(raw(name), uint32(nameSize), outWord), id)
}

func (host) ProxyResolveSharedQueue(vmID *byte, vmIDSize int, name *byte, nameSize int, id *uint32) uint32 {
	return resultWord(proxyResolveSharedQueue(raw(vmID), uint32(vmIDSize), raw(name), uint32(nameSize), outWord), id)
}

func (host) ProxyDequeueSharedQueue(id uint32, value **byte, valueSize *int) uint32 {
	return result(proxyDequeueSharedQueue(id, outPointer, outSize), value, valueSize)
}

func (host) ProxyEnqueueSharedQueue(id uint32, value *byte, valueSize int) uint32 {
	return proxyEnqueueSharedQueue(id, raw(value), uint32(valueSize))
}

func (host) ProxyGetHeaderMapValue(mapType uint32, key *byte, keySize int, value **byte, valueSize *int) uint32 {
	return result(proxyGetHeaderMapValue(mapType, raw(key), uint32(keySize), outPointer, outSize), value, valueSize)
}

func (host) ProxyAddHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32 {
	return proxyAddHeaderMapValue(mapType, raw(key), uint32(keySize), raw(value), uint32(valueSize))
}

func (host) ProxyReplaceHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32 {
	return proxyReplaceHeaderMapValue(mapType, raw(key), uint32(keySize), raw(value), uint32(valueSize))
}

func (host) ProxyContinueStream(stream uint32) uint32 { return proxyContinueStream(stream) }

func (host) ProxyCloseStream(stream uint32) uint32 { return proxyCloseStream(stream) }

func (host) ProxyRemoveHeaderMapValue(mapType uint32, key *byte, keySize int) uint32 {
	return proxyRemoveHeaderMapValue(mapType, raw(key), uint32(keySize))
}

func (host) ProxyGetHeaderMapPairs(mapType uint32, pairs **byte, pairsSize *int) uint32 {
	return result(proxyGetHeaderMapPairs(mapType, outPointer, outSize), pairs, pairsSize)
}

func (host) ProxySetHeaderMapPairs(mapType uint32, pairs *byte, pairsSize int) uint32 {
	return proxySetHeaderMapPairs(mapType, raw(pairs), uint32(pairsSize))
}

func (host) ProxyGetBufferBytes(buffer uint32, start int, size int, data **byte, dataSize *int) uint32 {
	return result(proxyGetBufferBytes(buffer, uint32(start), uint32(size), outPointer, outSize), data, dataSize)
}

func (host) ProxySetBufferBytes(buffer uint32, start int, size int, data *byte, dataSize int) uint32 {
	return proxySetBufferBytes(buffer, uint32(start), uint32(size), raw(data), uint32(dataSize))
}

func (host) ProxyHttpCall(upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, timeout uint32, id *uint32) uint32 {
	return resultWord(proxyHTTPCall(raw(upstream), uint32(upstreamSize), raw(headers), uint32(headersSize), raw(body), uint32(bodySize), raw(trailers), uint32(trailersSize), timeout, outWord), id)
}

func (host) ProxyCallForeignFunction(name *byte, nameSize int, param *byte, paramSize int, value **byte, valueSize *int) uint32 {
	return result(proxyCallForeignFunction(raw(name), uint32(nameSize), raw(param), uint32(paramSize), outPointer, outSize), value, valueSize)
}

func (host) ProxySetTickPeriodMilliseconds(period uint32) uint32 {
	return proxySetTickPeriodMilliseconds(period)
}

func (host) ProxySetEffectiveContext(id uint32) uint32 { return proxySetEffectiveContext(id) }

func (host) ProxyDone() uint32 { return proxyDone() }

func (host) ProxyDefineMetric(metricType uint32, name *byte, nameSize int, id *uint32) uint32 {
	return resultWord(proxyDefineMetric(metricType, raw(name), uint32(nameSize), outWord), id)
}

func (host) ProxyIncrementMetric(id uint32, offset int64) uint32 {
	return proxyIncrementMetric(id, offset)
}

func (host) ProxyRecordMetric(id uint32, value uint64) uint32 { return proxyRecordMetric(id, value) }

func (host) ProxyGetMetric(id uint32, value *uint64) uint32 {
	status := proxyGetMetric(id, unsafe.Pointer(&out.wide))
	*value = out.wide
	return status
}

// keepMethods mentions every method through our own interface. The linker drops methods that no interface of exactly their type calls, and the SDK
// calls them through its own; without this the first host call would end in an "unreachable method called".
//
//go:noinline
func keepMethods(h hostCalls) {
	var p *byte
	var n int
	var w uint32
	var v uint64
	h.ProxyLog(0, nil, 0)
	h.ProxySetProperty(nil, 0, nil, 0)
	h.ProxyGetProperty(nil, 0, &p, &n)
	h.ProxySendLocalResponse(0, nil, 0, nil, 0, nil, 0, 0)
	h.ProxyGetSharedData(nil, 0, &p, &n, &w)
	h.ProxySetSharedData(nil, 0, nil, 0, 0)
	h.ProxyRegisterSharedQueue(nil, 0, &w)
	h.ProxyResolveSharedQueue(nil, 0, nil, 0, &w)
	h.ProxyDequeueSharedQueue(0, &p, &n)
	h.ProxyEnqueueSharedQueue(0, nil, 0)
	h.ProxyGetHeaderMapValue(0, nil, 0, &p, &n)
	h.ProxyAddHeaderMapValue(0, nil, 0, nil, 0)
	h.ProxyReplaceHeaderMapValue(0, nil, 0, nil, 0)
	h.ProxyContinueStream(0)
	h.ProxyCloseStream(0)
	h.ProxyRemoveHeaderMapValue(0, nil, 0)
	h.ProxyGetHeaderMapPairs(0, &p, &n)
	h.ProxySetHeaderMapPairs(0, nil, 0)
	h.ProxyGetBufferBytes(0, 0, 0, &p, &n)
	h.ProxySetBufferBytes(0, 0, 0, nil, 0)
	h.ProxyHttpCall(nil, 0, nil, 0, nil, 0, nil, 0, 0, &w)
	h.ProxyCallForeignFunction(nil, 0, nil, 0, &p, &n)
	h.ProxySetTickPeriodMilliseconds(0)
	h.ProxySetEffectiveContext(0)
	h.ProxyDone()
	h.ProxyDefineMetric(0, nil, 0, &w)
	h.ProxyIncrementMetric(0, 0)
	h.ProxyRecordMetric(0, 0)
	h.ProxyGetMetric(0, &v)
}
