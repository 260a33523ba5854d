// Package wire speaks HTTP to an Envoy byte by byte. An HTTP library would mend the requests that the tests want broken, and fold the response
// lines that they want counted.
package wire

import (
	"net"
	"strings"
	"time"

	"corsguard/e2e/corpus"
)

// exchangeLimit bounds one exchange, long polls included, and those that wait for a policy to change.
const exchangeLimit = 2 * time.Minute

// Response is what came back. Headers are the lines in their order, names in lower case.
type Response struct {
	Status  int
	Headers []corpus.Header
	Body    []byte
}

// Get returns the values of all lines of a name, given in lower case.
func (r Response) Get(name string) []string {
	var values []string
	for _, h := range r.Headers {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return values
}

func dial(addr string) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp", addr, exchangeLimit)
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(exchangeLimit))
}

// With returns the request with one more header line.
func With(r corpus.Request, name, value string) corpus.Request {
	r.Headers = append(append([]corpus.Header{}, r.Headers...), corpus.Header{name, value})
	return r
}

func has(headers []corpus.Header, name string) bool {
	for _, h := range headers {
		if strings.EqualFold(h[0], name) {
			return true
		}
	}
	return false
}
