package filter

import (
	"strconv"

	"corsguard/filter/config"
	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// Origins that are fetched at run time. Every VM, one a worker, has every source; what they share is in the host's shared data: the document, and a state that says when it
// is to be fetched next and who does it. Whoever finds it due takes a lease by compare-and-swap, fetches, validates, and publishes; the others see a new version in
// the state and read the document. A lease ends by itself, so that a VM that dies stops nobody.

// source is a source as this VM has it.
type source struct {
	*policy.Source
	stateKey, documentKey string
	// version is that of the document in force here, 0 where there is none, refused that of a published one that cannot be read here, and looked that of the state in which the
	// published one was last looked at.
	version, refused, looked int64
	// reading is the document that is being read, step by step, nil where none is; readingVersion is to be its version.
	reading        *config.Document
	readingVersion int64
	// inForce is the document in force, and spare what the next one is read into. They are used in turn: large documents would leave as much garbage each.
	inForce, spare *document
	// isOwn: this VM fetched the document that is being read, and etag is its validator.
	isOwn   bool
	etag    string
	lease   int64 // under which this VM has fetched last
	logged  int64 // when a failure was last logged
	metrics sourceMetrics
}

// document is memory for a document.
type document struct {
	// data is the version and the text, as VMs share them. Strings of fetched are parts of it.
	data    []byte
	fetched *policy.Fetched
}

func (d *document) text() string { return borrow(d.data[min(versionBytes, len(d.data)):]) }

// Ticks of plugins with sources, in milliseconds: of such that read a document, and others.
const (
	readingTick = 10
	sourceTick  = 250
)

// elementsPerStep bounds what a tick reads of a document: some milliseconds' worth.
const elementsPerStep = 2000

// leaseSlack is how much longer than the call a lease is, in nanoseconds: for the tick that the answer waits for, and for reading it.
const leaseSlack = int64(5e9)

// clockSlack is how far a time that was computed may lie ahead of where it can be, before the clock is taken to have been set back.
const clockSlack = int64(5e9)

// startSources makes the sources of the configuration, and takes into force what other VMs, or the configuration before this one, have of their documents.
func (p *plugin) startSources(sources []policy.Source) bool {
	p.sources = make([]*source, len(sources))
	p.inForce = make([]*policy.Fetched, len(sources))
	p.calls = map[uint32]pendingCall{}
	for i := range sources {
		s := &source{Source: &sources[i], inForce: &document{}, spare: &document{}}
		identity := " " + s.Cluster + " " + s.Authority + " " + s.Path + " " + strconv.Itoa(s.MaxBytes) + checksOf(s.Source)
		s.stateKey, s.documentKey = "corsguard/1/state"+identity, "corsguard/1/document"+identity
		if !s.metrics.define(s.Cluster + s.Path) {
			return false
		}
		p.sources[i] = s
		// This also runs in a VM that only tries the configuration out, so nothing is written.
		if st, _ := s.state(); st.version > 0 && s.begin(&st) {
			p.readWhole(i)
		}
	}
	return true
}

// readWhole reads what was begun to its end. The configuration must not fail for what is found there, whatever it is.
func (p *plugin) readWhole(i int) {
	defer func() {
		if recover() != nil {
			p.sources[i].abandon()
		}
	}()
	for !p.sources[i].reading.Step(elementsPerStep) {
	}
	p.finish(i)
}

func checksOf(s *policy.Source) string {
	text := " "
	for i, on := range [...]bool{s.Credentials, s.InsecureOK, s.PublicSuffixOK} {
		if on {
			text += strconv.Itoa(i)
		}
	}
	return text
}

// tickSources does for every source what is due at now, in nanoseconds, and returns how long the next tick may wait, in milliseconds.
func (p *plugin) tickSources(now int64) uint32 {
	next := uint32(sourceTick)
	for i, s := range p.sources {
		if s.reading != nil && s.isOwn && !s.renew(now) {
			s.reading, s.isOwn = nil, false
		}
		if s.reading != nil {
			p.vm.source = s
			if s.reading.Step(elementsPerStep) {
				p.finish(i)
			} else {
				next = readingTick
			}
			p.vm.source = nil
			continue
		}
		st, cas := s.state()
		s.metrics.tell(&st)
		switch {
		case st.version != s.version && st.version > 0 && s.begin(&st):
			next = readingTick
		case st.isDue(s, now):
			p.fetch(i, &st, cas, now)
		}
	}
	return next
}

// begin begins to read the published document, and reports whether there is one that was not read yet. Its version is its own: a VM that dies while it publishes leaves a
// document that the state does not know of.
func (s *source) begin(st *sourceState) bool {
	if st.version == s.looked {
		return false
	}
	s.looked = st.version
	data, ok := sharedDataInto(s.spare.data, s.documentKey)
	if !ok || len(data) < versionBytes || len(data) > versionBytes+s.MaxBytes {
		return false // others wrote it
	}
	s.spare.data = data
	version := readVersion(data)
	if version == s.version || version == s.refused {
		return false
	}
	s.read(version)
	return true
}

// read begins to read what is in the spare document.
func (s *source) read(version int64) {
	d := s.spare
	if d.fetched == nil {
		d.fetched = config.Room(len(d.text()))
	}
	s.readingVersion = version
	s.reading = config.NewDocument(d.text(), s.Source, d.fetched)
}

// finish takes a document into force that was read to its end, and publishes it if this VM fetched it.
func (p *plugin) finish(i int) {
	s := p.sources[i]
	fetched, err := s.reading.Result()
	version, isOwn := s.readingVersion, s.isOwn
	s.reading, s.isOwn = nil, false
	defer collectGarbage() // of the document before this one, or of this one
	if err != nil {
		if s.mayLog(nowNanoseconds()) {
			logSourceError(s.Source, err)
		}
		if isOwn {
			s.failed("invalid")
		} else {
			s.refused = version // what others published was valid by the same code, so it was not they
		}
		return
	}
	if isOwn {
		var ok bool
		if version, ok = s.publish(version); !ok {
			return
		}
	}
	s.inForce, s.spare = s.spare, s.inForce
	s.version, p.inForce[i] = version, fetched
}

// fetch asks the source for its document, if this VM gets the lease.
func (p *plugin) fetch(i int, st *sourceState, cas uint32, now int64) {
	s := p.sources[i]
	leased := *st
	leased.lease = now + int64(s.Timeout)*1e6 + leaseSlack
	if !s.setState(&leased, cas) {
		return // another VM has it
	}
	s.lease = leased.lease
	headers := []policy.Header{
		{fetch.PseudoMethod, "GET"}, {fetch.PseudoPath, s.Path}, {fetch.PseudoAuthority, s.Authority}, {fetch.HeaderAccept, "application/json"}, {"user-agent", "corsguard"},
	}
	conditional := st.etag != "" && st.version > 0 && st.version == s.version
	if conditional {
		headers = append(headers, policy.Header{"if-none-match", st.etag})
	}
	call, ok := dispatch(p, s.Cluster, headers, uint32(s.Timeout))
	if !ok {
		s.failed("no_cluster")
		return
	}
	p.calls[call] = pendingCall{i, now, leased.lease, conditional}
	fetchFault(s)
}

// pendingCall is a call to a source that is under way.
type pendingCall struct {
	source      int
	since       int64
	lease       int64
	conditional bool
}

// OnHTTPCallResponse is told of the answer to a call, without headers where there is none.
func (p *plugin) OnHTTPCallResponse(call uint32, headers, bodySize int) {
	pending, ok := p.calls[call]
	if !ok {
		return
	}
	delete(p.calls, call)
	s := p.sources[pending.source]
	if st, _ := s.state(); st.lease != pending.lease {
		return // so late that another VM has asked since
	}
	s.lease = pending.lease
	status, encoding := "", ""
	if headers > 0 {
		status, _ = callHeader(fetch.PseudoStatus)
		status = string([]byte(status)) // the next read takes its place
		encoding, _ = callHeader("content-encoding")
	}
	switch {
	case status == "":
		s.failed("broken_off")
	case status == "304" && pending.conditional:
		s.succeeded(pending.since, "not_modified")
	case status != "200":
		s.failed("status")
	case encoding != "" && encoding != "identity":
		s.failed("encoded")
	case bodySize > s.MaxBytes:
		if s.mayLog(nowNanoseconds()) {
			logWarn("corsguard: " + s.name() + ": " + strconv.Itoa(bodySize) + " bytes are more than maxBytes")
		}
		s.failed("too_large")
	default:
		etag, _ := callHeader("etag")
		if s.etag = ""; len(etag) <= maxETag {
			s.etag = string([]byte(etag)) // the host's memory is used again
		}
		s.receive(bodySize)
		// Many services know no validators. To read what is in force again would be work for every VM.
		if st, _ := s.state(); s.version > 0 && st.version == s.version && s.spare.text() == s.inForce.text() {
			s.succeeded(pending.since, "not_modified")
			return
		}
		s.read(pending.since)
		s.isOwn = true
		p.askTicks(readingTick)
	}
}

// receive puts the body of an answer into the spare document, whatever was read there.
func (s *source) receive(size int) {
	if s.reading != nil && !s.isOwn {
		s.looked = 0 // it is to be read after all
	}
	s.reading, s.isOwn = nil, false
	d := s.spare
	d.data = withCapacity(d.data, versionBytes+size)[:versionBytes]
	d.data = append(d.data, callBodyInto(d.data[versionBytes:], size)...) // where it is already, if it came into that memory
	d.data = d.data[:versionBytes+unescapeSlashes(d.data[versionBytes:])]
}

// unescapeSlashes makes \/ in a JSON text a plain slash, as many libraries write it in every URL, and returns the new length: a string with an escape would take memory of its own.
func unescapeSlashes(text []byte) int {
	n := 0
	for n < len(text) && text[n] != '\\' {
		n++
	}
	for i := n; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			if text[i] != '/' {
				text[n] = '\\'
				n++
			}
		}
		text[n] = text[i]
		n++
	}
	return n
}

// withCapacity returns b or, where it has no room for n bytes, other memory with more than that: documents grow little by little.
func withCapacity(b []byte, n int) []byte {
	if n > cap(b) {
		return make([]byte, 0, n+n/4)
	}
	return b
}

// abandon gives up a document that cannot be read.
func (s *source) abandon() {
	isOwn := s.isOwn
	s.reading, s.isOwn = nil, false
	if isOwn {
		s.failed("internal")
	} else {
		s.refused = s.readingVersion
	}
}

func (s *source) name() string { return "source " + fetch.Quoted(s.Cluster+s.Path, maxLogged) }

func logSourceError(s *policy.Source, err error) {
	problems, ok := err.(config.Error)
	if !ok {
		return
	}
	for i := range problems {
		logWarn("corsguard: source " + fetch.Quoted(s.Cluster+s.Path, maxLogged) + ": refused: " + problems[i].String())
	}
}
