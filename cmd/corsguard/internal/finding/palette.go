package finding

// Palette colours text for a terminal. The zero value leaves it as it is.
type Palette struct{ on bool }

// NewPalette returns a palette that colours if on.
func NewPalette(on bool) Palette { return Palette{on: on} }

func (p Palette) paint(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// Bold returns s in bold.
func (p Palette) Bold(s string) string { return p.paint("1", s) }

// Dim returns s dimmed.
func (p Palette) Dim(s string) string { return p.paint("2", s) }

// Red returns s in red.
func (p Palette) Red(s string) string { return p.paint("31", s) }

// Yellow returns s in yellow.
func (p Palette) Yellow(s string) string { return p.paint("33", s) }

// Green returns s in green.
func (p Palette) Green(s string) string { return p.paint("32", s) }

// Cyan returns s in cyan.
func (p Palette) Cyan(s string) string { return p.paint("36", s) }

// Severity returns the word for s in its colour.
func (p Palette) Severity(s Severity) string {
	switch s {
	case Error:
		return p.Bold(p.Red(s.String()))
	case Warning:
		return p.Yellow(s.String())
	}
	return p.Cyan(s.String())
}
