package audit

import (
	"cmp"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

const (
	maxResponseHeader = 64 << 10
	// maxBody is how much of a body is read, and only of one that is known to be short: then its connection can be used again.
	maxBody = 4 << 10
)

// client sends requests one at a time, none faster than the rate. It follows no redirects and keeps no cookies.
type client struct {
	transport *http.Transport
	limiter   *rate.Limiter
	timeout   time.Duration
	agent     string
	header    http.Header
}

func newClient(o *Options) *client {
	dialer := &net.Dialer{Timeout: cmp.Or(o.Timeout, DefaultTimeout)}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: o.Insecure},
		ForceAttemptHTTP2:      !o.HTTP1,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxResponseHeader,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, cmp.Or(o.Resolve[addr], addr))
		},
	}
	if o.HTTP1 {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetHTTP1(true)
	}
	return &client{
		transport: transport,
		limiter:   rate.NewLimiter(rate.Limit(cmp.Or(o.Rate, DefaultRate)), 1),
		timeout:   cmp.Or(o.Timeout, DefaultTimeout),
		agent:     "corsguard-audit/" + cmp.Or(strings.Trim(o.Version, "()"), "devel"),
		header:    o.Header,
	}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// answer is what came back, without the body.
type answer struct {
	proto  string
	status int
	header http.Header
}

// send sends one request with the fields of header, and the auditor's own where asked to.
func (c *client) send(ctx context.Context, method string, u *url.URL, header http.Header, own bool) (answer, error) {
	if err := c.limiter.Wait(ctx); err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, u.String(), http.NoBody)
	if err != nil {
		return answer{}, err
	}
	req.Header = header.Clone()
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("Accept", "*/*")
	if own {
		for name, values := range c.header {
			req.Header[name] = values
		}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	if resp.ContentLength >= 0 && resp.ContentLength <= maxBody {
		_, _ = io.CopyN(io.Discard, resp.Body, resp.ContentLength) // whether it comes whole does not matter
	}
	return answer{resp.Proto, resp.StatusCode, resp.Header}, nil
}
