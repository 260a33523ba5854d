package wire

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"corsguard/e2e/corpus"
)

// frameSize is the largest frame that every peer takes. A longer header block goes on in CONTINUATION frames.
const frameSize = 16 << 10

// H2 sends one request over a connection of its own, in HTTP/2 with prior knowledge.
func H2(addr string, r corpus.Request) (Response, error) {
	conn, err := DialH2(addr)
	if err != nil {
		return Response{}, err
	}
	defer conn.Close()
	return conn.Do(r)
}

// InHTTP2 reports whether a request can be said in HTTP/2: it has no header of the connection.
func InHTTP2(r corpus.Request) bool {
	for _, name := range []string{"connection", "upgrade", "host", "transfer-encoding", "keep-alive", "proxy-connection"} {
		if has(r.Headers, name) {
			return false
		}
	}
	return true
}

// H2Conn is an HTTP/2 connection, for one request after the other. It keeps to no flow control: what the tests get back is short.
type H2Conn struct {
	net.Conn
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
	stream  uint32 // the last one opened
}

// DialH2 opens a connection.
func DialH2(addr string) (*H2Conn, error) {
	conn, err := dial(addr)
	if err != nil {
		return nil, err
	}
	c := &H2Conn{Conn: conn, framer: http2.NewFramer(conn, conn)}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.encoder = hpack.NewEncoder(&c.block)
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		conn.Close()
		return nil, err
	}
	if err := c.framer.WriteSettings(); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Do sends a request and reads its response. A stream or connection that Envoy resets is an error.
func (c *H2Conn) Do(r corpus.Request) (Response, error) {
	if err := c.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		return Response{}, err
	}
	if err := c.Send(r); err != nil {
		return Response{}, err
	}
	return c.read(r.Method)
}

// DoBody does the same with a body, in one frame, and trailers if there are any.
func (c *H2Conn) DoBody(r corpus.Request, body string, trailers []corpus.Header) (Response, error) {
	if err := c.SetDeadline(time.Now().Add(exchangeLimit)); err != nil {
		return Response{}, err
	}
	if err := c.open(r, false); err != nil {
		return Response{}, err
	}
	if err := c.framer.WriteData(c.stream, len(trailers) == 0, []byte(body)); err != nil {
		return Response{}, err
	}
	if len(trailers) > 0 {
		block := http2.HeadersFrameParam{StreamID: c.stream, BlockFragment: c.encode(trailers), EndStream: true, EndHeaders: true}
		if err := c.framer.WriteHeaders(block); err != nil {
			return Response{}, err
		}
	}
	return c.read(r.Method)
}

// Send opens a stream with a request and does not wait for its response.
func (c *H2Conn) Send(r corpus.Request) error {
	return c.open(r, r.Method != "CONNECT") // a tunnel stays open
}

// open opens a stream with the head of a request.
func (c *H2Conn) open(r corpus.Request, whole bool) error {
	r.Fill()
	if c.stream == 0 {
		c.stream = 1
	} else {
		c.stream += 2
	}
	block := c.encode(fields(r))
	first, rest := block[:min(len(block), frameSize)], block[min(len(block), frameSize):]
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID:      c.stream,
		BlockFragment: first,
		EndStream:     whole,
		EndHeaders:    len(rest) == 0,
	})
	for err == nil && len(rest) > 0 {
		n := min(len(rest), frameSize)
		err = c.framer.WriteContinuation(c.stream, n == len(rest), rest[:n])
		rest = rest[n:]
	}
	return err
}

// Cancel resets the stream that Send opened last.
func (c *H2Conn) Cancel() error { return c.framer.WriteRSTStream(c.stream, http2.ErrCodeCancel) }

// fields returns the pseudo-headers and headers of a request.
func fields(r corpus.Request) []corpus.Header {
	head := []corpus.Header{{":method", r.Method}, {":authority", r.Authority}}
	if r.Method != "CONNECT" {
		head = append(head, corpus.Header{":scheme", r.Scheme}, corpus.Header{":path", r.Path})
	}
	return append(head, r.Headers...)
}

func (c *H2Conn) encode(fields []corpus.Header) []byte {
	c.block.Reset()
	for _, h := range fields {
		c.encoder.WriteField(hpack.HeaderField{Name: strings.ToLower(h[0]), Value: h[1]}) // a bytes.Buffer takes all
	}
	return c.block.Bytes()
}

func (c *H2Conn) read(method string) (Response, error) {
	var resp Response
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return resp, err
		}
		if id := frame.Header().StreamID; id != 0 && id != c.stream {
			continue // of a stream that was cancelled
		}
		ended := false
		switch f := frame.(type) {
		case *http2.SettingsFrame:
			if !f.IsAck() {
				err = c.framer.WriteSettingsAck()
			}
		case *http2.PingFrame:
			if !f.IsAck() {
				err = c.framer.WritePing(true, f.Data)
			}
		case *http2.MetaHeadersFrame:
			err = resp.take(f)
			ended = f.StreamEnded() || method == "CONNECT" && resp.Status/100 == 2
		case *http2.DataFrame:
			resp.Body = append(resp.Body, f.Data()...)
			ended = f.StreamEnded()
		case *http2.RSTStreamFrame:
			err = fmt.Errorf("stream %d reset: %v", f.StreamID, f.ErrCode)
		case *http2.GoAwayFrame:
			err = fmt.Errorf("connection closed: %v %s", f.ErrCode, f.DebugData())
		}
		if ended || err != nil {
			return resp, err
		}
	}
}

// take reads the head of a response. Of interim ones nothing stays, and trailers only add.
func (r *Response) take(f *http2.MetaHeadersFrame) error {
	if status := f.PseudoValue("status"); status != "" {
		n, err := strconv.Atoi(status)
		if err != nil {
			return err
		}
		*r = Response{Status: n}
	}
	for _, h := range f.RegularFields() {
		r.Headers = append(r.Headers, corpus.Header{h.Name, h.Value})
	}
	return nil
}
