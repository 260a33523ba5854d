//go:build !tinygo

package filter

import (
	"unsafe"

	_ "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm" // whose host calls these are
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/abi"
	"corsguard/filter/policy"
)

// The SDK's own functions for headers allocate a slice and strings per call. These go to the same host calls by the same way, the emulator in
// tests included, and leave what the host wrote where it is.

//go:linkname proxyGetHeaderMapValue github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyGetHeaderMapValue
func proxyGetHeaderMapValue(mapType uint32, key *byte, keySize int, value **byte, valueSize *int) uint32

//go:linkname proxyGetHeaderMapPairs github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyGetHeaderMapPairs
func proxyGetHeaderMapPairs(mapType uint32, pairs **byte, pairsSize *int) uint32

//go:linkname proxyAddHeaderMapValue github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyAddHeaderMapValue
func proxyAddHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32

//go:linkname proxyReplaceHeaderMapValue github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyReplaceHeaderMapValue
func proxyReplaceHeaderMapValue(mapType uint32, key *byte, keySize int, value *byte, valueSize int) uint32

//go:linkname proxyRemoveHeaderMapValue github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyRemoveHeaderMapValue
func proxyRemoveHeaderMapValue(mapType uint32, key *byte, keySize int) uint32

//go:linkname proxySendLocalResponse github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxySendLocalResponse
func proxySendLocalResponse(status uint32, details *byte, detailsSize int, body *byte, bodySize int, headers *byte, headersSize int, grpcStatus int32) uint32

// The SDK's functions for metrics format their errors, which links package fmt: a tenth of the plugin.

//go:linkname proxyDefineMetric github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyDefineMetric
func proxyDefineMetric(metricType uint32, name *byte, nameSize int, id *uint32) uint32

//go:linkname proxyIncrementMetric github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.ProxyIncrementMetric
func proxyIncrementMetric(id uint32, offset int64) uint32

// metric is the host's id of a metric.
type metric uint32

// defineCounter defines a counter, and clears ok where the host refuses.
func defineCounter(ok *bool, name string) metric {
	const counter = 0
	var id uint32
	if proxyDefineMetric(counter, dataOf(name), len(name), &id) != statusOK {
		*ok = false
	}
	return metric(id)
}

func (m metric) increment(n uint64) { proxyIncrementMetric(uint32(m), int64(n)) }

const (
	requestMap  = 0
	responseMap = 2
	statusOK    = 0
)

// out takes the host's results. The address of a local variable would go through an interface, which puts it on the heap.
var out struct {
	data *byte
	size int
}

func dataOf(s string) *byte { return unsafe.StringData(s) }

// requestHeader returns the value of a request header, the first line of several, and whether the request has it. The string is valid until the
// next read of headers.
func requestHeader(name string) (value string, ok bool) {
	abi.UseScratch(true)
	status := proxyGetHeaderMapValue(requestMap, dataOf(name), len(name), &out.data, &out.size)
	abi.UseScratch(false)
	if status != statusOK {
		return "", false
	}
	return unsafe.String(out.data, out.size), true
}

// readHeaders reads all headers of a map. What the pairs give out is valid until the next read.
func readHeaders(mapType uint32) (pairs, bool) {
	abi.UseScratch(true)
	status := proxyGetHeaderMapPairs(mapType, &out.data, &out.size)
	abi.UseScratch(false)
	if status != statusOK || out.data == nil {
		return pairs{}, false
	}
	return newPairs(unsafe.Slice(out.data, out.size))
}

func requestHeaders() (pairs, bool)  { return readHeaders(requestMap) }
func responseHeaders() (pairs, bool) { return readHeaders(responseMap) }

// editResponse does one edit, and reports whether the host did it.
func editResponse(e policy.Edit) bool {
	switch e.Op {
	case policy.AddHeader:
		return proxyAddHeaderMapValue(responseMap, dataOf(e.Name), len(e.Name), dataOf(e.Value), len(e.Value)) == statusOK
	case policy.ReplaceHeader:
		return proxyReplaceHeaderMapValue(responseMap, dataOf(e.Name), len(e.Name), dataOf(e.Value), len(e.Value)) == statusOK
	}
	return proxyRemoveHeaderMapValue(responseMap, dataOf(e.Name), len(e.Name)) == statusOK
}

// reply sends a local response, and reports whether the host took it. scratch is reused for the headers.
func reply(status int, headers []policy.Header, body string, scratch *[]byte) bool {
	const noGRPC = -1
	*scratch = appendPairs((*scratch)[:0], headers)
	return proxySendLocalResponse(uint32(status), nil, 0, dataOf(body), len(body), unsafe.SliceData(*scratch), len(*scratch), noGRPC) == statusOK
}

// track lets the binding to the host find the plugin of a stream.
func track(id uint32, p types.PluginContext) { abi.AddPlugin(id, p) }

// borrow returns b as a string, which holds as long as b is left alone.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
