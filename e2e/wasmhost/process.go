package wasmhost

import (
	"maps"
	"time"
)

// Process stands for one Envoy process: what its VMs share.
type Process struct {
	host    *Host
	stats   stats
	shared  map[string]sharedValue
	lastCas uint32
	queues  map[string]*queue // by VM id and name
	vms     []*VM
	clock   time.Duration // since the process began

	clusters map[string]Cluster
	calls    []*HTTPCall
}

type sharedValue struct {
	value string
	cas   uint32
}

type queue struct {
	token uint32
	vm    *VM
	root  uint32 // the context that hears of it
	items []string
	news  int // items that the owner has not heard of
}

// NewProcess returns a process without VMs.
func (h *Host) NewProcess() *Process {
	return &Process{host: h, shared: map[string]sharedValue{}, queues: map[string]*queue{}, stats: newStats(), clusters: map[string]Cluster{}}
}

// SharedData returns what VMs share, by key.
func (p *Process) SharedData() map[string]string {
	all := map[string]string{}
	for key, data := range p.shared {
		all[key] = data.value
	}
	return all
}

// SetSharedData sets what VMs share, as other code with the same VM id may.
func (p *Process) SetSharedData(key, value string) {
	p.lastCas++
	p.shared[key] = sharedValue{value, p.lastCas}
}

// NewVM starts a VM in a process of its own.
func (h *Host) NewVM() (*VM, error) { return h.NewProcess().NewVM() }

// Advance moves the clock that the process's VMs read, back if d is negative. It stands still otherwise, but for a moment with each look, so that a test comes to the same
// on any machine.
func (p *Process) Advance(d time.Duration) { p.clock += d }

const moment = time.Microsecond

func (p *Process) sinceBegin() time.Duration {
	p.clock += moment
	return p.clock
}

var begin = time.Now()

func (p *Process) now() time.Time { return begin.Add(p.sinceBegin()) }

// Counters returns the value of every counter that is defined, by name, without Envoy's prefix "wasmcustom.".
func (p *Process) Counters() map[string]uint64 { return maps.Clone(p.stats.counters) }

// Gauges returns the value of every gauge that is defined.
func (p *Process) Gauges() map[string]uint64 { return maps.Clone(p.stats.gauges) }

// Histograms returns what was recorded in every histogram that is defined.
func (p *Process) Histograms() map[string][]uint64 { return maps.Clone(p.stats.histograms) }

// stats are a process's metrics. VMs define them by name and get ids of their own, as Envoy's do: a counter that two workers define
// is one counter.
type stats struct {
	counters, gauges map[string]uint64
	histograms       map[string][]uint64
}

func newStats() stats {
	return stats{counters: map[string]uint64{}, gauges: map[string]uint64{}, histograms: map[string][]uint64{}}
}
