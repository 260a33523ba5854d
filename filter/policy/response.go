package policy

import (
	"strings"

	"corsguard/filter/fetch"
)

// The response headers that the filter owns, as indexes.
const (
	allowOrigin = iota
	allowCredentials
	allowMethods
	allowHeaders
	exposeHeaders
	maxAge
	allowPrivateNetwork
	timingAllowOrigin // the last that is replaced whole
	vary
	numOwned
)

var ownedNames = [numOwned]string{
	fetch.HeaderAllowOrigin, fetch.HeaderAllowCredentials, fetch.HeaderAllowMethods, fetch.HeaderAllowHeaders,
	fetch.HeaderExposeHeaders, fetch.HeaderMaxAge, fetch.HeaderAllowPrivateNetwork, fetch.HeaderTimingAllowOrigin, fetch.HeaderVary,
}

// Response is what a response already holds of the headers that the filter owns. The zero value is a response without any.
type Response struct {
	seen     bool // a header other than Vary was added
	upgraded bool
	lines    [numOwned]uint32
	values   [numOwned]string // the first line; all lines of vary, joined
	// unknown names the headers of the protocol's namespace that this version does not know: they may be grants of a coming standard.
	unknown []string

	// plan is what the policy sets beside them, nil for nothing, and planned what there is of it.
	plan    *headerPlan
	planned planned
}

// Expect makes r, to which nothing was added, take note of the headers that p sets.
func (p *Policy) Expect(r *Response) { r.plan = p.plan }

// ResponseNames has a bit for each length, below 63, of a name that Response.Add cares for; bit 63 stands for all that are longer. It is for callers that
// can pass over the others cheaply.
const ResponseNames uint64 = 1<<len(fetch.HeaderVary) | 1<<len(fetch.PseudoStatus) | (1<<64 - 1<<len(namespace))

// Add tells r of a header line, its name in lower case. value must stay as it is while r is in use.
func (r *Response) Add(name, value string) {
	// Called for every header of every response: the length and the first letter tell nearly all apart.
	switch {
	case len(name) == len(fetch.HeaderVary):
		if name == fetch.HeaderVary {
			r.add(vary, value)
		}
	case len(name) == len(fetch.PseudoStatus):
		if name == fetch.PseudoStatus {
			r.upgraded = value == "101"
		}
	case len(name) < len(namespace):
	case name[0] == 'a' && strings.HasPrefix(name, namespace):
		r.seen = true
		for i := allowOrigin; i < timingAllowOrigin; i++ {
			if name == ownedNames[i] {
				r.add(i, value)
				return
			}
		}
		r.addUnknown(name)
	case name == fetch.HeaderTimingAllowOrigin:
		r.seen = true
		r.add(timingAllowOrigin, value)
	case r.plan != nil:
		r.plan.see(&r.planned, name, value)
	}
}

func (r *Response) add(i int, value string) {
	r.lines[i]++
	switch {
	case r.lines[i] == 1:
		r.values[i] = value
	case i == vary:
		r.values[i] += ", " + value
	}
}

const namespace = "access-control-"

func (r *Response) addUnknown(name string) {
	for _, have := range r.unknown {
		if have == name {
			return
		}
	}
	r.unknown = append(r.unknown, name)
}

// Op is what an Edit does.
type Op uint8

const (
	// RemoveHeader removes all lines of the name.
	RemoveHeader Op = iota
	// AddHeader adds a line to a response that has none of the name.
	AddHeader
	// ReplaceHeader changes the value of the one line that there is.
	ReplaceHeader
)

// Edit is one change of a response's headers.
type Edit struct {
	_ [0]func() // not comparable, like Request

	Op          Op
	Name, Value string
}

//go:noinline
func appendEdit(edits []Edit, op Op, name, value string) []Edit {
	return append(edits, Edit{Op: op, Name: name, Value: value})
}

// VaryMemo remembers the last Vary header that was merged, so that the usual response allocates nothing. It belongs to one user at a time.
type VaryMemo struct {
	_ [0]func() // not comparable

	on      VaryOn
	value   string
	merged  string
	changed bool
}

const maxVaryMemo = 256

