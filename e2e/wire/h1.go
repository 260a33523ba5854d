package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"

	"corsguard/e2e/corpus"
)

// H1 sends one request over a connection of its own, in HTTP/1.1.
func H1(addr string, r corpus.Request) (Response, error) {
	conn, err := DialH1(addr)
	if err != nil {
		return Response{}, err
	}
	defer conn.Close()
	return conn.Do(r)
}

// Raw sends text as it is and reads one response, as to a request of that method.
func Raw(addr, method, text string) (Response, error) {
	conn, err := DialH1(addr)
	if err != nil {
		return Response{}, err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return Response{}, err
	}
	return conn.Response(method)
}

// Bytes sends text as it is and returns one response, as to a request of that method, as it came. Of a tunnel that the response opens, the first bytes belong to
// it, as many as tunnelled says.
func Bytes(addr, method, text string, tunnelled int) (string, error) {
	conn, err := dial(addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	var read bytes.Buffer
	c := &H1Conn{Conn: conn, r: bufio.NewReader(io.TeeReader(conn, &read))}
	resp, err := c.Response(method)
	if opens := resp.Status == 101 || method == "CONNECT" && resp.Status/100 == 2; opens && err == nil {
		_, err = c.ReadFull(make([]byte, tunnelled))
	}
	return read.String(), err
}

// H1Conn is an HTTP/1.1 connection, for one request after the other. What is written to it goes out as it is.
type H1Conn struct {
	net.Conn
	r *bufio.Reader
}

// DialH1 opens a connection.
func DialH1(addr string) (*H1Conn, error) {
	conn, err := dial(addr)
	if err != nil {
		return nil, err
	}
	return NewH1(conn), nil
}

// NewH1 returns conn, such as one of TLS, as an HTTP/1.1 connection.
func NewH1(conn net.Conn) *H1Conn { return &H1Conn{Conn: conn, r: bufio.NewReader(conn)} }

// Do sends a request and reads its response.
func (c *H1Conn) Do(r corpus.Request) (Response, error) {
	if err := c.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		return Response{}, err
	}
	if _, err := io.WriteString(c, Format(r)); err != nil {
		return Response{}, err
	}
	return c.Response(r.Method)
}

// Format returns a request in HTTP/1.1. The scheme is told in x-forwarded-proto, as a proxy in front tells it.
func Format(r corpus.Request) string {
	r.Fill()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", r.Method, target(r))
	if !has(r.Headers, "host") {
		fmt.Fprintf(&b, "host: %s\r\n", r.Authority)
	}
	if r.Scheme != "http" && !has(r.Headers, forwardedProto) {
		fmt.Fprintf(&b, "%s: %s\r\n", forwardedProto, r.Scheme)
	}
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	return b.String()
}

const forwardedProto = "x-forwarded-proto"

func target(r corpus.Request) string {
	if r.Method == "CONNECT" {
		return r.Authority
	}
	return r.Path
}

// Response reads the final response to a request of that method.
func (c *H1Conn) Response(method string) (Response, error) {
	for {
		resp, err := c.readHead()
		if err != nil {
			return resp, err
		}
		if interim := resp.Status/100 == 1 && resp.Status != 101; interim {
			continue
		}
		resp.Body, err = c.readBody(method, &resp)
		return resp, err
	}
}

func (c *H1Conn) readHead() (Response, error) {
	var resp Response
	line, err := c.readLine()
	if err != nil {
		return resp, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	if resp.Status, err = strconv.Atoi(code); err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		return resp, fmt.Errorf("no status line: %q", line)
	}
	return resp, c.readFields(&resp)
}

// readFields reads header or trailer lines, and the empty one behind them.
func (c *H1Conn) readFields(resp *Response) error {
	for {
		line, err := c.readLine()
		if line == "" || err != nil {
			return err
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return fmt.Errorf("no header line: %q", line)
		}
		resp.Headers = append(resp.Headers, corpus.Header{strings.ToLower(name), strings.Trim(value, " \t")})
	}
}

func (c *H1Conn) readLine() (string, error) {
	line, err := c.r.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (c *H1Conn) readBody(method string, resp *Response) ([]byte, error) {
	bodiless := method == "HEAD" || resp.Status/100 == 1 || resp.Status == 204 || resp.Status == 304
	tunnel := method == "CONNECT" && resp.Status/100 == 2
	switch length := resp.Get("content-length"); {
	case bodiless || tunnel:
		return nil, nil
	case len(resp.Get("transfer-encoding")) > 0:
		body, err := io.ReadAll(httputil.NewChunkedReader(c.r))
		if err != nil {
			return body, err
		}
		return body, c.readFields(resp) // trailers only add
	case len(length) == 1:
		n, err := strconv.Atoi(length[0])
		if err != nil {
			return nil, err
		}
		body := make([]byte, n)
		_, err = io.ReadFull(c.r, body)
		return body, err
	}
	return io.ReadAll(c.r)
}

// ReadFull fills p with what follows the responses that were read.
func (c *H1Conn) ReadFull(p []byte) (int, error) { return io.ReadFull(c.r, p) }
