package wasmhost

import (
	"strconv"
	"strings"
)

// Request is what the client sends, as it stands before the filter: Envoy's codec and connection manager have seen it.
type Request struct {
	Method, Scheme, Authority, Path string // default to GET, http, api.example.test and /
	Headers                         []Header
	HasBody                         bool
	Route                           string // the name of the route that Envoy found, empty where the route has none
	NoRoute                         bool   // Envoy found no route

	// Raw, if it is not nil, is the whole header map, and the fields above but HasBody, Route and NoRoute do not count. It may lack what HTTP
	// always has, pseudo-headers included.
	Raw []Header
}

// lines returns the header map: the pseudo-headers first, as Envoy keeps them, and x-forwarded-proto, which Envoy adds where it is
// missing.
func (r Request) lines() []Header {
	if r.Raw != nil {
		return r.Raw
	}
	or := func(value, otherwise string) string {
		if value == "" {
			return otherwise
		}
		return value
	}
	scheme := or(r.Scheme, "http")
	lines := append([]Header{
		{":authority", or(r.Authority, "api.example.test")},
		{":path", or(r.Path, "/")},
		{":method", or(r.Method, "GET")},
		{":scheme", scheme},
	}, r.Headers...)
	for _, h := range r.Headers {
		if strings.EqualFold(h[0], "x-forwarded-proto") {
			return lines
		}
	}
	return append(lines, Header{"x-forwarded-proto", scheme})
}

// Response is what the upstream answers, or a filter behind this one.
type Response struct {
	Status  int // defaults to 200
	Headers []Header
	HasBody bool

	// Raw, if it is not nil, is the whole header map, :status included or not, and Status and Headers do not count.
	Raw []Header
}

func (r Response) lines() []Header {
	if r.Raw != nil {
		return r.Raw
	}
	status := r.Status
	if status == 0 {
		status = 200
	}
	return append([]Header{{":status", strconv.Itoa(status)}}, r.Headers...)
}

// localReply is an answer that the module gave instead of the upstream's.
type localReply struct {
	status  int
	details string
	body    string
	grpc    int32
	headers []Header
}

// response builds the header map as Envoy does for its local replies: gRPC requests get a trailers-only response, whose HTTP status is
// 200 whatever the reply's is.
func (l localReply) response(h *Host, toGRPC bool) *headerMap {
	if toGRPC {
		m := h.responseMap([]Header{{":status", "200"}})
		m.addAll(l.headers)
		m.replace("content-type", "application/grpc")
		m.add("grpc-status", strconv.Itoa(l.grpcStatus()))
		if l.body != "" {
			m.add("grpc-message", l.body)
		}
		return m
	}
	m := h.responseMap([]Header{{":status", strconv.Itoa(l.status)}})
	m.addAll(l.headers)
	m.remove("content-length")
	if l.body == "" {
		m.remove("content-type")
		return m
	}
	m.add("content-length", strconv.Itoa(len(l.body)))
	if _, given := m.get("content-type"); !given {
		m.add("content-type", "text/plain")
	}
	return m
}

// grpcStatus is the status that the module gave, or the one that Envoy maps the HTTP status to.
func (l localReply) grpcStatus() int {
	if l.grpc >= 0 && l.grpc <= 16 {
		return int(l.grpc)
	}
	switch l.status {
	case 400:
		return 13
	case 401:
		return 16
	case 403:
		return 7
	case 404:
		return 12
	case 429, 502, 503, 504:
		return 14
	}
	return 2
}

// isGRPC reports whether Envoy takes a request for gRPC. gRPC-Web is none.
func isGRPC(request *headerMap) bool {
	contentType, _ := request.get("content-type")
	rest, ok := strings.CutPrefix(contentType, "application/grpc")
	return ok && (rest == "" || rest[0] == '+' || rest[0] == ';')
}
