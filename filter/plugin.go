package filter

import (
	"time"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// tickMilliseconds is how often counters go to the host. Between ticks they are numbers in the VM, so that counting costs a request nothing.
const tickMilliseconds = 1000

// plugin is one configuration on one worker.
type plugin struct {
	types.DefaultPluginContext
	vm    *vm
	rules *policy.Rules
	// names are the request headers that are looked at, by the lengths of their names.
	names uint64
	// counters are those of each rule.
	counters          []*ruleCounters
	refusalsPerMinute int
	// sources are where origins are fetched from, and inForce what they gave, nil for one that has given nothing yet.
	sources []*source
	inForce []*policy.Fetched
	// calls are those to sources that are under way.
	calls map[uint32]pendingCall
	tick  uint32 // how often ticks are asked for, in milliseconds
	// free holds streams that are over.
	free []*stream
}

// OnPluginStart implements types.PluginContext. A configuration with a mistake fails the start: Envoy then refuses the listener, or keeps the old one.
func (p *plugin) OnPluginStart(int) types.OnPluginStartStatus {
	spec, warnings, err := config.Parse(pluginConfiguration())
	releaseConfiguration()
	if err != nil {
		logConfigErrors(err)
		return types.OnPluginStartStatusFailed
	}
	for _, w := range warnings {
		logWarn("corsguard: config warning: " + w.String())
	}
	if p.rules, err = policy.Compile(&spec); err != nil {
		logConfigErrors(err)
		return types.OnPluginStartStatusFailed
	}
	p.names = requestNamesFor(p.rules)
	p.refusalsPerMinute = spec.Log.RefusalsPerMinute
	if _, byDefault := p.rules.Default(); !p.vm.counters.define(byDefault) {
		logError("corsguard: the host does not define metrics")
		return types.OnPluginStartStatusFailed
	}
	p.counters = make([]*ruleCounters, p.rules.Len())
	for i := range p.counters {
		p.counters[i] = p.vm.counters.of(p.rules.Name(i))
	}
	if !p.startSources(spec.Sources) || !p.askTicks(p.restingTick()) {
		logError("corsguard: the host gives no ticks, which counters need")
		return types.OnPluginStartStatusFailed
	}
	collectGarbage()
	return types.OnPluginStartStatusOK
}

func logConfigErrors(err error) {
	problems, ok := err.(config.Error)
	if !ok {
		logError("corsguard: config error: $: " + err.Error())
		return
	}
	for _, problem := range problems {
		logError("corsguard: config error: " + problem.String())
	}
}

// OnTick implements types.PluginContext. The tick of any plugin serves the whole VM.
func (p *plugin) OnTick() {
	p.vm.counters.flush()
	now := nowNanoseconds()
	p.vm.log.tick(now)
	if len(p.sources) > 0 {
		p.askTicks(p.tickSources(now))
	}
}

func nowNanoseconds() int64 { return time.Now().UnixNano() }

// restingTick is how often p ticks while it reads no document.
func (p *plugin) restingTick() uint32 {
	if len(p.sources) > 0 {
		return sourceTick
	}
	return tickMilliseconds
}

// askTicks asks for ticks, and reports whether the host gives them.
func (p *plugin) askTicks(milliseconds uint32) bool {
	if p.tick == milliseconds {
		return true
	}
	p.tick = milliseconds
	return setTickPeriod(milliseconds)
}

// Bounds of what waits to be used again: streams, and the bytes of each.
const (
	maxFree      = 1024
	maxFreeBytes = 4096
)

// NewHttpContext implements types.PluginContext.
func (p *plugin) NewHttpContext(uint32) types.HttpContext {
	n := len(p.free)
	if n == 0 {
		return p.reset(&stream{})
	}
	s := p.free[n-1]
	p.free = p.free[:n-1]
	return s
}

// reset makes s a stream of which nothing is known yet, and keeps its memory.
func (p *plugin) reset(s *stream) *stream {
	*s = stream{plugin: p, grant: s.grant[:0], sent: s.sent[:0]}
	s.rule, s.policy = p.rules.Unasked()
	return s
}

func (p *plugin) reuse(s *stream) {
	if len(p.free) < maxFree && cap(s.sent) <= maxFreeBytes {
		p.free = append(p.free, p.reset(s))
	}
}
