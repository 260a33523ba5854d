package operations

import (
	"slices"
	"testing"
	"time"
)

// The scenes of these tests take two days. What happens begins after the first, so that there is a day before.
const (
	day   = 24 * 60 // in minutes
	start = day + 3*60
)

func steadily(minutes int, perMinute float64) phase {
	return phase{minutes: minutes, perMinute: perMinute}
}

func gone(minutes int) phase { return phase{minutes: minutes, gone: true} }

func missed(minutes int) phase { return phase{minutes: minutes, missed: true} }

// throughout counts at one pace for two days.
func throughout(name string, perMinute float64) counter {
	return counter{name, []phase{steadily(2*day, perMinute)}}
}

// event counts something else for some minutes after start.
func event(name string, before float64, minutes int, during float64) counter {
	return counter{name, []phase{steadily(start, before), steadily(minutes, during), steadily(2*day-start-minutes, before)}}
}

// firstEvent is one of a counter that was not there before.
func firstEvent(name string, minutes int, during float64) counter {
	return counter{name, []phase{gone(start), steadily(minutes, during), steadily(2*day-start-minutes, 0)}}
}

// quiet is a gateway with 100 requests per second, at night 20, that refuses some, as all gateways do. Its Envoy is started anew on the second day.
func quiet() []counter {
	var all []counter
	for name, perMinute := range map[string]float64{
		`corsguard{rule="default", kind="actual", decision="allowed", reason="origin_allowed"}`:        2400,
		`corsguard{rule="default", kind="preflight", decision="allowed", reason="origin_allowed"}`:     600,
		`corsguard{rule="default", kind="no_origin", decision="allowed", reason="no_origin"}`:          3000,
		`corsguard{rule="default", kind="actual", decision="refused", reason="origin_not_allowed"}`:    10,
		`corsguard{rule="default", kind="preflight", decision="refused", reason="method_not_allowed"}`: 5,
		`corsguard{rule="default", kind="actual", decision="refused", reason="origin_malformed"}`:      0.5,
		`corsguard{rule="default", kind="actual", decision="refused", reason="internal_error"}`:        0,
		`corsguard_panics`:                                                0,
		`envoy_wasm_corsguard_vm_reload_success`:                          0,
		`envoy_wasm_corsguard_vm_reload_failure`:                          0,
		`envoy_wasm_corsguard_vm_reload_backoff`:                          0,
		`envoy_listener_manager_lds_update_rejected`:                      0,
		`envoy_listener_manager_lds_update_failure`:                       0,
		`corsguard_source_fetch{source="tenants", result="not_modified"}`: 1,
		`corsguard_source_fetch{source="tenants", result="ok"}`:           0.1,
		`corsguard_source_fetch{source="tenants", result="status"}`:       0.05,
	} {
		night, noon := steadily(8*60, perMinute/5), steadily(16*60, perMinute)
		all = append(all, counter{name, []phase{night, noon, night, steadily(8*60, perMinute), gone(2), steadily(8*60-2, perMinute)}})
	}
	const restart = day + 16*60
	return append(all, fetched("tenants", steadily(restart, 60), gone(2), steadily(1, 60*(restart+3)), steadily(day, 60)))
}

// fetched is a source whose last success is a minute old as long as it counts one second each second.
func fetched(source string, phases ...phase) counter {
	return counter{`corsguard_source_last_success_seconds{source="` + source + `"}`, phases}
}

// scene is what counters do, and the alerts that fire, each with its labels, once for each time that it fires.
type scene struct {
	name  string
	empty bool // nothing but the counters; otherwise they are those of a quiet gateway too
	after int  // the minute before which it does not matter what fires
	plus  []counter
	want  map[string][]string
}

