// Command bench compares what Corsguard costs an Envoy with what Envoy's native CORS filter costs it and with no CORS filter at all.
//
// Each subject is an Envoy process of its own with one worker and a real upstream hop over loopback; the two filters enforce the same
// policy. Three things are measured:
//
//   - times: CPU time of the Envoy process per request, requests per second and latency, in interleaved rounds;
//   - start-up: time until ready, and memory for one, two and four workers;
//   - instructions per request under callgrind, which repeats where times swing.
//
// The result is a Markdown table. A whole run takes about ten minutes, -quick about one. From the directory e2e:
//
//	go run ./bench                                     everything
//	go run ./bench -quick                              everything, coarsely
//	go run ./bench -times=false -startup=false -subjects bare,corsguard -kinds no-origin,allowed
//	                                                   only instructions, for two subjects and two kinds
//	go run ./bench -also old=/path/to/old.wasm         another plugin beside it
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
	if err := copyPlugins(chosen, dir); err != nil {
		return err
	}
	port, stop, err := startUpstream(ctx)
	if err != nil {
		return err
	}
	defer stop()
	l := launch{envoy: engine.Binary, upstream: port, concurrency: 1, wait: time.Minute}

	if o.profile != "" {
		k, ok := findKind(o.profile)
		if !ok {
			return fmt.Errorf("no request kind %q; there are %s", o.profile, strings.Join(kindNames(), ", "))
		}
		return profile(ctx, l, chosen[len(chosen)-1], k, o.counted/2, o.counted, o.out, stdout)
	}
	r := &result{Facts: gatherFacts(o, engine.Version), subjects: chosen, kinds: kinds}
	if o.times {
		if r.Times, err = measureTimes(ctx, l, chosen, kinds, o.rounds, o.requests, progress); err != nil {
			return err
		}
	}
	if o.startup {
		fmt.Fprintln(progress, "start-up and memory …")
		if r.Footprints, err = measureFootprints(ctx, l, chosen, kinds, o.starts); err != nil {
			return err
		}
	}
	if o.instructions {
		fmt.Fprintln(progress, "counting instructions …")
		if r.Instructions, err = countInstructions(ctx, l, chosen, kinds, max(100, o.counted/2), o.counted); err != nil {
			return err
		}
	}
	if o.json != "" {
		if err := r.writeJSON(o.json); err != nil {
			return err
		}
	}
	return r.writeMarkdown(stdout)
}
