package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// result is all that a run found out. Parts that were not measured are nil.
type result struct {
	Facts        facts                           `json:"facts"`
	Instructions map[string]map[string][]float64 `json:"instructions,omitempty"` // by subject and kind: one per window
	Times        timings                         `json:"times,omitempty"`        // by subject and kind: one per round
	Footprints   map[string]*footprint           `json:"footprints,omitempty"`   // by subject
	Scale        []*scaled                       `json:"scale,omitempty"`        // the minimal configuration first

	subjects []subject
	kinds    []kind
}

// writeJSON writes the result to a file.
func (r *result) writeJSON(file string) error {
	doc, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(doc, '\n'), 0o644)
}

// writeMarkdown writes the tables.
func (r *result) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	r.Facts.write(&b)
	if r.Instructions != nil {
		r.writeInstructions(&b)
	}
	if r.Times != nil {
		r.writeCPU(&b)
		r.writeLoad(&b)
	}
	if r.Footprints != nil {
		r.writeFootprints(&b)
	}
	if r.Scale != nil {
		r.writeScale(&b)
	} else {
		r.writeBeside(&b)
		r.writeComparisons(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// main returns the subjects of the main tables.
func (r *result) main() []subject {
	return slices.DeleteFunc(slices.Clone(r.subjects), func(s subject) bool { return s.beside })
}

// perSubject writes a table with a row for each kind and a column for each subject.
func (r *result) perSubject(b *strings.Builder, corner string, cell func(s subject, k kind) string) {
	header := []string{corner}
	for _, s := range r.main() {
		header = append(header, s.title)
	}
	var rows [][]string
	for _, k := range r.kinds {
		row := []string{k.title}
		for _, s := range r.main() {
			row = append(row, cell(s, k))
		}
		rows = append(rows, row)
	}
	table(b, header, rows)
}

func (r *result) writeInstructions(b *strings.Builder) {
	fmt.Fprintf(b, "\nInstructions per request, thousands: median of %d windows of %d requests%s.\n\n", windows, r.Facts.Counted, r.differences())
	r.perSubject(b, "request", r.instructionsCell)
}

func (r *result) instructionsCell(s subject, k kind) string {
	v := r.Instructions[s.name][k.name]
	text := fmt.Sprintf("%.1f", median(v)/1000)
	if base := r.Instructions[bareName][k.name]; s.name != bareName && base != nil {
		text = fmt.Sprintf("%+.1f (%s)", (median(v)-median(base))/1000, text)
	}
	return text
}

func (r *result) writeCPU(b *strings.Builder) {
	fmt.Fprintf(b, "\nCPU time of the Envoy process per request, µs: median of %d rounds of %d requests, least–most%s.\n\n",
		r.Facts.Rounds, r.Facts.Requests, r.differences())
	r.perSubject(b, "request", r.cpuCell)
}

func (r *result) cpuCell(s subject, k kind) string {
	rounds := r.Times[s.name][k.name]
	cpu := pick(rounds, func(t timing) time.Duration { return t.CPU })
	least, most := extent(cpu)
	text := fmt.Sprintf("%s, %s–%s", micros(median(cpu)), micros(least), micros(most))
	if base := r.Times[bareName][k.name]; s.name != bareName && base != nil {
		text = fmt.Sprintf("%+.1f (%s)", toMicros(overBase(rounds, base)), text)
	}
	return text
}

// differences explains what perSubject's cells hold.
func (r *result) differences() string {
	if len(r.main()) < 2 || r.subjects[0].name != bareName {
		return ""
	}
	return "; a filter's cell starts with the difference to no filter.\nWithout a filter a preflight goes upstream; " +
		"a filter that answers it saves that hop"
}

func (r *result) writeLoad(b *strings.Builder) {
	fmt.Fprintf(b, "\nThroughput and latency of one worker with %d connections: medians of the rounds, least–most.\n\n", connections)
	var rows [][]string
	for _, k := range r.kinds {
		for _, s := range r.main() {
			rounds := r.Times[s.name][k.name]
			rows = append(rows, []string{
				k.title, s.title, perSecond(rounds),
				latency(rounds, func(t timing) time.Duration { return t.P50 }),
				latency(rounds, func(t timing) time.Duration { return t.P99 }),
			})
		}
	}
	table(b, []string{"request", "", "requests/s", "p50, µs", "p99, µs"}, rows)
}

func perSecond(rounds []timing) string {
	v := pick(rounds, func(t timing) float64 { return t.PerSecond })
	least, most := extent(v)
	return fmt.Sprintf("%.0f, %.0f–%.0f", median(v), least, most)
}

func latency(rounds []timing, field func(timing) time.Duration) string {
	v := pick(rounds, field)
	least, most := extent(v)
	return fmt.Sprintf("%.0f, %.0f–%.0f", toMicros(median(v)), toMicros(least), toMicros(most))
}

func (r *result) writeFootprints(b *strings.Builder) {
	fmt.Fprintf(b, "\nStart-up until the first request is answered (median, least–most), and resident memory after a warm-up, MB.\n\n")
	header := []string{"", "wasm, MB", "start-up, s", "CPU until then, s"}
	for _, n := range workerCounts {
		header = append(header, fmt.Sprintf("%d worker%s", n, map[bool]string{true: "", false: "s"}[n == 1]))
	}
	header = append(header, "each further worker")
	var rows [][]string
	for _, s := range r.main() {
		f := r.Footprints[s.name]
		size := "–"
		if f.WasmSize > 0 {
			size = megabytes(f.WasmSize, 2)
		}
		least, most := extent(f.Ready)
		row := []string{
			s.title, size,
			fmt.Sprintf("%.2f, %.2f–%.2f", median(f.Ready).Seconds(), least.Seconds(), most.Seconds()),
			fmt.Sprintf("%.2f", median(f.ReadyCPU).Seconds()),
		}
		for _, n := range workerCounts {
			row = append(row, megabytes(f.RSS[n], 0))
		}
		rows = append(rows, append(row, megabytes(f.perWorker(), 1)))
	}
	table(b, header, rows)
}

// table writes a Markdown table.
func table(b *strings.Builder, header []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	rule := make([]string, len(header))
	for i := range rule {
		rule[i] = "---"
	}
	line(rule)
	for _, row := range rows {
		line(row)
	}
}

func toMicros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func micros(d time.Duration) string { return fmt.Sprintf("%.1f", toMicros(d)) }

// megabytes writes a size in units of a million bytes.
func megabytes(bytes int64, digits int) string {
	return fmt.Sprintf("%.*f", digits, float64(bytes)/1e6)
}
