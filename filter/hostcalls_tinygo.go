//go:build tinygo

package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/policy"
)

// Under TinyGo the SDK's own functions make the host calls.

// Start hands the VM's context to the SDK.
func Start() { proxywasm.SetVMContext(NewVMContext()) }

func logWarn(message string)  { proxywasm.LogWarn(message) }
func logError(message string) { proxywasm.LogError(message) }

func pluginConfiguration() []byte {
	data, err := proxywasm.GetPluginConfiguration()
	if err != nil {
		return nil
	}
	return data
}

func releaseConfiguration() {}
func collectGarbage()       {}

func setTickPeriod(milliseconds uint32) bool {
	return proxywasm.SetTickPeriodMilliSeconds(milliseconds) == nil
}

func requestHeader(name string) (string, bool) {
	value, err := proxywasm.GetHttpRequestHeader(name)
	return value, err == nil
}

func appendRouteName(b []byte) []byte {
	name, err := proxywasm.GetProperty([]string{"xds", "route_name"})
	if err != nil {
		return b
	}
	return append(b, name...)
}

type metric struct{ proxywasm.MetricCounter }

func defineCounter(_ *bool, name string) metric { return metric{proxywasm.DefineCounterMetric(name)} }

func (m metric) increment(n uint64) { m.MetricCounter.Increment(n) }

type gauge struct{ proxywasm.MetricGauge }

func defineGauge(_ *bool, name string) gauge { return gauge{proxywasm.DefineGaugeMetric(name)} }

func (g gauge) record(value uint64) { g.MetricGauge.Add(int64(value) - g.MetricGauge.Value()) }

func sharedData(key string) ([]byte, uint32, bool) {
	value, cas, err := proxywasm.GetSharedData(key)
	return value, cas, err == nil
}

func sharedDataInto(_ []byte, key string) ([]byte, bool) {
	value, _, ok := sharedData(key)
	return value, ok
}

func setSharedData(key string, value []byte, cas uint32) bool {
	return proxywasm.SetSharedData(key, value, cas) == nil
}

// dispatch sends a GET request to a cluster. The SDK keeps what is to be called with the answer.
func dispatch(p *plugin, cluster string, headers []policy.Header, timeout uint32) (uint32, bool) {
	var call uint32
	call, err := proxywasm.DispatchHttpCall(cluster, headers, nil, nil, timeout, func(headers, bodySize, _ int) { p.OnHTTPCallResponse(call, headers, bodySize) })
	return call, err == nil
}

func callHeader(name string) (string, bool) {
	headers, err := proxywasm.GetHttpCallResponseHeaders()
	if err == nil {
		for _, h := range headers {
			if h[0] == name {
				return h[1], true
			}
		}
	}
	return "", false
}

func callBodyInto(_ []byte, size int) []byte {
	body, err := proxywasm.GetHttpCallResponseBody(0, size)
	if err != nil {
		return nil
	}
	return body
}

func track(uint32, types.PluginContext) {}

func (v *vm) containPanics() {} // TinyGo ends the program

// The SDK takes header maps apart; pairs reads them in their serialised form.
func readAll(all [][2]string, err error) (pairs, bool) {
	if err != nil {
		return pairs{}, false
	}
	return newPairs(appendPairs(nil, all))
}

func requestHeaders() (pairs, bool) { return readAll(proxywasm.GetHttpRequestHeaders()) }

func responseHeaders() (pairs, bool) { return readAll(proxywasm.GetHttpResponseHeaders()) }

func setState(value []byte) { _ = proxywasm.SetProperty([]string{"corsguard"}, value) }

func editResponse(e policy.Edit) bool {
	var err error
	switch e.Op {
	case policy.AddHeader:
		err = proxywasm.AddHttpResponseHeader(e.Name, e.Value)
	case policy.ReplaceHeader:
		err = proxywasm.ReplaceHttpResponseHeader(e.Name, e.Value)
	default:
		err = proxywasm.RemoveHttpResponseHeader(e.Name)
	}
	return err == nil
}

// The SDK's function takes no details.
func sendReply(status int, _ string, headers []byte, body string) bool {
	var all [][2]string
	for p, ok := newPairs(headers); ok && p.nextOf(^uint64(0)); {
		all = append(all, [2]string{p.name, p.value})
	}
	return proxywasm.SendHttpResponse(uint32(status), all, []byte(body), -1) == nil
}

func borrow(b []byte) string { return string(b) }
