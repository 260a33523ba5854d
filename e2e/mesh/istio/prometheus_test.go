package istio_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"go.yaml.in/yaml/v2"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/images"
)

// scrape returns what Prometheus would get.
func scrape(t *testing.T, addr, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s: %v", path, resp.Status, err)
	}
	return string(text)
}

// series returns the samples above zero of what was scraped, by their labels, after the relabelling of deploy/istio/prometheus.yml.
func series(t *testing.T, scraped string) map[string]float64 {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(manifests, "prometheus.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var job struct {
		Rules []*relabel.Config `yaml:"metric_relabel_configs"`
	}
	if err := yaml.UnmarshalStrict(text, &job); err != nil {
		t.Fatal(err)
	}
	for _, rule := range job.Rules {
		if err := rule.Validate(model.UTF8Validation); err != nil {
			t.Fatal(err)
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(scraped))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			b := labels.NewBuilder(labels.FromStrings(model.MetricNameLabel, name))
			for _, pair := range metric.GetLabel() {
				b.Set(pair.GetName(), pair.GetValue())
			}
			value := metric.GetCounter().GetValue() + metric.GetGauge().GetValue() + metric.GetUntyped().GetValue()
			if relabel.ProcessBuilder(b, job.Rules...) {
				found[b.Labels().String()] += value
			}
		}
	}
	return found
}

// The counters through Istio's agent, which Prometheus asks in a mesh, relabelled by Prometheus' own code.
func TestPrometheusGetsTheCountersAsTheAlertsNameThem(t *testing.T) {
	registry := images.Serve(t)
	digests := images.Push(t, registry+"/corsguard", "v1", plugin)
	o := fetched(t, "oci://"+registry+"/corsguard:v1", digests["oci"])
	rules := policyOf(o)["rules"].([]any)
	policyOf(o)["rules"] = append(rules, cluster.Object{
		"name": "no_origin_kind-7", "match": cluster.Object{"paths": []any{cluster.Object{"prefix": "/reports"}}}, "cors": cluster.Object{"allowOrigins": []any{shop}},
	})
	m := startMesh(t, manifest(t, "gateway.yaml"), []cluster.Object{o})
	m.agent(t)
	m.until(t, preflight("/items", shop), 204, preflightGranted)
	m.check(t, request("GET", "/items", stranger), 200, notGranted)
	m.check(t, request("GET", "/reports", stranger), 200, notGranted)
	m.check(t, request("GET", "/public/a", stranger), 200, []corpus.Header{{"access-control-allow-origin", "*"}})
	want := map[string]float64{
		`{__name__="corsguard", decision="refused", kind="actual", reason="origin_not_allowed", rule="default"}`:          1,
		`{__name__="corsguard", decision="refused", kind="actual", reason="origin_not_allowed", rule="no_origin_kind_7"}`: 1,
		`{__name__="corsguard", decision="allowed", kind="actual", reason="any_origin", rule="public"}`:                   1,
		`{__name__="envoy_wasm_corsguard_vm_reload_success"}`:                                                             0,
		`{__name__="corsguard_panics"}`: 0,
	}
	m.pilot.Until(t, updateLimit, func() error {
		got := series(t, scrape(t, m.status, "/stats/prometheus"))
		for name, value := range want {
			if have, there := got[name]; !there || have != value {
				return &missing{name, value, got}
			}
		}
		return nil
	})

	// What tells of an image that cannot be had.
	m.apply(t, fetched(t, "oci://"+registry+"/corsguard:v1", strings.Repeat("0", 64)))
	m.denyAll(t)
	m.pilot.Until(t, updateLimit, func() error { return logged(scrape(t, m.status, "/stats/prometheus"), checksumMismatches+" 1\n") })
}

// Metrics of Istio's own that say that something is wrong with the plugin.
const (
	ecdsRejects        = `pilot_total_xds_rejects{type="ecds"}`
	checksumMismatches = `istio_agent_wasm_remote_fetch_count{result="checksum_mismatched"}`
)

// missing says which series is not there, or is another value, among those with a name of ours.
type missing struct {
	name  string
	value float64
	got   map[string]float64
}

func (m *missing) Error() string {
	ours := []string{}
	for name := range m.got {
		if strings.Contains(name, "corsguard") {
			ours = append(ours, name)
		}
	}
	slices.Sort(ours)
	return m.name + " is not there, or not as often; there are:\n" + strings.Join(ours, "\n")
}
