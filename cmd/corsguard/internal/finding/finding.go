// Package finding holds what the command has to say about a policy, an endpoint or a conversion, and writes it for people and for machines.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
)

// Severity says how much a finding matters. The zero value is Note.
type Severity uint8

const (
	// Note is worth knowing; nothing has to be done.
	Note Severity = iota
	// Warning is likely to be a mistake, or wider than it has to be.
	Warning
	// Error breaks a site, or gives what it must not.
	Error
)

var severities = [...]string{"note", "warning", "error"}

// String returns the word for s.
func (s Severity) String() string { return severities[s] }

// MarshalText implements encoding.TextMarshaler.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads what String writes.
func ParseSeverity(s string) (Severity, error) {
	if i := slices.Index(severities[:], s); i >= 0 {
		return Severity(i), nil
	}
	return 0, fmt.Errorf("%q is no severity: write note, warning or error", s)
}

// Rule is a kind of finding. Rules are package variables, and immutable.
type Rule struct {
	// ID is unique among all rules, in lower case with dashes, and stays the same from release to release.
	ID string
	// Severity is that of its findings, unless they say otherwise.
	Severity Severity
	// Title names the fault in a few words, without a full stop.
	Title string
	// Why says in a sentence or two what goes wrong.
	Why string
}

// Place is where something was found: in a file, or at a URL. Line and Column count from 1, the column in characters; they are 0 where they are not known.
type Place struct {
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Document says which one of the file it is, such as WasmPlugin istio-system/corsguard.
	Document string `json:"document,omitempty"`
	// Path is the JSON path inside of the policy or object.
	Path string `json:"path,omitempty"`
	URL  string `json:"url,omitempty"`
}

// String returns p as compilers write places.
func (p Place) String() string {
	s := p.File
	if s == "" {
		s = p.URL
	}
	if p.Line > 0 {
		s += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			s += ":" + strconv.Itoa(p.Column)
		}
	}
	return s
}

// Finding is one thing that was found.
type Finding struct {
	Rule     *Rule
	Severity Severity
	Place    Place
	// Message says in one line what is so here.
	Message string
	// Fix says what to write or to do instead; it may be empty.
	Fix string
	// Evidence is what was seen, in lines: of an audit, "> " before what was sent and "< " before what came.
	Evidence []string
}

// New returns a finding of rule with its severity.
func New(rule *Rule, place Place, message, fix string) Finding {
	return Finding{Rule: rule, Severity: rule.Severity, Place: place, Message: message, Fix: fix}
}

// Sort orders findings by file, place and rule. Those of one place keep their order.
func Sort(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Place.File, b.Place.File), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
}

// Worst returns the highest severity among findings, and whether there are any.
func Worst(findings []Finding) (worst Severity, found bool) {
	for i := range findings {
		worst = max(worst, findings[i].Severity)
	}
	return worst, len(findings) > 0
}
