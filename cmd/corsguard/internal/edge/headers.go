package edge

import (
	"slices"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// Envoy joins repeated lines of the headers that it, or an extension that is linked into it, has registered. These are the ones that matter to the filter, and those that servers repeat.
var (
	requestInline = []string{
		"origin", "access-control-request-headers", "access-control-request-method", "access-control-request-private-network", "x-forwarded-proto", "content-type",
		"connection", "content-length", "upgrade", "user-agent", "x-forwarded-for", "x-request-id",
	}
	responseInline = []string{
		"access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin", "access-control-allow-private-network",
		"access-control-expose-headers", "access-control-max-age", "cache-control", "content-encoding", "etag", "vary", "connection", "content-length", "content-type", "date",
		"grpc-message", "grpc-status", "location", "server",
	}
)

// newMap returns lines as Envoy has them: names in lower case, and one line at most of each inline header.
func newMap(inline []string, lines []Header) []Header {
	var m []Header
	for _, h := range lines {
		m = add(m, inline, fetch.Lower(h[0]), h[1])
	}
	return m
}

func add(m []Header, inline []string, name, value string) []Header {
	i := -1
	if slices.Contains(inline, name) {
		i = slices.IndexFunc(m, func(h Header) bool { return h[0] == name })
	}
	switch {
	case i < 0:
		return append(m, Header{name, value})
	case m[i][1] == "" || value == "":
		m[i][1] += value
	default:
		m[i][1] += "," + value
	}
	return m
}

// apply does an edit as Envoy does it: what replaces stands behind all others.
func apply(m []Header, e policy.Edit) []Header {
	if e.Op != policy.AddHeader {
		m = slices.DeleteFunc(m, func(h Header) bool { return h[0] == e.Name })
	}
	if e.Op != policy.RemoveHeader {
		m = append(m, Header{e.Name, e.Value})
	}
	return m
}
