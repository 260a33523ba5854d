package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// connections is how many requests the load client keeps in flight: enough to keep one worker busy, few enough to queue little.
const connections = 4

// warmUp is how many requests of each kind an Envoy gets before anything of it is timed.
const warmUp = 1500

// settle is how many requests it gets at the start of each round, untimed: the processor's caches then hold what it needs, and no more what
// the one before it left there. Without them a plugin seems to cost more the less of the round there is.
const settle = 100

// timing is what one round measured for one subject and kind.
type timing struct {
	CPU       time.Duration `json:"cpu_ns"` // of the Envoy process, per request
	PerSecond float64       `json:"requests_per_second"`
	P50       time.Duration `json:"p50_ns"`
	P99       time.Duration `json:"p99_ns"`
}

// timings holds the rounds of each subject and kind, in order: round r of one subject ran next to round r of every other one.
type timings map[string]map[string][]timing

// measureTimes runs the rounds. All Envoys stay up the whole time and idle while another one is measured. Within a round the subjects
// follow one another kind by kind, starting with a different one each round and in the opposite direction every other round, so that
// what else the machine does hits them alike. Many short rounds do that better than a few long ones.
func measureTimes(ctx context.Context, l launch, subjects []subject, kinds []kind, rounds, requests int, progress io.Writer) (timings, error) {
	result := timings{}
	var loaded []*loadedInstance
	defer func() {
		for _, li := range loaded {
			li.client.close()
			li.stop()
		}
	}()
	for _, s := range subjects {
		li, err := startLoaded(ctx, l, s, kinds)
		if err != nil {
			return nil, err
		}
		loaded = append(loaded, li)
		result[s.name] = map[string][]timing{}
	}
	for round := range rounds {
		if round%10 == 0 {
			fmt.Fprintf(progress, "round %d of %d …\n", round+1, rounds)
		}
		for _, k := range kinds {
			getIt := slices.DeleteFunc(slices.Clone(loaded), func(li *loadedInstance) bool { return !li.gets(k) })
			for i := range getIt {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				if round%2 == 1 {
					i = len(getIt) - 1 - i
				}
				li := getIt[(i+round/2)%len(getIt)]
				t, err := li.measure(k, requests)
				if err != nil {
					return nil, fmt.Errorf("%s, kind %s: %w", li.subject.name, k.name, err)
				}
				result[li.subject.name][k.name] = append(result[li.subject.name][k.name], t)
			}
		}
	}
	return result, nil
}

// loadedInstance is an Envoy with its connections, checked and warmed up.
type loadedInstance struct {
	*instance
	client *client
	status map[string]int // by kind: what it answers
}

func startLoaded(ctx context.Context, l launch, s subject, kinds []kind) (*loadedInstance, error) {
	in, err := l.start(ctx, s)
	if err != nil {
		return nil, err
	}
	li := &loadedInstance{instance: in, status: map[string]int{}}
	if li.client, err = dial(in.addr, connections*l.concurrency); err != nil {
		in.stop()
		return nil, err
	}
	for _, k := range s.kindsOf(kinds) {
		if li.status[k.name], err = probe(in.addr, s, k); err == nil {
			_, err = li.client.run(k.request, li.status[k.name], warmUp)
		}
		if err != nil {
			li.client.close()
			in.stop()
			return nil, fmt.Errorf("%s, kind %s: %w", s.name, k.name, err)
		}
	}
	return li, nil
}

// gets reports whether the instance gets requests of the kind.
func (li *loadedInstance) gets(k kind) bool { return li.status[k.name] != 0 }

func (li *loadedInstance) measure(k kind, requests int) (timing, error) {
	if _, err := li.client.run(k.request, li.status[k.name], settle); err != nil {
		return timing{}, err
	}
	before, err := li.cpu()
	if err != nil {
		return timing{}, err
	}
	start := time.Now()
	latencies, err := li.client.run(k.request, li.status[k.name], requests)
	took := time.Since(start)
	if err != nil {
		return timing{}, err
	}
	after, err := li.cpu()
	if err != nil {
		return timing{}, err
	}
	slices.Sort(latencies)
	return timing{
		CPU:       (after - before) / time.Duration(requests),
		PerSecond: float64(requests) / took.Seconds(),
		P50:       percentile(latencies, 0.50),
		P99:       percentile(latencies, 0.99),
	}, nil
}

// pick returns one field of each round.
func pick[T any](rounds []timing, field func(timing) T) []T {
	out := make([]T, len(rounds))
	for i, t := range rounds {
		out[i] = field(t)
	}
	return out
}

// overBase returns the median over the rounds of t's CPU time less base's in the same round: what both suffered at the time cancels out.
func overBase(t, base []timing) time.Duration { return median(cpuDifferences(t, base)) }

// cpuDifferences returns t's CPU time less base's, round by round.
func cpuDifferences(t, base []timing) []time.Duration {
	diffs := make([]time.Duration, len(t))
	for i := range t {
		diffs[i] = t[i].CPU - base[i].CPU
	}
	return diffs
}
