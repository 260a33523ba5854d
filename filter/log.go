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
	suppressed  int
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
	if l.suppressed > 0 && l.logged > 0 {
		logWarn("corsguard: " + strconv.Itoa(l.suppressed) + " more refusals in the last minute were not logged")
	}
	*l = refusalLog{windowStart: now}
}

// logsRefusal reports whether the log has room for a refusal.
func (p *plugin) logsRefusal() bool { return p.vm.log.logged < p.refusalsPerMinute }

// record counts the decision d for a request that rule decides, and logs it if it is a refusal and the log has room.
func (p *plugin) record(rule int, d *policy.Decision, r *policy.Request) {
	p.vm.counters.count(p.counters[rule], d.Outcome())
	if d.Verdict() == policy.Allowed {
		return
	}
	if !p.logsRefusal() {
		p.vm.log.suppressed++
		return
	}
	p.vm.log.logged++
	line := "corsguard: refused " + d.Kind.String() + ": " + d.Reason.String() + " rule=" + p.rules.Name(rule) +
		" origin=" + sanitized(r.Origin) + " method=" + sanitized(r.Method) + " host=" + sanitized(r.Authority) + " path=" + sanitized(r.Path)
	switch d.Reason {
	case policy.MethodNotAllowed:
		line += " asked=" + sanitized(r.RequestMethod)
	case policy.HeaderNotAllowed:
		line += " asked=" + sanitized(r.RequestHeaders)
	}
	logWarn(line)
}

const maxLogged = 128

// sanitized returns s, which a client chose, for a log line. Queries may hold secrets and are left out.
func sanitized(s string) string {
	s, _, _ = strings.Cut(s, "?")
	return fetch.Quoted(s, maxLogged)
}
