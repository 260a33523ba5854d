//go:build wasip1 && !tinygo

package abi

import (
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"
)

func init() { sdk.RegisterHost(&theHost) }

// out is what the host writes results into. A goroutine's stack would not do: the host asks for memory while it answers, which runs Go code, and a
// garbage collection there may move stacks. There is one host call at a time.
var out struct {
	pointer, size, word uint32
	wide                uint64
}

// host is the host that the plugin runs in.
type host struct{}

var theHost host

var _ sdk.Host = &theHost

func raw(p *byte) unsafe.Pointer { return unsafe.Pointer(p) }

var outPointer, outSize, outWord = unsafe.Pointer(&out.pointer), unsafe.Pointer(&out.size), unsafe.Pointer(&out.word)

// result hands over what the host wrote, once a call has ended with status. The SDK's pointers and sizes are 8 bytes wide, the host's 4.
func result(status uint32, value **byte, size *int) sdk.Status {
	*value, *size = nil, 0
	if status == 0 && out.pointer != 0 {
		*value, *size = (*byte)(unsafe.Add(nil, out.pointer)), int(out.size)
	}
	out.pointer, out.size = 0, 0
	return sdk.Status(status)
}

func resultWord(status uint32, word *uint32) sdk.Status {
	*word = out.word
	out.word = 0
	return sdk.Status(status)
}

func (*host) ProxyLog(level sdk.LogLevel, data *byte, size int) sdk.Status {
	return sdk.Status(proxyLog(uint32(level), raw(data), uint32(size)))
}

func (*host) ProxySetProperty(path *byte, pathSize int, value *byte, valueSize int) sdk.Status {
	return sdk.Status(proxySetProperty(raw(path), uint32(pathSize), raw(value), uint32(valueSize)))
}

func (*host) ProxyGetProperty(path *byte, pathSize int, value **byte, valueSize *int) sdk.Status {
	return result(proxyGetProperty(raw(path), uint32(pathSize), outPointer, outSize), value, valueSize)
}

func (*host) ProxySendLocalResponse(status uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) sdk.Status {
	return sdk.Status(proxySendLocalResponse(status, raw(details), uint32(detailsSize), raw(body), uint32(bodySize), raw(headers), uint32(headersSize), grpcStatus))
}

func (*host) ProxyGetSharedData(key *byte, keySize int, value **byte, valueSize *int, cas *uint32) sdk.Status {
	status := proxyGetSharedData(raw(key), uint32(keySize), outPointer, outSize, outWord)
	return resultWord(uint32(result(status, value, valueSize)), cas)
}

func (*host) ProxySetSharedData(key *byte, keySize int, value *byte, valueSize int, cas uint32) sdk.Status {
	return sdk.Status(proxySetSharedData(raw(key), uint32(keySize), raw(value), uint32(valueSize), cas))
}

func (*host) ProxyRegisterSharedQueue(name *byte, nameSize int, id *uint32) sdk.Status {
	return resultWord(proxyRegisterSharedQueue(raw(name), uint32(nameSize), outWord), id)
}

func (*host) ProxyResolveSharedQueue(vmID *byte, vmIDSize int, name *byte, nameSize int, id *uint32) sdk.Status {
	return resultWord(proxyResolveSharedQueue(raw(vmID), uint32(vmIDSize), raw(name), uint32(nameSize), outWord), id)
}

func (*host) ProxyDequeueSharedQueue(id uint32, value **byte, valueSize *int) sdk.Status {
	return result(proxyDequeueSharedQueue(id, outPointer, outSize), value, valueSize)
}

func (*host) ProxyEnqueueSharedQueue(id uint32, value *byte, valueSize int) sdk.Status {
	return sdk.Status(proxyEnqueueSharedQueue(id, raw(value), uint32(valueSize)))
}

func (*host) ProxyGetHeaderMapValue(mapType sdk.MapType, key *byte, keySize int, value **byte, valueSize *int) sdk.Status {
	return result(proxyGetHeaderMapValue(uint32(mapType), raw(key), uint32(keySize), outPointer, outSize), value, valueSize)
}

