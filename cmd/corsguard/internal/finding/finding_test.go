package finding_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/finding"
)

var (
	wide   = &finding.Rule{ID: "wide", Severity: finding.Error, Title: "Too wide", Why: "Anybody gets in."}
	narrow = &finding.Rule{ID: "narrow", Severity: finding.Note, Title: "Too narrow"}
)

func samples() []finding.Finding {
	return []finding.Finding{
		finding.New(narrow, finding.Place{File: "b.yaml", Line: 9, Column: 1}, "nobody gets in", ""),
		{Rule: wide, Severity: finding.Warning, Place: finding.Place{URL: "https://api.example.com/"}, Message: "reflects", Evidence: []string{"> Origin: \x1b[31m", "< ok"}},
		finding.New(wide, finding.Place{File: "a.yaml", Line: 3, Column: 7, Path: "cors.allowOrigins[0]", Document: "WasmPlugin x/y"}, "is <any>", "write fewer"),
		finding.New(wide, finding.Place{File: "a.yaml", Line: 2}, "is any, too", ""),
	}
}

func TestTextHasTheFormOfCompilers(t *testing.T) {
	findings := samples()
	finding.Sort(findings)
	var b bytes.Buffer
	if err := finding.WriteText(&b, findings, finding.Palette{}); err != nil {
		t.Fatal(err)
	}
	want := `https://api.example.com/: warning: reflects [wide]
    > Origin: ` + "\ufffd" + `[31m
    < ok
    why: Anybody gets in.
a.yaml:2: error: is any, too [wide]
a.yaml:3:7: error: cors.allowOrigins[0]: is <any> [wide]
    fix: write fewer
b.yaml:9:1: note: nobody gets in [narrow]
2 errors, 1 warning, 1 note
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestTextNamesTheDocumentsOfEqualLines(t *testing.T) {
	at := func(line int, document string) finding.Finding {
		return finding.New(narrow, finding.Place{File: "a.yaml", Line: line, Column: 1, Document: document}, "nobody gets in", "")
	}
	var b bytes.Buffer
	if err := finding.WriteText(&b, []finding.Finding{at(1, "listener a"), at(1, "listener\x1b b"), at(2, "listener c")}, finding.Palette{}); err != nil {
		t.Fatal(err)
	}
	want := `a.yaml:1:1: note: nobody gets in [narrow] in listener a
a.yaml:1:1: note: nobody gets in [narrow] in listener` + "\ufffd" + ` b
a.yaml:2:1: note: nobody gets in [narrow]
0 errors, 0 warnings, 3 notes
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestJSONHoldsAllOfAFinding(t *testing.T) {
	var b bytes.Buffer
	if err := finding.WriteJSON(&b, samples()[2:3]); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"rule": "wide", "severity": "error", "title": "Too wide", "message": "is <any>", "why": "Anybody gets in.", "fix": "write fewer",
		"place": map[string]any{"file": "a.yaml", "line": 3.0, "column": 7.0, "path": "cors.allowOrigins[0]", "document": "WasmPlugin x/y"},
	}
	if len(got) != 1 || !reflect.DeepEqual(got[0], want) {
		t.Errorf("%s", b.Bytes())
	}
	if !strings.Contains(b.String(), "<any>") {
		t.Errorf("escaped for HTML: %s", b.Bytes())
	}
}

