package finding

import (
	"fmt"
	"io"
	"strings"
)

// WriteText writes findings for people, and a line that counts them.
func WriteText(w io.Writer, findings []Finding, p Palette) error {
	var b strings.Builder
	explained := map[*Rule]bool{}
	headings := make([]string, len(findings))
	lines := map[string]int{}
	for i := range findings {
		headings[i] = heading(&findings[i], p)
		lines[headings[i]]++
	}
	for i := range findings {
		f := &findings[i]
		b.WriteString(headings[i])
		if lines[headings[i]] > 1 && f.Place.Document != "" { // such as one policy that two listeners share
			b.WriteString(" in " + Printable(f.Place.Document))
		}
		b.WriteByte('\n')
		writeFinding(&b, f, p, !explained[f.Rule])
		explained[f.Rule] = true
	}
	b.WriteString(Summary(findings))
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// heading returns the line that says what f is.
func heading(f *Finding, p Palette) string {
	path := ""
	if f.Place.Path != "" {
		path = Printable(f.Place.Path) + ": "
	}
	return p.Bold(Printable(f.Place.String())) + ": " + p.Severity(f.Severity) + ": " + path + Printable(f.Message) + " " + p.Dim("["+f.Rule.ID+"]")
}

// writeFinding writes what stands under the heading of f; why its rule exists is said once a rule.
func writeFinding(b *strings.Builder, f *Finding, p Palette, why bool) {
	for _, line := range f.Evidence {
		b.WriteString("    " + p.Dim(Printable(line)) + "\n")
	}
	if why && f.Rule.Why != "" {
		b.WriteString("    why: " + f.Rule.Why + "\n")
	}
	if f.Fix != "" {
		b.WriteString("    fix: " + Printable(f.Fix) + "\n")
	}
}

// Summary returns how many findings there are of each severity.
func Summary(findings []Finding) string {
	var n [len(severities)]int
	for i := range findings {
		n[findings[i].Severity]++
	}
	return fmt.Sprintf("%s, %s, %s", count(n[Error], "error"), count(n[Warning], "warning"), count(n[Note], "note"))
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// Printable returns s, which may come from a file or a server, in one line and without what a terminal would take for a command.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || isBidi(r) || r == 0xfeff:
			return '\ufffd'
		}
		return r
	}, s)
}

// isBidi reports whether r changes the direction in which text is shown.
func isBidi(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f || r == 0x61c
}
