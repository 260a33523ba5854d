package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"corsguard/e2e/repo"
)

// options is what the flags say.
type options struct {
	wasm, envoy, subjects, kinds, json, profile, out string
	configs                                          string
	also                                             []string
	times, startup, instructions, quick, scale       bool
	rounds, starts, requests, counted                int
}

// parse reads the flags; what is wrong with them it has printed to stderr.
func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.StringVar(&o.wasm, "wasm", "", "Corsguard's `file` (default the repository's main.wasm)")
	f.StringVar(&o.envoy, "envoy", "", "Envoy's `path` (default the one that the tests run)")
	f.StringVar(&o.subjects, "subjects", "", "`list` of bare, native, corsguard (default all)")
	f.StringVar(&o.kinds, "kinds", "", "`list` of request kinds (default all)")
	f.Func("also", "another plugin to measure, as `name=file`; may be repeated", func(v string) error {
		o.also = append(o.also, v)
		return nil
	})
	f.BoolVar(&o.times, "times", true, "measure CPU time, throughput and latency")
	f.BoolVar(&o.startup, "startup", true, "measure start-up and memory")
	f.BoolVar(&o.instructions, "instructions", true, "count instructions under valgrind")
	f.BoolVar(&o.scale, "scale", false, "measure instead how start-up, memory and instructions grow with the configuration")
	f.StringVar(&o.configs, "configs", "", "`list` of configurations for -scale (default all)")
	f.BoolVar(&o.quick, "quick", false, "fewer rounds and requests: about two minutes, coarser")
	f.IntVar(&o.rounds, "rounds", 0, "`number` of rounds for the times (default 60, with -quick 15)")
	f.IntVar(&o.requests, "requests", 0, "`number` of requests of each kind in a round (default 1000)")
	f.IntVar(&o.counted, "counted", 0, "`number` of requests in a window under callgrind (default 1000, with -quick 200)")
	f.StringVar(&o.json, "json", "", "write the result to this `file`, too")
	f.StringVar(&o.profile, "profile", "", "measure nothing; profile Corsguard under callgrind for this `kind`")
	f.StringVar(&o.out, "out", "callgrind.out", "where -profile leaves its `file`")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "bench: unexpected argument %q\n", f.Arg(0))
		return nil, errors.New("unexpected argument")
	}
	o.starts = 5
	rounds, requests, counted := 60, 1000, 1000
	if o.quick {
		o.starts = 1
		rounds, requests, counted = 15, 1000, 200
	}
	for _, n := range []struct {
		value *int
		def   int
	}{{&o.rounds, rounds}, {&o.requests, requests}, {&o.counted, counted}} {
		if *n.value <= 0 {
			*n.value = n.def
		}
	}
	return o, nil
}

// pickSubjects returns the subjects that the flags ask for.
func (o *options) pickSubjects() ([]subject, error) {
	list, err := subjects(o.subjects, o.wasm, o.also)
	if err != nil {
		return nil, err
	}
	for i, s := range list {
		if s.name == corsguardName && s.wasm == "" {
			if list[i].wasm, err = repo.Wasm(); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}
