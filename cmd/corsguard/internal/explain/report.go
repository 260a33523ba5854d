package explain

import (
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/policy"
)

// Report is what becomes of a request. Its JSON form is that of --output json.
type Report struct {
	Request Request `json:"request"`
	// CrossOrigin tells that the request comes from a page of another origin.
	CrossOrigin bool `json:"crossOrigin"`
	// PreflightBecause says why the browser sends a preflight; empty where it sends none.
	PreflightBecause []string `json:"preflightBecause,omitempty"`
	Preflight        *Step    `json:"preflight,omitempty"`
	// Actual is nil where the browser does not send the actual request, because the preflight failed; that of an archive is there all the same.
	Actual  *Step    `json:"actual,omitempty"`
	Browser *Browser `json:"browser,omitempty"` // nil where no browser's page asks
	Changes []Change `json:"changes,omitempty"`
	// Notes say what was taken for granted.
	Notes []string `json:"notes,omitempty"`

	preflightFailed bool
}

// Request is what was asked.
type Request struct {
	Method      string        `json:"method"`
	URL         string        `json:"url"`
	Origin      string        `json:"origin,omitempty"`
	Mode        string        `json:"mode,omitempty"`
	Credentials string        `json:"credentials,omitempty"`
	Headers     []edge.Header `json:"headers,omitempty"`
	Route       string        `json:"route,omitempty"`
}

// Step is a request at the edge, and what comes back.
type Step struct {
	Method  string        `json:"method"`
	Path    string        `json:"path"`
	Headers []edge.Header `json:"requestHeaders"`

	Rule      string        `json:"rule"`
	RulePlace finding.Place `json:"rulePlace"`
	// Kind, Decision and Reason are empty where nothing is decided, because the mode is off.
	Kind     string `json:"kind,omitempty"`
	Decision string `json:"decision,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Reported string `json:"reported,omitempty"`
	// Effect is enforced, shadow or off.
	Effect string `json:"effect"`
	// AnsweredBy is corsguard, or upstream.
	AnsweredBy      string        `json:"answeredBy"`
	Status          int           `json:"status"`
	ResponseHeaders []edge.Header `json:"responseHeaders"`
	Body            string        `json:"body,omitempty"`

	exchange edge.Exchange
}

// Browser is what the browser makes of the answers.
type Browser struct {
	// Allowed tells that the page gets the response, and may read it unless it is opaque.
	Allowed bool   `json:"allowed"`
	Failure string `json:"failure,omitempty"`
	// Chromium and Firefox are what their consoles say; empty where they say nothing.
	Chromium string `json:"chromium,omitempty"`
	Firefox  string `json:"firefox,omitempty"`
	// Readable are the response headers that the page may read.
	Readable []string `json:"readable,omitempty"`
	Opaque   bool     `json:"opaque,omitempty"`
	// AllowedBy names the browsers that let through what the standard refuses.
	AllowedBy []string `json:"allowedBy,omitempty"`
}

// Change is something to do.
type Change struct {
	Text  string        `json:"text"`
	Path  string        `json:"path,omitempty"`
	Place finding.Place `json:"place,omitzero"`
}

var effectNames = map[policy.Effect]string{policy.Enforced: "enforced", policy.ShadowOnly: "shadow", policy.NoEffect: "off"}

// step has the edge deal with a request.
func (p *Policy) step(r *edge.Request, upstream *edge.Response) *Step {
	asked := *r
	asked.InForce = p.inForce
	x := edge.Do(p.rules, &asked, upstream)
	s := &Step{
		Method: r.Method, Path: r.Path, Headers: r.Headers, Rule: x.RuleName, Effect: effectNames[x.Effect], AnsweredBy: "upstream", Status: x.Response.Status,
		ResponseHeaders: x.Response.Headers, Body: x.Response.Body, exchange: x,
	}
	if s.ResponseHeaders == nil {
		s.ResponseHeaders = []edge.Header{}
	}
	s.RulePlace = p.place(p.ruleAt(x.Rule))
	if !x.Forwarded {
		s.AnsweredBy = "corsguard"
	}
	if x.Effect != policy.NoEffect {
		kind, reason := x.Outcome.Split()
		s.Kind, s.Decision, s.Reason = kind.String(), x.Outcome.Verdict().String(), reason.String()
	}
	if x.Reported != nil {
		_, reason := x.Reported.Split()
		s.Reported = reason.String()
	}
	return s
}
