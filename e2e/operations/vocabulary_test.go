package operations

import (
	"strings"
	"testing"
)

// TestCompare holds that a difference is seen, so that the tests in an Envoy can fail.
func TestCompare(t *testing.T) {
	const scrape = `# TYPE corsguard counter
corsguard{rule="shop",kind="actual",decision="refused",reason="origin_not_allowed"} 3
corsguard_panics{} 0
envoy_wasm_corsguard_vm_reload_success{} 0
envoy_wasm_corsguard_vm_reload_failure{} 0
envoy_wasm_corsguard_vm_reload_backoff{} 0
envoy_listener_manager_lds_update_rejected{} 0
envoy_listener_manager_lds_update_failure{} 0
corsguard_source_fetch{source="tenants",result="ok"} 2
corsguard_source_last_success_seconds{source="tenants"} 1700000000
`
	for _, c := range []struct{ before, after, from, complaint string }{
		{"", "", "", ""},
		{"", "", LDS, ""},
		{"", "", ECDS, "config_fail"},
		{`kind="actual",`, "", "", "3 labels"},
		{`kind="actual"`, `sort="actual"`, "", "sort"},
		{`decision="refused"`, `decision="denied"`, "", "denied"},
		{"corsguard_panics", "corsguard_panic", "", "there is no corsguard_panics"},
		{"corsguard_panics{}", `corsguard_panics{worker="1"}`, "", "worker"},
		{"lds_update_rejected", "lds_rejected", LDS, "lds_update_rejected"},
		{"", "", Source, ""},
		{`result="ok"`, `result="fine"`, Source, "fine"},
		{`,result="ok"`, "", Source, "1 labels"},
		{"last_success_seconds", "last_success", Source, "last_success_seconds"},
	} {
		switch err := Compare(strings.Replace(scrape, c.before, c.after, 1), c.from); {
		case c.complaint == "" && err != nil:
			t.Error(err)
		case c.complaint != "" && (err == nil || !strings.Contains(err.Error(), c.complaint)):
			t.Errorf("%q for %q: %v, want %q", c.after, c.before, err, c.complaint)
		}
	}
}
