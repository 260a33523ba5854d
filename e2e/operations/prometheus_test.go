package operations

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
)

// step is how often the series of these tests are scraped, and the alerts evaluated.
const step = time.Minute

// series are time series in memory, as Prometheus' engine reads them.
type series []storage.Series

// counter is a counter as Prometheus scrapes it, from the time 0 on.
type counter struct {
	name   string // with labels
	phases []phase
}

// phase is a time during which a counter counts at one pace.
type phase struct {
	minutes   int
	perMinute float64
	gone      bool // not there; it begins anew, with what it counts in its first minute
	missed    bool // counts, and no scrape sees it
}

func load(t *testing.T, counters ...counter) series {
	t.Helper()
	var all series
	for _, c := range counters {
		l, err := parser.ParseMetric(c.name)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := isSeries(l); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var samples []chunks.Sample
		at, value := int64(0), 0.0
		for _, p := range c.phases {
			for range p.minutes {
				if value += p.perMinute; p.gone {
					value = 0
				} else if !p.missed {
					samples = append(samples, sample{t: at, v: math.Floor(value)})
				}
				at += step.Milliseconds()
			}
		}
		all = append(all, storage.NewListSeries(l, samples))
	}
	return all
}

// isSeries fails for what Envoy never gives, so that no alert is shown to fire on it.
func isSeries(l labels.Labels) error {
	selector := &parser.VectorSelector{Name: l.Get(model.MetricNameLabel)}
	l.Range(func(label labels.Label) {
		selector.LabelMatchers = append(selector.LabelMatchers, labels.MustNewMatcher(labels.MatchEqual, label.Name, label.Value))
	})
	_, err := verifySelector(selector)
	return err
}

type sample struct {
	t int64
	v float64
}

func (s sample) ST() int64                     { return 0 }
func (s sample) T() int64                      { return s.t }
func (s sample) F() float64                    { return s.v }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return nil }
func (s sample) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (s sample) Copy() chunks.Sample           { return s }

// Querier makes series a [storage.Queryable].
func (s series) Querier(int64, int64) (storage.Querier, error) { return querier{s}, nil }

type querier struct{ series series }

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	found := &found{at: -1}
	for _, s := range q.series {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Labels().Get(m.Name)) }) {
			found.series = append(found.series, s)
		}
	}
	return found
}

func (querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (querier) Close() error { return nil }

type found struct {
	series series
	at     int
}

func (f *found) Next() bool                      { f.at++; return f.at < len(f.series) }
func (f *found) At() storage.Series              { return f.series[f.at] }
func (*found) Err() error                        { return nil }
func (*found) Warnings() annotations.Annotations { return nil }

var engine = promql.NewEngine(promql.EngineOpts{MaxSamples: 50_000_000, Timeout: time.Minute, EnableAtModifier: true, EnableNegativeOffset: true})

// evaluate returns what an expression gives at each step from 0 to end.
func (s series) evaluate(t *testing.T, expr string, end time.Duration) promql.Matrix {
	t.Helper()
	query, err := engine.NewRangeQuery(t.Context(), s, nil, expr, time.Unix(0, 0), time.Unix(0, 0).Add(end), step)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	defer query.Close()
	result := query.Exec(t.Context())
	if result.Err != nil {
		t.Fatalf("%s: %v", expr, result.Err)
	}
	matrix, err := result.Matrix()
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	// The engine reuses its memory once the query is closed.
	for i := range matrix {
		matrix[i].Floats = slices.Clone(matrix[i].Floats)
	}
	return matrix
}

// firing is an alert that fires for a result of its expression.
type firing struct {
	labels      labels.Labels
	since, last time.Duration
}

func (f firing) String() string { return fmt.Sprintf("%s from %v to %v", f.labels, f.since, f.last) }

// fires returns the firings of an alert up to end: the results that were there, one step after the other, for as long as the alert waits.
func (s series) fires(t *testing.T, r rulefmt.Rule, end time.Duration) []firing {
	t.Helper()
	var all []firing
	for _, result := range s.evaluate(t, r.Expr, end) {
		start := time.Duration(0)
		for i, p := range result.Floats {
			at := time.Duration(p.T) * time.Millisecond
			if i == 0 || p.T-result.Floats[i-1].T > step.Milliseconds() {
				start = at
			}
			if at-start < time.Duration(r.For) {
				continue
			}
			if n := len(all); n > 0 && labels.Equal(all[n-1].labels, result.Metric) && all[n-1].last == at-step {
				all[n-1].last = at
			} else {
				all = append(all, firing{result.Metric, at, at})
			}
		}
	}
	return all
}
