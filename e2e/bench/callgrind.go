package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Instructions per request. Envoy runs under valgrind's callgrind, which counts every instruction that the process executes, those of
// V8's compiled code too. Start-up runs uncounted (--instr-atstart=no), counting is switched on over valgrind's own control channel
// (vgdb), and each window of requests ends in a dump, which also sets the counters to zero. Requests go one after the other over one
// connection, after a warm-up. A repetition differs by a few instructions in ten thousand, where times differ by a third.

// windows is how many windows of requests are counted for each kind. Their spread tells what garbage collections and timers add.
const windows = 3

// leastWarmUp is the least number of requests of a kind before those that are counted. V8 makes some of its code only after a few hundred calls.
const leastWarmUp = 400

// counted is an Envoy under callgrind.
type counted struct {
	*instance
	prefix string // of vgdb's pipes
	out    string // of the dumps' names
	dumps  int
}

// checkValgrind reports what is missing for counting instructions.
func checkValgrind() error {
	for _, tool := range []string{"valgrind", "vgdb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("counting instructions needs valgrind; -instructions=false leaves it out: %w", err)
		}
	}
	return nil
}

// startCounted starts an Envoy under callgrind and switches counting on.
func startCounted(ctx context.Context, l launch, s subject, options ...string) (*counted, error) {
	dir, err := os.MkdirTemp("", "corsguard-callgrind-")
	if err != nil {
		return nil, err
	}
	c := &counted{prefix: filepath.Join(dir, "vgdb"), out: filepath.Join(dir, "dump")}
	l.wrapper = append([]string{
		"valgrind", "--tool=callgrind", "--instr-atstart=no",
		"--vgdb-prefix=" + c.prefix, "--callgrind-out-file=" + c.out,
	}, options...)
	l.wait = countWait
	if c.instance, err = l.start(ctx, s); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	if err := c.control(ctx, "instrumentation", "on"); err != nil {
		c.stop()
		return nil, err
	}
	return c, nil
}

func (c *counted) stop() {
	c.instance.stop()
	os.RemoveAll(filepath.Dir(c.out))
}

// control sends a command to callgrind and waits until it is done.
func (c *counted) control(ctx context.Context, command ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	args := append([]string{"--vgdb-prefix=" + c.prefix, fmt.Sprintf("--pid=%d", c.cmd.Process.Pid)}, command...)
	if out, err := exec.CommandContext(ctx, "vgdb", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("vgdb %s: %w: %s", strings.Join(command, " "), err, out)
	}
	return nil
}

// dump makes callgrind write what it counted since the last dump and returns the file's name.
func (c *counted) dump(ctx context.Context) (string, error) {
	if err := c.control(ctx, "dump"); err != nil {
		return "", err
	}
	c.dumps++
	return c.out + "." + strconv.Itoa(c.dumps), nil
}

// window sends n requests and returns how many instructions the process executed meanwhile, and the dump that says where.
func (c *counted) window(ctx context.Context, cl *client, k kind, status, n int) (total int64, file string, err error) {
	if err := c.control(ctx, "zero"); err != nil {
		return 0, "", err
	}
	if _, err := cl.run(k.request, status, n); err != nil {
		return 0, "", err
	}
	if file, err = c.dump(ctx); err != nil {
		return 0, "", err
	}
	total, err = dumpTotal(file)
	return total, file, err
}

// dumpTotal returns the instruction count of a whole dump.
func dumpTotal(file string) (int64, error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		for _, key := range []string{"totals: ", "summary: "} {
			if value, ok := strings.CutPrefix(lines.Text(), key); ok {
				return strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			}
		}
	}
	return 0, errors.Join(lines.Err(), fmt.Errorf("%s has no total", filepath.Base(file)))
}

// countInstructions returns the instructions per request of every subject and kind of its, one figure per window: result[subject][kind].
// As many Envoys run at a time as there are processors: what is counted does not depend on how fast it runs.
func countInstructions(ctx context.Context, l launch, subjects []subject, kinds func(subject) []kind, warmUp, n int) (map[string]map[string][]float64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		mu     sync.Mutex
		result = map[string]map[string][]float64{}
		errs   []error
		wg     sync.WaitGroup
		slots  = make(chan struct{}, runtime.NumCPU())
	)
	for _, s := range subjects {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			counts, err := countSubject(ctx, l, s, kinds(s), warmUp, n)
			mu.Lock()
			defer mu.Unlock()
			result[s.name] = counts
			if err != nil {
				errs = append(errs, err)
				cancel() // the others' figures are of no use alone
			}
		})
	}
	wg.Wait()
	return result, errors.Join(errs...)
}

func countSubject(ctx context.Context, l launch, s subject, kinds []kind, warmUp, n int) (map[string][]float64, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	c, err := startCounted(ctx, l, s)
	if err != nil {
		return nil, err
	}
	defer c.stop()
	cl, err := dial(c.addr, 1)
	if err != nil {
		return nil, err
	}
	defer cl.close()
	counts := map[string][]float64{}
	for _, k := range kinds {
		status, err := probe(c.addr, s, k)
		if err != nil {
			return nil, err
		}
		if _, err := cl.run(k.request, status, warmUp); err != nil {
			return nil, fmt.Errorf("%s, kind %s: %w", s.name, k.name, err)
		}
		for range windows {
			total, file, err := c.window(ctx, cl, k, status, n)
			if err != nil {
				return nil, fmt.Errorf("%s, kind %s: %w", s.name, k.name, err)
			}
			os.Remove(file)
			counts[k.name] = append(counts[k.name], float64(total)/float64(n))
		}
	}
	return counts, nil
}
