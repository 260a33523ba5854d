//go:build !tinygo

package filter

import (
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/abi"
	"corsguard/filter/policy"
)

// containPanics has panics answered as refusals. One request is then refused; the VM, and with it all other requests of the worker, lives on.
func (v *vm) containPanics() {
	abi.HandlePanics(func(_ uint32, callback abi.Callback, value any) types.Action {
		v.counters.pendingPanics++
		logError("corsguard: panic in " + string(callback) + ": " + panicText(value))
		s := v.current
		v.current = nil
		switch callback {
		case abi.Tick:
			if v.source != nil {
				v.source.abandon()
				v.source = nil
			}
		case abi.RequestHeaders:
			// Of a stream that is not known nothing can be said here; its response will not be let through with grants.
			if s != nil {
				return s.refuse()
			}
		case abi.ResponseHeaders:
			// Of a response that was to be left alone nothing was taken.
			if s != nil {
				v.counters.count(s.counters(), policy.OutcomeOf(s.decision.Kind, policy.InternalError))
			}
			stripResponse()
			if s != nil && !s.leavesResponse {
				s.setHeaders()
			}
		}
		return types.ActionContinue
	})
}

// refuse turns the request into a refused one.
func (s *stream) refuse() types.Action {
	s.policy = s.plugin.rules.Closed(s.rule)
	s.effect = s.policy.Effect(random)
	s.leavesResponse = s.effect != policy.Enforced
	if s.effect == policy.NoEffect {
		return types.ActionContinue
	}
	s.decision = s.policy.RefuseActual(policy.InternalError)
	o := s.decision.Outcome()
	if s.leavesResponse {
		o = o.Shadow()
	}
	s.plugin.vm.counters.count(s.counters(), o)
	s.leave(o)
	if s.leavesResponse {
		return types.ActionContinue
	}
	if s.policy.AsksScheme() {
		s.secure = isSecure(nil, false)
	}
	if s.decision.Status != 0 {
		s.reply(&policy.Request{})
		return types.ActionPause
	}
	return types.ActionContinue
}

func (s *stream) counters() *ruleCounters { return s.plugin.counters[s.rule] }

// stripResponse takes every grant off a response, whatever is known of its stream.
func stripResponse() {
	for _, name := range policy.GrantHeaders() {
		editResponse(policy.Edit{Op: policy.RemoveHeader, Name: name})
	}
}

// setHeaders sets what the policy sets beside CORS, whatever the response has of it.
func (s *stream) setHeaders() {
	for _, e := range s.policy.SetEdits(s.secure, nil) {
		editResponse(e)
	}
}

func panicText(value any) string {
	switch v := value.(type) {
	case error:
		return v.Error()
	case string:
		return v
	}
	return "a value of another type"
}
