package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"

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
	f.StringVar(&o.subjects, "subjects", "", "`list` of subjects, which then all get the same requests and starts (default all; one that is not there has the names listed)")
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
	f.BoolVar(&o.quick, "quick", false, "fewer rounds, requests and subjects: under three minutes, coarser")
	f.IntVar(&o.rounds, "rounds", 0, "`number` of rounds for the times (default 80, with -quick 10)")
	f.IntVar(&o.requests, "requests", 0, "`number` of requests of each kind in a round (default 500)")
	f.IntVar(&o.counted, "counted", 0, "`number` of requests in a window under callgrind (default 1000, with -quick 150)")
	f.StringVar(&o.json, "json", "", "write the result to this `file`, too")
	f.StringVar(&o.profile, "profile", "", "measure nothing; profile Corsguard, or the last of -subjects and -also, under callgrind for this `kind`")
	f.StringVar(&o.out, "out", "callgrind.out", "where -profile leaves its `file`")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		fmt.Fprintf(stderr, "bench: unexpected argument %q\n", f.Arg(0))
		return nil, errors.New("unexpected argument")
	}
	o.starts = 3
	rounds, requests, counted := 80, 500, 1000
	if o.quick {
		o.starts = 1
		rounds, requests, counted = 10, 500, 150
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

// notQuick are the subjects that no target is set for: starting a plugin under callgrind takes half a minute.
var notQuick = []string{typicalName, fetchMetadataName, shadowName}

// pickSubjects returns the subjects that the flags ask for.
func (o *options) pickSubjects() ([]subject, error) {
	list, err := subjects(o.subjects, o.wasm, o.also)
	if err != nil {
		return nil, err
	}
	if o.quick && o.subjects == "" {
		list = slices.DeleteFunc(list, func(s subject) bool { return slices.Contains(notQuick, s.name) })
	}
	if o.profile != "" || o.scale {
		list = []subject{o.one(list)}
	}
	for i := range list {
		if s := &list[i]; s.plugin == givenPlugin && s.wasm == "" {
			if s.wasm, err = repo.Wasm(); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// one returns the subject that is measured where there can be but one: Corsguard, or the last one that the flags name.
func (o *options) one(list []subject) subject {
	if o.subjects == "" && len(o.also) == 0 {
		return list[slices.IndexFunc(list, func(s subject) bool { return s.name == corsguardName })]
	}
	return list[len(list)-1]
}

// warmUpCounted returns how many requests of each kind come before those that are counted.
func (o *options) warmUpCounted() int { return max(leastWarmUp, o.counted/2) }
