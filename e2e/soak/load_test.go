package soak_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wire"
)

type conn interface {
	Do(corpus.Request) (wire.Response, error)
	Close() error
}

func dial(addr string, http2 bool) (conn, error) {
	if http2 {
		return wire.DialH2(addr)
	}
	return wire.DialH1(addr)
}

// expectation is what may come of an origin.
type expectation uint8

const (
	either expectation = iota
	granted
	refused
)

// pick returns an origin and what must come of it.
func (s *soak) pick() (string, expectation) {
	switch rand.IntN(7) {
	case 0:
		return "https://static.example.com", granted
	case 1:
		return "https://fetched.example.com", granted
	case 2:
		return s.policies.origin(s.policies.now()), either
	case 3:
		return s.fetched.origin(s.fetched.now()), either
	case 4:
		if n, ok := s.policies.past(grace); ok {
			return s.policies.origin(n), refused
		}
	case 5:
		if n, ok := s.fetched.past(grace); ok {
			return s.fetched.origin(n), refused
		}
	}
	return "https://evil.test", refused
}

// load sends requests of pages, one after the other, over connections that are kept for a while.
func (s *soak) load(addr string, http2 bool) {
	paths := []string{"/", "/", "/", "/slow", "/error", "/cut"}
	for {
		c, err := dial(addr, http2)
		if err != nil {
			s.fault("connecting: %v", err)
			return
		}
		for range 200 {
			select {
			case <-s.stop:
				c.Close()
				return
			default:
			}
			from, want := s.pick()
			r := corpus.Request{Path: paths[rand.IntN(len(paths))], Headers: []corpus.Header{{"origin", from}}}
			if rand.IntN(4) == 0 {
				r.Method = "OPTIONS"
				r.Headers = append(r.Headers, corpus.Header{"access-control-request-method", "PUT"})
			}
			got, err := c.Do(r)
			if err != nil {
				s.fault("%s %s from %s was lost: %v", r.Method, r.Path, from, err)
				break
			}
			s.judge(r, from, want, got)
			time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		}
		c.Close()
	}
}

// judge compares a response with what may come.
func (s *soak) judge(r corpus.Request, from string, want expectation, got wire.Response) {
	s.requests.Add(1)
	status := map[string]int{"/error": 500, "/cut": 503}[r.Path]
	switch {
	case r.Method == "OPTIONS":
		status = 204
	case status == 0:
		status = 200
	default:
		s.upstreamFailures.Add(1)
	}
	if got.Status != status {
		s.fault("%s %s from %s: status %d, want %d: %v", r.Method, r.Path, from, got.Status, status, got.Headers)
		return
	}
	if fault := grantFault(from, want, got); fault != "" {
		s.fault("%s %s from %s: %s: %v", r.Method, r.Path, from, fault, got.Headers)
	}
	if len(got.Get("access-control-allow-origin")) > 0 {
		s.granted.Add(1)
	} else {
		s.refused.Add(1)
	}
}

// grantFault says what is wrong with the CORS headers of a response, "" if nothing is.
func grantFault(from string, want expectation, got wire.Response) string {
	origins, credentials := got.Get("access-control-allow-origin"), got.Get("access-control-allow-credentials")
	switch {
	case len(origins) > 1 || len(credentials) > 1:
		return "doubled headers"
	case len(origins) == 1 && (origins[0] != from || want == refused):
		return "a wrong grant"
	case len(origins) == 0 && want == granted:
		return "no grant"
	case len(origins) != len(credentials):
		return "half a grant"
	case !strings.Contains(strings.ToLower(strings.Join(got.Get("vary"), ",")), "origin"):
		return "no Vary"
	}
	return ""
}

// hostileOrigins are no origins, or none that is allowed.
var hostileOrigins = []string{
	"null", "*", "https://static.example.com.evil.test", "https://xstatic.example.com", "http://static.example.com", "https://STATIC.example.com", "https://static.example.com:443",
	"https://static.example.com/", "https://static.example.com, https://evil.test", "https://" + strings.Repeat("a.", 3000), "\xff\xfe", "https://[::1", "file://",
}

// hostile sends what no page sends, each over a connection of its own.
func (s *soak) hostile(addr string) {
	from := hostileOrigins[rand.IntN(len(hostileOrigins))]
	r := corpus.Request{Path: "/%2e%2e/%00" + strings.Repeat("/..;", rand.IntN(50)), Headers: []corpus.Header{{"origin", from}}}
	switch rand.IntN(4) {
	case 0:
		r = corpus.Request{Method: "OPTIONS", Headers: []corpus.Header{{"origin", from}, {"access-control-request-method", "PUT"}, {"access-control-request-headers", strings.Repeat("x,", 5000)}}}
	case 1:
		r.Headers = append(r.Headers, corpus.Header{"origin", "https://static.example.com"})
	case 2:
		// A client that goes away.
		if c, err := wire.DialH1(addr); err == nil {
			fmt.Fprintf(c.Conn, "GET /slow HTTP/1.1\r\nhost: x\r\norigin: %s\r\n\r\n", "https://static.example.com")
			c.Close()
		}
		return
	}
	got, err := wire.H1(addr, r)
	s.requests.Add(1)
	if err != nil {
		return // Envoy hangs up on some of this
	}
	if len(got.Get("access-control-allow-origin")) > 0 {
		s.fault("%.60q was granted: %v", r.Headers, got.Headers)
	}
}

// crash ends a VM, and waits until its worker serves again. What Envoy answers meanwhile is 503 and grants nothing.
func (s *soak) crash(addr string) {
	got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{{"origin", "https://static.example.com"}, {"x-fault", "trap"}}})
	if err == nil && got.Status != 503 {
		s.fault("the VM did not end: %d %v", got.Status, got.Headers)
	}
	s.crashes.Add(1)
	const served = 20 // requests in a row, over connections that spread over the workers
	const limit = time.Minute
	end := time.Now().Add(limit)
	for n := 0; n < served; {
		if time.Now().After(end) {
			s.fault("a VM that died is not back after %v", limit)
			return
		}
		got, err := wire.H1(addr, corpus.Request{Headers: []corpus.Header{{"origin", "https://static.example.com"}}})
		switch {
		case err != nil:
			s.fault("a request beside a dead VM was lost: %v", err)
			return
		case got.Status == 503 && len(got.Get("access-control-allow-origin")) == 0:
			s.unavailable.Add(1)
			n = 0
			time.Sleep(50 * time.Millisecond)
		case got.Status != 200 || grantFault("https://static.example.com", granted, got) != "":
			s.fault("beside a dead VM: %d %v", got.Status, got.Headers)
			return
		default:
			n++
		}
	}
	s.reloads.Add(1)
}

// warmUp waits until the listeners serve, and origins were fetched.
func (s *soak) warmUp() {
	s.t.Helper()
	for _, name := range []string{"steady", "crashing"} {
		err := s.gateway.Poll(s.t.Context(), name, func() (bool, error) {
			for range 60 { // so that each worker has some
				got, err := wire.H1(s.gateway.Addr(name), corpus.Request{Headers: []corpus.Header{{"origin", "https://fetched.example.com"}}})
				if err != nil || len(got.Get("access-control-allow-origin")) != 1 {
					return false, nil //nolint:nilerr // not yet
				}
			}
			return true, nil
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}
