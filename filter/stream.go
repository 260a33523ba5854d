package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// stream is one request and its response.
type stream struct {
	types.DefaultHttpContext
	plugin *plugin
	// rule is the rule that decides, and policy what counts: its own, or one that grants nothing.
	rule     int
	policy   *policy.Policy
	decision policy.Decision
	// effect is what policy does about this request, drawn once. Responses are left alone where it does nothing, and where it has nothing to do.
	effect         policy.Effect
	leavesResponse bool
	// secure: the request came over https, as far as policy asks.
	secure bool
	// replied: the response is the filter's own, with the headers of sent, a serialised map. Envoy leads it through the response callback too, after it
	// has added what the route adds to responses.
	replied bool
	sent    []byte
	// grant holds the Origin, and what decision.Grant says.
	grant []byte
}

// OnHttpRequestHeaders implements types.HttpContext. Request headers are only read: a change would clear Envoy's route cache.
//
// A host call that has a result costs as much as five that have none, because the host asks the VM for memory. So what most requests do not need is
// asked for one by one, and all headers are read only for those that need several.
func (s *stream) OnHttpRequestHeaders(int, bool) types.Action {
	rules := s.plugin.rules
	if rules.AreOff() {
		s.leavesResponse = true
		return types.ActionContinue
	}
	s.plugin.vm.current = s
	requestFault()
	var r policy.Request
	isRead := s.pick(&r)
	s.effect = s.policy.Effect(random)
	s.leavesResponse = s.effect != policy.Enforced || s.policy.LeavesResponses()
	if s.effect == policy.NoEffect {
		s.plugin.vm.current = nil
		return types.ActionContinue
	}
	s.decision, isRead = s.decide(&r, isRead)
	s.record(&r)
	if s.effect == policy.Enforced {
		if s.policy.AsksScheme() {
			s.secure = isSecure(&r, isRead)
		}
		if s.decision.Status != 0 {
			s.reply(&r)
			s.plugin.vm.current = nil
			return types.ActionPause
		}
		// What was read of the request is gone when the response comes, and a later filter may have changed the Origin.
		if g := s.decision.Grant; g != "" && g != fetch.Wildcard {
			s.grant = append(s.grant[:0], g...)
			s.decision.Grant = borrow(s.grant)
		}
	}
	s.plugin.vm.current = nil
	return types.ActionContinue
}

// pick finds the rule that decides, and reports whether it read r for that.
func (s *stream) pick(r *policy.Request) (isRead bool) {
	rules := s.plugin.rules
	switch {
	case rules.AskHeaders():
		route := s.route()
		s.readRequest(r)
		s.rule, s.policy = rules.Pick(&policy.Target{Authority: r.Authority, Path: r.Path, Route: route})
		return true
	case rules.AskRoute():
		s.rule, s.policy = rules.Pick(&policy.Target{Route: s.route()})
	}
	return false
}

// decide reads as much of the request as the decision, and its place in the log, need, and reports whether that was all of r.
func (s *stream) decide(r *policy.Request, isRead bool) (policy.Decision, bool) {
	if !isRead && s.policy.AsksAuthority(s.plugin.inForce) {
		s.readRequest(r)
		isRead = true
	}
	r.InForce = s.plugin.inForce
	if isRead {
		return s.policy.Decide(r), true
	}
	d, isRead := s.decideCORS(r)
	if !isRead && s.policy.AsksFetchMetadata(&d) {
		// Most requests are of the site itself.
		if site, ok := requestHeader(fetch.HeaderFetchSite); ok && (site == "" || s.policy.MayRefuseSite(site)) {
			s.readRequest(r)
			return s.policy.Decide(r), true
		}
	}
	return d, isRead
}

// decideCORS decides as far as the Sec-Fetch headers do not matter, and reports whether it read all of r, so that they were taken into account.
func (s *stream) decideCORS(r *policy.Request) (policy.Decision, bool) {
	p := s.policy
	value, ok := requestHeader(fetch.HeaderOrigin)
	if !ok {
		if p.NeedsRequestLine() {
			s.readRequest(r)
		}
		return p.Decide(r), p.NeedsRequestLine()
	}
	// What is longer than an origin can be is malformed, and need not be kept to say so.
	s.grant = append(s.grant[:0], value[:min(len(value), policy.MaxOrigin+1)]...)
	r.Origins, r.Origin = 1, borrow(s.grant)
	if _, asks := requestHeader(fetch.HeaderRequestMethod); !asks {
		// It is no preflight.
		if d := p.Decide(r); d.Verdict() == policy.Allowed {
			return d, false
		}
		// A same-origin request is not to be refused; most others are told apart by the host alone. What is to be denied is looked at whole.
		if !p.DeniesOrigins() && !s.plugin.logsRefusal() {
			if r.Authority, _ = requestHeader(fetch.PseudoAuthority); !r.MayBeSameOrigin() {
				return p.Decide(r), false
			}
		}
	}
	s.readRequest(r)
	return p.Decide(r), true
}

