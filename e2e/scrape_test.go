package e2e_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
)

// series is one of those that Prometheus gets, by its labels.
type series struct{ rule, kind, decision, reason string }

var seriesLine = regexp.MustCompile(`^corsguard\{rule="([^"]*)",kind="([^"]*)",decision="([^"]*)",reason="([^"]*)"\} (\d+)$`)

// scrape returns the plugin's series, and fails where one has other labels.
func scrape(t *testing.T, g *envoy.Gateway) map[series]int64 {
	t.Helper()
	text, err := g.Admin.Get(t.Context(), "/stats/prometheus?filter=corsguard")
	if err != nil {
		t.Fatal(err)
	}
	got := map[series]int64{}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "corsguard") || strings.HasPrefix(line, "corsguard_panics{} ") {
			continue
		}
		m := seriesLine.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			t.Fatalf("odd line %q", line)
		}
		if got[series{m[1], m[2], m[3], m[4]}], err = strconv.ParseInt(m[5], 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return got
}

// What a request can get, as kind and reason: what is allowed, and what is refused by CORS and by Fetch Metadata.
var (
	allowedOutcomes = []string{
		"no_origin no_origin", "no_origin any_origin", "no_origin cors_off",
		"actual origin_allowed", "actual any_origin", "actual same_origin", "actual cors_off",
		"preflight origin_allowed", "preflight any_origin", "preflight cors_off",
	}
	refusedOutcomes = []string{
		"no_origin origin_missing", "no_origin path_ambiguous", "no_origin internal_error",
		"actual origin_not_allowed", "actual null_not_allowed", "actual origin_malformed", "actual path_ambiguous", "actual internal_error",
		"preflight origin_not_allowed", "preflight null_not_allowed", "preflight origin_malformed", "preflight path_ambiguous", "preflight internal_error",
		"preflight method_not_allowed", "preflight header_not_allowed",
	}
	metadataOutcomes = []string{
		"no_origin cross_site_not_allowed", "no_origin same_site_not_allowed", "actual cross_site_not_allowed", "actual same_site_not_allowed",
	}
)

// possible is what a rule counts: refusals of CORS as these decisions, of Fetch Metadata as those.
func possible(rule string, refused, metadata []string) map[series]bool {
	all := map[series]bool{}
	add := func(decision string, outcomes []string) {
		for _, o := range outcomes {
			kind, reason, _ := strings.Cut(o, " ")
			all[series{rule, kind, decision, reason}] = true
		}
	}
	add("allowed", allowedOutcomes)
	for _, decision := range refused {
		add(decision, refusedOutcomes)
	}
	for _, decision := range metadata {
		add(decision, metadataOutcomes)
	}
	return all
}

var (
	refusedOnly  = []string{"refused"}
	shadowedOnly = []string{"shadowed"}
	bothOfThem   = []string{"refused", "shadowed"}
)

// TestSeries holds what Prometheus gets.
func TestSeries(t *testing.T) {
	t.Parallel()
	g := startGateway(t, "--concurrency", "1", "--config-yaml", statsConfig(t))
	t.Run("of the default rule", func(t *testing.T) { checkSeriesOfTheDefaultRule(t, g) })
	t.Run("of traffic", func(t *testing.T) { checkSeriesDoNotGrow(t, g) })
}

// checkSeriesOfTheDefaultRule holds which series there are before the first request, and their numbers, which the documentation states. What each
// configuration has comes to what those before it have.
func checkSeriesOfTheDefaultRule(t *testing.T, g *envoy.Gateway) {
	const cors = `"cors": {"allowOrigins": ["https://app.example.com"]}`
	all := map[series]bool{}
	for i, c := range []struct {
		config            string
		refused, metadata []string
		number            int
	}{
		{`{"mode": "off", ` + cors + `}`, nil, nil, 0},
		{`{` + cors + `}`, refusedOnly, nil, 25},
		{`{` + cors + `, "fetchMetadata": {"mode": "report"}}`, refusedOnly, shadowedOnly, 29},
		{`{` + cors + `, "fetchMetadata": {}}`, refusedOnly, refusedOnly, 29},
		{`{"mode": {"enforce": {"numerator": 30}}, ` + cors + `, "fetchMetadata": {}}`, bothOfThem, bothOfThem, 48},
	} {
		put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(c.config)}}.Listener(fmt.Sprintf("series-%d", i)))
		want := map[series]bool{}
		if c.number > 0 {
			want = possible(corpus.DefaultRule, c.refused, c.metadata)
		}
		if len(want) != c.number {
			t.Errorf("%s: there are %d outcomes, not %d", c.config, len(want), c.number)
		}
		maps.Copy(all, want)
		until(t, countersLimit, func() error { return sameSeries(names(scrape(t, g)), all) })
	}
}

func names(got map[series]int64) map[series]bool {
	all := map[series]bool{}
	for s := range got {
		all[s] = true
	}
	return all
}

func sameSeries(got, want map[series]bool) error {
	if maps.Equal(got, want) {
		return nil
	}
	missing, odd := maps.Clone(want), maps.Clone(got)
	maps.DeleteFunc(missing, func(s series, _ bool) bool { return got[s] })
	maps.DeleteFunc(odd, func(s series, _ bool) bool { return want[s] })
	return fmt.Errorf("%d series, want %d; missing %v; not wanted %v", len(got), len(want), slices.Collect(maps.Keys(missing)), slices.Collect(maps.Keys(odd)))
}

var (
	labelRow = regexp.MustCompile("(?m)^\\| `(kind|decision|reason)`[^|]*\\| (.*) \\|$")
	labelled = regexp.MustCompile("`([a-z_]+)`")
	inParens = regexp.MustCompile(`\([^()]*\)`)
)

// checkVocabulary wants the labels to have exactly the values that the README says.
func checkVocabulary(t *testing.T, got map[series]int64) {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]bool{"kind": {}, "decision": {}, "reason": {}}
	for _, row := range labelRow.FindAllStringSubmatch(string(readme), -1) {
		for _, word := range labelled.FindAllStringSubmatch(inParens.ReplaceAllString(row[2], ""), -1) {
			want[row[1]][word[1]] = true
		}
	}
	have := map[string]map[string]bool{"kind": {}, "decision": {}, "reason": {}}
	for s := range got {
		have["kind"][s.kind], have["decision"][s.decision], have["reason"][s.reason] = true, true, true
	}
	for label := range want {
		if !maps.Equal(have[label], want[label]) {
			t.Errorf("values of %s: %v, the README has %v", label, slices.Sorted(maps.Keys(have[label])), slices.Sorted(maps.Keys(want[label])))
		}
	}
}
