package explain

import (
	"fmt"
	"strings"

	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/finding"
)

// Text returns r for people.
func (r *Report) Text(p finding.Palette) string {
	b := &writer{palette: p}
	b.line("request", p.Bold(show(r.Request.Method+" "+r.Request.URL)))
	b.line("", show(r.from()))
	if s := r.decisive(); s != nil {
		matched := "the first that matches"
		if s.Rule == "default" {
			matched = "no rule matches"
		}
		b.line("rule", fmt.Sprintf("%s, %s %s", s.Rule, matched, p.Dim("("+show(s.RulePlace.String())+")")))
	}
	if r.Preflight != nil {
		b.line("preflight", "sent, because "+show(strings.Join(r.PreflightBecause, "; ")))
		b.step(r.Preflight)
	} else if r.CrossOrigin && r.Request.Mode == "cors" {
		b.line("preflight", "none: method and headers are safelisted")
	}
	if r.preflightFailed {
		b.line("actual", "not sent, because the preflight failed")
	} else {
		b.line("actual", "")
		b.step(r.Actual)
	}
	if r.Browser != nil {
		b.browser(r.Browser)
	}
	for i, c := range r.Changes {
		b.line(title("change", i), show(c.Text))
		if c.Path != "" {
			b.line("", p.Dim(show(strings.TrimPrefix(c.Place.String()+": "+c.Path, ": "))))
		}
	}
	for i, note := range r.Notes {
		b.line(title("note", i), p.Dim(show(note)))
	}
	return b.String()
}

// Line returns r in one line, for lists.
func (r *Report) Line(p finding.Palette) string {
	s := r.decisive()
	line := show(r.Request.Method+" "+r.Request.URL) + "  " + decision(s, p)
	if r.Browser != nil {
		line += "  " + outcome(r.Browser, p)
	}
	return line
}

// Refused reports whether the policy or the browser refuses the request.
func (r *Report) Refused() bool {
	return r.Browser != nil && !r.Browser.Allowed || r.decisive().Decision == "refused"
}

// decisive returns the step on which it depends: the actual request, or the preflight that failed.
func (r *Report) decisive() *Step {
	if r.preflightFailed {
		return r.Preflight
	}
	return r.Actual
}

func (r *Report) from() string {
	if r.Request.Origin == "" {
		return "without an Origin: no page of another origin asks"
	}
	from := "from a page of " + r.Request.Origin
	if r.Request.Origin == "null" {
		from = "from a page of an opaque origin (null)"
	}
	if !r.CrossOrigin && r.Browser != nil {
		return from + ", its own origin"
	}
	if r.Request.Mode != "" {
		from += ", mode " + r.Request.Mode + ", credentials " + r.Request.Credentials
	}
	return from
}

type writer struct {
	strings.Builder
	palette finding.Palette
}

const indent = 11

func (w *writer) line(title, text string) {
	gap := strings.Repeat(" ", max(indent-len(title), 1))
	if text == "" {
		gap = ""
	}
	fmt.Fprintf(w, "%s%s%s\n", w.palette.Bold(title), gap, text)
}

func title(s string, i int) string {
	if i > 0 {
		return ""
	}
	return s
}

func (w *writer) step(s *Step) {
	w.line("", w.palette.Dim("> "+show(s.Method+" "+s.Path)))
	for _, h := range s.Headers {
		w.header("> ", h)
	}
	by := "goes on to the upstream"
	if s.AnsweredBy == "corsguard" {
		by = "Corsguard answers"
	}
	w.line("", decision(s, w.palette)+", "+by)
	w.line("", w.palette.Dim(fmt.Sprintf("< %d", s.Status)))
	for _, h := range s.ResponseHeaders {
		w.header("< ", h)
	}
}

func (w *writer) header(mark string, h edge.Header) {
	w.line("", w.palette.Dim(mark+show(h[0]+": "+h[1])))
}

func decision(s *Step, p finding.Palette) string {
	text := "nothing decided (mode off)"
	switch s.Decision {
	case "allowed":
		text = p.Green("allowed") + ": " + s.Reason
	case "refused":
		text = p.Red("refused") + ": " + s.Reason
	case "shadowed":
		text = p.Yellow("shadowed") + " (would be refused): " + s.Reason
	}
	if s.Reported != "" {
		text += ", " + p.Yellow("reported") + ": " + s.Reported
	}
	return text
}

func outcome(b *Browser, p finding.Palette) string {
	switch {
	case !b.Allowed:
		return p.Red("blocked") + ": " + b.Failure
	case b.Opaque:
		return p.Green("passes") + ": the page gets it, and cannot read it (opaque)"
	}
	return p.Green("passes") + ": the page may read the response"
}

func (w *writer) browser(b *Browser) {
	w.line("browser", outcome(b, w.palette))
	if b.Chromium != "" {
		w.line("Chromium", show(b.Chromium))
	}
	if b.Firefox != "" {
		w.line("Firefox", show(b.Firefox))
	}
	if len(b.AllowedBy) > 0 {
		w.line("", "but "+strings.Join(b.AllowedBy, ", ")+" lets it through")
	}
	if b.Allowed && !b.Opaque && len(b.Readable) > 0 {
		w.line("", "headers it may read: "+show(strings.Join(b.Readable, ", ")))
	}
}

// show makes s fit for a terminal.
func show(s string) string { return finding.Printable(s) }
