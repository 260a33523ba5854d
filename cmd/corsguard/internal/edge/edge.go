// Package edge does with a request and the upstream's response what Envoy with the filter does, by the filter's own policy. Tests hold it against the compiled filter.
package edge

import (
	"strconv"
	"strings"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// Header is a header line: a name and a value.
type Header = policy.Header

// Request is a request as it arrives at Envoy.
type Request struct {
	Method    string
	Scheme    string // https if the client's connection is encrypted
	Authority string // the host, with a port where it is not the default one
	Path      string // with the query, after Envoy has normalised it
	Route     string // the name of its Envoy route, if it has one
	Headers   []Header
	// InForce are the documents of the policy's sources, in their order; nil for one that has given none.
	InForce []*policy.Fetched
}

// Response is a response: the upstream's, or what the client gets.
type Response struct {
	Status  int
	Headers []Header
	// Body is that of a denial; bodies of upstreams are not looked at.
	Body string
}

// Exchange is what becomes of a request.
type Exchange struct {
	// Rule is the number of the rule that decides: the place in the configuration, or the number of rules for the default.
	Rule     int
	RuleName string
	// Ambiguous tells that the path can be read in two ways that lead to different rules, so that no rule's grant counts.
	Ambiguous bool
	Decision  policy.Decision
	Outcome   policy.Outcome
	// Reported is what a resource isolation policy that only reports would have refused the request for, where it would.
	Reported *policy.Outcome
	Effect   policy.Effect
	// Shared tells that the policy is enforced for a share of the requests, of which this is one.
	Shared bool
	// Forwarded tells that the request reaches the upstream.
	Forwarded bool
	Response  Response
}

// Do returns what becomes of r, for which the upstream would answer with upstream, its Host the Host header of r. Where the policy is enforced for a share of the requests alone, r is one of that
// share. Any number of goroutines may call Do with the same rules.
func Do(rules *policy.Rules, r *Request, upstream *Response) Exchange {
	received := received(r)
	q := asked(r, received)
	index, p := rules.Pick(&policy.Target{Authority: q.Authority, Path: q.Path, Route: r.Route})
	x := Exchange{Rule: index, RuleName: rules.Name(index), Effect: p.Effect(inShare)}
	x.Shared = p.Effect(outOfShare) != x.Effect
	upstreamHeaders := newMap(responseInline, upstream.Headers)
	x.Forwarded, x.Response = true, Response{Status: upstream.Status, Headers: upstreamHeaders}
	if rules.AreOff() || x.Effect == policy.NoEffect {
		return x
	}
	d := p.Decide(&q)
	x.Decision, x.Outcome = d, d.Outcome()
	x.Ambiguous = d.Reason == policy.PathAmbiguous
	if d.Reports {
		o := policy.OutcomeOf(d.Kind, d.Reported).Shadow()
		x.Reported = &o
	}
	if x.Effect == policy.ShadowOnly {
		x.Outcome = x.Outcome.Shadow()
		return x
	}
	secure := q.Scheme == "https"
	if d.Status != 0 {
		x.Forwarded = false
		x.Response = reply(p, &d, &q, secure)
		return x
	}
	if !p.LeavesResponses() {
		x.Response.Headers = edited(p, &d, upstream.Status, upstreamHeaders, secure)
	}
	return x
}

// inShare and outOfShare draw the lots that decide whether a policy is enforced for this request.
func inShare() uint32    { return policy.Million - 1 }
func outOfShare() uint32 { return 0 }

func reply(p *policy.Policy, d *policy.Decision, q *policy.Request, secure bool) Response {
	response := Response{Status: d.Status, Headers: p.Reply(d, secure, nil)}
	if d.Status == 403 {
		response.Headers, response.Body = policy.Refusal(response.Headers, d.Reason, q.Accept)
		response.Headers = append(response.Headers, Header{"content-length", strconv.Itoa(len(response.Body))})
	}
	return response
}

func edited(p *policy.Policy, d *policy.Decision, status int, headers []Header, secure bool) []Header {
	var r policy.Response
	p.Expect(&r)
	r.Add(fetch.PseudoStatus, strconv.Itoa(status))
	for _, h := range headers {
		r.Add(h[0], h[1])
	}
	var memo policy.VaryMemo
	for _, e := range p.Edits(d, &r, secure, &memo, nil) {
		headers = apply(headers, e)
	}
	return headers
}

// asked gives the request as the filter reads it of what Envoy received.
func asked(r *Request, headers []Header) policy.Request {
	q := policy.Request{Method: r.Method, Scheme: r.Scheme, Authority: r.Authority, Path: r.Path, InForce: r.InForce}
	for _, h := range headers {
		q.Add(h[0], h[1])
	}
	q.TrustForwarded()
	return q
}

// received gives the request's headers as Envoy has them: without pseudo-headers, and Host, which is the authority.
func received(r *Request) []Header {
	var lines []Header
	for _, h := range r.Headers {
		if !strings.HasPrefix(h[0], ":") && !strings.EqualFold(h[0], "host") {
			lines = append(lines, h)
		}
	}
	return newMap(requestInline, lines)
}
