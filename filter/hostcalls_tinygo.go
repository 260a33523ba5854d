//go:build tinygo

package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

	"corsguard/filter/policy"
)

// Under TinyGo the SDK's own functions make the host calls.

func hasRequestHeader(name string) bool {
	_, err := proxywasm.GetHttpRequestHeader(name)
	return err == nil
}

type pairs struct{ rest [][2]string }

func (p *pairs) next() (name, value string, ok bool) {
	if len(p.rest) == 0 {
		return "", "", false
	}
	h := p.rest[0]
	p.rest = p.rest[1:]
	return h[0], h[1], true
}

func requestHeaders() (pairs, bool) {
	all, err := proxywasm.GetHttpRequestHeaders()
	return pairs{all}, err == nil
}

func responseHeaders() (pairs, bool) {
	all, err := proxywasm.GetHttpResponseHeaders()
	return pairs{all}, err == nil
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
