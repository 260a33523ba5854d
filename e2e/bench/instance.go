package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// An instance is a running Envoy, set up for one subject, that is ready to serve.
type instance struct {
	subject subject
	addr    string        // where the listener listens
	ready   time.Duration // from the start of the process until the first request was answered

	admin string
	cmd   *exec.Cmd
	ended chan struct{} // closed when the process has ended
	dir   string        // temporary; goes with the instance
}

// launch says how an Envoy is started.
type launch struct {
	envoy       string // path of the binary
	upstream    int    // port of the upstream
	concurrency int
	wrapper     []string      // a command line that Envoy's is appended to, for callgrind
	wait        time.Duration // how long it may take to be ready
}

// startWait is how long an Envoy may take to be ready, loadWait how long one with a large configuration, countWait one under callgrind.
const (
	startWait = time.Minute
	loadWait  = 5 * time.Minute
	countWait = 15 * time.Minute
)

// start runs an Envoy for s and waits until it is live.
func (l launch) start(ctx context.Context, s subject) (*instance, error) {
	dir, err := os.MkdirTemp("", "corsguard-bench-")
	if err != nil {
		return nil, err
	}
	in := &instance{subject: s, dir: dir, ended: make(chan struct{})}
	if err := in.run(ctx, l); err != nil {
		in.stop()
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return in, nil
}

func (in *instance) run(ctx context.Context, l launch) error {
	bootstrap, err := in.subject.bootstrap(l.upstream)
	if err != nil {
		return err
	}
	config := filepath.Join(in.dir, "bootstrap.json")
	if err := os.WriteFile(config, bootstrap, 0o600); err != nil {
		return err
	}
	log, err := os.Create(in.logFile())
	if err != nil {
		return err
	}
	defer log.Close()
	adminFile := filepath.Join(in.dir, "admin")
	args := append(append([]string{}, l.wrapper...), l.envoy,
		"--config-path", config, "--admin-address-path", adminFile,
		"--concurrency", strconv.Itoa(l.concurrency), "--disable-hot-restart", "--log-level", "warning")
	in.cmd = exec.CommandContext(ctx, args[0], args[1:]...)
	in.cmd.Dir, in.cmd.Stdout, in.cmd.Stderr = in.dir, log, log
	began := time.Now()
	if err := in.cmd.Start(); err != nil {
		in.cmd = nil
		return err
	}
	go func() { in.cmd.Wait(); close(in.ended) }()
	if err := in.awaitLive(ctx, adminFile, began.Add(l.wait)); err != nil {
		return fmt.Errorf("%w; its log ends with\n%s", err, in.logTail())
	}
	if err := in.findListener(); err != nil {
		return err
	}
	// Live is not ready: the workers may still be making their VMs.
	if _, err := probe(in.addr, in.subject, allKinds[0]); err != nil {
		return err
	}
	in.ready = time.Since(began)
	return nil
}

// awaitLive polls until the admin interface answers that the server is live: configuration loaded, plugins compiled, workers started.
func (in *instance) awaitLive(ctx context.Context, adminFile string, deadline time.Time) error {
	poll := http.Client{Timeout: 5 * time.Second}
	defer poll.CloseIdleConnections()
	for time.Now().Before(deadline) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-in.ended:
			return errors.New("the server ended before it was ready")
		case <-time.After(2 * time.Millisecond):
		}
		if in.admin == "" {
			addr, err := os.ReadFile(adminFile)
			if err != nil || len(addr) == 0 {
				continue
			}
			in.admin = "http://" + string(bytes.TrimSpace(addr))
		}
		resp, err := poll.Get(in.admin + "/ready")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return errors.New("the server was not ready in time")
}

// findListener asks the admin interface where the listener listens.
func (in *instance) findListener() error {
	get := http.Client{Timeout: requestTimeout}
	defer get.CloseIdleConnections()
	resp, err := get.Get(in.admin + "/listeners?format=json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var listeners struct {
		Statuses []struct {
			Address struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &listeners); err != nil {
		return err
	}
	if len(listeners.Statuses) != 1 {
		return fmt.Errorf("%d listeners where one was due", len(listeners.Statuses))
	}
	at := listeners.Statuses[0].Address.Socket
	in.addr = fmt.Sprintf("%s:%d", at.Address, at.Port)
	return nil
}

// stop ends the process, politely first, and removes its files. It may be called on an instance that never ran.
func (in *instance) stop() {
	if in.cmd != nil {
		in.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-in.ended:
		case <-time.After(10 * time.Second):
			in.cmd.Process.Kill()
			<-in.ended
		}
	}
	os.RemoveAll(in.dir)
}

func (in *instance) logFile() string { return filepath.Join(in.dir, "log") }

func (in *instance) logTail() string {
	log, err := os.ReadFile(in.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-3000):])
}

// cpu returns the CPU time that the process has used, its threads' scheduler clocks added up: nanoseconds, where utime and stime in
// /proc/PID/stat count clock ticks of 10 ms.
func (in *instance) cpu() (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", in.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	if len(files) == 0 {
		return 0, errors.New("the kernel has no /proc/PID/task/*/schedstat, or Envoy has ended")
	}
	var sum time.Duration
	for _, f := range files {
		line, err := os.ReadFile(f)
		if err != nil {
			return 0, err
		}
		ran, _, _ := strings.Cut(string(line), " ")
		ns, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// rss returns the process's resident memory in bytes.
func (in *instance) rss() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", in.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, found := strings.Cut(string(status), "VmRSS:")
	if !found {
		return 0, errors.New("/proc/PID/status has no VmRSS")
	}
	fields := strings.Fields(after)
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	return kib << 10, err
}
