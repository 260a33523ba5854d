package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
)

// profile counts n requests of one kind through s and writes two things: to out a callgrind profile in which the plugin's functions
// have their names (if s.wasm has them: link it without -s; the code is the same), and to w a summary per request.
//
// How to read them. In the summary, "envoy" is Envoy's binary: its own work, the host calls and V8's runtime, all without names, as the
// released binaries have no symbols; what it has more than in a profile of the bare Envoy (-subjects bare) is the host's side of the
// boundary. "compiled code" is the plugin and V8's stubs around it. Below it stand the functions that executed most, with the number of
// calls; the wrapper of an import is an address without a name, called by the function that imports it. `callgrind_annotate
// --inclusive=yes --tree=both out` and KCachegrind show callers, and what functions cost with all that they call.
func profile(ctx context.Context, l launch, s subject, k kind, warmUp, n int, out string, w io.Writer) error {
	p, err := takeProfile(ctx, l, s, k, warmUp, n, out)
	if err != nil {
		return err
	}
	return writeCosts(w, p, n)
}

// takeProfile is profile without the summary.
func takeProfile(ctx context.Context, l launch, s subject, k kind, warmUp, n int, out string) (*costs, error) {
	c, err := startCounted(ctx, l, s, "--dump-instr=yes", "--compress-strings=no", "--compress-pos=no")
	if err != nil {
		return nil, err
	}
	defer c.stop()
	cl, err := dial(c.addr, 1)
	if err != nil {
		return nil, err
	}
	defer cl.close()
	status, err := probe(c.addr, s, k)
	if err != nil {
		return nil, err
	}
	if _, err := cl.run(k.request, status, warmUp); err != nil {
		return nil, err
	}
	_, file, err := c.window(ctx, cl, k, status, n)
	if err != nil {
		return nil, err
	}
	memory, err := executable(c.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	names := symbols{}
	if s.wasm != "" {
		functions, err := functionNames(s.wasm)
		if err != nil {
			return nil, err
		}
		if names, err = findSymbols(c.cmd.Process.Pid, memory, functions); err != nil {
			return nil, err
		}
	}
	return nameDump(file, out, memory, names)
}

// leastShown is how many instructions per request a function must execute to be worth a line.
const leastShown = 20

// writeCosts prints the summary of n requests.
func writeCosts(w io.Writer, p *costs, n int) error {
	per := func(v int64) float64 { return float64(v) / float64(n) }
	fmt.Fprintln(w, "instructions per request, by object file:")
	var total int64
	for name, v := range p.objects {
		total += v
		if name == compiledCode {
			name = "compiled code"
		}
		fmt.Fprintf(w, "%10.1f  %s\n", per(v), filepath.Base(name))
	}
	fmt.Fprintf(w, "%10.1f  in all\n", per(total))
	var list []*function
	for _, f := range p.functions {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b *function) int { return int(b.self - a.self) })
	fmt.Fprintln(w, "\ncompiled code, by function (instructions and calls per request):")
	for _, f := range list {
		if per(f.self) < leastShown {
			break
		}
		fmt.Fprintf(w, "%10.1f  %6.2f  %s\n", per(f.self), per(f.calls), f.name)
	}
	return nil
}
