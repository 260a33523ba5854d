package audit

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

//go:embed report.html
var page string

//go:embed report.css
var style string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"kind":    kindOfLine,
	"count":   countSeverity,
	"counted": counted,
	"worst":   worst,
}).Parse(page))

// WriteHTML writes reports as one page that needs nothing beside it: no script, no other file, no network.
func WriteHTML(w io.Writer, reports []*Report, version string) error {
	sum := sha256.Sum256([]byte(style))
	return pageTemplate.Execute(w, map[string]any{
		"Reports": reports,
		"Version": version,
		"Style":   template.CSS(style), // a file of this package
		"Policy":  "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
	})
}

// kindOfLine returns the class of a line of evidence: what CORS is about, or what is beside it.
func kindOfLine(line string) string {
	for _, key := range []string{"> origin: ", "> access-control-", "< access-control-", "< vary: "} {
		if strings.HasPrefix(line, key) {
			return "key"
		}
	}
	return "beside"
}

func countSeverity(findings []finding.Finding, severity string) int {
	n := 0
	for i := range findings {
		if findings[i].Severity.String() == severity {
			n++
		}
	}
	return n
}

// worst says in a word how a report ends: the highest severity, or clean.
func worst(r *Report) string {
	severity, some := finding.Worst(r.Findings)
	switch {
	case some:
		return severity.String()
	case r.Incomplete != "":
		return "incomplete"
	}
	return "clean"
}
