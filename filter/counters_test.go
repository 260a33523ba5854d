package filter

import (
	"testing"

	"corsguard/filter/policy"
)

// A rule's counters are created when they first count, and shared by all plugins that have a rule of the name.
func TestCountersOfRulesAreCreatedWhenTheyCount(t *testing.T) {
	e := startEmulator(t, []byte(`{"cors":{"allowOrigins":["https://app.example.com"]},"rules":[{"name":"a","match":{"paths":[{"prefix":"/a"}]}},{"name":"b","match":{"paths":[{"prefix":"/b"}]}}]}`))
	counter := func(rule string) string { return counterName(rule, "actual", "allowed", "origin_allowed") }
	send := func(path string) {
		e.send(t, []policy.Header{{":method", "GET"}, {":scheme", "https"}, {":authority", "api.example.test"}, {":path", path}, {"origin", "https://app.example.com"}}, nil)
	}
	send("/a")
	send("/a/b?c")
	for _, rule := range []string{"a", "b"} {
		if n, err := e.GetCounterMetric(counter(rule)); err == nil {
			t.Errorf("rule %s has a counter before the tick: %d", rule, n)
		}
	}
	if n, err := e.GetCounterMetric(counter(policy.DefaultRule)); err != nil || n != 0 {
		t.Errorf("the default's: %d, %v", n, err)
	}
	e.Tick()
	if n, err := e.GetCounterMetric(counter("a")); err != nil || n != 2 {
		t.Errorf("rule a: %d, %v", n, err)
	}
	if n, err := e.GetCounterMetric(counter("b")); err == nil {
		t.Errorf("rule b has a counter, and decided nothing: %d", n)
	}
	send("/a")
	e.Tick()
	e.Tick()
	if n, err := e.GetCounterMetric(counter("a")); err != nil || n != 3 {
		t.Errorf("rule a: %d, %v", n, err)
	}
}
