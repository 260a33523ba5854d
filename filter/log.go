package filter

import (
	"strconv"
	"strings"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// refusalLog bounds what a VM logs of refusals: so many in a minute, and then how many were left out. The minute is counted by ticks, so that a
// refusal asks the host for no clock.
type refusalLog struct {
	windowStart int64 // nanoseconds
	logged      int
	suppressed  [policy.NumReasons]int
}

const window = int64(60e9)

// tick is told the time in nanoseconds. (A time.Time here would link what prints one.)
func (l *refusalLog) tick(now int64) {
	if l.windowStart == 0 {
		l.windowStart = now
	}
	if now-l.windowStart < window {
		return
	}
	if l.logged > 0 {
		l.summarize()
	}
	*l = refusalLog{windowStart: now}
}

// summarize logs how many refusals were left out, and of which reasons.
func (l *refusalLog) summarize() {
	sum, byReason := 0, ""
	for i, n := range l.suppressed {
		if n == 0 {
			continue
		}
		if sum += n; byReason != "" {
			byReason += ","
		}
		byReason += " " + policy.Reason(i).String() + " " + strconv.Itoa(n)
	}
	if sum > 0 {
		logWarn("corsguard: " + strconv.Itoa(sum) + " more refusals in the last minute were not logged:" + byReason)
	}
}

// logsRefusal reports whether the log has room for a refusal.
func (p *plugin) logsRefusal() bool { return p.vm.log.logged < p.refusalsPerMinute }

// record counts the decision of s for r, and tells of it if it refuses.
func (s *stream) record(r *policy.Request) {
	d := &s.decision
	told := s.tell(d.Outcome(), r, false)
	if d.Reports {
		// What the request gets is one thing, what it would get another.
		s.tell(policy.OutcomeOf(d.Kind, d.Reported).Shadow(), r, told)
	}
}

// tell counts the outcome o for r, and if that is no permission, logs it as far as the log has room, and leaves it for access logs, where nothing was left yet. It reports
// whether something is left.
func (s *stream) tell(o policy.Outcome, r *policy.Request, told bool) bool {
	p := s.plugin
	if s.effect == policy.ShadowOnly {
		o = o.Shadow()
	}
	p.vm.counters.count(p.counters[s.rule], o)
	if o.Verdict() == policy.Allowed {
		return told
	}
	if !told {
		s.leave(o)
	}
	kind, reason := o.Split()
	if !p.logsRefusal() {
		p.vm.log.suppressed[reason]++
		return true
	}
	p.vm.log.logged++
	line := "corsguard: " + o.Verdict().String() + " " + kind.String() + ": " + reason.String() + " rule=" + p.rules.Name(s.rule) +
		" origin=" + sanitized(r.Origin) + " method=" + sanitized(r.Method) + " host=" + sanitized(r.Authority) + " path=" + sanitized(r.Path)
	switch reason {
	case policy.MethodNotAllowed:
		line += " asked=" + sanitized(r.RequestMethod)
	case policy.HeaderNotAllowed:
		line += " asked=" + sanitized(r.RequestHeaders)
	case policy.CrossSiteNotAllowed, policy.SameSiteNotAllowed:
		line += " mode=" + sanitized(r.FetchMode) + " dest=" + sanitized(r.FetchDest)
	}
	logWarn(line)
	return true
}

// leave leaves the outcome in the filter state, from which access logs take it.
func (s *stream) leave(o policy.Outcome) {
	kind, reason := o.Split()
	vm := s.plugin.vm
	b := vm.state[:0]
	for _, part := range [...]string{"decision=", o.Verdict().String(), " kind=", kind.String(), " reason=", reason.String(), " rule=", s.plugin.rules.Name(s.rule)} {
		b = append(b, part...)
	}
	vm.state = b
	setState(vm.state)
}

const maxLogged = 128

// sanitized returns s, which a client chose, for a log line. Queries may hold secrets and are left out.
func sanitized(s string) string {
	s, _, _ = strings.Cut(s, "?")
	return fetch.Quoted(s, maxLogged)
}
