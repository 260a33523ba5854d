package audit

import (
	"fmt"
	"io"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// WriteText writes reports for people.
func WriteText(w io.Writer, reports []*Report, p finding.Palette) error {
	for i, r := range reports {
		var b strings.Builder
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s%s\n", p.Bold(finding.Printable(r.Target)), counted(r.Requests), when(r))
		if r.Incomplete != "" {
			fmt.Fprintf(&b, "%s %s\n", p.Yellow("incomplete:"), finding.Printable(r.Incomplete))
		}
		for _, n := range r.NotTested {
			fmt.Fprintf(&b, "%s %s\n", p.Cyan("not tested:"), finding.Printable(n))
		}
		b.WriteByte('\n')
		if _, err := io.WriteString(w, b.String()); err != nil {
			return err
		}
		if err := finding.WriteText(w, r.Findings, p); err != nil {
			return err
		}
	}
	return nil
}

func when(r *Report) string {
	if r.Started.IsZero() {
		return ""
	}
	return " at " + r.Started.Format("2006-01-02 15:04:05 MST")
}

func counted(requests int) string {
	if requests == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", requests)
}
