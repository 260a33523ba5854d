package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// workerCounts are the values of --concurrency that memory is measured with.
var workerCounts = []int{1, 2, 4}

// footprint is what a subject costs before and beside its requests.
type footprint struct {
	Ready    []time.Duration `json:"ready_ns"`     // one per start: until the first request is answered
	ReadyCPU []time.Duration `json:"ready_cpu_ns"` // likewise: CPU time that the process used until then
	RSS      map[int]int64   `json:"rss_bytes"`    // by number of workers, after a warm-up; the least of the starts
	WasmSize int64           `json:"wasm_bytes"`   // of the plugin's file; 0 without one
}

// perWorker returns the memory that each worker after the first adds.
func (f footprint) perWorker() int64 {
	least, most := workerCounts[0], workerCounts[len(workerCounts)-1]
	return (f.RSS[most] - f.RSS[least]) / int64(most-least)
}

// measureFootprints starts every subject rounds times, in turn, with each number of workers. Only starts with one worker are timed: the
// time hardly depends on the workers, but on how many processors they find.
func measureFootprints(ctx context.Context, l launch, subjects []subject, kinds []kind, rounds int) (map[string]*footprint, error) {
	result := map[string]*footprint{}
	for _, s := range subjects {
		f := &footprint{RSS: map[int]int64{}}
		if s.wasm != "" {
			info, err := os.Stat(s.wasm)
			if err != nil {
				return nil, err
			}
			f.WasmSize = info.Size()
		}
		result[s.name] = f
	}
	for range rounds {
		for _, workers := range workerCounts {
			for _, s := range subjects {
				l.concurrency = workers
				if err := result[s.name].add(ctx, l, s, kinds); err != nil {
					return nil, err
				}
			}
		}
	}
	return result, nil
}

// add measures one start.
func (f *footprint) add(ctx context.Context, l launch, s subject, kinds []kind) error {
	in, err := l.start(ctx, s)
	if err != nil {
		return err
	}
	defer in.stop()
	cpu, err := in.cpu()
	if err != nil {
		return err
	}
	if l.concurrency == 1 {
		f.Ready = append(f.Ready, in.ready)
		f.ReadyCPU = append(f.ReadyCPU, cpu)
	}
	cl, err := dial(in.addr, connections*l.concurrency)
	if err != nil {
		return err
	}
	defer cl.close()
	for _, k := range kinds {
		status, err := probe(in.addr, s, k)
		if err != nil {
			return err
		}
		if _, err := cl.run(k.request, status, warmUp*l.concurrency); err != nil {
			return fmt.Errorf("%s, kind %s: %w", s.name, k.name, err)
		}
	}
	rss, err := in.rss()
	if err != nil {
		return err
	}
	if least, seen := f.RSS[l.concurrency]; !seen || rss < least {
		f.RSS[l.concurrency] = rss
	}
	return nil
}
