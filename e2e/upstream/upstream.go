// Package upstream is the server behind the Envoy under test. It answers what the test has laid down for the request, and remembers what it saw.
package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"corsguard/e2e/corpus"
)

// CaseHeader is the request header that names the answer to give.
const CaseHeader = "x-case"

// idleLimit and heldLimit outlast every test. Envoy opens connections ahead of need, and a request fails where the server closes one that Envoy takes just then.
const (
	idleLimit = time.Hour
	heldLimit = 5 * time.Minute // of a connection that an Answer has taken over
)

// shutdownLimit bounds Close. Requests that a test left hanging are cut off after it.
const shutdownLimit = time.Second

// Answer is what the upstream does with a request. The zero value is an empty 200.
type Answer struct {
	Status  int
	Headers []corpus.Header // each one a line of its own
	Body    string
	Delay   time.Duration // before the first byte; ends early when the client goes away
	// Raw, where set, takes over the HTTP/1.1 connection in place of the rest. It closes it: an answer that is whole has to say so, or Envoy may reuse the connection.
	Raw func(net.Conn)
}

// Seen is a request as it arrived.
type Seen struct {
	Method, Target, Proto, Host string
	Header                      http.Header
}

// Upstream serves HTTP/1.1 and, by prior knowledge, HTTP/2 on one free port of the loopback interface. It is safe for concurrent use.
type Upstream struct {
	Addr string

	server http.Server

	mu      sync.Mutex
	answers map[string]Answer
	seen    map[string][]Seen
}

// Start returns a running upstream.
func Start() (*Upstream, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &Upstream{Addr: listener.Addr().String(), answers: map[string]Answer{}, seen: map[string][]Seen{}}
	u.server = http.Server{
		Handler:                      u,
		Protocols:                    &http.Protocols{},
		ReadHeaderTimeout:            idleLimit,
		MaxHeaderBytes:               1 << 20,
		DisableGeneralOptionsHandler: true, // OPTIONS * is one of the cases
	}
	u.server.Protocols.SetHTTP1(true)
	u.server.Protocols.SetUnencryptedHTTP2(true)
	go u.server.Serve(listener) // returns when Close is called
	return u, nil
}

// Close stops the upstream.
func (u *Upstream) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownLimit)
	defer cancel()
	if err := u.server.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return u.server.Close()
}

// On lays down the answer to requests whose CaseHeader is id. Other requests get the zero Answer.
func (u *Upstream) On(id string, a Answer) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answers[id] = a
}

// Seen returns the requests that came with this id.
func (u *Upstream) Seen(id string) []Seen {
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]Seen(nil), u.seen[id]...)
}

func (u *Upstream) take(r *http.Request) Answer {
	id := r.Header.Get(CaseHeader)
	u.mu.Lock()
	defer u.mu.Unlock()
	if id != "" { // a flood of requests without an id leaves nothing behind
		u.seen[id] = append(u.seen[id], Seen{Method: r.Method, Target: r.RequestURI, Proto: r.Proto, Host: r.Host, Header: r.Header.Clone()})
	}
	return u.answers[id]
}

// ServeHTTP answers one request.
func (u *Upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := u.take(r)
	select {
	case <-time.After(a.Delay):
	case <-r.Context().Done():
		return
	}
	if a.Raw == nil && a.Status == http.StatusSwitchingProtocols {
		a.Raw = a.upgrade
	}
	if a.Raw != nil {
		hijack(w, a.Raw)
		return
	}
	for _, h := range a.Headers {
		w.Header()[h[0]] = append(w.Header()[h[0]], h[1]) // as it is spelt, not as Go would spell it
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	io.WriteString(w, a.Body)
}

func hijack(w http.ResponseWriter, raw func(net.Conn)) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err) // a Raw answer on HTTP/2: a mistake of the test
	}
	conn.SetDeadline(time.Now().Add(heldLimit))
	raw(conn)
}

// upgrade switches protocols, and from then on sends back what it gets.
func (a Answer) upgrade(conn net.Conn) {
	defer conn.Close()
	fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\n")
	for _, h := range a.Headers {
		fmt.Fprintf(conn, "%s: %s\r\n", h[0], h[1])
	}
	fmt.Fprint(conn, "connection: Upgrade\r\nupgrade: websocket\r\n\r\n")
	io.Copy(conn, conn)
}
