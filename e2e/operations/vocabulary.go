// Package operations knows what dashboards, alerts and the page about operations speak of: the metrics, and the configuration for rate limits. Its tests
// hold docs/operations/ to the metrics, and have every alert fire.
package operations

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

// Metric is a metric as Envoy shows it to Prometheus, with the stats tags of envoy.yaml.
type Metric struct {
	Name string
	// Labels are those that Envoy gives it, each with its values. Nil stands for names that a configuration chooses.
	Labels map[string][]string
	// From says what brings the metric. Empty: the plugin, where its name in Envoy is corsguard; it is there from the start.
	From string
}

// What brings metrics, beside the plugin.
const (
	LDS            = "listeners from LDS"
	ECDS           = "a filter from ECDS by the name of corsguard"
	LocalRateLimit = "the filter local_ratelimit"
	Source         = "a policy with allowOriginsFrom that has fetched"
)

// The values of the labels kind, decision and reason.
var (
	Kinds     = []string{"preflight", "actual", "no_origin"}
	Decisions = []string{"allowed", "refused", "shadowed"}
	// AllowedReasons go with the decision allowed, RefusedReasons with refused and shadowed.
	AllowedReasons = []string{"origin_allowed", "any_origin", "same_origin", "no_origin", "cors_off"}
	RefusedReasons = []string{
		"origin_not_allowed", "null_not_allowed", "origin_malformed", "origin_missing", "method_not_allowed", "header_not_allowed", "path_ambiguous",
		"cross_site_not_allowed", "same_site_not_allowed", "internal_error",
	}
)

// FetchResults are the values of the label result: what became of a fetch of origins.
var FetchResults = []string{"ok", "not_modified", "status", "broken_off", "encoded", "too_large", "invalid", "no_cluster", "internal"}

// Metrics returns all that dashboards and alerts may name.
func Metrics() []Metric {
	return []Metric{
		{Name: "corsguard", Labels: map[string][]string{
			"rule": nil, "kind": Kinds, "decision": Decisions, "reason": append(append([]string{}, AllowedReasons...), RefusedReasons...),
		}},
		{Name: "corsguard_panics"},
		{Name: "corsguard_source_fetch", From: Source, Labels: map[string][]string{"source": nil, "result": FetchResults}},
		{Name: "corsguard_source_last_success_seconds", From: Source, Labels: map[string][]string{"source": nil}},
		{Name: "envoy_wasm_corsguard_vm_reload_success"},
		{Name: "envoy_wasm_corsguard_vm_reload_failure"},
		{Name: "envoy_wasm_corsguard_vm_reload_backoff"},
		{Name: "envoy_listener_manager_lds_update_rejected", From: LDS},
		{Name: "envoy_listener_manager_lds_update_failure", From: LDS},
		{Name: "envoy_extension_config_discovery_http_filter_corsguard_config_fail", From: ECDS},
		{
			Name: "envoy_http_local_rate_limit_rate_limited", From: LocalRateLimit,
			Labels: map[string][]string{"envoy_local_http_ratelimit_prefix": nil},
		},
	}
}

var (
	scrapedSeries = regexp.MustCompile(`(?m)^(\w+){(.*)} \d+$`)
	scrapedLabel  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// Compare returns how what an Envoy shows at /stats/prometheus differs from Metrics: of the plugin's, and of those that something in from brings.
func Compare(scrape string, from ...string) error {
	var errs []error
	series := scrapedSeries.FindAllStringSubmatch(scrape, -1)
	for _, m := range Metrics() {
		if m.From != "" && !slices.Contains(from, m.From) {
			continue
		}
		found := false
		for _, s := range series {
			if s[1] == m.Name {
				found = true
				errs = append(errs, m.compare(scrapedLabel.FindAllStringSubmatch(s[2], -1)))
			}
		}
		if !found {
			errs = append(errs, fmt.Errorf("there is no %s", m.Name))
		}
	}
	return errors.Join(errs...)
}

func (m Metric) compare(labels [][]string) error {
	var errs []error
	if len(labels) != len(m.Labels) {
		errs = append(errs, fmt.Errorf("%s has %d labels", m.Name, len(labels)))
	}
	for _, l := range labels {
		if values, there := m.Labels[l[1]]; !there || values != nil && !slices.Contains(values, l[2]) {
			errs = append(errs, fmt.Errorf("%s has the label %s", m.Name, l[0]))
		}
	}
	return errors.Join(errs...)
}
