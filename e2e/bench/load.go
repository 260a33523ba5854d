package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// client sends preformatted requests over a few keep-alive HTTP/1.1 connections, each of which waits for its response before it sends
// the next request. It reads no more of a response than it must to find its end, so that its own cost stays small and constant.
type client struct {
	conns []*clientConn
}

type clientConn struct {
	net.Conn
	buf []byte
}

// requestTimeout bounds the wait for a hundred responses. Under callgrind they take a second or two, the first ones longer.
const requestTimeout = 60 * time.Second

func dial(addr string, connections int) (*client, error) {
	c := &client{}
	for range connections {
		conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
		if err != nil {
			c.close()
			return nil, err
		}
		c.conns = append(c.conns, &clientConn{Conn: conn, buf: make([]byte, 16<<10)})
	}
	return c, nil
}

func (c *client) close() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

// run sends total requests, shared evenly among the connections, and returns each one's latency. Every status must be the wanted one.
func (c *client) run(request []byte, status, total int) ([]time.Duration, error) {
	latencies := make([]time.Duration, total)
	errs := make([]error, len(c.conns))
	var wg sync.WaitGroup
	for i, conn := range c.conns {
		from, to := total*i/len(c.conns), total*(i+1)/len(c.conns)
		wg.Go(func() { errs[i] = conn.loop(request, status, latencies[from:to]) })
	}
	wg.Wait()
	return latencies, errors.Join(errs...)
}

func (c *clientConn) loop(request []byte, status int, latencies []time.Duration) error {
	want := []byte(" " + strconv.Itoa(status) + " ")
	for i := range latencies {
		if i%100 == 0 { // renewed now and then only: setting a deadline costs nearly as much as reading
			if err := c.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
				return err
			}
		}
		start := time.Now()
		if _, err := c.Write(request); err != nil {
			return err
		}
		if err := c.skipResponse(want); err != nil {
			return err
		}
		latencies[i] = time.Since(start)
	}
	return nil
}

var (
	headEnd       = []byte("\r\n\r\n")
	contentLength = []byte("\r\ncontent-length: ") // Envoy writes names in lower case
)

// skipResponse reads one response. One without a Content-Length is taken to have no body, which holds for 204.
func (c *clientConn) skipResponse(status []byte) error {
	n, head := 0, -1
	for head < 0 {
		if n == len(c.buf) {
			return errors.New("response header too large")
		}
		got, err := c.Read(c.buf[n:])
		if err != nil {
			return err
		}
		n += got
		head = bytes.Index(c.buf[:n], headEnd)
	}
	line, _, _ := bytes.Cut(c.buf[:head], []byte("\r\n"))
	if !bytes.HasPrefix(line[min(8, len(line)):], status) {
		return fmt.Errorf("got %q where status%swas due", line, status)
	}
	end := head + len(headEnd)
	if at := bytes.Index(c.buf[:head], contentLength); at >= 0 {
		length, err := leadingInt(c.buf[at+len(contentLength) : head])
		if err != nil {
			return err
		}
		end += length
	}
	if end > len(c.buf) {
		return errors.New("response body too large")
	}
	if n < end {
		if _, err := io.ReadFull(c, c.buf[n:end]); err != nil {
			return err
		}
	}
	if n > end {
		return errors.New("more than one response to one request")
	}
	return nil
}

func leadingInt(b []byte) (int, error) {
	if end := bytes.IndexByte(b, '\r'); end >= 0 {
		b = b[:end]
	}
	return strconv.Atoi(string(b))
}
