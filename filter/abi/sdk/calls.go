//go:build !tinygo

package sdk

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"
)

// SetVMContext is the SDK's entry point.
func SetVMContext(c types.VMContext) { internal.SetVMContext(c) }

// The SDK's callbacks.

// OnVMStart starts the VM.
func OnVMStart(id uint32, size int) types.OnVMStartStatus { return internal.ProxyOnVMStart(id, size) }

// OnConfigure starts a plugin.
func OnConfigure(id uint32, size int) types.OnPluginStartStatus {
	return internal.ProxyOnConfigure(id, size)
}

// OnTick ticks a plugin.
func OnTick(id uint32) { internal.ProxyOnTick(id) }

// OnContextCreate makes a context.
func OnContextCreate(id, parent uint32) { internal.ProxyOnContextCreate(id, parent) }

// OnDelete forgets a context.
func OnDelete(id uint32) { internal.ProxyOnDelete(id) }

// The host calls that the filter makes. Each goes to the registered host: the real one, or the emulator in tests.

// Log logs.
func Log(level LogLevel, message *byte, size int) Status {
	return internal.ProxyLog(level, message, size)
}

// GetHeaderMapValue gets the first value of a header.
func GetHeaderMapValue(m MapType, key *byte, keySize int, value **byte, size *int) Status {
	return internal.ProxyGetHeaderMapValue(m, key, keySize, value, size)
}

// GetHeaderMapPairs gets all headers.
func GetHeaderMapPairs(m MapType, pairs **byte, size *int) Status {
	return internal.ProxyGetHeaderMapPairs(m, pairs, size)
}

// AddHeaderMapValue adds a header line.
func AddHeaderMapValue(m MapType, key *byte, keySize int, value *byte, size int) Status {
	return internal.ProxyAddHeaderMapValue(m, key, keySize, value, size)
}

// ReplaceHeaderMapValue replaces the first value of a header.
func ReplaceHeaderMapValue(m MapType, key *byte, keySize int, value *byte, size int) Status {
	return internal.ProxyReplaceHeaderMapValue(m, key, keySize, value, size)
}

// RemoveHeaderMapValue removes all values of a header.
func RemoveHeaderMapValue(m MapType, key *byte, keySize int) Status {
	return internal.ProxyRemoveHeaderMapValue(m, key, keySize)
}

// SendLocalResponse answers a request. It gives no gRPC status.
func SendLocalResponse(status uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int) Status {
	const noGRPC = -1
	return internal.ProxySendLocalResponse(status, details, detailsSize, body, bodySize, headers, headersSize, noGRPC)
}

// GetProperty gets a property of the stream.
func GetProperty(path *byte, pathSize int, value **byte, size *int) Status {
	return internal.ProxyGetProperty(path, pathSize, value, size)
}

// SetProperty sets a property of the stream.
func SetProperty(path *byte, pathSize int, value *byte, size int) Status {
	return internal.ProxySetProperty(path, pathSize, value, size)
}

// GetBufferBytes gets a part of a buffer.
func GetBufferBytes(b BufferType, start, most int, data **byte, size *int) Status {
	return internal.ProxyGetBufferBytes(b, start, most, data, size)
}

// SetTickPeriodMilliseconds asks for ticks.
func SetTickPeriodMilliseconds(period uint32) Status {
	return internal.ProxySetTickPeriodMilliseconds(period)
}

// DefineMetric defines a metric.
func DefineMetric(t MetricType, name *byte, size int, id *uint32) Status {
	return internal.ProxyDefineMetric(t, name, size, id)
}

// IncrementMetric increments a counter.
func IncrementMetric(id uint32, offset int64) Status {
	return internal.ProxyIncrementMetric(id, offset)
}

// RecordMetric sets a gauge.
func RecordMetric(id uint32, value uint64) Status { return internal.ProxyRecordMetric(id, value) }

// GetSharedData gets a value that the VMs share, and the number that a change of it must give.
func GetSharedData(key *byte, keySize int, value **byte, size *int, cas *uint32) Status {
	return internal.ProxyGetSharedData(key, keySize, value, size, cas)
}

// SetSharedData sets a value that the VMs share. cas is the number that came with the value, or 0 to set it whatever it is.
func SetSharedData(key *byte, keySize int, value *byte, size int, cas uint32) Status {
	return internal.ProxySetSharedData(key, keySize, value, size, cas)
}

// HTTPCall sends a request without a body to a cluster.
func HTTPCall(cluster *byte, clusterSize int, headers *byte, headersSize int, timeout uint32, id *uint32) Status {
	return internal.ProxyHttpCall(cluster, clusterSize, headers, headersSize, nil, 0, &noTrailers[0], len(noTrailers), timeout, id)
}

// noTrailers is a map without headers, in its serialised form: the emulator does not do without one.
var noTrailers [4]byte
