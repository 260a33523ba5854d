// Package corpus reads the cases that every engine runs.
//
// A case file is one JSON object: what it is about, a plugin configuration that its cases share, and the cases. A refusal file holds
// configurations that the plugin must not start with. CONTRIBUTING.md tells how to add one.
package corpus

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Header is one header line: a name and a value.
type Header [2]string

// File is one file of cases.
type File struct {
	About  string          `json:"about"`
	Config json.RawMessage `json:"config"` // the configuration of the cases that give none
	Cases  []Case          `json:"cases"`
}

// Case is one request, what the upstream would answer, and what must come out.
type Case struct {
	Name     string          `json:"name"`
	Config   json.RawMessage `json:"config,omitempty"`
	Request  Request         `json:"request"`
	Upstream Upstream        `json:"upstream"`
	Want     Want            `json:"want"`

	File string `json:"-"`
}

// Request is what the client sends. Absent fields mean GET http://api.example.test/.
type Request struct {
	Method    string   `json:"method"`
	Scheme    string   `json:"scheme"`
	Authority string   `json:"authority"`
	Path      string   `json:"path"`
	Headers   []Header `json:"headers"`

	// Route is the name of the proxy's route that the request takes. Absent means a route without a name.
	Route string `json:"route,omitempty"`
}

// Upstream is the upstream's answer, should the request reach it. Absent means 200 without headers of interest.
type Upstream struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
}

// Want is the outcome. Headers is the complete set of the headers that IsOwned names; everything that is not listed must be absent.
type Want struct {
	Forwarded bool     `json:"forwarded"`
	Status    int      `json:"status"`
	Headers   []Header `json:"headers"`
	Rule      string   `json:"rule,omitempty"` // whose policy decides; absent means DefaultRule
	Kind      string   `json:"kind"`
	Decision  string   `json:"decision"` // allowed, refused, shadowed, or Uncounted, which has neither kind nor reason
	Reason    string   `json:"reason"`

	// Reported is the reason of what is only reported: it is counted in addition, as shadowed.
	Reported string `json:"reported,omitempty"`
}

// Uncounted is the decision of requests about which nothing is decided.
const Uncounted = "uncounted"

// Outcomes returns what is counted of the request: as much of w as names a counter.
func (w Want) Outcomes() []Want {
	if w.Decision == Uncounted {
		return nil
	}
	all := []Want{{Rule: w.Rule, Kind: w.Kind, Decision: w.Decision, Reason: w.Reason}}
	if w.Reported != "" {
		all = append(all, Want{Rule: w.Rule, Kind: w.Kind, Decision: "shadowed", Reason: w.Reported})
	}
	return all
}

// FilterState returns what the plugin leaves for access logs: the first outcome that is no permission.
func (w Want) FilterState() string {
	for _, o := range w.Outcomes() {
		if o.Decision != "allowed" {
			return fmt.Sprintf("decision=%s kind=%s reason=%s rule=%s", o.Decision, o.Kind, o.Reason, o.Rule)
		}
	}
	return ""
}

// DefaultRule is what counters and logs call the policy of requests that no rule matches.
const DefaultRule = "default"

// RefusalFile is one file of configurations that must be refused.
type RefusalFile struct {
	About   string    `json:"about"`
	Refused []Refusal `json:"refused"`
}

// Refusal is one configuration that must be refused, given as JSON, as text, or in base64 where it is no valid UTF-8.
type Refusal struct {
	Name   string          `json:"name"`
	Config json.RawMessage `json:"config,omitempty"`
	Text   *string         `json:"text,omitempty"`
	Base64 *string         `json:"base64,omitempty"`
	// Paths are the JSON paths that the errors name, in any order, each once for each error.
	Paths []string `json:"paths"`
	// BeyondSchema marks what docs/schema.json cannot tell from a good configuration.
	BeyondSchema bool `json:"beyondSchema,omitempty"`

	File string `json:"-"`
}

