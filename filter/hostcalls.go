//go:build !tinygo

package filter

import (
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/abi"
	"corsguard/filter/policy"
)

// The SDK's own functions for headers allocate a slice and strings per call. These go to the same host calls by the same way, the emulator in
// tests included, and leave what the host wrote where it is.

// Start hands the VM's context to the SDK.
func Start() { sdk.SetVMContext(NewVMContext()) }

func logAt(level sdk.LogLevel, message string) { sdk.Log(level, dataOf(message), len(message)) }
func logWarn(message string)                   { logAt(sdk.LogWarn, message) }
func logError(message string)                  { logAt(sdk.LogError, message) }

// pluginConfiguration returns the configuration, nil where there is none.
func pluginConfiguration() []byte {
	const all = 1<<31 - 1
	var data *byte
	var size int
	if sdk.GetBufferBytes(sdk.PluginConfiguration, 0, all, &data, &size) != sdk.StatusOK || data == nil {
		return nil
	}
	return unsafe.Slice(data, size)
}

// defineGauge defines a gauge, and clears ok where the host refuses.
func defineGauge(ok *bool, name string) gauge {
	var id uint32
	if sdk.DefineMetric(sdk.Gauge, dataOf(name), len(name), &id) != sdk.StatusOK {
		*ok = false
	}
	return gauge(id)
}

// gauge is the host's id of a gauge.
type gauge uint32

func (g gauge) record(value uint64) { sdk.RecordMetric(uint32(g), value) }

// sharedData returns a value that the VMs share, memory of its own, and the number that a change of it must give.
func sharedData(key string) (value []byte, cas uint32, ok bool) {
	status := sdk.GetSharedData(dataOf(key), len(key), &out.data, &out.size, &out.cas)
	if status != sdk.StatusOK {
		return nil, 0, false
	}
	if out.size == 0 || out.data == nil { // an empty value is there, too
		return nil, out.cas, true
	}
	abi.ReleaseResult()
	return unsafe.Slice(out.data, out.size), out.cas, true
}

// sharedDataInto returns a value that the VMs share, in the memory of buffer where there is room.
func sharedDataInto(buffer []byte, key string) (value []byte, ok bool) {
	abi.LendMemory(buffer)
	value, _, ok = sharedData(key)
	abi.LendMemory(nil)
	return inBuffer(buffer, value), ok
}

// inBuffer returns value, which the host may have put into buffer, in memory that is the plugin's own.
func inBuffer(buffer, value []byte) []byte {
	if cap(buffer) > 0 && unsafe.SliceData(value) == unsafe.SliceData(buffer) {
		return value
	}
	return append(withCapacity(buffer, len(value))[:0], value...)
}

// setSharedData sets a value that the VMs share, and reports whether it did: not where the value has changed since cas was given out. 0 sets it all the same.
func setSharedData(key string, value []byte, cas uint32) bool {
	return sdk.SetSharedData(dataOf(key), len(key), unsafe.SliceData(value), len(value), cas) == sdk.StatusOK
}

// dispatch sends a GET request to a cluster, and returns the number under which p is told of the answer.
func dispatch(_ *plugin, cluster string, headers []policy.Header, timeout uint32) (call uint32, ok bool) {
	serialized := appendPairs(nil, headers)
	ok = sdk.HTTPCall(dataOf(cluster), len(cluster), unsafe.SliceData(serialized), len(serialized), timeout, &out.cas) == sdk.StatusOK
	return out.cas, ok
}

// callHeader returns the first value of a header of the answer to a call, which holds until the next read of headers, and whether the answer has it.
func callHeader(name string) (value string, ok bool) {
	abi.UseScratch(true)
	status := sdk.GetHeaderMapValue(sdk.CallResponseHeaders, dataOf(name), len(name), &out.data, &out.size)
	abi.UseScratch(false)
	if status != sdk.StatusOK {
		return "", false
	}
	return unsafe.String(out.data, out.size), true
}

// callBodyInto returns the body of the answer to a call, in the memory of buffer where there is room.
func callBodyInto(buffer []byte, size int) []byte {
	abi.LendMemory(buffer)
	status := sdk.GetBufferBytes(sdk.CallResponseBody, 0, size, &out.data, &out.size)
	abi.LendMemory(nil)
	if status != sdk.StatusOK || out.data == nil {
		return nil
	}
	abi.ReleaseResult()
	return inBuffer(buffer, unsafe.Slice(out.data, out.size))
}