var varyElements = [...][]string{
	VaryOrigin:    {"Origin"},
	VaryPreflight: {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"},

	VaryFetchMetadata:          {"Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"},
	VaryOriginAndFetchMetadata: {"Origin", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site"},
}

var varyValues = [...]string{
	VaryOrigin:    "Origin",
	VaryPreflight: "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",

	VaryFetchMetadata:          "Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site",
	VaryOriginAndFetchMetadata: "Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site",
}

func (m *VaryMemo) merge(value string, on VaryOn) (string, bool) {
	if m.on == on && m.value == value {
		return m.merged, m.changed
	}
	merged, changed := fetch.MergeVary(value, varyElements[on])
	if len(value) <= maxVaryMemo {
		// The value may live in memory that the host writes to again: keep a copy.
		m.on, m.value, m.changed = on, string([]byte(value)), changed
		m.merged = m.value
		if changed {
			m.merged = merged
		}
	}
	return merged, changed
}

// Edits appends to edits what has to be done to the response r to a request that was decided as d and came over https, if secure, so that exactly one of each CORS header
// remains, or none, and one of each header that the policy sets. r was told of p by Expect. A switching of protocols (101) is left alone.
func (p *Policy) Edits(d *Decision, r *Response, secure bool, memo *VaryMemo, edits []Edit) []Edit {
	if r.upgraded {
		return edits
	}
	if p.plan != nil {
		edits = p.plan.edits(&r.planned, secure, false, edits)
	}
	switch {
	case p.off:
	case r.seen:
		edits = p.replace(d, r, edits)
	case d.Grant != "":
		for _, i := range [...]int{allowOrigin, allowCredentials, exposeHeaders, timingAllowOrigin} {
			if v := d.actualValue(i); v != "" {
				edits = appendEdit(edits, AddHeader, ownedNames[i], v)
			}
		}
	}
	return r.editVary(d.Vary, memo, edits)
}

// replace appends the edits for a response that has CORS headers of the upstream.
func (p *Policy) replace(d *Decision, r *Response, edits []Edit) []Edit {
	keepCORS, keepTiming := false, false
	if p.keepUpstreamHeaders {
		keepCORS = len(r.unknown) > 0
		for i := allowOrigin; i < timingAllowOrigin; i++ {
			keepCORS = keepCORS || r.lines[i] > 0
		}
		keepTiming = r.lines[timingAllowOrigin] > 0
	}
	if !keepCORS {
		for i := allowOrigin; i < timingAllowOrigin; i++ {
			edits = r.edit(i, d.actualValue(i), edits)
		}
		for _, name := range r.unknown {
			edits = appendEdit(edits, RemoveHeader, name, "")
		}
	}
	if !keepTiming {
		edits = r.edit(timingAllowOrigin, d.actualValue(timingAllowOrigin), edits)
	}
	return edits
}

// Restore appends what has to be done to the response r, the local reply to a request that was decided as d, which was sent with the headers of sent and that Envoy has changed since: a
// route's response_headers_to_add counts for local replies too, and must not add a grant, nor double what the policy sets.
func (p *Policy) Restore(d *Decision, sent, r *Response, secure bool, memo *VaryMemo, edits []Edit) []Edit {
	if d.carriesPlan(p) {
		edits = p.plan.edits(&r.planned, secure, true, edits)
	}
	if sent.seen || r.seen {
		for i := allowOrigin; i <= timingAllowOrigin; i++ {
			edits = r.edit(i, sent.values[i], edits)
		}
		for _, name := range r.unknown {
			edits = appendEdit(edits, RemoveHeader, name, "")
		}
	}
	return r.editVary(d.Vary, memo, edits)
}

// carriesPlan reports whether the local reply to d has the headers that p sets. An answer to a preflight has not: browsers look at nothing else of it than CORS.
func (d *Decision) carriesPlan(p *Policy) bool { return p.plan != nil && d.Kind != Preflight }

// actualValue returns the value of the header i on a response to an actual request, "" where it must not be there.
func (d *Decision) actualValue(i int) string {
	if d.Grant == "" {
		return ""
	}
	switch i {
	case allowOrigin:
		return d.Grant
	case allowCredentials:
		if d.group.credentials {
			return "true"
		}
	case exposeHeaders:
		return d.group.exposeValue
	case timingAllowOrigin:
		if d.group.timing {
			return d.Grant
		}
	}
	return ""
}

func (r *Response) edit(i int, want string, edits []Edit) []Edit {
	name := ownedNames[i]
	switch lines := r.lines[i]; {
	case lines == 0 && want == "", lines == 1 && r.values[i] == want && want != "":
		return edits
	case lines == 1 && want != "":
		return appendEdit(edits, ReplaceHeader, name, want)
	case lines > 0:
		edits = appendEdit(edits, RemoveHeader, name, "")
	}
	if want != "" {
		edits = appendEdit(edits, AddHeader, name, want)
	}
	return edits
}

func (r *Response) editVary(on VaryOn, memo *VaryMemo, edits []Edit) []Edit {
	if on == VaryNothing {
		return edits
	}
	if r.lines[vary] == 0 {
		return appendEdit(edits, AddHeader, fetch.HeaderVary, varyValues[on])
	}
	merged, changed := memo.merge(r.values[vary], on)
	if !changed {
		return edits
	}
	if r.lines[vary] == 1 {
		return appendEdit(edits, ReplaceHeader, fetch.HeaderVary, merged)
	}
	return appendEdit(appendEdit(edits, RemoveHeader, fetch.HeaderVary, ""), AddHeader, fetch.HeaderVary, merged)
}

// Header is a header line: a name and a value.
type Header = [2]string

// Reply appends to headers those of the local reply that d calls for, to a request that came over https, if secure.
func (p *Policy) Reply(d *Decision, secure bool, headers []Header) []Header {
	if d.Grant != "" {
		headers = appendHeader(headers, fetch.HeaderAllowOrigin, d.Grant)
		if d.group.credentials {
			headers = appendHeader(headers, fetch.HeaderAllowCredentials, "true")
		}
		headers = appendHeader(headers, fetch.HeaderAllowMethods, d.AllowMethods)
		headers = appendHeader(headers, fetch.HeaderAllowHeaders, d.AllowHeaders)
		headers = appendHeader(headers, fetch.HeaderExposeHeaders, d.group.exposeValue)
		headers = appendHeader(headers, fetch.HeaderMaxAge, d.group.maxAgeValue)
		if d.PrivateNetwork {
			headers = appendHeader(headers, fetch.HeaderAllowPrivateNetwork, "true")
		}
	}
	if d.carriesPlan(p) {
		headers = p.plan.reply(secure, headers)
	}
	return appendHeader(headers, fetch.HeaderVary, varyValues[d.Vary])
}

//go:noinline
func appendHeader(headers []Header, name, value string) []Header {
	if value == "" {
		return headers
	}
	return append(headers, Header{name, value})
}

// GrantHeaders returns the names of the response headers that grant something. Without them a response is closed to other origins.
func GrantHeaders() []string { return append([]string(nil), ownedNames[:vary]...) }
