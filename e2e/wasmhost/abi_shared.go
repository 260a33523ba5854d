package wasmhost

var sharedFunctions = []hostFunction{
	{name: "proxy_get_shared_data", typ: "(i32,i32,i32,i32,i32)i32", run: getSharedData},
	{name: "proxy_set_shared_data", typ: "(i32,i32,i32,i32,i32)i32", run: setSharedData},
	{name: "proxy_register_shared_queue", typ: "(i32,i32,i32)i32", run: registerSharedQueue},
	{name: "proxy_resolve_shared_queue", typ: "(i32,i32,i32,i32,i32)i32", run: resolveSharedQueue},
	{name: "proxy_dequeue_shared_queue", typ: "(i32,i32,i32)i32", run: dequeueSharedQueue},
	{name: "proxy_enqueue_shared_queue", typ: "(i32,i32,i32)i32", run: enqueueSharedQueue},
}

func getSharedData(v *VM, a []uint64) Result {
	key, ok := v.read(a[0], a[1])
	if !ok {
		return InvalidMemoryAccess
	}
	data, ok := v.process.shared[key]
	if !ok {
		return NotFound
	}
	if result := v.give(data.value, a[2], a[3]); result != OK {
		return result
	}
	return v.word(a[4], data.cas)
}

// setSharedData refuses a change to what has changed since the module read it, if the module says what it read.
func setSharedData(v *VM, a []uint64) Result {
	values, ok := v.reads(a[0], a[1], a[2], a[3])
	if !ok {
		return InvalidMemoryAccess
	}
	p, cas := v.process, uint32(a[4])
	if old, there := p.shared[values[0]]; there && cas != 0 && cas != old.cas {
		return CasMismatch
	}
	p.lastCas++
	p.shared[values[0]] = sharedValue{values[1], p.lastCas}
	return OK
}

// All VMs of a process have the same id, the empty one, so queues are known by their names.
func registerSharedQueue(v *VM, a []uint64) Result {
	name, ok := v.read(a[0], a[1])
	if !ok {
		return InvalidMemoryAccess
	}
	q := v.process.queues[name]
	if q == nil {
		q = &queue{token: uint32(len(v.process.queues) + 1)}
		v.process.queues[name] = q
	}
	q.vm, q.root = v, 0
	if p := v.context().plugin; p != nil {
		q.root = p.root.id
	}
	return v.word(a[2], q.token)
}

func resolveSharedQueue(v *VM, a []uint64) Result {
	values, ok := v.reads(a[0], a[1], a[2], a[3])
	if !ok {
		return InvalidMemoryAccess
	}
	q := v.process.queues[values[1]]
	if values[0] != "" || q == nil {
		return NotFound
	}
	return v.word(a[4], q.token)
}

func (p *Process) queue(token uint64) *queue {
	for _, q := range p.queues {
		if q.token == uint32(token) {
			return q
		}
	}
	return nil
}

func dequeueSharedQueue(v *VM, a []uint64) Result {
	q := v.process.queue(a[0])
	switch {
	case q == nil:
		return NotFound
	case len(q.items) == 0:
		return Empty
	}
	item := q.items[0]
	q.items = q.items[1:]
	return v.give(item, a[1], a[2])
}

// enqueueSharedQueue only stores: the queue's owner hears of it when Process.DeliverQueues runs, as in Envoy it does later, on its thread.
func enqueueSharedQueue(v *VM, a []uint64) Result {
	item, ok := v.read(a[1], a[2])
	if !ok {
		return InvalidMemoryAccess
	}
	q := v.process.queue(a[0])
	if q == nil {
		return NotFound
	}
	q.items = append(q.items, item)
	q.news++
	return OK
}

// DeliverQueues tells the owners of queues about what came in since the last call, once for each item.
func (p *Process) DeliverQueues() {
	for _, q := range p.queues {
		for ; q.news > 0; q.news-- {
			if c := q.vm.contexts[q.root]; c != nil {
				q.vm.event(c, "proxy_on_queue_ready", uint64(c.id), uint64(q.token))
			}
		}
	}
}
