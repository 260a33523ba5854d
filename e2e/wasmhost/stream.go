package wasmhost

import (
	"maps"
	"slices"
	"strconv"
)

// Stream is one HTTP exchange as the plugin sees it: a stream context. Do runs a whole one; the other methods are its parts,
// for exchanges that end early.
type Stream struct {
	plugin  *Plugin
	vm      *VM
	context *wasmContext
	created bool // the module knows of it
	closed  bool
	out     Outcome

	route   *string // nil without a route
	request *headerMap
	// What the module can reach now: Envoy takes a map away when its callback has returned Continue.
	requestHeaders, responseHeaders *headerMap
	filterState                     map[string]string

	reply   *localReply
	paused  bool
	resumed bool
	reset   bool
}

// Outcome is what became of a stream.
type Outcome struct {
	Forwarded bool     // the request reached the upstream
	Upstream  []Header // the request's header map as the upstream gets it, if it does
	Local     bool     // the plugin answered itself
	Details   string   // its response code details, if it did
	Body      string   // its body, if it did

	// Status and Headers are the response that the client gets. Status is 0 if it gets none: the plugin holds the stream or reset it.
	Status  int
	Headers []Header
	Paused  bool
	Reset   bool

	// RouteCacheCleared counts the changes to request headers: each one makes Envoy match routes anew.
	RouteCacheCleared int
	FilterState       map[string]string // by name, without Envoy's prefix "wasm."
	Calls             StreamCalls
	Err               error // the trap that ended the VM before the response was complete; the client got 503
}

// StreamCalls are the crossings of a stream, by phase. The stream context's creation belongs to the request.
type StreamCalls struct{ Request, Response, Close Calls }

// Values returns the values of a response header, in order.
func (o Outcome) Values(name string) []string {
	var values []string
	for _, h := range o.Headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return values
}

// NewStream makes the filter for a new stream. The module hears of it with the request's headers.
func (p *Plugin) NewStream() *Stream {
	s := &Stream{plugin: p, vm: p.vm}
	s.context = p.vm.newContext(wasmContext{plugin: p, stream: s})
	return s
}

// ID returns the id of the stream's context.
func (s *Stream) ID() uint32 { return s.context.id }

// Do runs a whole exchange: the request, the upstream's response if the request gets that far, the end.
func (s *Stream) Do(request Request, response Response) Outcome {
	s.SendRequest(request)
	if s.out.Forwarded {
		s.SendResponse(response)
	}
	return s.Close()
}

// SendRequest gives the request's headers to the plugin. If it answers itself, the answer passes through its own response callback, as
// in Envoy, before SendRequest returns.
func (s *Stream) SendRequest(request Request) Outcome {
	s.out.Calls.Request = s.vm.counting(func() {
		s.create()
		if !request.NoRoute {
			s.route = &request.Route
		}
		s.request = s.vm.process.host.requestMap(request.lines())
		s.requestHeaders = s.request
		if s.headers("proxy_on_request_headers", s.request, !request.HasBody) {
			s.requestHeaders = nil
		}
	})
	switch {
	case s.vm.dead != nil:
		s.fail()
	case s.reply != nil:
		reply := *s.reply
		s.out.Local, s.out.Details, s.out.Body = true, reply.details, reply.body
		s.respond(reply.response(s.vm.process.host, isGRPC(s.request)), reply.body == "")
	case s.reset:
		s.out.Reset = true
	case s.paused && !s.resumed:
		s.out.Paused = true
	default:
		s.out.Forwarded = true
		s.out.Upstream = slices.Clone(s.request.lines)
	}
	return s.out
}

// SendResponse gives the response's headers to the plugin, those of the upstream or of a filter behind it. Without a request before,
// Envoy would not call the plugin, and nothing is called here.
func (s *Stream) SendResponse(response Response) Outcome {
	s.respond(s.vm.process.host.responseMap(response.lines()), !response.HasBody)
	return s.out
}

func (s *Stream) respond(response *headerMap, end bool) {
	s.paused, s.resumed, s.reply = false, false, nil
	if s.created {
		s.out.Calls.Response = s.vm.counting(func() {
			s.responseHeaders = response
			if s.headers("proxy_on_response_headers", response, end) {
				s.responseHeaders = nil
			}
		})
	}
	switch {
	case s.vm.dead != nil:
		s.fail()
		return
	case s.reset:
		s.out.Reset = true
		return
	case s.reply != nil: // from the response phase: it passes no filter
		s.out.Local, s.out.Details, s.out.Body = true, s.reply.details, s.reply.body
		response = s.reply.response(s.vm.process.host, isGRPC(s.request))
	case s.paused && !s.resumed:
		s.out.Paused = true
		return
	}
	status, _ := response.get(":status")
	s.out.Status, _ = strconv.Atoi(status)
	s.out.Headers = slices.DeleteFunc(slices.Clone(response.lines), func(h Header) bool { return h[0] == ":status" })
}

// headers calls a header callback and reports whether it let the iteration go on.
func (s *Stream) headers(name string, m *headerMap, end bool) bool {
	var endOfStream uint64
	if end {
		endOfStream = 1
	}
	result, stopped, ok := s.vm.event(s.context, name, uint64(s.context.id), uint64(len(m.lines)), endOfStream)
	s.paused = ok && (stopped || result != 0)
	return !s.paused
}

// Close ends the stream: the log, the end, the deletion, each where the module exports the callback. A stream without a request is
// created first, for the log's sake, as Envoy does.
func (s *Stream) Close() Outcome {
	if s.closed {
		return s.out
	}
	s.closed = true
	s.out.Calls.Close = s.vm.counting(func() {
		s.create()
		id := uint64(s.context.id)
		s.vm.event(s.context, "proxy_on_log", id)
		s.vm.event(s.context, "proxy_on_done", id)
		s.vm.event(s.context, "proxy_on_delete", id)
	})
	delete(s.vm.contexts, s.context.id)
	s.out.FilterState = maps.Clone(s.filterState)
	return s.out
}

func (s *Stream) create() {
	if !s.created {
		s.vm.event(s.context, "proxy_on_context_create", uint64(s.context.id), uint64(s.plugin.root.id))
		s.created = true
	}
}

// fail answers as Envoy does where a VM is dead and the filter does not fail open.
func (s *Stream) fail() {
	s.out.Status, s.out.Headers, s.out.Err = 503, nil, s.vm.dead
}
