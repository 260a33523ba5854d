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

func setTickPeriod(milliseconds uint32) bool {
	return proxywasm.SetTickPeriodMilliSeconds(milliseconds) == nil
}

func requestHeader(name string) (string, bool) {
	value, err := proxywasm.GetHttpRequestHeader(name)
	return value, err == nil
}

type metric struct{ proxywasm.MetricCounter }

func defineCounter(_ *bool, name string) metric { return metric{proxywasm.DefineCounterMetric(name)} }

func (m metric) increment(n uint64) { m.Increment(n) }

func track(uint32, types.PluginContext) {}

func (v *vm) containPanics() {} // TinyGo ends the program

type pairs struct {
	name, value string
	rest        [][2]string
}

func (p *pairs) nextOf(uint64) bool {
	if len(p.rest) == 0 {
		return false
	}
	p.name, p.value = p.rest[0][0], p.rest[0][1]
	p.rest = p.rest[1:]
	return true
}

func requestHeaders() (pairs, bool) {
	all, err := proxywasm.GetHttpRequestHeaders()
	return pairs{rest: all}, err == nil
}

func responseHeaders() (pairs, bool) {
	all, err := proxywasm.GetHttpResponseHeaders()
	return pairs{rest: all}, err == nil
}

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

func reply(status int, headers []policy.Header, body string, _ *[]byte) bool {
	return proxywasm.SendHttpResponse(uint32(status), headers, []byte(body), -1) == nil
}

func borrow(b []byte) string { return string(b) }
