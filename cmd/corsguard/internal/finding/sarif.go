package finding

import (
	"io"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// WriteSARIF writes findings as a SARIF 2.1.0 log of one run, with rules as those that the command knows. Failures say what could not be looked at: without them,
// a log without results would say that all is well.
func WriteSARIF(w io.Writer, findings []Finding, rules []*Rule, version string, failures []string) error {
	run := sarif.NewRunWithInformationURI("corsguard", "https://github.com/corsguard/corsguard")
	run.Tool.Driver.WithVersion(version)
	for _, r := range rules {
		run.AddRule(r.ID).
			WithName(r.ID).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(r.Title)).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText(r.Title + ". " + r.Why)).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(r.Severity.String()))
	}
	for i := range findings {
		f := &findings[i]
		result := sarif.NewRuleResult(f.Rule.ID).WithLevel(f.Severity.String()).WithMessage(sarif.NewTextMessage(message(f)))
		if n := slices.Index(rules, f.Rule); n >= 0 {
			result.WithRuleIndex(n)
		}
		run.AddResult(result.AddLocation(location(&f.Place)))
	}
	invocation := sarif.NewInvocation().WithExecutionSuccessful(len(failures) == 0)
	for _, failure := range failures {
		invocation.AddToolExecutionNotification(sarif.NewNotification().WithLevel("error").WithMessage(sarif.NewTextMessage(failure)))
	}
	run.AddInvocation(invocation)
	report := sarif.NewReport()
	report.AddRun(run)
	return report.PrettyWrite(w)
}

func message(f *Finding) string {
	text := f.Message
	if f.Place.Path != "" {
		text = f.Place.Path + ": " + text
	}
	if f.Fix != "" {
		text += ". Fix: " + f.Fix
	}
	if len(f.Evidence) > 0 {
		text += "\n" + strings.Join(f.Evidence, "\n")
	}
	return text
}

// location returns p as SARIF has it. A URL is an artifact like a file is.
func location(p *Place) *sarif.Location {
	uri := p.URL
	if p.File != "" {
		uri = fileURI(p.File)
	}
	physical := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(uri))
	if p.Line > 0 {
		region := sarif.NewRegion().WithStartLine(p.Line)
		if p.Column > 0 {
			region.WithStartColumn(p.Column)
		}
		physical.WithRegion(region)
	}
	l := sarif.NewLocation().WithPhysicalLocation(physical)
	if p.Document != "" || p.Path != "" {
		l.WithLogicalLocations([]*sarif.LogicalLocation{sarif.NewLogicalLocation().WithFullyQualifiedName(strings.TrimSpace(p.Document + " " + p.Path))})
	}
	return l
}

// fileURI returns the name of a file as a reference (RFC 3986, section 4.1), relative as names are.
func fileURI(name string) string {
	if strings.HasPrefix(name, "<") { // standard input
		return strings.Trim(name, "<>")
	}
	return (&url.URL{Path: filepath.ToSlash(name)}).String()
}