func TestSARIFHasRulesPlacesAndLevels(t *testing.T) {
	var b bytes.Buffer
	if err := finding.WriteSARIF(&b, samples(), []*finding.Rule{narrow, wide}, "1.2.3", nil); err != nil {
		t.Fatal(err)
	}
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID                   string
						DefaultConfiguration struct{ Level string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 {
		t.Fatalf("%s", b.Bytes())
	}
	run := log.Runs[0]
	if d := run.Tool.Driver; d.Name != "corsguard" || d.Version != "1.2.3" || len(d.Rules) != 2 || d.Rules[0].ID != "narrow" || d.Rules[1].DefaultConfiguration.Level != "error" {
		t.Errorf("driver %+v", d)
	}
	if len(run.Results) != 4 {
		t.Fatalf("%d results", len(run.Results))
	}
	r := run.Results[2]
	if r.RuleID != "wide" || r.RuleIndex != 1 || r.Level != "error" || r.Message.Text != "cors.allowOrigins[0]: is <any>. Fix: write fewer" {
		t.Errorf("%+v", r)
	}
	if p := r.Locations[0].PhysicalLocation; p.ArtifactLocation.URI != "a.yaml" || p.Region.StartLine != 3 || p.Region.StartColumn != 7 {
		t.Errorf("%+v", p)
	}
	if run.Results[1].Level != "warning" || run.Results[1].Locations[0].PhysicalLocation.ArtifactLocation.URI != "https://api.example.com/" {
		t.Errorf("%+v", run.Results[1])
	}
}

// A log without results must not be taken for a clean one where not all was looked at.
func TestSARIFSaysWhetherAllWasLookedAt(t *testing.T) {
	for _, failures := range [][]string{nil, {"a.yaml: no such file", "https://api.example.com/: does not answer"}} {
		var b bytes.Buffer
		if err := finding.WriteSARIF(&b, nil, nil, "1", failures); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Runs []struct {
				Invocations []struct {
					ExecutionSuccessful        *bool
					ToolExecutionNotifications []struct {
						Level   string
						Message struct{ Text string }
					}
				}
			}
		}
		if err := json.Unmarshal(b.Bytes(), &log); err != nil {
			t.Fatal(err)
		}
		if len(log.Runs) != 1 || len(log.Runs[0].Invocations) != 1 || log.Runs[0].Invocations[0].ExecutionSuccessful == nil {
			t.Fatalf("%s", b.Bytes())
		}
		i := log.Runs[0].Invocations[0]
		if *i.ExecutionSuccessful != (failures == nil) || len(i.ToolExecutionNotifications) != len(failures) {
			t.Fatalf("%s", b.Bytes())
		}
		for n, said := range i.ToolExecutionNotifications {
			if said.Level != "error" || said.Message.Text != failures[n] {
				t.Errorf("%+v", said)
			}
		}
	}
}

func TestSARIFNamesFilesByReferences(t *testing.T) {
	for file, want := range map[string]string{"a b#c.yaml": "a%20b%23c.yaml", "<stdin>": "stdin", "dir/a.yaml": "dir/a.yaml", "a:b.yaml": "./a:b.yaml", "/abs/ü.yaml": "/abs/%C3%BC.yaml"} {
		var b bytes.Buffer
		if err := finding.WriteSARIF(&b, []finding.Finding{finding.New(wide, finding.Place{File: file}, "m", "")}, nil, "1", nil); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), `"uri": "`+want+`"`) {
			t.Errorf("%s: %s", file, b.Bytes())
		}
	}
}

func TestNothingFoundIsValidSARIF(t *testing.T) {
	var b bytes.Buffer
	if err := finding.WriteSARIF(&b, nil, []*finding.Rule{wide}, "1", nil); err != nil {
		t.Fatal(err)
	}
	// Without results the log would say that nothing was looked for (SARIF 2.1.0, section 3.14.23).
	if !strings.Contains(b.String(), `"results": []`) {
		t.Errorf("%s", b.Bytes())
	}
}

func TestSeveritiesAreReadAsWritten(t *testing.T) {
	for _, s := range []finding.Severity{finding.Note, finding.Warning, finding.Error} {
		if got, err := finding.ParseSeverity(s.String()); got != s || err != nil {
			t.Errorf("%v: %v, %v", s, got, err)
		}
	}
	if _, err := finding.ParseSeverity("fatal"); err == nil {
		t.Error("fatal is a severity")
	}
	if worst, found := finding.Worst(samples()[:2]); worst != finding.Warning || !found {
		t.Errorf("worst %v", worst)
	}
	if _, found := finding.Worst(nil); found {
		t.Error("nothing is something")
	}
}

func TestPrintableLeavesTextAndTakesCommands(t *testing.T) {
	for in, want := range map[string]string{
		"héllo ‘x’": "héllo ‘x’", "a\tb\nc\rd": "a b c d", "\x1b[31m": "\ufffd[31m", "\x9b31m\u0085": "\ufffd31m\ufffd", "a\u202eb\u2066": "a\ufffdb\ufffd", "\x00\x7f": "\ufffd\ufffd",
	} {
		if got := finding.Printable(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
