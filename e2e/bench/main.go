// Command bench compares what Corsguard costs an Envoy with what Envoy's native CORS filter costs it and with no CORS filter at all. Beside that it tells what
// Corsguard's other blocks and modes cost: headers against the same headers by Envoy's own means, a plugin that is switched off against one that is empty.
//
// Each subject is an Envoy process of its own with one worker and a real upstream hop over loopback; the filters enforce the same
// policy. Three things are measured:
//
//   - times: CPU time of the Envoy process per request, requests per second and latency, in interleaved rounds;
//   - start-up: time until ready, and memory for one, two and four workers;
//   - instructions per request under callgrind, which repeats where times swing.
//
// With -scale, it measures instead how start-up, memory and instructions grow with the configuration (see scale.go).
//
// The result is a few Markdown tables. A whole run takes about twelve minutes, -quick less than three; -scale takes as long again. From the directory e2e:
//
//	go run ./bench                                     everything
//	go run ./bench -quick                              everything, coarsely
//	go run ./bench -times=false -startup=false -subjects bare,corsguard -kinds no-origin,allowed
//	                                                   only instructions, for two subjects and two kinds
//	go run ./bench -startup=false -subjects bare,corsguard,full
//	                                                   what headers cost
//	go run ./bench -also old=/path/to/old.wasm         another plugin beside it
//	go run ./bench -scale                              many rules, many origins
//	go run ./bench -scale -configs origins-10,origins-100000 -instructions=false
//	go run ./bench -scale -configs rules-by-host-1000 -profile no-origin
//	go run ./bench -profile allowed                    where Corsguard's instructions go (see profile.go)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	// SIGPIPE is among them because a reader that goes away, as in `go run ./bench | head`, must not end this process before its children.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == "-"+upstreamFlag {
		if err := serveUpstream(stdin, stdout); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		return 2
	}
	if err := o.bench(ctx, stdout, stderr); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted") // whatever failed, failed for that
		}
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// bench starts the upstream, measures what the options ask for, and prints it.
func (o *options) bench(ctx context.Context, stdout, progress io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	kinds, err := pickKinds(o.kinds)
	if err != nil {
		return err
	}
	chosen, err := o.pickSubjects()
	if err != nil {
		return err
	}
	if o.instructions || o.profile != "" {
		if err := checkValgrind(); err != nil {
			return err
		}
	}
	engine, err := findEnvoy(ctx, o.envoy)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "corsguard-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := preparePlugins(ctx, chosen, dir); err != nil {
		return err
	}
	port, stop, err := startUpstream(ctx)
	if err != nil {
		return err
	}
	defer stop()
	l := launch{envoy: engine.Binary, upstream: port, concurrency: 1, wait: startWait}

	if o.profile != "" {
		s, known := chosen[0], allKinds
		if o.scale {
			configs, err := pickConfigs(o.configs)
			if err != nil {
				return err
			}
			sc := scaleConfig(s, configs[len(configs)-1])
			s, known = sc.subject, sc.kinds
		}
		k, ok := findKind(known, o.profile)
		if !ok {
			return fmt.Errorf("no request kind %q; there are %s", o.profile, strings.Join(kindNames(known), ", "))
		}
		return profile(ctx, l, s, k, o.warmUpCounted(), o.counted, o.out, stdout)
	}
	r := &result{Facts: gatherFacts(o, engine.Version), subjects: chosen, kinds: kinds}
	if o.scale {
		if r.Scale, err = o.measureScale(ctx, l, chosen[0], progress); err != nil {
			return err
		}
		return o.report(r, stdout)
	}
	if o.times {
		if r.Times, err = measureTimes(ctx, l, chosen, kinds, o.rounds, o.requests, progress); err != nil {
			return err
		}
	}
	if o.startup {
		fmt.Fprintln(progress, "start-up and memory …")
		if r.Footprints, err = measureFootprints(ctx, l, r.main(), kinds, o.starts); err != nil {
			return err
		}
	}
	if o.instructions {
		fmt.Fprintln(progress, "counting instructions …")
		if r.Instructions, err = countInstructions(ctx, l, chosen, func(s subject) []kind { return s.kindsOf(kinds) }, o.warmUpCounted(), o.counted); err != nil {
			return err
		}
	}
	return o.report(r, stdout)
}

// report prints the result, and writes it to the file that the options name.
func (o *options) report(r *result, stdout io.Writer) error {
	if o.json != "" {
		if err := r.writeJSON(o.json); err != nil {
			return err
		}
	}
	return r.writeMarkdown(stdout)
}
