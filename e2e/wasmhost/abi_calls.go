package wasmhost

import (
	"slices"
	"time"
)

// Cluster is what a cluster of the process is like for those who call it. The zero value is a cluster that does not exist.
type Cluster int

const (
	// NoCluster was never there, or was removed.
	NoCluster Cluster = iota
	// EmptyCluster has no healthy host.
	EmptyCluster
	// LiveCluster takes calls. What becomes of them is up to the test.
	LiveCluster
)

// SetCluster makes a cluster be like this from now on. Calls to one that is changed break off, as in Envoy.
func (p *Process) SetCluster(name string, c Cluster) {
	p.clusters[name] = c
	for _, call := range p.HTTPCalls() {
		if call.Cluster == name {
			call.BreakOff()
		}
	}
}

// HTTPCall is a call of a plugin to a cluster that waits for its answer.
type HTTPCall struct {
	Cluster string
	Headers []Header
	Body    string
	Timeout time.Duration

	plugin *Plugin
	token  uint32
}

// Value returns the first value of a header of the call.
func (c *HTTPCall) Value(name string) string {
	value, _ := c.plugin.vm.process.host.requestMap(c.Headers).get(name)
	return value
}

// VM returns the VM that made the call.
func (c *HTTPCall) VM() *VM { return c.plugin.vm }

// HTTPCalls returns the calls that are under way, oldest first.
func (p *Process) HTTPCalls() []*HTTPCall { return slices.Clone(p.calls) }

// maxAnswer bounds the body of an answer. Envoy breaks off a call whose answer is longer.
const maxAnswer = 32 << 20

// Answer ends the call with a response, and returns what was called.
func (c *HTTPCall) Answer(status string, headers []Header, body string) Calls {
	if len(body) > maxAnswer {
		return c.BreakOff()
	}
	lines := append([]Header{{":status", status}}, headers...)
	return c.end(&callAnswer{c.plugin.vm.process.host.responseMap(lines), body})
}

// BreakOff ends the call without a response: it was reset after the headers, or timed out then, or the cluster is gone. Failures before the headers are responses with
// 503 or 504, which Envoy makes.
func (c *HTTPCall) BreakOff() Calls { return c.end(nil) }

// callAnswer is the response to a call, which the module can read only in the callback about it.
type callAnswer struct {
	headers *headerMap
	body    string
}

func (c *HTTPCall) end(a *callAnswer) Calls {
	v := c.plugin.vm
	v.process.calls = slices.DeleteFunc(v.process.calls, func(other *HTTPCall) bool { return other == c })
	return v.counting(func() {
		var headers, body int
		if a != nil {
			headers, body = len(a.headers.lines), len(a.body)
		}
		v.answer = a
		v.event(c.plugin.root, "proxy_on_http_call_response", uint64(c.plugin.root.id), uint64(c.token), uint64(headers), uint64(body), 0)
		v.answer = nil
	})
}

// dropCalls cancels the calls of plugins that are no more. They do not hear of it.
func (p *Process) dropCalls(gone func(*Plugin) bool) {
	p.calls = slices.DeleteFunc(p.calls, func(c *HTTPCall) bool { return gone(c.plugin) })
}

// callTokenStep is the distance of the tokens of a VM's calls.
const callTokenStep = 4

// httpCall begins a call for the root context, also where a stream asks. What cannot begin fails at once, and no callback follows.
func httpCall(v *VM, a []uint64) Result {
	values, ok := v.reads(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
	if !ok {
		return InvalidMemoryAccess
	}
	plugin := v.context().plugin
	headers := unmarshal(values[1])
	state := v.process.clusters[values[0]]
	begun, result := uint32(0), OK
	switch lines := v.process.host.requestMap(headers); {
	case plugin == nil || state == NoCluster || lines.find(":method") < 0 || lines.find(":path") < 0 || lines.find(":authority") < 0:
		result = BadArgument
	case state == EmptyCluster:
		result = InternalFailure
	default:
		v.lastCall += callTokenStep
		begun = v.lastCall
		v.process.calls = append(v.process.calls, &HTTPCall{values[0], headers, values[2], time.Duration(uint32(a[8])) * time.Millisecond, plugin, begun})
	}
	if written := v.word(a[9], begun); written != OK {
		return written
	}
	return result
}
