package upstream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Recorder is an upstream that keeps requests as they came, byte by byte, and answers with bytes that the test lays down. It speaks HTTP/1.1 on one free port
// of the loopback interface. It is safe for concurrent use.
type Recorder struct {
	Addr string

	listener net.Listener
	serving  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	conns   map[net.Conn]struct{}
	answers map[string]string
	seen    map[string][]string
}

// StartRecorder returns a running recorder.
func StartRecorder() (*Recorder, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Recorder{
		Addr: listener.Addr().String(), listener: listener,
		conns: map[net.Conn]struct{}{}, answers: map[string]string{}, seen: map[string][]string{},
	}
	r.serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.serving.Go(func() { r.serve(conn) })
		}
	})
	return r, nil
}

// Close stops the recorder and cuts off its connections.
func (r *Recorder) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		err = errors.Join(err, conn.Close())
	}
	r.mu.Unlock()
	r.serving.Wait()
	return err
}

// On lays down the answer to requests whose CaseHeader is id: all of its bytes. An empty one closes the connection, as does one without a length or a
// coding. Behind a 101, or a 200 to CONNECT, the first TunnelSize bytes of the tunnel come back, and then it closes.
func (r *Recorder) On(id, answer string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[id] = answer
}

// TunnelSize is how many bytes come back from a tunnel.
const TunnelSize = 16

// Take returns the requests that came with this id since the last call, tunnelled bytes included.
func (r *Recorder) Take(id string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := r.seen[id]
	delete(r.seen, id)
	return seen
}

func (r *Recorder) serve(conn net.Conn) {
	defer conn.Close()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.conns[conn] = struct{}{}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.conns, conn)
		r.mu.Unlock()
	}()
	// An Envoy sends the next request when it has the answer to the last: what was read is that of one.
	var read bytes.Buffer
	in := bufio.NewReader(io.TeeReader(conn, &read))
	for {
		read.Reset()
		req, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		id := req.Header.Get(CaseHeader)
		answer := r.take(id, read.String())
		if opensTunnel(req.Method, answer) {
			r.tunnel(conn, in, id, answer)
			return
		}
		if _, err := io.WriteString(conn, answer); err != nil || endsByClose(req.Method, answer) {
			return
		}
	}
}

// take keeps a request and returns its answer.
func (r *Recorder) take(id, request string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[id] = append(r.seen[id], request)
	return r.answers[id]
}

// tunnel answers, and sends back what comes first.
func (r *Recorder) tunnel(conn net.Conn, in io.Reader, id, answer string) {
	if _, err := io.WriteString(conn, answer); err != nil {
		return
	}
	var first [TunnelSize]byte
	if _, err := io.ReadFull(in, first[:]); err != nil {
		return
	}
	r.mu.Lock()
	if seen := r.seen[id]; len(seen) > 0 {
		seen[len(seen)-1] += string(first[:])
	}
	r.mu.Unlock()
	io.Copy(conn, bytes.NewReader(first[:]))
}

func opensTunnel(method, answer string) bool {
	return strings.HasPrefix(answer, "HTTP/1.1 101 ") || method == http.MethodConnect && strings.HasPrefix(answer, "HTTP/1.1 2")
}

// endsByClose reports whether the client takes the end of the connection for that of the answer.
func endsByClose(method, answer string) bool {
	head, rest, _ := strings.Cut(answer, "\r\n\r\n")
	if strings.HasPrefix(head, "HTTP/1.1 1") && rest != "" {
		return endsByClose(method, rest) // an interim one
	}
	head = strings.ToLower(head)
	bodiless := method == http.MethodHead || strings.HasPrefix(head, "http/1.1 204 ") || strings.HasPrefix(head, "http/1.1 304 ")
	return !bodiless && !strings.Contains(head, "\r\ncontent-length:") && !strings.Contains(head, "\r\ntransfer-encoding:")
}
