package audit

import (
	"time"

	"corsguard/cmd/corsguard/internal/finding"
)

// NotAudited returns the report of a URL that was not audited, for its place among those that were.
func NotAudited(target string, why error) *Report {
	return &Report{Target: target, Tool: tool, Incomplete: "not audited: " + bounded(why.Error()), Findings: []finding.Finding{}, Probes: []*Probe{}}
}

const tool = "corsguard audit"

// Report is what an audit of one URL has found out.
type Report struct {
	Target   string    `json:"target"`
	Tool     string    `json:"tool"`
	Version  string    `json:"version"`
	Started  time.Time `json:"started,omitzero"`
	Finished time.Time `json:"finished,omitzero"`
	// Origins are those that the auditor gave.
	Origins     []string `json:"origins,omitempty"`
	Requests    int      `json:"requests"`
	MaxRequests int      `json:"maxRequests"`
	// Incomplete says why not everything was asked; a report without findings is a clean one only where it is empty.
	Incomplete string            `json:"incomplete,omitempty"`
	Findings   []finding.Finding `json:"findings"`
	// NotTested says what could not be looked at.
	NotTested []string `json:"notTested,omitempty"`
	Probes    []*Probe `json:"probes"`
}
