package filter

import (
	"encoding/binary"

	"corsguard/filter/policy"
)

// sourceState is what VMs share of a source beside its document. Times are in nanoseconds since 1970.
type sourceState struct {
	due      int64 // when it is to be fetched next
	lease    int64 // until when somebody is fetching it
	success  int64 // when it was last known to be so
	version  int64 // of the document: when it was asked for; 0 where there is none
	failures int64 // one after the other, so far
	etag     string
}

const (
	stateWords   = 5
	versionBytes = 8
	// maxETag bounds the validators that are kept.
	maxETag = 256
	// maxTries bounds how often a change of the state that others come before is tried.
	maxTries = 8
)

// absent is the number that a change must give which makes a value that is not there: the host never gives it out.
const absent = 1<<32 - 1

// state returns the state, and the number that a change of it must give. Others may write what they like there, so nothing is taken for granted.
func (s *source) state() (sourceState, uint32) {
	data, cas, ok := sharedData(s.stateKey)
	var st sourceState
	if !ok {
		return st, absent
	}
	if len(data) < stateWords*8 || len(data) > stateWords*8+maxETag {
		return st, cas
	}
	for i, word := range [...]*int64{&st.due, &st.lease, &st.success, &st.version, &st.failures} {
		*word = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	st.failures = max(0, st.failures)
	if etag := data[stateWords*8:]; isETag(etag) {
		st.etag = string(etag)
	}
	return st, cas
}

// isETag reports whether text may be sent back as a validator: others must not make requests that fail for ever.
func isETag(text []byte) bool {
	for _, c := range text {
		if c <= ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// maxLease bounds leases: of the longest timeout that a source may have. Sources of other configurations, with other timeouts, share the state.
const maxLease = int64(60e9) + leaseSlack + clockSlack

// isDue reports whether somebody has to fetch the document now. Times that lie too far ahead are of a clock that was set back since.
func (st *sourceState) isDue(s *source, now int64) bool {
	mayFetch := now >= st.lease || st.lease > now+maxLease
	return mayFetch && (now >= st.due || st.due > now+int64(s.Interval)*1e6+clockSlack)
}

// setState replaces the state, unless it has changed since cas was given out.
func (s *source) setState(st *sourceState, cas uint32) bool {
	data := make([]byte, 0, stateWords*8+len(st.etag))
	for _, word := range [...]int64{st.due, st.lease, st.success, st.version, st.failures} {
		data = binary.LittleEndian.AppendUint64(data, uint64(word))
	}
	return setSharedData(s.stateKey, append(data, st.etag...), cas)
}

func (s *source) change(change func(*sourceState)) bool {
	for range maxTries {
		st, cas := s.state()
		change(&st)
		if s.setState(&st, cas) {
			return true
		}
	}
	return false
}

func readVersion(document []byte) int64 { return int64(binary.LittleEndian.Uint64(document)) }

// publish gives the spare document, which was asked for at since, to the other VMs, and returns the version that it got. It does not where another VM took the lease over.
func (s *source) publish(since int64) (version int64, ok bool) {
	st, _ := s.state()
	if st.lease != s.lease {
		return 0, false
	}
	version = since
	if st.version >= version && st.version < 1<<63-1 { // the clock was set back
		version = st.version + 1
	}
	binary.LittleEndian.PutUint64(s.spare.data, uint64(version))
	if !setSharedData(s.documentKey, s.spare.data, 0) {
		s.failed("internal")
		return 0, false
	}
	etag := s.etag
	s.metrics.count("ok")
	return version, s.change(func(st *sourceState) {
		st.version, st.etag = version, etag
		st.succeed(s, since)
	})
}

// succeeded notes that the document in force is that of the source, as it was asked at since.
func (s *source) succeeded(since int64, result string) {
	s.metrics.count(result)
	s.change(func(st *sourceState) { st.succeed(s, since) })
}

func (st *sourceState) succeed(s *source, since int64) {
	st.success, st.failures, st.lease = since, 0, 0
	s.logged = 0
	st.due = since + s.period()
}

// period is how long after a fetch the next one begins. It is shorter than the interval: after that time an origin that was removed is to be refused on all workers. And it is
// shorter by chance, so that many Envoys do not ask at once.
func (s *source) period() int64 {
	const margin = int64(2e9)
	interval := int64(s.Interval) * 1e6
	period := max(interval-margin, interval/2)
	return period - period/10*int64(random())/policy.Million
}

// mayLog reports whether a failure at now is logged: those that follow soon are not.
func (s *source) mayLog(now int64) bool {
	if now-s.logged < window && now >= s.logged {
		return false
	}
	s.logged = now
	return true
}

// renew keeps the lease as long as this VM reads the document, and reports whether it has it: otherwise one that takes longer would be fetched over and over.
func (s *source) renew(now int64) bool {
	if s.lease-now > leaseSlack/2 {
		return true
	}
	st, cas := s.state()
	if st.lease != s.lease {
		return false
	}
	st.lease = now + leaseSlack
	if s.setState(&st, cas) {
		s.lease = st.lease
	}
	return true
}

// failed notes that the source gave nothing. It is asked again soon, and then less and less often.
func (s *source) failed(result string) {
	s.metrics.count(result)
	now := nowNanoseconds()
	if s.mayLog(now) {
		logWarn("corsguard: " + s.name() + ": fetching failed: " + result)
	}
	s.change(func(st *sourceState) {
		const first, doublings = int64(1e9), 10
		wait := first << min(st.failures, doublings)
		st.failures++
		st.lease, st.due = 0, now+min(wait, s.period())
	})
}
