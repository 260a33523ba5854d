package edge_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// corpusFile is a file of the cases that every engine runs, as far as it is read here.
type corpusFile struct {
	Config json.RawMessage
	Cases  []corpusCase
}

type corpusCase struct {
	Name    string
	Config  json.RawMessage
	Request struct {
		Method, Scheme, Authority, Path, Route string
		Headers                                []edge.Header
	}
	Upstream edge.Response
	Want     struct {
		Forwarded                              bool
		Status                                 int
		Headers                                []edge.Header
		Kind, Decision, Reason, Rule, Reported string
	}
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../../../../e2e/corpus/cases/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f corpusFile
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range f.Cases {
			c := &f.Cases[i]
			if c.Config == nil {
				c.Config = f.Config
			}
			t.Run(strings.TrimSuffix(filepath.Base(name), ".json")+"/"+c.Name, c.check)
		}
	}
}

func (c *corpusCase) check(t *testing.T) {
	if c.Upstream.Status == 0 {
		c.Upstream.Status = 200
	}
	spec, _, err := config.Parse(c.Config)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile(&spec)
	if err != nil {
		t.Fatal(err)
	}
	x := edge.Do(rules, &edge.Request{
		Method: or(c.Request.Method, "GET"), Scheme: or(c.Request.Scheme, "http"), Authority: or(c.Request.Authority, "api.example.test"), Path: or(c.Request.Path, "/"),
		Route: c.Request.Route, Headers: c.Request.Headers,
	}, &c.Upstream)
	if x.Forwarded != c.Want.Forwarded || x.Response.Status != c.Want.Status {
		t.Errorf("forwarded %v, status %d; want %v, %d", x.Forwarded, x.Response.Status, c.Want.Forwarded, c.Want.Status)
	}
	if got, want := inOneForm(x.Response.Headers), inOneForm(c.Want.Headers); !slices.Equal(got, want) {
		t.Errorf("headers\n got %q\nwant %q", got, want)
	}
	if c.Want.Decision == "uncounted" {
		if x.Effect != policy.NoEffect {
			t.Errorf("effect %v", x.Effect)
		}
		return
	}
	kind, reason := x.Outcome.Split()
	if x.RuleName != or(c.Want.Rule, policy.DefaultRule) || kind.String() != c.Want.Kind || x.Outcome.Verdict().String() != c.Want.Decision ||
		reason.String() != c.Want.Reason && c.Want.Reason != "refused_any" {
		t.Errorf("rule %s, %s %s: %s; want %s, %s %s: %s", x.RuleName, kind, x.Outcome.Verdict(), reason, c.Want.Rule, c.Want.Kind, c.Want.Decision, c.Want.Reason)
	}
	if reported := ""; c.Want.Reported != "" || x.Reported != nil {
		if x.Reported != nil {
			_, reason := x.Reported.Split()
			reported = reason.String()
		}
		if reported != c.Want.Reported {
			t.Errorf("reported %q, want %q", reported, c.Want.Reported)
		}
	}
}

// inOneForm returns the headers that the filter owns, in a form that compares.
func inOneForm(headers []edge.Header) []edge.Header {
	set := map[string]bool{"timing-allow-origin": true, "vary": true}
	for n := policy.OpenerPolicy; n <= policy.XSSProtection; n++ {
		set[n.String()] = true
	}
	var out []edge.Header
	var vary []string
	for _, h := range headers {
		name := strings.ToLower(h[0])
		switch {
		case name == "vary":
			for _, element := range strings.Split(h[1], ",") {
				vary = append(vary, strings.TrimSpace(element))
			}
		case strings.HasPrefix(name, "access-control-") || set[name]:
			out = append(out, edge.Header{name, h[1]})
		}
	}
	slices.SortStableFunc(out, func(a, b edge.Header) int { return strings.Compare(a[0], b[0]) })
	return append(out, edge.Header{"vary", strings.Join(vary, ", ")})
}
