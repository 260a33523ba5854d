package filter

// sourceMetrics tell of a source: when what is known of it was last so, and what became of fetches.
type sourceMetrics struct {
	name    string
	success gauge
	told    int64 // what the gauge was set to last
	results map[string]metric
}

// define creates the gauge of a source, and reports whether the host took it. Counters are created when they first count.
func (m *sourceMetrics) define(source string) bool {
	m.name, m.results = "corsguard.source."+statName(source), map[string]metric{}
	ok := true
	m.success = defineGauge(&ok, m.name+".last_success_seconds")
	return ok
}

// tell records when the source was last known to be as it is in force, in seconds since 1970: an age would stand still when nobody records it. All VMs record the same
// gauge, with the same value: it is that of what they share.
func (m *sourceMetrics) tell(st *sourceState) {
	if st.success > 0 && st.success != m.told {
		m.told = st.success
		m.success.record(uint64(st.success / 1e9))
	}
}

func (m *sourceMetrics) count(result string) {
	counter, known := m.results[result]
	if !known {
		ok := true
		if counter = defineCounter(&ok, m.name+".fetch."+result); !ok {
			return
		}
		m.results[result] = counter
	}
	counter.increment(1)
}

// statName returns a name as part of the name of a metric, of which dots separate the parts.
func statName(name string) string {
	const most = 128
	b := []byte(name[:min(len(name), most)])
	for i, c := range b {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			b[i] = '_'
		}
	}
	return string(b)
}