// Bytes returns the configuration as the plugin gets it.
func (r Refusal) Bytes() ([]byte, error) {
	switch {
	case r.Text != nil:
		return []byte(*r.Text), nil
	case r.Base64 != nil:
		return base64.StdEncoding.DecodeString(*r.Base64)
	case len(r.Config) > 0:
		return r.Config, nil
	}
	return nil, fmt.Errorf("%s: %q has no configuration", r.File, r.Name)
}

// IsOwned reports whether a response header, given in lower case, belongs to the set that Want.Headers lists completely.
func IsOwned(name string) bool {
	return strings.HasPrefix(name, "access-control-") || name == "vary" || name == "timing-allow-origin" || slices.Contains(setHeaders, name)
}

// setHeaders are the headers of isolation and securityHeaders.
var setHeaders = []string{
	"cross-origin-opener-policy", "cross-origin-opener-policy-report-only", "cross-origin-embedder-policy", "cross-origin-embedder-policy-report-only",
	"cross-origin-resource-policy", "origin-agent-cluster", "document-isolation-policy", "reporting-endpoints",
	"content-security-policy", "content-security-policy-report-only", "strict-transport-security", "x-content-type-options",
	"x-frame-options", "referrer-policy", "permissions-policy", "x-xss-protection",
}

// Owned returns the lines of headers that IsOwned names, names in lower case, sorted, so that two sets compare.
func Owned(headers []Header) []Header {
	out := []Header{}
	for _, h := range headers {
		if n := strings.ToLower(h[0]); IsOwned(n) {
			out = append(out, Header{n, h[1]})
		}
	}
	slices.SortStableFunc(out, func(a, b Header) int { return strings.Compare(a[0], b[0]) })
	return out
}

// Load reads the case files of dir, sorted by name, checks that case names are unique, and fills in what a case left out.
func Load(dir string) ([]Case, error) {
	var cases []Case
	seen := map[string]string{}
	err := each(filepath.Join(dir, "cases"), func(name string, dec *json.Decoder) error {
		var f File
		if err := dec.Decode(&f); err != nil {
			return err
		}
		for _, c := range f.Cases {
			c.File = name
			if c.Config == nil {
				c.Config = f.Config
			}
			if c.Config == nil {
				return fmt.Errorf("case %q has no configuration", c.Name)
			}
			if first, dup := seen[c.Name]; dup || c.Name == "" {
				return fmt.Errorf("case name %q is empty or taken in %s", c.Name, first)
			}
			seen[c.Name] = name
			c.Request.Fill()
			if c.Upstream.Status == 0 {
				c.Upstream.Status = 200
			}
			c.Want.Rule = cmp.Or(c.Want.Rule, DefaultRule)
			isCounted := c.Want.Decision != Uncounted
			if c.Want.Status == 0 || c.Want.Decision == "" || isCounted != (c.Want.Kind != "") || isCounted != (c.Want.Reason != "") {
				return fmt.Errorf("case %q must say status, decision, kind and reason", c.Name)
			}
			cases = append(cases, c)
		}
		return nil
	})
	return cases, err
}

// Fill sets the fields that are empty to what their absence means.
func (r *Request) Fill() {
	for _, f := range []struct {
		field *string
		value string
	}{{&r.Method, "GET"}, {&r.Scheme, "http"}, {&r.Authority, "api.example.test"}, {&r.Path, "/"}} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
}

// LoadRefusals reads the refusal files of dir.
func LoadRefusals(dir string) ([]Refusal, error) {
	var all []Refusal
	err := each(filepath.Join(dir, "refused"), func(name string, dec *json.Decoder) error {
		var f RefusalFile
		if err := dec.Decode(&f); err != nil {
			return err
		}
		for _, r := range f.Refused {
			r.File = name
			if _, err := r.Bytes(); err != nil {
				return err
			}
			if len(r.Paths) == 0 {
				return fmt.Errorf("refusal %q names no path", r.Name)
			}
			all = append(all, r)
		}
		return nil
	})
	return all, err
}

func each(dir string, read func(name string, dec *json.Decoder) error) error {
	names, err := fs.Glob(os.DirFS(dir), "*.json")
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("no case files in %s", dir)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := read(name, dec); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}
