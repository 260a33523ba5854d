package operations

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

// scraped are labels that Prometheus gives to what it scrapes.
var scraped = []string{"job", "instance"}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := file(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// verify returns what an expression names that is not there. Such an expression is no error to Prometheus: it is empty for ever.
func verify(text string) error {
	expr, err := parser.ParseExpr(text)
	if err != nil {
		return err
	}
	var errs []error
	known := slices.Clone(scraped)
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			m, err := verifySelector(s)
			errs = append(errs, err)
			for label := range m.Labels {
				known = append(known, label)
			}
		}
		return nil
	})
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		var named []string
		switch n := node.(type) {
		case *parser.AggregateExpr:
			named = n.Grouping
		case *parser.BinaryExpr:
			if n.VectorMatching != nil {
				named = append(slices.Clone(n.VectorMatching.MatchingLabels), n.VectorMatching.Include...)
			}
		}
		for _, label := range named {
			if !slices.Contains(known, label) {
				errs = append(errs, fmt.Errorf("%s: there is no label %s", node, label))
			}
		}
		return nil
	})
	return errors.Join(errs...)
}

func verifySelector(s *parser.VectorSelector) (Metric, error) {
	i := slices.IndexFunc(Metrics(), func(m Metric) bool { return m.Name == s.Name })
	if i < 0 {
		return Metric{}, fmt.Errorf("%s: there is no such metric", s)
	}
	m := Metrics()[i]
	var errs []error
	for _, matcher := range s.LabelMatchers {
		values, there := m.Labels[matcher.Name]
		switch {
		case matcher.Name == model.MetricNameLabel || slices.Contains(scraped, matcher.Name):
		case !there:
			errs = append(errs, fmt.Errorf("%s: there is no label %s", s, matcher.Name))
		case values != nil && matcher.Value != ".*" && matcher.Value != ".+":
			asked := []string{matcher.Value}
			if matcher.Type == labels.MatchRegexp || matcher.Type == labels.MatchNotRegexp {
				asked = matcher.SetMatches()
			}
			for _, value := range asked {
				if !slices.Contains(values, value) {
					errs = append(errs, fmt.Errorf("%s: %s is never %q", s, matcher.Name, value))
				}
			}
			if len(asked) == 0 {
				errs = append(errs, fmt.Errorf("%s: the values of %s are not listed", s, matcher.Name))
			}
		}
	}
	if len(errs) == 0 && !slices.ContainsFunc(seriesOf(m), func(l labels.Labels) bool { return selects(s, l) }) {
		errs = append(errs, fmt.Errorf("%s: no series is like that", s))
	}
	return m, errors.Join(errs...)
}

func selects(s *parser.VectorSelector, l labels.Labels) bool {
	for _, m := range s.LabelMatchers {
		if value := l.Get(m.Name); m.Name != model.MetricNameLabel && value != anyName && !m.Matches(value) {
			return false
		}
	}
	return true
}

// anyName stands for a label's value that is chosen elsewhere.
const anyName = "*"

// seriesOf returns the series that a metric can have.
func seriesOf(m Metric) []labels.Labels {
	b := labels.NewBuilder(labels.FromStrings(model.MetricNameLabel, m.Name, "job", anyName, "instance", anyName))
	for label, values := range m.Labels {
		if values == nil {
			b.Set(label, anyName)
		}
	}
	var all []labels.Labels
	if m.Name != "corsguard" {
		for _, result := range m.Labels["result"] {
			all = append(all, b.Set("result", result).Labels())
		}
		if all == nil {
			all = append(all, b.Labels())
		}
		return all
	}
	for _, kind := range Kinds {
		for _, decision := range Decisions {
			reasons := RefusedReasons
			if decision == "allowed" {
				reasons = AllowedReasons
			}
			for _, reason := range reasons {
				all = append(all, b.Set("kind", kind).Set("decision", decision).Set("reason", reason).Labels())
			}
		}
	}
	return all
}

func TestExpressionsThatFindNothingAreFound(t *testing.T) {
	for text, complaint := range map[string]string{
		`sum(rate(corsguard{decision="refused"}[5m])) by (rule, instance)`:                                  "",
		`corsguard{rule="shop", kind!="no_origin", reason=~"origin_malformed|path_ambiguous", job="envoy"}`: "",
		`corsguard{kind=~".*"} / on (rule, job) group_left (reason) corsguard{decision="shadowed"}`:         "",
		`rate(corsguard_panics[5m]) + 1`:                             "",
		`corsguard_source_fetch{source="tenants", result="invalid"}`: "",
		`corsguard_source_fetch{result="refused"}`:                   `result is never "refused"`,
		`corsguard_source_last_success_seconds{result="ok"}`:         "no label result",
		`sum(rate(corsguard{decision="refused"}[5m])`:                "parse error",
		`rate(corsguard_panic[5m])`:                                  "no such metric",
		`rate({__name__=~"corsguard.*"}[5m])`:                        "no such metric",
		`corsguard{decision="denied"}`:                               `decision is never "denied"`,
		`corsguard{decision!="denied"}`:                              `decision is never "denied"`,
		`corsguard{reason=~"origin_malformed|path_ambigous"}`:        `reason is never "path_ambigous"`,
		`corsguard{reason=~"origin.*"}`:                              "not listed",
		`corsguard{outcome="refused"}`:                               "no label outcome",
		`corsguard_panics{rule="default"}`:                           "no label rule",
		`sum by (origin) (corsguard)`:                                "no label origin",
		`sum without (path) (corsguard)`:                             "no label path",
		`corsguard / on (origin) corsguard`:                          "no label origin",
		`corsguard * on (rule) group_left (origin) corsguard`:        "no label origin",
		`corsguard{decision="allowed", reason="origin_not_allowed"}`: "no series is like that",
		`corsguard{decision="shadowed", reason="origin_allowed"}`:    "no series is like that",
	} {
		switch err := verify(text); {
		case complaint == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case complaint != "" && (err == nil || !strings.Contains(err.Error(), complaint)):
			t.Errorf("%s: %v, want %q", text, err, complaint)
		}
	}
}
