package wasmhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// VM is one instance of the module: what one worker thread of Envoy holds for all filter configurations with the same code.
type VM struct {
	process  *Process
	module   api.Module
	ctx      context.Context // carries the VM to the host functions
	exported map[string]api.Function

	dead     error
	logs     []Log
	calls    *Calls
	contexts map[uint32]*wasmContext
	nextID   uint32
	metrics  map[uint32]string
	nextSeq  [3]uint32 // metric ids, by type

	// What holds while the module runs.
	current         *wasmContext
	effective       uint32
	restricted      map[string]bool // nil: every host call is allowed
	restrictedWhile string
	stopIteration   bool
	answer          *callAnswer // to a call, while the module hears of it
	lastCall        uint32      // the token of the last call
	afterCall       []func()
}

// wasmContext is what a context id in the module stands for.
type wasmContext struct {
	id     uint32
	plugin *Plugin // nil in the VM's own context, which has id 0
	stream *Stream // nil in root contexts
}

// Level is a log level, numbered as proxy-wasm does.
type Level uint32

// The log levels.
const (
	Trace Level = iota
	Debug
	Info
	Warn
	Error
	Critical
)

// String returns the level's name as Envoy writes it.
func (l Level) String() string {
	if l > Critical {
		return fmt.Sprintf("level(%d)", uint32(l))
	}
	return [...]string{"trace", "debug", "info", "warning", "error", "critical"}[l]
}

// Log is a line that the module logged; what it wrote to standard output or error is here too, as info and error.
type Log struct {
	Level   Level
	Message string
}

// String returns "[level] message".
func (l Log) String() string { return "[" + l.Level.String() + "] " + l.Message }

// NewVM instantiates the module and initializes it. The error of a module that traps at that is the VM's end.
func (p *Process) NewVM() (*VM, error) {
	v := &VM{process: p, calls: newCalls(), contexts: map[uint32]*wasmContext{0: {}}, nextID: 1, exported: map[string]api.Function{}, metrics: map[uint32]string{}}
	v.current = v.contexts[0]
	v.ctx = context.WithValue(p.host.ctx, vmKey{}, v)
	module, err := p.host.runtime.InstantiateModule(v.ctx, p.host.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions())
	if err != nil {
		return nil, fmt.Errorf("wasmhost: instantiate: %w", err)
	}
	v.module = module
	for name := range p.host.compiled.ExportedFunctions() {
		v.exported[name] = module.ExportedFunction(name)
	}
	v.restrict("it initializes", startCalls[p.host.opts.Release])
	v.callback(v.current, "_initialize")
	v.callback(v.current, "main", 0, 0)
	v.callback(v.current, "__main_void")
	v.unrestrict()
	if v.dead != nil {
		return nil, errors.Join(v.dead, v.Close())
	}
	p.vms = append(p.vms, v)
	return v, nil
}

// Close frees the VM. The plugins and streams that it had are of no more use.
func (v *VM) Close() error {
	v.process.vms = slices.DeleteFunc(v.process.vms, func(other *VM) bool { return other == v })
	v.process.dropCalls(func(p *Plugin) bool { return p.vm == v })
	return v.module.Close(context.WithoutCancel(v.ctx))
}

// Process returns the process that the VM belongs to.
func (v *VM) Process() *Process { return v.process }

// Dead returns why the VM trapped, nil while it lives. A dead VM gets no more callbacks, and its streams get 503.
func (v *VM) Dead() error { return v.dead }

// Logs returns what was logged since the start or the last ResetLogs.
func (v *VM) Logs() []Log { return slices.Clone(v.logs) }

// ResetLogs forgets what was logged.
func (v *VM) ResetLogs() { v.logs = nil }

// Memory returns the size of the module's memory in bytes. It never shrinks.
func (v *VM) Memory() uint64 { return uint64(v.module.Memory().Size()) }

// Calls returns all that was counted since the VM was made.
func (v *VM) Calls() Calls { return *v.calls }

// Contexts returns the number of contexts that live, roots and streams.
func (v *VM) Contexts() int { return len(v.contexts) - 1 }

// restrict lets the module make only the host calls named.
func (v *VM) restrict(while string, allowed map[string]bool) {
	v.restrictedWhile, v.restricted = while, allowed
}

func (v *VM) unrestrict() { v.restricted = nil }

// newContext takes the next context id.
func (v *VM) newContext(c wasmContext) *wasmContext {
	c.id = v.nextID
	v.nextID++
	v.contexts[c.id] = &c
	return &c
}

// callback calls an export, in a context, if the module has it and the VM lives, and returns its result, 0 if it has none. It reports
// whether it called it and it returned.
func (v *VM) callback(c *wasmContext, name string, args ...uint64) (uint64, bool) {
	f := v.exported[name]
	if f == nil || v.dead != nil {
		return 0, false
	}
	outer, outerEffective := v.current, v.effective
	v.current, v.effective = c, 0
	v.calls.Callbacks[strings.TrimPrefix(name, "proxy_")]++
	results, err := f.Call(v.ctx, args...)
	v.current, v.effective = outer, outerEffective
	if err != nil {
		v.dead = fmt.Errorf("wasmhost: %s trapped: %w", name, err)
		v.unrestrict()
		return 0, false
	}
	if len(results) == 0 {
		return 0, true
	}
	return uint64(api.DecodeU32(results[0])), true // every callback's result is 32 bits
}

// event is a callback after which Envoy does what the host calls put off: local replies and the like. It reports whether the callback
// asked for the iteration to stop by a local reply, besides what callback returns.
func (v *VM) event(c *wasmContext, name string, args ...uint64) (result uint64, stopped, ok bool) {
	result, ok = v.callback(c, name, args...)
	stopped, v.stopIteration = v.stopIteration, false
	actions := v.afterCall
	v.afterCall = nil
	for _, act := range actions {
		act()
	}
	return result, stopped, ok
}

// context returns the context that a host call acts on.
func (v *VM) context() *wasmContext {
	if c := v.contexts[v.effective]; v.effective != 0 && c != nil {
		return c
	}
	return v.current
}
