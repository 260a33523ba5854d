package wasmhost_test

import (
	"fmt"
	"slices"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wasmhost"
)

// rulesDefined returns the rules that counters are defined for, and the number of counters of each.
func rulesDefined(plugin *wasmhost.Plugin) map[string]int {
	rules := map[string]int{}
	for name := range plugin.Counters() {
		if d, ok := decisionOf(name); ok {
			rules[d.rule]++
		}
	}
	return rules
}

// Ten thousand rules with every outcome of each would be a quarter of a million counters in Envoy, most of which never move.
func TestOutcomesOfRulesAreDefinedWhenTheyFirstCount(t *testing.T) {
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), byHost)
	before := rulesDefined(plugin)
	if before[corpus.DefaultRule] == 0 || len(before) != 1 {
		t.Errorf("at the start counters are defined for %v, want the default's alone", before)
	}
	for range 3 {
		plugin.NewStream().Do(wasmhost.Request{Headers: lines(allowedOrigin)}, wasmhost.Response{})
		plugin.Tick()
	}
	after := rulesDefined(plugin)
	if after["api"] != 1 || len(after) != 2 || after[corpus.DefaultRule] != before[corpus.DefaultRule] {
		t.Errorf("after requests of one outcome counters are defined for %v", after)
	}
}

// Rules come and go with configurations. One VM holds what it has counted for all of them, so the ids that Envoy gave it must be found again.
func TestRulesOfTheSameNameShareTheirCounters(t *testing.T) {
	vm := newVM(t, pluginHost(t, wasmhost.Envoy140))
	const rounds = 5
	for i := range rounds {
		plugin, err := vm.Configure([]byte(byHost))
		if err != nil {
			t.Fatal(err)
		}
		plugin.NewStream().Do(wasmhost.Request{Headers: lines(allowedOrigin)}, wasmhost.Response{})
		plugin.Tick()
		if got := plugin.Counters()["corsguard.rule.api.kind.actual.decision.allowed.reason.origin_allowed"]; got != uint64(i+1) {
			t.Errorf("after %d requests %d are counted", i+1, got)
		}
	}
	if defined := vm.Calls().Host["define_metric"]; defined != len(vm.Process().Counters()) {
		t.Errorf("the VM defined metrics %d times for %d counters", defined, len(vm.Process().Counters()))
	}
}

func TestARouteWithoutANameAndNoRouteFitNoRule(t *testing.T) {
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), fmt.Sprintf(
		`{"cors": {"allowOrigins": [%q]}, "rules": [{"name": "api", "match": {"routes": ["api"]}, "cors": null}]}`, allowedOrigin[1]))
	for name, c := range map[string]struct {
		request wasmhost.Request
		granted []string
	}{
		"its own":        {wasmhost.Request{Route: "api"}, nil},
		"another":        {wasmhost.Request{Route: "api2"}, []string{allowedOrigin[1]}},
		"without a name": {wasmhost.Request{}, []string{allowedOrigin[1]}},
		"none":           {wasmhost.Request{NoRoute: true}, []string{allowedOrigin[1]}},
	} {
		c.request.Headers = lines(allowedOrigin)
		if out := plugin.NewStream().Do(c.request, wasmhost.Response{}); !slices.Equal(out.Values("access-control-allow-origin"), c.granted) || out.Err != nil {
			t.Errorf("%s: headers %q, %v", name, out.Headers, out.Err)
		}
	}
}
