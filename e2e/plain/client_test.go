package plain_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"corsguard/e2e/corpus"
	"corsguard/e2e/plain"
	"corsguard/e2e/wire"
)

// exchangeLimit bounds one exchange.
const exchangeLimit = 2 * time.Minute

// connection is a connection to an Envoy, for one request after the other. Nothing is sent a second time: what fails has failed.
type connection interface {
	do(r corpus.Request) (wire.Response, error)
	// ends reports whether Envoy has said that it takes no further request on it.
	ends() bool
	Close() error
}

// A protocol is what the client offers by ALPN.
type protocol string

const (
	http1 protocol = "http/1.1"
	h2    protocol = "h2"
)

var protocols = []protocol{http1, h2}

func (p protocol) connect(addr string) (connection, error) {
	d := tls.Dialer{Config: &tls.Config{RootCAs: identity.trust, ServerName: host, NextProtos: []string{string(p)}, MinVersion: tls.VersionTLS12}}
	dialed, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	conn := dialed.(*tls.Conn)
	if got := conn.ConnectionState().NegotiatedProtocol; got != string(p) {
		conn.Close()
		return nil, fmt.Errorf("Envoy speaks %q, not %q", got, p)
	}
	if p == http1 {
		return &overHTTP1{H1Conn: wire.NewH1(conn)}, nil
	}
	c, err := (&http2.Transport{DisableCompression: true}).NewClientConn(conn)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return overHTTP2{c}, nil
}

type overHTTP1 struct {
	*wire.H1Conn
	closing bool
}

func (c *overHTTP1) do(r corpus.Request) (wire.Response, error) {
	got, err := c.Do(r)
	for _, value := range got.Get("connection") {
		c.closing = c.closing || value == "close"
	}
	return got, err
}

func (c *overHTTP1) ends() bool { return c.closing }

type overHTTP2 struct{ *http2.ClientConn }

func (c overHTTP2) do(r corpus.Request) (wire.Response, error) {
	r.Fill()
	req, err := http.NewRequest(r.Method, "https://"+r.Authority+r.Path, nil)
	if err != nil {
		return wire.Response{}, err
	}
	for _, h := range r.Headers {
		req.Header.Add(h[0], h[1])
	}
	giveUp := time.AfterFunc(exchangeLimit, func() { c.Close() })
	defer giveUp.Stop()
	resp, err := c.RoundTrip(req)
	if err != nil {
		return wire.Response{}, err
	}
	defer resp.Body.Close()
	got := wire.Response{Status: resp.StatusCode}
	for name, values := range resp.Header {
		for _, value := range values {
			got.Headers = append(got.Headers, corpus.Header{strings.ToLower(name), value})
		}
	}
	got.Body, err = io.ReadAll(resp.Body)
	return got, err
}

func (c overHTTP2) ends() bool { return !c.CanTakeNewRequest() }

// connect returns a connection that the end of the test closes.
func connect(t *testing.T, p protocol, addr string) connection {
	t.Helper()
	c, err := p.connect(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func do(t *testing.T, c connection, r corpus.Request) wire.Response {
	t.Helper()
	got, err := c.do(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// The origins of the tests.
const (
	shop    = "https://shop.example.com"    // the one that the files allow
	partner = "https://partner.example.org" // that some versions allow
	evil    = "https://evil.test"
)

// token returns the header that the files' authentication takes.
func token(t *testing.T) corpus.Header {
	t.Helper()
	value, err := plain.Token()
	if err != nil {
		t.Fatal(err)
	}
	return corpus.Header{"authorization", value}
}

// actual is a GET of a page of origin.
func actual(origin string, more ...corpus.Header) corpus.Request {
	return corpus.Request{Authority: host, Scheme: "https", Path: "/items", Headers: append([]corpus.Header{{"origin", origin}}, more...)}
}

// preflight asks for a method and a header that the files allow. It carries no token: browsers send none.
func preflight(origin string) corpus.Request {
	r := actual(origin, corpus.Header{"access-control-request-method", "PUT"}, corpus.Header{"access-control-request-headers", "authorization,content-type"})
	r.Method = http.MethodOptions
	return r
}

// owned returns the header lines that are the plugin's to settle, and with them the status.
func owned(got wire.Response) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d\n", got.Status)
	for _, h := range corpus.Owned(got.Headers) {
		fmt.Fprintf(&b, "%s: %s\n", h[0], h[1])
	}
	return b.String()
}
