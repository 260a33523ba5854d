package finding

import (
	"bytes"
	"encoding/json"
	"io"
)

// jsonFinding is a finding as --output json writes it.
type jsonFinding struct {
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Place    Place    `json:"place"`
	Title    string   `json:"title"`
	Message  string   `json:"message"`
	Why      string   `json:"why,omitempty"`
	Fix      string   `json:"fix,omitempty"`
	Evidence []string `json:"evidence,omitempty"`
}

// MarshalJSON implements json.Marshaler.
func (f Finding) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // whoever embeds it in HTML has to escape all of it
	err := e.Encode(jsonFinding{
		Rule: f.Rule.ID, Severity: f.Severity, Place: f.Place, Title: f.Rule.Title, Message: f.Message, Why: f.Rule.Why, Fix: f.Fix, Evidence: f.Evidence,
	})
	return b.Bytes(), err
}

// WriteJSON writes v, such as {"findings": […]}, as indented JSON. Characters are not escaped for HTML.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
