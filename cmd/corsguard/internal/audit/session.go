package audit

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	// maxFailures is after how many requests in a row without an answer an audit gives up.
	maxFailures = 3
	// minSecret is the length from which on a value of the auditor's is removed from what servers send back. Shorter ones would remove letters at random.
	minSecret = 4
)

// session asks one endpoint, and has all answers. A method that sends returns nil where no answer came; everything that looks at answers takes nil for an answer
// without any header.
type session struct {
	ctx     context.Context // a session is one call of Run
	target  *url.URL
	options Options
	client  *client
	secrets []string
	names   names

	sent      int
	failures  int    // in a row
	lost      int    // probes without an answer
	stopped   string // why nothing more is sent
	skipped   int    // probes not sent for that reason
	last      error
	probes    []*Probe
	notTested []string

	base, stranger, null             *Probe
	strangerPreflight, nullPreflight *Probe
	wanted                           []*wanted
	tried                            []trial
}

func newSession(ctx context.Context, target *url.URL, o Options) *session {
	s := &session{ctx: ctx, target: target, options: o, client: newClient(&o), names: newNames()}
	for _, values := range o.Header {
		for _, v := range values {
			s.secrets = append(s.secrets, v)
			s.secrets = append(s.secrets, parts(v)...)
		}
	}
	s.secrets = slices.DeleteFunc(s.secrets, func(v string) bool { return len(v) < minSecret })
	slices.SortFunc(s.secrets, func(a, b string) int { return len(b) - len(a) })
	return s
}

// parts returns what a server may send back of a value: words, the pairs of a Cookie, and what stands in them.
func parts(value string) []string {
	words := strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == '\t' || r == ';' || r == ',' || r == '"' })
	all := slices.Clone(words)
	for _, word := range words {
		if name, rest, ok := strings.Cut(word, "="); ok && strings.Trim(rest, "=") != "" {
			all = append(all, rest)
		} else if ok {
			all = append(all, name) // of base64, without its padding
		}
	}
	return all
}

func (s *session) redact(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	return text
}

// failure returns the error of the last request.
func (s *session) failure() error {
	if s.last == nil {
		return errors.New(s.stopped)
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, s.last)
}

// incomplete returns why the audit did not see all that it wanted to, or nothing.
func (s *session) incomplete() string {
	switch {
	case s.stopped != "":
		return fmt.Sprintf("%s; not sent: %d or more requests", s.stopped, s.skipped)
	case s.lost > 0:
		return fmt.Sprintf("%d requests had no answer", s.lost)
	}
	return ""
}

func (s *session) note(format string, args ...any) {
	s.notTested = append(s.notTested, fmt.Sprintf(format, args...))
}

// get asks for the target as a page of origin would, or as no page where origin is empty.
func (s *session) get(origin, purpose string) *Probe {
	return s.send(request{method: http.MethodGet, at: s.target, origin: origin, purpose: purpose, own: true})
}

// preflight asks whether a page of origin may send a request. Browsers send preflights without credentials, so the auditor's headers stay away.
func (s *session) preflight(origin, method string, headers []string, purpose string) *Probe {
	extra := http.Header{"Access-Control-Request-Method": {method}}
	if len(headers) > 0 {
		extra.Set("Access-Control-Request-Headers", strings.Join(headers, ","))
	}
	return s.send(request{method: http.MethodOptions, at: s.target, origin: origin, extra: extra, purpose: purpose})
}

// request is what send sends.
type request struct {
	method  string
	at      *url.URL
	origin  string
	extra   http.Header
	purpose string
	own     bool // with the auditor's own header
}

// send sends r, a second time where no answer comes, and keeps the answer.
func (s *session) send(r request) *Probe {
	if s.halted() {
		s.skipped++
		return nil
	}
	header := r.extra.Clone()
	if header == nil {
		header = http.Header{}
	}
	if r.origin != "" {
		header.Set("Origin", r.origin)
	}
	var came answer
	var err error
	for range 2 {
		if s.sent >= s.options.maxRequests() {
			break
		}
		s.sent++
		if s.options.Progress != nil {
			s.options.Progress(s.sent, s.options.maxRequests(), r.purpose)
		}
		came, err = s.client.send(s.ctx, r.method, r.at, header, r.own)
		if err == nil || s.ctx.Err() != nil {
			break
		}
	}
	return s.keep(s.describe(r, header), came, err)
}

// halted reports whether nothing more may be sent, and remembers why.
func (s *session) halted() bool {
	switch {
	case s.stopped != "":
	case s.ctx.Err() != nil:
		s.stopped = "interrupted"
	case s.sent >= s.options.maxRequests():
		s.stopped = fmt.Sprintf("the limit of %d requests was reached (--max-requests)", s.options.maxRequests())
	case s.failures >= maxFailures:
		s.stopped = fmt.Sprintf("%d requests in a row had no answer", s.failures)
	}
	return s.stopped != ""
}

func (s *session) describe(r request, header http.Header) *Probe {
	shown := http.Header{"Host": {r.at.Host}}
	if r.own {
		for name := range s.options.Header {
			shown[name] = []string{redacted}
		}
	}
	maps.Copy(shown, header)
	return &Probe{
		Number: len(s.probes) + 1, Purpose: r.purpose, Method: r.method, URL: bounded(r.at.String()), Origin: r.origin, origin: r.origin,
		Sent: show(shown, func(v string) string { return v }), line: r.method + " " + bounded(r.at.RequestURI()),
	}
}

// keep adds what came to the probes. Too many requests end the audit: that is what the server asked for.
func (s *session) keep(p *Probe, came answer, err error) *Probe {
	s.probes = append(s.probes, p)
	if err != nil {
		s.last = err
		s.failures++
		s.lost++
		if s.ctx.Err() != nil {
			s.stopped = "interrupted"
		}
		p.Failure = bounded(s.redact(err.Error()))
		p.Verdict = p.verdict()
		return nil
	}
	s.failures = 0
	p.Status, p.proto, p.header = came.status, came.proto, http.Header{}
	for name, values := range came.header {
		if isShown(name) {
			p.header[name] = values
		}
	}
	p.Came = show(p.header, s.redact)
	p.Verdict = p.verdict()
	if came.status == http.StatusTooManyRequests {
		s.stopped = "the server asks for fewer requests (429); lower --rate or wait"
	}
	return p
}

// asPage asks for another URL of the host as a page of origin would.
func (s *session) asPage(at *url.URL, origin, purpose string, own bool) *Probe {
	return s.send(request{method: http.MethodGet, at: at, origin: origin, purpose: purpose, own: own})
}
