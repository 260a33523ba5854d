package wasmhost

import (
	"maps"
	"slices"
	"strings"

	"corsguard/e2e/corpus"
)

// Header is one header line.
type Header = corpus.Header

// headerMap is a header map that behaves as Envoy's: names in lower case, and of the headers that are registered as inline there is one
// line at most, to which further ones are joined.
type headerMap struct {
	lines  []Header
	inline map[string]bool
	alias  map[string]string
}

// Headers that Envoy itself keeps inline, of those that a test may repeat, and those that extensions register.
var (
	requestInline = set(":authority", ":method", ":path", ":scheme", "connection", "content-length", "content-type", "host", "upgrade",
		"user-agent", "x-forwarded-for", "x-forwarded-proto", "x-request-id")
	requestRegistered = set("origin", "access-control-request-headers", "access-control-request-method", "access-control-request-private-network")

	responseInline     = set(":status", "connection", "content-length", "content-type", "date", "grpc-message", "grpc-status", "location", "server")
	responseRegistered = set("access-control-allow-credentials", "access-control-allow-headers", "access-control-allow-methods",
		"access-control-allow-origin", "access-control-allow-private-network", "access-control-expose-headers",
		"access-control-max-age", "cache-control", "content-encoding", "etag", "vary")
)

func set(names ...string) map[string]bool {
	m := map[string]bool{}
	for _, name := range names {
		m[name] = true
	}
	return m
}

func (h *Host) requestMap(lines []Header) *headerMap {
	m := &headerMap{inline: h.requestInline, alias: requestAlias}
	m.addAll(lines)
	return m
}

func (h *Host) responseMap(lines []Header) *headerMap {
	m := &headerMap{inline: h.responseInline}
	m.addAll(lines)
	return m
}

// requestAlias makes Host the same header as :authority, as Envoy does.
var requestAlias = map[string]string{"host": ":authority"}

// inline returns the headers that a host's maps keep in one line.
func (o Options) inline(always, registered map[string]bool) map[string]bool {
	both := maps.Clone(always)
	if !o.KeepRepeatedLines {
		maps.Copy(both, registered)
	}
	return both
}

// key lowers a name as Envoy does: ASCII letters only.
func (m *headerMap) key(name string) string {
	if strings.ContainsFunc(name, isUpper) {
		lower := []byte(name)
		for i, c := range lower {
			if isUpper(rune(c)) {
				lower[i] = c + 'a' - 'A'
			}
		}
		name = string(lower)
	}
	if to, ok := m.alias[name]; ok {
		return to
	}
	return name
}

func isUpper(c rune) bool { return 'A' <= c && c <= 'Z' }

func (m *headerMap) find(key string) int {
	return slices.IndexFunc(m.lines, func(h Header) bool { return h[0] == key })
}

func (m *headerMap) addAll(lines []Header) {
	for _, h := range lines {
		m.add(h[0], h[1])
	}
}

// add appends a line, or joins it to the one that is there if the header is inline.
func (m *headerMap) add(name, value string) {
	key := m.key(name)
	i := m.find(key)
	switch {
	case i < 0 || !m.inline[key]:
		m.lines = append(m.lines, Header{key, value})
	case m.lines[i][1] == "" || value == "":
		m.lines[i][1] += value
	default:
		m.lines[i][1] += "," + value
	}
}

// get returns the first value.
func (m *headerMap) get(name string) (string, bool) {
	i := m.find(m.key(name))
	if i < 0 {
		return "", false
	}
	return m.lines[i][1], true
}

// replace leaves one line of the name, with the value, behind all others.
func (m *headerMap) replace(name, value string) {
	m.remove(name)
	m.add(name, value)
}

func (m *headerMap) remove(name string) {
	key := m.key(name)
	m.lines = slices.DeleteFunc(m.lines, func(h Header) bool { return h[0] == key })
}

// byteSize is the size that Envoy gives for a map: of the names and the values.
func (m *headerMap) byteSize() (n int) {
	for _, h := range m.lines {
		n += len(h[0]) + len(h[1])
	}
	return n
}
