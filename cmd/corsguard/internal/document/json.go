package document

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// SyntaxError says why a file, or a policy in it, cannot be read.
type SyntaxError struct {
	in     *text
	offset int
	Reason string
}

// Error returns the place and the reason.
func (e *SyntaxError) Error() string {
	place := e.in.place(e.offset)
	return place.String() + ": " + e.Reason
}

// checkUTF8 returns an error for the first byte of t that is no UTF-8.
func checkUTF8(t *text) *SyntaxError {
	if utf8.ValidString(t.data) {
		return nil
	}
	if strings.HasPrefix(t.data, "\xff\xfe") || strings.HasPrefix(t.data, "\xfe\xff") {
		return &SyntaxError{t, 0, "is UTF-16: save it as UTF-8"}
	}
	for i := 0; ; {
		r, size := utf8.DecodeRuneInString(t.data[i:])
		if r == utf8.RuneError && size <= 1 {
			return &SyntaxError{t, i, "is not valid UTF-8"}
		}
		i += size
	}
}

// parseJSON reads t as one JSON value.
func parseJSON(t *text) (*node, *SyntaxError) {
	if err := checkUTF8(t); err != nil {
		return nil, err
	}
	if strings.HasPrefix(t.data, byteOrderMark) {
		return nil, &SyntaxError{t, 0, "is not valid JSON: it begins with a byte order mark; save it without one"}
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(t.data), &raw); err != nil {
		at := 0
		if e := (*json.SyntaxError)(nil); errors.As(err, &e) {
			at = max(0, int(e.Offset)-1)
		}
		return nil, &SyntaxError{t, at, "is not valid JSON: " + err.Error()}
	}
	r := &jsonReader{t: t}
	n := r.value()
	n.whole = true
	return n, nil
}

// jsonReader builds nodes from JSON that is known to be valid.
type jsonReader struct {
	t  *text
	at int
}

// peek returns the next byte that is neither white space nor a comma or colon.
func (r *jsonReader) peek() byte {
	for {
		switch c := r.t.data[r.at]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			r.at++
		default:
			return c
		}
	}
}

func (r *jsonReader) value() *node {
	c := r.peek()
	n := &node{in: r.t, at: r.at}
	switch c {
	case '{':
		n.kind = objectNode
		for r.at++; r.peek() != '}'; {
			m := member{keyAt: r.at}
			m.key = r.string()
			m.value = r.value()
			n.members = append(n.members, m)
		}
		r.at++
	case '[':
		n.kind = arrayNode
		for r.at++; r.peek() != ']'; {
			n.elements = append(n.elements, r.value())
		}
		r.at++
	case '"':
		n.kind, n.str = stringNode, r.string()
	default:
		for r.at < len(r.t.data) && isLiteral(r.t.data[r.at]) {
			r.at++
		}
		n.str = r.t.data[n.at:r.at]
		if n.kind = literalNode; n.str == "null" {
			n.kind, n.str = nullNode, ""
		}
	}
	return n
}

func isLiteral(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.' || c == 'E'
}

// string reads a string.
func (r *jsonReader) string() string {
	from := r.at
	for r.at++; r.t.data[r.at] != '"'; r.at++ {
		if r.t.data[r.at] == '\\' {
			r.at++
		}
	}
	r.at++
	raw := r.t.data[from:r.at]
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1]
	}
	var s string
	_ = json.Unmarshal([]byte(raw), &s) // it is valid
	return s
}
