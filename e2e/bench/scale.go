package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"corsguard/e2e/bench/scale"
)

// Scale. Corsguard runs with each configuration of package scale in turn, on one worker. Start-up and memory are measured as for the subjects of the
// ordinary run, and told as the difference to a configuration of one origin. Envoy loads a configuration once in each worker and twice in its
// main thread (to see whether it is good, and for the main thread's own VM), so with one worker it stands in memory twice. How long one
// load takes and how large one VM gets is what BenchmarkLoad in e2e/wasmhost tells.

// scaled is what was measured with one configuration.
type scaled struct {
	Config       string               `json:"config"`
	Bytes        int                  `json:"config_bytes"`
	Footprint    *footprint           `json:"footprint,omitempty"`
	Instructions map[string][]float64 `json:"instructions,omitempty"` // by kind: one per window

	subject subject
	kinds   []kind
}

// measureScale measures s with the minimal configuration and with those that the options name.
func (o *options) measureScale(ctx context.Context, l launch, s subject, progress io.Writer) ([]*scaled, error) {
	if s.wasm == "" {
		return nil, fmt.Errorf("-scale measures a plugin, and %s is none", s.name)
	}
	l.wait = loadWait
	configs, err := pickConfigs(o.configs)
	if err != nil {
		return nil, err
	}
	var all []*scaled
	byName := map[string]*scaled{}
	var subjects []subject
	for _, c := range configs {
		sc := scaleConfig(s, c)
		all, subjects, byName[c.Name] = append(all, sc), append(subjects, sc.subject), sc
	}
	if o.startup {
		// The first start also reads Envoy and the plugin from the disk, and is not the minimal configuration's to bear.
		if err := scaleConfig(s, configs[0]).start(ctx, l); err != nil {
			return nil, err
		}
		for round := range o.starts {
			fmt.Fprintf(progress, "start-up and memory, round %d of %d …\n", round+1, o.starts)
			for _, sc := range all {
				if err := sc.start(ctx, l); err != nil {
					return nil, err
				}
			}
		}
	}
	if o.instructions {
		fmt.Fprintln(progress, "counting instructions …")
		counts, err := countInstructions(ctx, l, subjects, func(s subject) []kind { return byName[s.name].kinds }, o.warmUpCounted(), o.counted)
		if err != nil {
			return nil, err
		}
		for _, sc := range all {
			sc.Instructions = counts[sc.Config]
		}
	}
	return all, nil
}

// pickConfigs returns the minimal configuration and those that a comma-separated list names; an empty list names all.
func pickConfigs(list string) ([]scale.Config, error) {
	picked, all := []scale.Config{scale.Minimal()}, scale.All()
	if list == "" {
		return append(picked, all...), nil
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(all, func(c scale.Config) bool { return c.Name == name })
		if i < 0 {
			var names []string
			for _, c := range all {
				names = append(names, c.Name)
			}
			return nil, fmt.Errorf("no configuration %q; there are %s", name, strings.Join(names, ", "))
		}
		picked = append(picked, all[i])
	}
	return picked, nil
}

// scaleConfig returns s with a configuration, and the requests that meet its last rule or origin.
func scaleConfig(s subject, c scale.Config) *scaled {
	s.name, s.title, s.policy = c.Name, c.Name, string(c.JSON)
	s.sets = nil // the first probe of a start meets no rule
	get := func(headers ...string) []byte { return requestTo(c.Host, c.Path, "GET", headers...) }
	return &scaled{Config: c.Name, Bytes: len(c.JSON), subject: s, kinds: []kind{
		{name: "no-origin", title: "no Origin", request: get()},
		{name: "allowed", title: "allowed", request: get("origin: " + c.Allowed), granted: true},
		{name: "refused", title: "refused", request: get("origin: " + c.Refused)},
	}}
}

// start measures one start, and memory after it.
func (sc *scaled) start(ctx context.Context, l launch) error {
	if sc.Footprint == nil {
		sc.Footprint = &footprint{RSS: map[int]int64{}}
	}
	return sc.Footprint.add(ctx, l, sc.subject, sc.kinds)
}

func (r *result) writeScale(b *strings.Builder) {
	minimal := r.Scale[0]
	if minimal.Footprint != nil {
		fmt.Fprintf(b, "\nStart-up until the first request is answered (median of %d), CPU time until then, and resident memory after a warm-up; a cell starts\n"+
			"with the difference to one origin. The configuration is loaded three times, by the main thread twice and by the worker, and held twice.\n\n",
			len(minimal.Footprint.Ready))
		var rows [][]string
		for _, sc := range r.Scale {
			rows = append(rows, sc.footprintRow(minimal))
		}
		table(b, []string{"configuration", "JSON, KB", "start-up, s", "CPU, s", "memory, MB"}, rows)
	}
	if minimal.Instructions != nil {
		fmt.Fprintf(b, "\nInstructions per request, thousands: median of %d windows of %d requests. Requests meet the last rule or origin.\n\n", windows, r.Facts.Counted)
		header := []string{"configuration"}
		for _, k := range minimal.kinds {
			header = append(header, k.title)
		}
		var rows [][]string
		for _, sc := range r.Scale {
			row := []string{sc.Config}
			for _, k := range sc.kinds {
				row = append(row, fmt.Sprintf("%.1f", median(sc.Instructions[k.name])/1000))
			}
			rows = append(rows, row)
		}
		table(b, header, rows)
	}
}

func (sc *scaled) footprintRow(minimal *scaled) []string {
	f, base := sc.Footprint, minimal.Footprint
	ready, cpu, rss := median(f.Ready).Seconds(), median(f.ReadyCPU).Seconds(), float64(f.RSS[1])/1e6
	return []string{
		sc.Config, fmt.Sprintf("%.1f", float64(sc.Bytes)/1e3),
		fmt.Sprintf("%+.2f (%.2f)", ready-median(base.Ready).Seconds(), ready),
		fmt.Sprintf("%+.2f (%.2f)", cpu-median(base.ReadyCPU).Seconds(), cpu),
		fmt.Sprintf("%+.0f (%.0f)", rss-float64(base.RSS[1])/1e6, rss),
	}
}