const (
	shopAllowed   = `corsguard{rule="shop", kind="actual", decision="allowed", reason="origin_allowed"}`
	shopRefused   = `corsguard{rule="shop", kind="actual", decision="refused", reason="origin_not_allowed"}`
	shopMalformed = `corsguard{rule="shop", kind="preflight", decision="refused", reason="origin_malformed"}`
	shopAmbiguous = `corsguard{rule="shop", kind="actual", decision="refused", reason="path_ambiguous"}`
	shopError     = `corsguard{rule="shop", kind="actual", decision="refused", reason="internal_error"}`
	shopShadowed  = `corsguard{rule="shop", kind="actual", decision="shadowed", reason="cross_site_not_allowed"}`

	fetchInvalid = `corsguard_source_fetch{source="shops", result="invalid"}`

	ofNotAllowed = `{reason="origin_not_allowed", rule="shop"}`
)

func scenes() []scene {
	return []scene{
		{name: "nothing happens"},
		{
			name: "many refusals, always",
			plus: []counter{throughout(shopAllowed, 1200), throughout(shopRefused, 90)},
			want: map[string][]string{"CorsguardRefusals": {ofNotAllowed}},
		},
		{name: "fewer of them", plus: []counter{throughout(shopAllowed, 1200), throughout(shopRefused, 50)}},
		{
			name: "many refusals, for five minutes only", // a jump all the same
			plus: []counter{throughout(shopAllowed, 6000), event(shopRefused, 0, 5, 90)},
			want: map[string][]string{"CorsguardRefusalsJumped": {ofNotAllowed}},
		},
		{
			name: "a rule that refuses a third",
			plus: []counter{throughout(shopAllowed, 20), throughout(shopRefused, 10)},
			want: map[string][]string{"CorsguardRefusalShare": {`{kind="actual", rule="shop"}`}},
		},
		{name: "a rule that refuses a tenth", plus: []counter{throughout(shopAllowed, 90), throughout(shopRefused, 10)}},
		{name: "a rule that refuses one of two requests in a minute", plus: []counter{throughout(shopAllowed, 1), throughout(shopRefused, 1)}},
		{
			name: "a jump",
			plus: []counter{throughout(shopAllowed, 6000), event(shopRefused, 3, 15, 30)},
			want: map[string][]string{"CorsguardRefusalsJumped": {ofNotAllowed}},
		},
		{name: "a jump to three times", plus: []counter{throughout(shopAllowed, 6000), event(shopRefused, 10, 15, 30)}},
		{
			name: "a jump of a series that was not there",
			plus: []counter{throughout(shopAllowed, 6000), firstEvent(shopRefused, 8, 60)},
			want: map[string][]string{"CorsguardRefusalsJumped": {ofNotAllowed}},
		},
		{
			name: "a slow rise",
			plus: []counter{throughout(shopAllowed, 6000), {shopRefused, []phase{
				steadily(start, 6), steadily(60, 9), steadily(60, 13), steadily(60, 18), steadily(60, 24), steadily(2*day-start-240, 30),
			}}},
			want: map[string][]string{"CorsguardRefusalsAboveYesterday": {ofNotAllowed}},
		},
		{
			name: "a slow rise of a series that was not there the day before",
			plus: []counter{throughout(shopAllowed, 6000), {shopRefused, []phase{
				gone(start), steadily(60, 4), steadily(60, 8), steadily(2*day-start-120, 16),
			}}},
			want: map[string][]string{"CorsguardRefusalsAboveYesterday": {ofNotAllowed}},
		},
		{
			name: "a rise of every morning",
			plus: []counter{throughout(shopAllowed, 6000), {shopRefused, []phase{
				steadily(8*60, 6), steadily(60, 12), steadily(60, 20), steadily(14*60, 30), steadily(8*60, 6), steadily(60, 12), steadily(60, 20), steadily(14*60, 30),
			}}},
		},
		{name: "a slow rise to twice as many", plus: []counter{throughout(shopAllowed, 6000), event(shopRefused, 15, 6*60, 30)}},
		{
			name: "the first day", empty: true, // with nothing to compare with, the same refusals are no rise
			plus: []counter{
				{`corsguard_panics`, []phase{gone(start), steadily(2*day-start, 0)}},
				{`corsguard{rule="default", kind="actual", decision="allowed", reason="origin_allowed"}`, []phase{gone(start), steadily(2*day-start, 6000)}},
				{`corsguard{rule="default", kind="actual", decision="refused", reason="origin_not_allowed"}`, []phase{gone(start), steadily(2*day-start, 30)}},
			},
			want: map[string][]string{"CorsguardNotReporting": {`{}`}}, // before
		},
		{
			name: "malformed origins",
			plus: []counter{event(shopMalformed, 0, 15, 3)},
			want: map[string][]string{"CorsguardProbing": {`{reason="origin_malformed", rule="shop"}`}},
		},
		{
			name: "paths that are ambiguous, for the first time",
			plus: []counter{firstEvent(shopAmbiguous, 15, 3)},
			want: map[string][]string{"CorsguardProbing": {`{reason="path_ambiguous", rule="shop"}`}},
		},
		{name: "a malformed origin each minute", plus: []counter{throughout(shopMalformed, 1)}},
		{
			name: "an internal error",
			plus: []counter{event(shopError, 0, 1, 1)},
			want: map[string][]string{"CorsguardInternalError": {`{rule="shop"}`}},
		},
		{
			name: "the first internal error of a rule",
			plus: []counter{firstEvent(shopError, 1, 1)},
			want: map[string][]string{"CorsguardInternalError": {`{rule="shop"}`}},
		},
		{
			name: "scrapes that fail after an internal error of long ago",
			plus: []counter{{shopError, []phase{gone(1), steadily(1, 1), steadily(day, 0), missed(60), steadily(day-62, 0)}}},
			want: map[string][]string{"CorsguardInternalError": {`{rule="shop"}`}}, // once, when it happens
		},
		{
			name: "a panic",
			plus: []counter{event(`corsguard_panics{instance="edge-2"}`, 0, 1, 1)},
			want: map[string][]string{"CorsguardPanics": {`{instance="edge-2"}`}},
		},
		{
			name: "a VM that crashed once",
			plus: []counter{
				event(`envoy_wasm_corsguard_vm_reload_success{instance="edge-2"}`, 0, 1, 1),
				event(`envoy_wasm_corsguard_vm_reload_backoff{instance="edge-2"}`, 0, 1, 5),
			},
			want: map[string][]string{"CorsguardVMRestarted": {`{instance="edge-2"}`}},
		},
		{
			name: "a VM that crashes again and again",
			plus: []counter{
				event(`envoy_wasm_corsguard_vm_reload_success{instance="edge-2"}`, 0, 10, 20),
				event(`envoy_wasm_corsguard_vm_reload_backoff{instance="edge-2"}`, 0, 10, 500),
			},
			want: map[string][]string{"CorsguardVMRestarted": {`{instance="edge-2"}`}, "CorsguardVMDown": {`{instance="edge-2"}`}},
		},
		{
			name: "a VM that does not come back",
			plus: []counter{event(`envoy_wasm_corsguard_vm_reload_failure{instance="edge-2"}`, 0, 1, 1)},
			want: map[string][]string{"CorsguardVMDown": {`{instance="edge-2"}`}},
		},
		{
			name: "a listener with a mistake",
			plus: []counter{event(`envoy_listener_manager_lds_update_rejected{instance="edge-2"}`, 0, 1, 1)},
			want: map[string][]string{"CorsguardUpdateRejected": {`{instance="edge-2"}`}},
		},
		{
			name: "a listener whose file cannot be read",
			plus: []counter{event(`envoy_listener_manager_lds_update_failure{instance="edge-2"}`, 0, 1, 1)},
			want: map[string][]string{"CorsguardUpdateRejected": {`{instance="edge-2"}`}},
		},
		{
			name: "a filter with a mistake",
			plus: []counter{event(`envoy_extension_config_discovery_http_filter_corsguard_config_fail{instance="edge-2"}`, 0, 1, 1)},
			want: map[string][]string{"CorsguardUpdateRejected": {`{instance="edge-2"}`}},
		},
		{
			name: "a source that gives nothing for half an hour",
			plus: []counter{fetched("shops", steadily(start, 60), steadily(30, 0), steadily(1, 60*31), steadily(2*day-start-31, 60))},
			want: map[string][]string{"CorsguardOriginsStale": {`{source="shops"}`}},
		},
		{
			name: "a source that gives nothing for ten minutes",
			plus: []counter{fetched("shops", steadily(start, 60), steadily(10, 0), steadily(1, 60*11), steadily(2*day-start-11, 60))},
		},
		{
			name: "a source that never gives anything", after: 30,
			plus: []counter{fetched("shops", steadily(2*day, 0))},
			want: map[string][]string{"CorsguardOriginsStale": {`{source="shops"}`}},
		},
		{
			name: "a document with a mistake",
			plus: []counter{event(fetchInvalid, 0, 1, 1)},
			want: map[string][]string{"CorsguardOriginsRefused": {`{result="invalid", source="shops"}`}},
		},
		{
			name: "the first document with a mistake",
			plus: []counter{firstEvent(fetchInvalid, 1, 1)},
			want: map[string][]string{"CorsguardOriginsRefused": {`{result="invalid", source="shops"}`}},
		},
		{
			name: "a document that is too large, again and again",
			plus: []counter{event(`corsguard_source_fetch{source="shops", result="too_large"}`, 0, 60, 1)},
			want: map[string][]string{"CorsguardOriginsRefused": {`{result="too_large", source="shops"}`}},
		},
		{
			name: "a service that fails now and then, which is no document",
			plus: []counter{throughout(`corsguard_source_fetch{source="shops", result="status"}`, 1), throughout(`corsguard_source_fetch{source="shops", result="broken_off"}`, 1)},
		},
		{
			name: "no plugin anywhere", empty: true,
			want: map[string][]string{"CorsguardNotReporting": {`{}`}},
		},
		{
			name: "no stats tags, so that the counters have other names", empty: true,
			plus: []counter{throughout(`corsguard_panics`, 0)},
			want: map[string][]string{"CorsguardNotReporting": {`{}`}},
		},
		{
			name: "shadowed refusals, be they many",
			plus: []counter{throughout(shopAllowed, 600), throughout(shopShadowed, 600)},
			want: map[string][]string{"CorsguardWouldRefuse": {`{reason="cross_site_not_allowed", rule="shop"}`}},
		},
		{
			name: "a single shadowed refusal",
			plus: []counter{firstEvent(shopShadowed, 1, 1)},
			want: map[string][]string{"CorsguardWouldRefuse": {`{reason="cross_site_not_allowed", rule="shop"}`}},
		},
		{
			name: "a shadowed refusal of yesterday", after: day + 1,
			plus: []counter{{shopShadowed, []phase{steadily(1, 1), steadily(2*day-1, 0)}}},
		},
	}
}

// TestAlertsFireAndStaySilent plays each scene to all alerts, in Prometheus' own engine.
func TestAlertsFireAndStaySilent(t *testing.T) {
	all := alerts(t)
	fired := map[string]bool{}
	for _, scene := range scenes() {
		t.Run(scene.name, func(t *testing.T) {
			counters := scene.plus
			if !scene.empty {
				counters = append(quiet(), counters...)
			}
			data := load(t, counters...)
			for _, alert := range all {
				var got []string
				firings := data.fires(t, alert, 2*day*time.Minute)
				for _, f := range firings {
					if f.last >= time.Duration(scene.after)*time.Minute {
						got = append(got, f.labels.String())
						fired[alert.Alert] = true
					}
				}
				if !slices.Equal(got, scene.want[alert.Alert]) {
					t.Errorf("%s fires for %v, want %s", alert.Alert, firings, scene.want[alert.Alert])
				}
			}
		})
	}
	for _, alert := range all {
		if !fired[alert.Alert] {
			t.Errorf("%s never fires", alert.Alert)
		}
	}
}
