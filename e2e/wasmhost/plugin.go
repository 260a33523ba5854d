package wasmhost

import (
	"errors"
	"fmt"
	"time"
)

// Plugin is one filter configuration in one VM: a root context.
type Plugin struct {
	vm         *VM
	root       *wasmContext
	config     []byte
	configOpen bool // the configuration can be read only while the plugin starts
	tickPeriod time.Duration
	ending     bool // it was asked to end and said that it needs time
}

// ErrRefused is in the errors of a plugin that said no to its configuration or its start.
var ErrRefused = errors.New("the plugin refused to start")

// Configure starts a plugin with a configuration, as Envoy does at a filter chain's load: context creation, VM start, configuration.
//
// The plugin is nil if there is an error: ErrRefused if a callback returned false, or the trap that ended the VM. What the plugin had to
// say is in the VM's Logs.
func (v *VM) Configure(config []byte) (*Plugin, error) {
	if v.dead != nil {
		return nil, v.dead
	}
	p := &Plugin{vm: v, config: config}
	p.root = v.newContext(wasmContext{plugin: p})
	p.configOpen = true
	v.event(p.root, "proxy_on_context_create", uint64(p.root.id), 0)
	p.configOpen = false
	if err := p.start("proxy_on_vm_start", len(v.process.host.opts.VMConfiguration)); err != nil {
		return nil, err
	}
	p.configOpen = true
	err := p.start("proxy_on_configure", len(config))
	p.configOpen = false
	if err != nil {
		return nil, err
	}
	return p, nil
}

// start calls a callback that answers whether to go on. One that the module does not export is a yes.
func (p *Plugin) start(name string, size int) error {
	result, _, ok := p.vm.event(p.root, name, uint64(p.root.id), uint64(size))
	switch {
	case p.vm.dead != nil:
		return p.vm.dead
	case ok && result == 0:
		return fmt.Errorf("wasmhost: %s: %w", name, ErrRefused)
	}
	return nil
}

// VM returns the VM that the plugin runs in.
func (p *Plugin) VM() *VM { return p.vm }

// Counters returns the counters of the plugin's process, by name. Plugins that define the same name share it.
func (p *Plugin) Counters() map[string]uint64 { return p.vm.process.Counters() }

// TickPeriod returns the period that the plugin asked for, 0 if it wants no ticks.
func (p *Plugin) TickPeriod() time.Duration { return p.tickPeriod }

// Tick lets the plugin's timer fire, and returns what was called. Nothing is, if the plugin set no period: Envoy would not either.
func (p *Plugin) Tick() Calls {
	return p.vm.counting(func() {
		if p.tickPeriod > 0 {
			p.vm.event(p.root, "proxy_on_tick", uint64(p.root.id))
		}
	})
}

// Shutdown ends the plugin, as a change of the configuration does. Its streams must be closed before.
func (p *Plugin) Shutdown() {
	if result, _, ok := p.vm.event(p.root, "proxy_on_done", uint64(p.root.id)); !ok || result != 0 {
		p.delete()
		return
	}
	p.ending = true
}

// delete is the end of a root context, at once or when the module calls proxy_done.
func (p *Plugin) delete() {
	p.vm.event(p.root, "proxy_on_delete", uint64(p.root.id))
	delete(p.vm.contexts, p.root.id)
	p.vm.process.dropCalls(func(other *Plugin) bool { return other == p })
	p.tickPeriod = 0
}
