package operations

import (
	"slices"
	"strings"
	"testing"
)

func TestTheFileHasCorsguardFirst(t *testing.T) {
	text, err := adapted("main.wasm", "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	_, l, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"corsguard", "envoy.filters.http.basic_auth", "envoy.filters.http.rbac", "envoy.filters.http.local_ratelimit", "envoy.filters.http.router",
	}
	if got := l.Filters(); !slices.Equal(got, want) {
		t.Errorf("filters: %q", got)
	}
}

func TestEveryConfigurationOfEnvoyHasTheSameTags(t *testing.T) {
	tags := func(name string) string {
		_, rest, _ := strings.Cut(read(t, name), "\nstats_config:\n")
		text, _, found := strings.Cut(rest, "\n\n")
		if !found {
			t.Fatalf("%s has no stats tags", name)
		}
		return text
	}
	if got, want := tags(RateLimitFile), tags("envoy.yaml"); got != want {
		t.Errorf("%s has\n%s\nenvoy.yaml has\n%s", RateLimitFile, got, want)
	}
}
