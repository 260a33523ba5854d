package policy

// HeaderName names a response header that policies set, beside those of CORS.
type HeaderName uint8

// The headers of isolation (HTML standard, sections 7.1.3 and 7.1.4; Fetch standard, section 3.7; Reporting API, section 3.2), and of security.
const (
	OpenerPolicy HeaderName = iota
	OpenerPolicyReportOnly
	EmbedderPolicy
	EmbedderPolicyReportOnly
	ResourcePolicy
	OriginAgentCluster
	DocumentIsolationPolicy
	ReportingEndpoints

	ContentSecurityPolicy
	ContentSecurityPolicyReportOnly
	StrictTransportSecurity
	ContentTypeOptions
	FrameOptions
	ReferrerPolicy
	PermissionsPolicy
	XSSProtection
	numHeaderNames
)

// NumHeaderNames bounds HeaderName.
const NumHeaderNames = int(numHeaderNames)

var headerNames = [numHeaderNames]string{
	"cross-origin-opener-policy", "cross-origin-opener-policy-report-only",
	"cross-origin-embedder-policy", "cross-origin-embedder-policy-report-only",
	"cross-origin-resource-policy", "origin-agent-cluster", "document-isolation-policy", "reporting-endpoints",
	"content-security-policy", "content-security-policy-report-only", "strict-transport-security", "x-content-type-options",
	"x-frame-options", "referrer-policy", "permissions-policy", "x-xss-protection",
}

func (n HeaderName) String() string { return headerNames[n] }

// headerPlan is what a policy sets on responses beside the headers of CORS. They go on every response and not on documents alone: an embedder policy counts for the scripts of
// workers, an opener policy for redirects, and whatever its type, a response can be navigated to. It is immutable.
type headerPlan struct {
	_ [0]func() // not comparable

	headers []SetHeader
	// asksScheme: one of them is for https alone.
	asksScheme bool
}

// newHeaderPlan returns the plan of two blocks, nil where there is nothing to set.
func newHeaderPlan(isolation, security []SetHeader) *headerPlan {
	if len(isolation)+len(security) == 0 {
		return nil
	}
	var byName [numHeaderNames]*SetHeader
	for _, block := range [...][]SetHeader{isolation, security} {
		for i := range block {
			if h := &block[i]; byName[h.Name] == nil {
				byName[h.Name] = h
			}
		}
	}
	// In one order, so that plans compare.
	p := &headerPlan{asksScheme: byName[StrictTransportSecurity] != nil}
	for _, h := range byName {
		if h != nil {
			p.headers = append(p.headers, *h)
		}
	}
	return p
}

func (p *headerPlan) equal(q *headerPlan) bool {
	if p == nil || q == nil {
		return p == q
	}
	if len(p.headers) != len(q.headers) {
		return false
	}
	for i := range p.headers {
		if p.headers[i] != q.headers[i] {
			return false
		}
	}
	return true
}

// sends reports whether h goes out. Over http, browsers must not be told to insist on https (RFC 6797, section 7.2).
func (h *SetHeader) sends(secure bool) bool { return secure || h.Name != StrictTransportSecurity }

// planned is what a response already holds of the headers of a plan, by their index in it.
type planned struct {
	lines [numHeaderNames]uint16
	same  [numHeaderNames]bool // the first line has the value that is wanted
}

// see tells s of a header line.
func (p *headerPlan) see(s *planned, name, value string) {
	for i := range p.headers {
		if h := &p.headers[i]; name == headerNames[h.Name] {
			if s.lines[i] == 0 {
				s.same[i] = value == h.Value
			}
			if s.lines[i] < 2 {
				s.lines[i]++
			}
			return
		}
	}
}

// edits appends what makes exactly one line of each header of the plan. Doubled ones mean something else than either: a doubled Cross-Origin-Resource-Policy counts for none
// (Fetch standard, section 3.7), a doubled Cross-Origin-Embedder-Policy for unsafe-none (HTML standard, section 7.1.4).
// On a local reply, which was sent with them, what routes add beside them goes.
func (p *headerPlan) edits(s *planned, secure, isReply bool, edits []Edit) []Edit {
	for i := range p.headers {
		h := &p.headers[i]
		name, lines := headerNames[h.Name], s.lines[i]
		switch {
		case lines > 0 && h.IfAbsent && !isReply:
		case !h.sends(secure):
			if lines > 0 {
				edits = appendEdit(edits, RemoveHeader, name, "")
			}
		case lines == 0:
			edits = appendEdit(edits, AddHeader, name, h.Value)
		case lines > 1:
			edits = appendEdit(appendEdit(edits, RemoveHeader, name, ""), AddHeader, name, h.Value)
		case !s.same[i]:
			edits = appendEdit(edits, ReplaceHeader, name, h.Value)
		}
	}
	return edits
}

// SetEdits appends to edits what sets the headers of p's plan on a response of which nothing is known, and takes no account of the upstream's.
func (p *Policy) SetEdits(secure bool, edits []Edit) []Edit {
	if p.plan == nil {
		return edits
	}
	unknown := planned{}
	for i := range unknown.lines {
		unknown.lines[i] = 2
	}
	return p.plan.edits(&unknown, secure, true, edits)
}

// reply appends the headers of the plan to those of a local reply.
func (p *headerPlan) reply(secure bool, headers []Header) []Header {
	for i := range p.headers {
		if h := &p.headers[i]; h.sends(secure) {
			headers = appendHeader(headers, headerNames[h.Name], h.Value)
		}
	}
	return headers
}
