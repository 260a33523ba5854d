// Package config turns a plugin configuration, JSON, into a policy.Spec. It is strict: every node's type is checked, unknown and duplicate keys are
// errors, and all mistakes of a configuration are reported at once, each by its JSON path, with the value, the reason and what to write instead.
package config

// Problem is one mistake in a configuration, or one thing that is allowed but unwise.
type Problem struct {
	_ [0]func() // not comparable: nothing compares problems, so nothing is linked for it

	Path   string // such as cors.allowOrigins[1]; $ is the whole document
	Value  string // the JSON text of the value, cut; may be empty
	Reason string
	Fix    string // what to write instead
}

// String returns p as one line.
func (p *Problem) String() string {
	s := p.Path + ": "
	if p.Value != "" {
		s += p.Value + ": "
	}
	return s + p.Reason + "; " + p.Fix
}

// Error is what Parse returns for a configuration with mistakes: all of them, in the order of the document as far as they stand in one place.
type Error []Problem

// Error returns the problems, one on a line.
func (e Error) Error() string {
	var b []byte
	for i := range e {
		if i > 0 {
			b = append(b, '\n')
		}
		b = append(b, e[i].String()...)
	}
	return string(b)
}

const maxShownValue = 120

// shown returns raw, JSON text, as a message can carry it: one line, and cut.
func shown(raw string) string {
	cut := raw
	if len(cut) > maxShownValue {
		cut = cut[:maxShownValue]
	}
	out := make([]byte, 0, len(cut)+len("…"))
	for i := 0; i < len(cut); i++ {
		c := cut[i]
		if c < ' ' || c == 0x7f {
			c = ' '
		}
		out = append(out, c)
	}
	if len(cut) < len(raw) {
		for len(out) > 0 && out[len(out)-1] >= 0x80 { // not half of a character
			out = out[:len(out)-1]
		}
		out = append(out, "…"...)
	}
	return string(out)
}