// isSecure reports whether the request came over https, as Envoy trusts it. Where all of r was read, nothing more may be: what r holds would be gone.
func isSecure(r *policy.Request, isRead bool) bool {
	if isRead {
		return r.Scheme == "https"
	}
	scheme, ok := requestHeader(fetch.HeaderForwardedProto)
	if !ok || !policy.IsWebScheme(scheme) {
		scheme, _ = requestHeader(fetch.PseudoScheme)
	}
	return scheme == "https"
}

// route returns the name of the request's route, "" where no rule asks for it.
func (s *stream) route() string {
	if !s.plugin.rules.AskRoute() {
		return ""
	}
	vm := s.plugin.vm
	vm.route = appendRouteName(vm.route[:0])
	return borrow(vm.route)
}

// requestNames has a bit for the length of each name that readRequest looks for in any case.
const requestNames uint64 = 1<<len(fetch.HeaderOrigin) | 1<<len(fetch.HeaderRequestMethod) | 1<<len(fetch.HeaderRequestHeaders) |
	1<<len(fetch.HeaderRequestPrivateNetwork) | 1<<len(fetch.PseudoMethod) | 1<<len(fetch.PseudoScheme) | 1<<len(fetch.PseudoAuthority) |
	1<<len(fetch.PseudoPath) | 1<<len(fetch.HeaderForwardedProto)

// requestNamesFor adds those that rules need: most do not ask where in the browser a request comes from, nor how a client would have a denial.
func requestNamesFor(rules *policy.Rules) uint64 {
	n := requestNames
	if rules.AskFetchMetadata() {
		n |= 1<<len(fetch.HeaderFetchSite) | 1<<len(fetch.HeaderFetchMode) | 1<<len(fetch.HeaderFetchDest)
	}
	if rules.MayDeny() {
		n |= 1 << len(fetch.HeaderAccept)
	}
	return n
}

// readRequest fills in r, whose strings hold until the next read of headers.
func (s *stream) readRequest(r *policy.Request) {
	headers, ok := requestHeaders()
	if !ok {
		panic("the host does not give the request headers")
	}
	*r = policy.Request{InForce: s.plugin.inForce}
	for headers.nextOf(s.plugin.names) {
		r.Add(headers.name, headers.value)
	}
	r.TrustForwarded()
}

// reply answers in the upstream's stead.
func (s *stream) reply(r *policy.Request) {
	vm, d := s.plugin.vm, &s.decision
	vm.headers = s.policy.Reply(d, s.secure, vm.headers[:0])
	body := ""
	if d.Status == 403 {
		vm.headers, body = policy.Refusal(vm.headers, d.Reason, r.Accept)
	}
	s.sent = appendPairs(s.sent[:0], vm.headers)
	s.replied = true
	if !sendReply(d.Status, d.Reason.Details(), s.sent, body) {
		s.replied = false
		panic("the host does not take the local reply")
	}
}

// OnHttpResponseHeaders implements types.HttpContext.
func (s *stream) OnHttpResponseHeaders(int, bool) types.Action {
	vm := s.plugin.vm
	if s.leavesResponse && !s.replied {
		return types.ActionContinue
	}
	vm.current = s
	responseFault()
	headers, ok := responseHeaders()
	if !ok {
		panic("the host does not give the response headers")
	}
	if s.replied {
		s.restore(headers)
	} else {
		var r policy.Response
		s.policy.Expect(&r)
		readResponse(&r, headers)
		vm.edits = s.policy.Edits(&s.decision, &r, s.secure, &vm.memo, vm.edits[:0])
	}
	for _, e := range vm.edits {
		if !editResponse(e) {
			panic("the host does not change the response headers")
		}
	}
	vm.current = nil
	return types.ActionContinue
}

// restore finds the edits that undo what was changed on the filter's own reply.
func (s *stream) restore(headers pairs) {
	vm := s.plugin.vm
	vm.edits = vm.edits[:0]
	sentHeaders, _ := newPairs(s.sent)
	if headers.isStatusAnd(&sentHeaders) {
		return
	}
	var sent, r policy.Response
	s.policy.Expect(&r)
	readResponse(&sent, sentHeaders)
	readResponse(&r, headers)
	vm.edits = s.policy.Restore(&s.decision, &sent, &r, s.secure, &vm.memo, vm.edits)
}

func readResponse(r *policy.Response, headers pairs) {
	for headers.nextOf(policy.ResponseNames) {
		r.Add(headers.name, headers.value)
	}
}

// OnHttpStreamDone implements types.HttpContext.
func (s *stream) OnHttpStreamDone() { s.plugin.reuse(s) }
