package fetch

// Bounds on the value of Access-Control-Request-Headers, which a client controls. Browsers send a sorted list of names without spaces;
// intermediaries add spaces and may split the line. A request that needs more than this has no browser behind it.
const (
	MaxListBytes     = 8192
	MaxEmptyElements = 16
)

// List is a comma-separated list of tokens (RFC 9110, section 5.6.1), read element by element without allocation.
//
//	l := fetch.NewList(value)
//	for name, ok := l.Next(); ok; name, ok = l.Next() { … }
//	if l.Malformed() { … }
//
// Reading ends at the first element that is no token and where a bound is passed; Malformed tells. A List is a value; it is not safe for
// concurrent use.
type List struct {
	rest      string
	done      bool
	empty     int
	malformed bool
}

// NewList returns a List over value. A value longer than MaxListBytes has no elements and is malformed.
func NewList(value string) List {
	if len(value) > MaxListBytes {
		return List{done: true, malformed: true}
	}
	return List{rest: value}
}

// Next returns the next element that is not empty, and whether there was one.
func (l *List) Next() (string, bool) {
	for !l.done {
		element := l.cut()
		if element == "" {
			if l.empty++; l.empty > MaxEmptyElements {
				l.stop()
			}
			continue
		}
		if !IsToken(element) {
			l.stop()
			break
		}
		return element, true
	}
	return "", false
}

// Malformed reports whether an element was no token, or a bound was passed. It is known once Next has returned false.
func (l *List) Malformed() bool { return l.malformed }

// HasEmpty reports whether an empty element was met so far. The empty value is a list of one empty element.
func (l *List) HasEmpty() bool { return l.empty > 0 }

func (l *List) stop() { l.done, l.malformed = true, true }

func (l *List) cut() string {
	for i := 0; i < len(l.rest); i++ {
		if l.rest[i] == ',' {
			element := l.rest[:i]
			l.rest = l.rest[i+1:]
			return TrimOWS(element)
		}
	}
	element := l.rest
	l.rest, l.done = "", true
	return TrimOWS(element)
}

// TrimOWS returns s without the optional whitespace around it (RFC 9110, section 5.6.3): spaces and tabs.
func TrimOWS(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