// releaseConfiguration lets go of the configuration's text.
func releaseConfiguration() { abi.ReleaseResult() }

// collectGarbage ends the garbage collection that a large configuration leaves under way.
func collectGarbage() { abi.CollectGarbage() }

func setTickPeriod(milliseconds uint32) bool {
	return sdk.SetTickPeriodMilliseconds(milliseconds) == sdk.StatusOK
}

// metric is the host's id of a metric.
type metric uint32

// defineCounter defines a counter, and clears ok where the host refuses.
func defineCounter(ok *bool, name string) metric {
	var id uint32
	if sdk.DefineMetric(sdk.Counter, dataOf(name), len(name), &id) != sdk.StatusOK {
		*ok = false
	}
	return metric(id)
}

func (m metric) increment(n uint64) { sdk.IncrementMetric(uint32(m), int64(n)) }

// out takes the host's results. The address of a local variable would go through an interface, which puts it on the heap.
var out struct {
	data *byte
	size int
	cas  uint32
}

func dataOf(s string) *byte { return unsafe.StringData(s) }

// requestHeader returns the value of a request header, the first line of several, and whether the request has it. The string is valid until the
// next read of headers.
func requestHeader(name string) (value string, ok bool) {
	abi.UseScratch(true)
	status := sdk.GetHeaderMapValue(sdk.RequestHeaders, dataOf(name), len(name), &out.data, &out.size)
	abi.UseScratch(false)
	if status != sdk.StatusOK {
		return "", false
	}
	return unsafe.String(out.data, out.size), true
}

// readHeaders reads all headers of a map. What the pairs give out is valid until the next read.
func readHeaders(mapType sdk.MapType) (pairs, bool) {
	abi.UseScratch(true)
	status := sdk.GetHeaderMapPairs(mapType, &out.data, &out.size)
	abi.UseScratch(false)
	if status != sdk.StatusOK || out.data == nil {
		return pairs{}, false
	}
	return newPairs(unsafe.Slice(out.data, out.size))
}

func requestHeaders() (pairs, bool)  { return readHeaders(sdk.RequestHeaders) }
func responseHeaders() (pairs, bool) { return readHeaders(sdk.ResponseHeaders) }

// routePath is the path of the property that names the route, its parts set apart by zero bytes.
const routePath = "xds\x00route_name"

// appendRouteName appends the name of the request's route to b, nothing where it has none.
func appendRouteName(b []byte) []byte {
	abi.UseScratch(true)
	status := sdk.GetProperty(dataOf(routePath), len(routePath), &out.data, &out.size)
	abi.UseScratch(false)
	if status != sdk.StatusOK || out.data == nil {
		return b
	}
	return append(b, unsafe.Slice(out.data, out.size)...)
}

// stateName is that of the filter state in which a refusal is left, without the prefix that the host puts before it.
const stateName = "corsguard"

// setState sets the filter state. Access logs go without where the host does not take it.
func setState(value []byte) {
	sdk.SetProperty(dataOf(stateName), len(stateName), unsafe.SliceData(value), len(value))
}

// editResponse does one edit, and reports whether the host did it.
func editResponse(e policy.Edit) bool {
	switch e.Op {
	case policy.AddHeader:
		return sdk.AddHeaderMapValue(sdk.ResponseHeaders, dataOf(e.Name), len(e.Name), dataOf(e.Value), len(e.Value)) == sdk.StatusOK
	case policy.ReplaceHeader:
		return sdk.ReplaceHeaderMapValue(sdk.ResponseHeaders, dataOf(e.Name), len(e.Name), dataOf(e.Value), len(e.Value)) == sdk.StatusOK
	}
	return sdk.RemoveHeaderMapValue(sdk.ResponseHeaders, dataOf(e.Name), len(e.Name)) == sdk.StatusOK
}

// sendReply sends a local response with a serialised map of headers, and reports whether the host took it. The details go to access logs.
func sendReply(status int, details string, headers []byte, body string) bool {
	return sdk.SendLocalResponse(uint32(status), dataOf(details), len(details), dataOf(body), len(body), unsafe.SliceData(headers), len(headers)) == sdk.StatusOK
}

// track lets the binding to the host find the plugin of a stream.
func track(id uint32, p types.PluginContext) { abi.AddPlugin(id, p) }

// borrow returns b as a string, which holds as long as b is left alone.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
