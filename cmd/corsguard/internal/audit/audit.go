// Package audit sends requests to a live endpoint, any server, and says what is wrong with the cross-origin policy that its answers show.
//
// [Run] works in two steps. A session sends requests and keeps the answers: it decides what to ask next, and nothing else. Then judges, one for each subject,
// look at what was kept and make findings of it. No request has an effect: GET and OPTIONS are all that is sent.
package audit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"corsguard/cmd/corsguard/internal/finding"
)

// Defaults of what [Options] leaves open.
const (
	DefaultRate    = 5.0 // requests a second
	DefaultTimeout = 10 * time.Second
	// Requests for each URL, and for each origin that is given beside.
	baseRequests   = 80
	originRequests = 25
)

// Options says what to look for and how to ask. The zero value is an audit without anything known of the endpoint.
type Options struct {
	// Origins are those whose pages must be able to read the endpoint.
	Origins []string
	// Credentials says that they send cookies or other credentials.
	Credentials bool
	// Method and RequestHeaders are those of the requests that they send, for the preflight.
	Method         string
	RequestHeaders []string
	// Paths are further paths of the endpoint's host to ask for, as a page of an allowed origin.
	Paths []string
	// Header is the auditor's own, such as Authorization. It goes with every request but preflights, and no value of it gets into the report.
	Header http.Header
	// MaxRequests bounds the requests for one URL. 0 means 80, and 25 more for each of Origins, and one for each of Paths.
	MaxRequests int
	// Rate is the most requests a second; 0 means DefaultRate.
	Rate float64
	// Timeout bounds each request; 0 means DefaultTimeout.
	Timeout time.Duration
	// Insecure accepts any certificate.
	Insecure bool
	// HTTP1 keeps HTTP/2 from being used.
	HTTP1 bool
	// Resolve has the address to connect to, host:port, for a host:port.
	Resolve map[string]string
	// Version is the command's, for the User-Agent and the report.
	Version string
	// Progress, where set, is called before each request with the number of it, the bound, and what it is for.
	Progress func(n, most int, purpose string)
}

func (o *Options) maxRequests() int {
	if o.MaxRequests > 0 {
		return o.MaxRequests
	}
	return baseRequests + originRequests*len(o.Origins) + len(o.Paths)
}

// Check says whether target and o can be audited: whether target is an http or https URL, and the origins are what browsers write. Nothing is sent.
func Check(target string, o *Options) error {
	_, badTarget := parseTarget(target)
	_, badOrigin := parseOrigins(o.Origins)
	return errors.Join(badTarget, badOrigin)
}

// Run audits target. An error means that there is nothing to report: what Check says, or that nobody answers. An audit that was cut short, by ctx too, returns a
// report that says so in Incomplete.
func Run(ctx context.Context, target string, o Options) (*Report, error) {
	at, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	wanted, err := parseOrigins(o.Origins)
	if err != nil {
		return nil, err
	}
	s := newSession(ctx, at, o)
	defer s.client.close()
	r := &Report{Target: at.String(), Tool: tool, Version: o.Version, Origins: o.Origins, MaxRequests: o.maxRequests()}
	r.Started = time.Now().UTC().Truncate(time.Second)
	if s.base = s.get("", "no Origin"); s.base == nil {
		return nil, fmt.Errorf("%s: %w", at, s.failure())
	}
	s.ask(wanted)
	r.Findings = judge(s)
	r.Finished = time.Now().UTC().Truncate(time.Second)
	r.Requests, r.Probes, r.NotTested, r.Incomplete = s.sent, s.probes, s.notTested, s.incomplete()
	return r, nil
}

// ErrUnreachable is what an endpoint that does not answer is.
var ErrUnreachable = errors.New("does not answer")

// judge returns all findings, the worst first, and else in the order of the judges.
func judge(s *session) []finding.Finding {
	j := &jury{session: s, place: finding.Place{URL: s.target.String()}, findings: []finding.Finding{}}
	for _, judge := range []func(){
		j.anyOrigin, j.tricks, j.refusals, j.headers, j.vary, j.preflights, j.grants, j.errors, j.exposure, j.isolation, j.security,
	} {
		judge()
	}
	slices.SortStableFunc(j.findings, func(a, b finding.Finding) int { return cmp.Compare(b.Severity, a.Severity) })
	return j.findings
}
