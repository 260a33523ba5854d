package wire_test

import (
	"io"
	"net"
	"slices"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// TestLinesSurvive holds, on both sides and in both protocols, what the tests of the plugin rest on: every header line goes out and comes back as one.
func TestLinesSurvive(t *testing.T) {
	u, err := upstream.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	for name, do := range map[string]func(string, corpus.Request) (wire.Response, error){"HTTP/1.1": wire.H1, "HTTP/2": wire.H2} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				method string
				status int
				body   string
			}{{"GET", 200, "hello"}, {"HEAD", 200, ""}, {"GET", 204, ""}, {"GET", 304, ""}, {"OPTIONS", 405, "no"}} {
				u.On(t.Name(), upstream.Answer{Status: c.status, Body: c.body, Headers: []corpus.Header{{"vary", "one"}, {"vary", "two, three"}}})
				r := corpus.Request{Method: c.method, Headers: []corpus.Header{{"origin", "a"}, {"origin", "b"}}}
				got, err := do(u.Addr, wire.With(r, upstream.CaseHeader, t.Name()))
				if err != nil {
					t.Fatal(err)
				}
				if vary := got.Get("vary"); got.Status != c.status || string(got.Body) != c.body || !slices.Equal(vary, []string{"one", "two, three"}) {
					t.Errorf("%s: %d, vary %q, body %q", c.method, got.Status, vary, got.Body)
				}
				seen := u.Seen(t.Name())
				if last := seen[len(seen)-1]; last.Method != c.method || !slices.Equal(last.Header.Values("origin"), []string{"a", "b"}) {
					t.Errorf("%s: the upstream saw %+v", c.method, last)
				}
			}
		})
	}
}

// TestTrailersBelongToTheirResponse holds that the next response on a connection begins behind the trailers of the last.
func TestTrailersBelongToTheirResponse(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		defer far.Close()
		io.WriteString(far, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
	}()
	conn := wire.NewH1(near)
	first, err := conn.Response("GET")
	if err != nil || first.Status != 200 || string(first.Body) != "abc" || !slices.Equal(first.Get("x-sum"), []string{"1"}) {
		t.Errorf("%+v, %v", first, err)
	}
	if second, err := conn.Response("GET"); err != nil || second.Status != 204 {
		t.Errorf("%+v, %v", second, err)
	}
}
