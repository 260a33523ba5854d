package wasmhost

var metricFunctions = []hostFunction{
	{name: "proxy_define_metric", typ: "(i32,i32,i32,i32)i32", run: defineMetric},
	{name: "proxy_increment_metric", typ: "(i32,i64)i32", run: incrementMetric},
	{name: "proxy_record_metric", typ: "(i32,i64)i32", run: recordMetric},
	{name: "proxy_get_metric", typ: "(i32,i32)i32", run: getMetric},
}

// The types of metrics. The lowest bits of an id are its type.
const (
	counterMetric   = 0
	gaugeMetric     = 1
	histogramMetric = 2
	metricTypeMask  = 3
)

// defineMetric gives a new id each time; ids of one name and type move the same metric.
func defineMetric(v *VM, a []uint64) Result {
	name, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	if a[0] > histogramMetric {
		return BadArgument
	}
	kind := uint32(a[0])
	v.nextSeq[kind]++
	id := kind | v.nextSeq[kind]<<2
	v.metrics[id] = name
	switch st := &v.process.stats; kind {
	case counterMetric:
		st.counters[name] += 0
	case gaugeMetric:
		st.gauges[name] += 0
	case histogramMetric:
		st.histograms[name] = append(st.histograms[name], nil...)
	}
	return v.word(a[3], id)
}

// incrementMetric takes only positive steps for counters.
func incrementMetric(v *VM, a []uint64) Result {
	id, offset := uint32(a[0]), int64(a[1])
	name, known := v.metrics[id]
	switch id & metricTypeMask {
	case counterMetric:
		if !known {
			return NotFound
		}
		if offset <= 0 {
			return BadArgument
		}
		v.process.stats.counters[name] += uint64(offset)
		return OK
	case gaugeMetric:
		if !known {
			return NotFound
		}
		v.process.stats.gauges[name] += uint64(offset)
		return OK
	}
	return BadArgument
}

func recordMetric(v *VM, a []uint64) Result {
	id := uint32(a[0])
	name, known := v.metrics[id]
	if !known {
		return NotFound
	}
	switch st := &v.process.stats; id & metricTypeMask {
	case counterMetric:
		st.counters[name] += a[1]
	case gaugeMetric:
		st.gauges[name] = a[1]
	case histogramMetric:
		st.histograms[name] = append(st.histograms[name], a[1])
	}
	return OK
}

func getMetric(v *VM, a []uint64) Result {
	id := uint32(a[0])
	name, known := v.metrics[id]
	switch kind := id & metricTypeMask; {
	case kind > gaugeMetric:
		return BadArgument
	case !known:
		return NotFound
	case kind == counterMetric:
		return v.word64(a[1], v.process.stats.counters[name])
	default:
		return v.word64(a[1], v.process.stats.gauges[name])
	}
}
