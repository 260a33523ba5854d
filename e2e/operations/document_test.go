package operations

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rows returns the first cells of a table of the document, without their backticks.
func rows(t *testing.T, head string) []string {
	t.Helper()
	_, rest, found := strings.Cut(read(t, document), "\n"+head+"\n")
	if !found {
		t.Fatalf("there is no table %s", head)
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var cells []string
	for _, row := range strings.Split(table, "\n")[1:] {
		cell, _, _ := strings.Cut(strings.TrimPrefix(row, "| "), " |")
		cells = append(cells, strings.Trim(cell, "`"))
	}
	return cells
}

func TestTheDocumentExplainsEveryReason(t *testing.T) {
	for head, reasons := range map[string][]string{
		"| reason | what happened | whose doing it mostly is | what to do | as an attack |": RefusedReasons,
		"| reason | what happened |":              AllowedReasons,
		"| result | what happened | what to do |": FetchResults,
	} {
		if got := rows(t, head); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(reasons))) {
			t.Errorf("the table has %q; there are %q", got, reasons)
		}
	}
}

func TestTheDocumentNamesEveryMetric(t *testing.T) {
	text := read(t, document)
	for _, m := range Metrics() {
		name := strings.Replace(m.Name, "http_filter_corsguard_", "http_filter_<filter>_", 1)
		if !strings.Contains(text, "| `"+name+"` |") && !strings.Contains(text, "| `"+name+"{") {
			t.Errorf("%s is not there", name)
		}
	}
}

func TestTheDocumentNamesThePanels(t *testing.T) {
	var named []string
	for _, cell := range rows(t, "| panel | answers |") {
		named = append(named, strings.Split(cell, ", ")...)
	}
	var there []string
	for _, p := range readDashboard(t).Panels {
		if there = append(there, p.Title); !slices.Contains(named, p.Title) {
			t.Errorf("the page does not have %q", p.Title)
		}
	}
	for _, title := range named {
		if !slices.Contains(there, title) {
			t.Errorf("there is no panel %q", title)
		}
	}
}

// TestExpressionsInTheDocumentFindSomething looks at what one may paste into Prometheus.
func TestExpressionsInTheDocumentFindSomething(t *testing.T) {
	found := 0
	for _, m := range regexp.MustCompile("`([^`\n]*(?:sum|rate|increase)[^`\n]*\\(\\w[^`\n]*)`").FindAllStringSubmatch(read(t, document), -1) {
		found++
		if err := verify(m[1]); err != nil {
			t.Error(err)
		}
	}
	if found == 0 {
		t.Error("there are none")
	}
}

func TestYAMLInTheDocumentIsYAML(t *testing.T) {
	found := 0
	for _, m := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(read(t, document), -1) {
		found++
		var parsed map[string]any
		if err := yaml.Unmarshal([]byte(m[1]), &parsed); err != nil {
			t.Errorf("%v\n%s", err, m[1])
		}
	}
	if found < 2 {
		t.Errorf("%d blocks", found)
	}
}
