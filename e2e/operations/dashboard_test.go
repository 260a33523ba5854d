package operations

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const dashboardFile = "docs/operations/dashboard.json"

type datasource struct{ Type, UID string }

// chosen is the data source that the dashboard's reader chooses.
var chosen = datasource{"prometheus", "${datasource}"}

type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource datasource
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct {
		RefID        string
		Datasource   datasource
		Expr         string
		LegendFormat string
	}
}

type dashboard struct {
	Title         string
	UID           string
	SchemaVersion int
	Templating    struct {
		List []struct {
			Name       string
			Type       string
			Datasource *datasource
			Definition string
			Query      any
		}
	}
	Panels []panel
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// asSent returns an expression as Grafana sends it, with all rules chosen.
var asSent = strings.NewReplacer("$__rate_interval", "5m", "$__range", "6h", "$rule", ".*").Replace

func TestTheDashboardImports(t *testing.T) {
	d := readDashboard(t)
	if d.Title == "" || d.UID == "" || d.SchemaVersion != 42 {
		t.Errorf("title %q, uid %q, schema %d", d.Title, d.UID, d.SchemaVersion)
	}
	if m := regexp.MustCompile(`\w+://|localhost|\d+\.\d+\.\d+`).FindString(read(t, dashboardFile)); m != "" {
		t.Errorf("%q belongs to one installation", m)
	}
	variables := map[string]string{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v.Type
		if v.Type == "datasource" && v.Query != "prometheus" {
			t.Errorf("data sources of %v", v.Query)
		}
		if v.Type == "query" {
			m := regexp.MustCompile(`^label_values\((\w+), (\w+)\)$`).FindStringSubmatch(v.Definition)
			if v.Datasource == nil || *v.Datasource != chosen || m == nil || verify(fmt.Sprintf("sum by (%s) (%s)", m[2], m[1])) != nil {
				t.Errorf("variable %s: %q of %v", v.Name, v.Definition, v.Datasource)
			}
		}
	}
	if variables["datasource"] != "datasource" || variables["rule"] != "query" || len(variables) != 2 {
		t.Errorf("variables: %v", variables)
	}
	if len(d.Panels) < 15 {
		t.Errorf("%d panels", len(d.Panels))
	}
}

func TestPanelsHavePlacesOfTheirOwn(t *testing.T) {
	ids := map[int]string{}
	taken := map[[2]int]string{}
	for _, p := range readDashboard(t).Panels {
		if other, there := ids[p.ID]; there || p.ID < 1 {
			t.Errorf("%q has the id %d, as has %q", p.Title, p.ID, other)
		}
		ids[p.ID] = p.Title
		if p.GridPos.X < 0 || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W*p.GridPos.H == 0 || p.Title == "" {
			t.Errorf("%q stands at %+v", p.Title, p.GridPos)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, there := taken[at]; there {
					t.Fatalf("%q stands on %q", p.Title, other)
				}
				taken[at] = p.Title
			}
		}
	}
}

var legendLabel = regexp.MustCompile(`{{(\w+)}}`)

// TestPanelsShowSomething sends what each panel asks to Prometheus' engine, on a gateway where all happens that can happen.
func TestPanelsShowSomething(t *testing.T) {
	data := load(t, append(quiet(),
		throughout(shopRefused, 10), throughout(shopAmbiguous, 2), throughout(shopShadowed, 3), throughout(shopError, 1),
		throughout(`envoy_extension_config_discovery_http_filter_corsguard_config_fail`, 1),
		throughout(`envoy_http_local_rate_limit_rate_limited{envoy_local_http_ratelimit_prefix="api"}`, 5),
	)...)
	for _, p := range readDashboard(t).Panels {
		if p.Datasource != chosen || len(p.Targets) == 0 {
			t.Errorf("%q: data source %v, %d targets", p.Title, p.Datasource, len(p.Targets))
		}
		var refs []string
		for _, target := range p.Targets {
			if target.Datasource != chosen || target.RefID == "" || slices.Contains(refs, target.RefID) {
				t.Errorf("%q: data source %v, target %q", p.Title, target.Datasource, target.RefID)
			}
			refs = append(refs, target.RefID)
			expr := asSent(target.Expr)
			if strings.Contains(expr, "$") {
				t.Errorf("%q: a variable that is not there: %s", p.Title, expr)
				continue
			}
			if err := verify(expr); err != nil {
				t.Errorf("%q: %v", p.Title, err)
				continue
			}
			results := data.evaluate(t, expr, 30*time.Hour)
			if len(results) == 0 {
				t.Errorf("%q shows nothing for %s", p.Title, expr)
			}
			for _, m := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				for _, r := range results {
					if !r.Metric.Has(m[1]) {
						t.Errorf("%q: the legend has %s, and the result %v has not", p.Title, m[1], r.Metric)
					}
				}
			}
		}
	}
}
