package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// comparison is two subjects that differ in one thing, the cost of which is their difference.
type comparison struct {
	name, base string
	target     time.Duration // most CPU time per request that the difference should be; 0 where there is no target
}

var comparisons = []comparison{
	{name: typicalName, base: corsguardName},
	{name: fullName, base: corsguardName, target: 2 * time.Microsecond},
	{name: nativeHeadersName, base: nativeName},
	{name: fetchMetadataName, base: corsguardName},
	{name: offName, base: emptyGoName, target: time.Microsecond},
	{name: offName, base: emptyName, target: time.Microsecond},
	{name: emptyGoName, base: emptyName},
	{name: emptyName, base: bareName},
	{name: shadowName, base: offName},
}

// writeBeside writes tables with a row for each of the subjects beside, and those that they are compared with, and a column for each kind that they get.
func (r *result) writeBeside(b *strings.Builder) {
	i := slices.IndexFunc(r.subjects, func(s subject) bool { return s.beside })
	if i < 0 {
		return
	}
	kinds := r.subjects[i].kindsOf(r.kinds)
	write := func(cell func(s subject, k kind) string) {
		header := []string{""}
		for _, k := range kinds {
			header = append(header, k.title)
		}
		var rows [][]string
		for _, s := range r.subjects {
			row := []string{s.title}
			for _, k := range kinds {
				row = append(row, cell(s, k))
			}
			rows = append(rows, row)
		}
		table(b, header, rows)
	}
	if r.Instructions != nil {
		fmt.Fprintf(b, "\nMore subjects: instructions per request, thousands%s.\n\n", r.differences())
		write(r.instructionsCell)
	}
	if r.Times != nil {
		fmt.Fprintf(b, "\nMore subjects: CPU time of the Envoy process per request, µs: median of the rounds, least–most%s.\n\n", r.differences())
		write(r.cpuCell)
		fmt.Fprintf(b, "\nMore subjects: requests per second of one worker with %d connections: median of the rounds, least–most.\n\n", connections)
		write(func(s subject, k kind) string { return perSecond(r.Times[s.name][k.name]) })
	}
}

// writeComparisons writes what the comparisons come to, and whether targets are met.
func (r *result) writeComparisons(b *strings.Builder) {
	var known []comparison
	for _, c := range comparisons {
		if r.index(c.name) >= 0 && r.index(c.base) >= 0 {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return
	}
	kinds := slices.DeleteFunc(slices.Clone(r.kinds), func(k kind) bool {
		return !slices.ContainsFunc(known, func(c comparison) bool { return r.cell(c, k) != "" })
	})
	header := []string{""}
	for _, k := range kinds {
		header = append(header, k.title)
	}
	var rows [][]string
	for _, c := range known {
		row := []string{r.subjects[r.index(c.name)].title + " − " + r.subjects[r.index(c.base)].title}
		for _, k := range kinds {
			row = append(row, r.cell(c, k))
		}
		rows = append(rows, append(row, r.verdict(c)))
	}
	fmt.Fprint(b, "\nDifferences between two subjects, per request: thousands of instructions; µs of CPU time, the median of the differences within a round, and in brackets the\n"+
		"interval that holds the true one in 95 of 100 cases. A target is met where all of every kind's interval is within it, missed where all of one kind's is beyond.\n\n")
	table(b, append(header, "target"), rows)
}

func (r *result) index(name string) int {
	return slices.IndexFunc(r.subjects, func(s subject) bool { return s.name == name })
}

// cell tells the difference for one kind, "" where it was not measured.
func (r *result) cell(c comparison, k kind) string {
	var parts []string
	if counts, base := r.Instructions[c.name][k.name], r.Instructions[c.base][k.name]; counts != nil && base != nil {
		parts = append(parts, fmt.Sprintf("%+.1f k", (median(counts)-median(base))/1000))
	}
	if diffs := r.differencesOf(c, k); diffs != nil {
		from, to := medianInterval(diffs)
		parts = append(parts, fmt.Sprintf("%+.1f µs (%+.1f to %+.1f)", toMicros(median(diffs)), toMicros(from), toMicros(to)))
	}
	return strings.Join(parts, "; ")
}

// differencesOf returns the differences of CPU time, one for each round; none where it was not measured.
func (r *result) differencesOf(c comparison, k kind) []time.Duration {
	rounds, base := r.Times[c.name][k.name], r.Times[c.base][k.name]
	if rounds == nil || base == nil {
		return nil
	}
	return cpuDifferences(rounds, base)
}

func (r *result) verdict(c comparison) string {
	if c.target == 0 {
		return ""
	}
	text, missed, open := fmt.Sprintf("%.0f µs", toMicros(c.target)), false, false
	for _, k := range r.kinds {
		if diffs := r.differencesOf(c, k); diffs != nil {
			from, to := medianInterval(diffs)
			missed = missed || from > c.target
			open = open || to > c.target
		}
	}
	switch {
	case r.Times == nil:
		return text
	case missed:
		return text + ": missed"
	case open:
		return text + ": open"
	}
	return text + ": met"
}
