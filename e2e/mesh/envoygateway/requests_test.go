package envoygateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

const (
	origin  = "https://shop.example.com"
	foreign = "https://evil.test"
)

func request(method, path, origin string, more ...corpus.Header) corpus.Request {
	return corpus.Request{Method: method, Authority: "api.example.com", Path: path, Headers: append([]corpus.Header{
		{"origin", origin}, {upstream.CaseHeader, "wide"},
	}, more...)}
}

func preflight(method, path, origin string) corpus.Request {
	return request("OPTIONS", path, origin, corpus.Header{"access-control-request-method", method}, corpus.Header{"access-control-request-headers", "authorization"})
}

func withToken(t *testing.T, r corpus.Request) corpus.Request {
	return wire.With(r, "authorization", "Bearer "+token(t))
}

// answer returns the status of a response, and all of its header lines that have to do with CORS, sorted.
func (c *control) answer(r corpus.Request) (string, error) {
	resp, err := wire.H1(c.addr, r)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, h := range resp.Headers {
		if h[0] == "vary" || strings.HasPrefix(h[0], "access-control-") {
			lines = append(lines, h[0]+": "+h[1])
		}
	}
	slices.Sort(lines)
	return strings.Join(append([]string{fmt.Sprint(resp.Status)}, lines...), "\n"), nil
}

// answers fails unless that is what a request gets.
func (c *control) answers(t *testing.T, r corpus.Request, want string) {
	t.Helper()
	if err := c.differs(r, want); err != nil {
		t.Error(err)
	}
}

// comesTo waits until that is what a request gets.
func (c *control) comesTo(t *testing.T, r corpus.Request, want string) {
	t.Helper()
	c.Until(t, updateLimit, func() error { return c.differs(r, want) })
}

func (c *control) differs(r corpus.Request, want string) error {
	got, err := c.answer(r)
	if err == nil && got != want {
		err = fmt.Errorf("%s %s %s: got\n%s\nwant\n%s", r.Method, r.Path, r.Headers, got, want)
	}
	return err
}

// What the policy of deploy/envoy-gateway grants.
const (
	granted = "access-control-allow-credentials: true\naccess-control-allow-headers: authorization, content-type\naccess-control-allow-methods: GET, HEAD, POST, PUT\n" +
		"access-control-allow-origin: https://shop.example.com\naccess-control-expose-headers: x-request-id\naccess-control-max-age: "
	preflightVary = "\nvary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"

	grantedPreflight = "204\n" + granted + "7200" + preflightVary
	refusedPreflight = "204" + preflightVary
	readable         = "\naccess-control-allow-credentials: true\naccess-control-allow-origin: https://shop.example.com\naccess-control-expose-headers: x-request-id\nvary: "
)

// watch sends a request again and again until finish is called, and fails unless each answer is one of these.
func (c *control) watch(t *testing.T, r corpus.Request, allowed ...string) (finish func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	n := 0
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if got, err := c.answer(r); err != nil || !slices.Contains(allowed, got) {
				t.Errorf("request %d: %s %s: %v\n%s", n, r.Method, r.Path, err, got)
				return
			}
			n++
			time.Sleep(time.Millisecond) // Envoy logs each of them
		}
	}()
	return func() {
		close(stop)
		<-ended
		t.Logf("%d requests: %s %s", n, r.Method, r.Path)
	}
}