func (*host) ProxyAddHeaderMapValue(mapType sdk.MapType, key *byte, keySize int, value *byte, valueSize int) sdk.Status {
	return sdk.Status(proxyAddHeaderMapValue(uint32(mapType), raw(key), uint32(keySize), raw(value), uint32(valueSize)))
}

func (*host) ProxyReplaceHeaderMapValue(mapType sdk.MapType, key *byte, keySize int, value *byte, valueSize int) sdk.Status {
	return sdk.Status(proxyReplaceHeaderMapValue(uint32(mapType), raw(key), uint32(keySize), raw(value), uint32(valueSize)))
}

func (*host) ProxyContinueStream(stream sdk.StreamType) sdk.Status {
	return sdk.Status(proxyContinueStream(uint32(stream)))
}

func (*host) ProxyCloseStream(stream sdk.StreamType) sdk.Status {
	return sdk.Status(proxyCloseStream(uint32(stream)))
}

func (*host) ProxyRemoveHeaderMapValue(mapType sdk.MapType, key *byte, keySize int) sdk.Status {
	return sdk.Status(proxyRemoveHeaderMapValue(uint32(mapType), raw(key), uint32(keySize)))
}

func (*host) ProxyGetHeaderMapPairs(mapType sdk.MapType, pairs **byte, pairsSize *int) sdk.Status {
	return result(proxyGetHeaderMapPairs(uint32(mapType), outPointer, outSize), pairs, pairsSize)
}

func (*host) ProxySetHeaderMapPairs(mapType sdk.MapType, pairs *byte, pairsSize int) sdk.Status {
	return sdk.Status(proxySetHeaderMapPairs(uint32(mapType), raw(pairs), uint32(pairsSize)))
}

func (*host) ProxyGetBufferBytes(buffer sdk.BufferType, start int, size int, data **byte, dataSize *int) sdk.Status {
	return result(proxyGetBufferBytes(uint32(buffer), uint32(start), uint32(size), outPointer, outSize), data, dataSize)
}

func (*host) ProxySetBufferBytes(buffer sdk.BufferType, start int, size int, data *byte, dataSize int) sdk.Status {
	return sdk.Status(proxySetBufferBytes(uint32(buffer), uint32(start), uint32(size), raw(data), uint32(dataSize)))
}

func (*host) ProxyHttpCall(upstream *byte, upstreamSize int, headers *byte, headersSize int, body *byte, bodySize int, trailers *byte, trailersSize int, timeout uint32, id *uint32) sdk.Status {
	return resultWord(proxyHTTPCall(raw(upstream), uint32(upstreamSize), raw(headers), uint32(headersSize), raw(body), uint32(bodySize), raw(trailers), uint32(trailersSize), timeout, outWord), id)
}

func (*host) ProxyCallForeignFunction(name *byte, nameSize int, param *byte, paramSize int, value **byte, valueSize *int) sdk.Status {
	return result(proxyCallForeignFunction(raw(name), uint32(nameSize), raw(param), uint32(paramSize), outPointer, outSize), value, valueSize)
}

func (*host) ProxySetTickPeriodMilliseconds(period uint32) sdk.Status {
	return sdk.Status(proxySetTickPeriodMilliseconds(period))
}

func (*host) ProxySetEffectiveContext(id uint32) sdk.Status {
	return sdk.Status(proxySetEffectiveContext(id))
}

func (*host) ProxyDone() sdk.Status { return sdk.Status(proxyDone()) }

func (*host) ProxyDefineMetric(metricType sdk.MetricType, name *byte, nameSize int, id *uint32) sdk.Status {
	return resultWord(proxyDefineMetric(uint32(metricType), raw(name), uint32(nameSize), outWord), id)
}

func (*host) ProxyIncrementMetric(id uint32, offset int64) sdk.Status {
	return sdk.Status(proxyIncrementMetric(id, offset))
}

func (*host) ProxyRecordMetric(id uint32, value uint64) sdk.Status {
	return sdk.Status(proxyRecordMetric(id, value))
}

func (*host) ProxyGetMetric(id uint32, value *uint64) sdk.Status {
	status := proxyGetMetric(id, unsafe.Pointer(&out.wide))
	*value = out.wide
	return sdk.Status(status)
}
