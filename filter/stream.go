package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// stream is one request and its response.
type stream struct {
	types.DefaultHttpContext
	plugin   *plugin
	decision policy.Decision
	// replied: the response is the filter's own. Envoy leads it through the response callback too, and it is complete as it is.
	replied bool
	// grant holds what decision.Grant says. The request's own memory is gone when the response comes, and a later filter may have changed the Origin.
	grant []byte
}

// OnHttpRequestHeaders implements types.HttpContext. Request headers are only read: a change would clear Envoy's route cache.
func (s *stream) OnHttpRequestHeaders(int, bool) types.Action {
	s.plugin.vm.current = s
	p := s.plugin.policy
	var r policy.Request
	if hasRequestHeader(fetch.HeaderOrigin) || p.NeedsRequestLine() {
		readRequest(&r)
	}
	s.decision = p.Decide(&r)
	s.plugin.record(&s.decision, &r)
	if s.decision.Status != 0 {
		return s.reply()
	}
	if g := s.decision.Grant; g != "" && g != fetch.Wildcard {
		s.grant = append(s.grant[:0], g...)
		s.decision.Grant = borrow(s.grant)
	}
	return types.ActionContinue
}

// readRequest fills in r, whose strings hold until the next read of headers.
func readRequest(r *policy.Request) {
	headers, ok := requestHeaders()
	if !ok {
		panic("the host does not give the request headers")
	}
	forwardedProto := ""
	for name, value, ok := headers.next(); ok; name, value, ok = headers.next() {
		switch name {
		case fetch.HeaderOrigin:
			if r.Origins++; r.Origins == 1 {
				r.Origin = value
			}
		case fetch.HeaderRequestMethod:
			joinLine(&r.RequestMethod, value)
		case fetch.HeaderRequestHeaders:
			joinLine(&r.RequestHeaders, value)
		case fetch.HeaderRequestPrivateNetwork:
			joinLine(&r.RequestPrivateNetwork, value)
		case fetch.PseudoMethod:
			r.Method = value
		case fetch.PseudoScheme:
			r.Scheme = value
		case fetch.PseudoAuthority:
			r.Authority = value
		case fetch.PseudoPath:
			r.Path = value
		case fetch.HeaderForwardedProto:
			forwardedProto = value
		}
	}
	// Envoy sets this one, or lets it through from a peer that it trusts.
	if forwardedProto == "http" || forwardedProto == "https" {
		r.Scheme = forwardedProto
	}
}

// joinLine adds a line of a header to those before (RFC 9110, section 5.3). A bound on the whole is the reader's.
func joinLine(have *string, line string) {
	if *have == "" {
		*have = line
		return
	}
	*have += "," + line
}

// reply answers in the upstream's stead.
func (s *stream) reply() types.Action {
	vm, d := s.plugin.vm, &s.decision
	vm.headers = s.plugin.policy.Reply(d, vm.headers[:0])
	body := ""
	if d.Status == 403 {
		body = "Refused by the cross-origin policy: " + d.Reason.String() + "\n"
	}
	s.replied = true
	if !reply(d.Status, vm.headers, body, &vm.buffer) {
		s.replied = false
		panic("the host does not take the local reply")
	}
	return types.ActionPause
}

// OnHttpResponseHeaders implements types.HttpContext.
func (s *stream) OnHttpResponseHeaders(int, bool) types.Action {
	if s.replied {
		return types.ActionContinue
	}
	vm := s.plugin.vm
	vm.current = s
	headers, ok := responseHeaders()
	if !ok {
		panic("the host does not give the response headers")
	}
	var r policy.Response
	for name, value, ok := headers.next(); ok; name, value, ok = headers.next() {
		r.Add(name, value)
	}
	vm.edits = s.plugin.policy.Edits(&s.decision, &r, &vm.memo, vm.edits[:0])
	for _, e := range vm.edits {
		if !editResponse(e) {
			panic("the host does not change the response headers")
		}
	}
	return types.ActionContinue
}
