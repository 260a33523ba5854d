package envoy

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// startLimit bounds the time until Envoy is live. V8 compiles the plugin before that: seconds, more on a busy machine.
	startLimit = 3 * time.Minute
	// stopLimit is what a terminated Envoy gets before it is killed.
	stopLimit = time.Minute
	// pollInterval is the pause between two looks at something that Envoy does on its own time.
	pollInterval = 20 * time.Millisecond
)

// Options say what to run.
type Options struct {
	// Bootstrap is the configuration as a JSON object. Start adds the admin interface to it, on a free port.
	Bootstrap Object
	// File, where set, is the path of the configuration in place of Bootstrap. It must have an admin interface.
	File string
	// Dir is the directory that relative paths of the configuration start from.
	Dir string
	// Mounts are the files and directories that the configuration names. A container gets them at the same paths, and Dir.
	Mounts []string
	// Args go to Envoy as they are.
	Args []string
	// Output, where set, gets what Envoy prints while it prints it, from two goroutines. The log is kept either way.
	Output io.Writer
}

// Process is a running Envoy. Stop must be called once. The other methods are safe for concurrent use.
type Process struct {
	Engine Engine
	Admin  Admin
	Log    *Log

	dir       string // holds the bootstrap and the admin's address
	container string // name; empty for an executable
	cmd       *exec.Cmd
	exited    chan struct{} // closed when the process is gone
	exitErr   error         // valid once exited is closed
}

// Start runs Envoy and waits until it is live. An Envoy that exits instead gives an [ExitError], with its log.
func (e Engine) Start(ctx context.Context, opts Options) (*Process, error) {
	p, err := e.launch(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := p.waitUntilLive(ctx); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// ExitError says that Envoy ended on its own.
type ExitError struct {
	Code int
	Log  *Log
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("Envoy exited with code %d; the end of its log:\n%s", e.Code, e.Log.Tail(20))
}

func (e Engine) launch(ctx context.Context, opts Options) (*Process, error) {
	dir, err := os.MkdirTemp("", "corsguard-envoy-")
	if err != nil {
		return nil, err
	}
	p := &Process{Engine: e, Log: &Log{}, dir: dir, exited: make(chan struct{})}
	if err := p.run(ctx, opts); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return p, nil
}

func (p *Process) run(ctx context.Context, opts Options) error {
	config, err := p.config(opts)
	if err != nil {
		return err
	}
	args := append([]string{
		"-c", config,
		"--admin-address-path", p.adminFile(),
		"--disable-hot-restart", // several Envoys share the machine
		"--log-level", "warning",
		"--component-log-level", "wasm:info",
	}, opts.Args...)
	c := container{dir: opts.Dir, mounts: append([]string{p.dir}, opts.Mounts...)}
	if p.Engine.Image != "" {
		p.container = "corsguard-" + strings.ToLower(rand.Text()[:12])
		c.name = p.container
	}
	// The context ends a start that takes too long, not an Envoy that runs: that is what Stop is for.
	p.cmd = p.Engine.command(context.WithoutCancel(ctx), c, args...)
	p.cmd.Dir = opts.Dir
	p.cmd.Stdout, p.cmd.Stderr = p.Log.Out(), p.Log
	if opts.Output != nil {
		p.cmd.Stdout, p.cmd.Stderr = io.MultiWriter(p.Log.Out(), opts.Output), io.MultiWriter(p.Log, opts.Output)
	}
	// Ctrl-C reaches the whole foreground group. In a group of its own, Envoy ends when Stop ends it.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		p.exitErr = p.cmd.Wait()
		close(p.exited)
	}()
	return nil
}

// config returns the path of the configuration to run.
func (p *Process) config(opts Options) (string, error) {
	if opts.File != "" {
		return opts.File, nil
	}
	bootstrap := Object{"admin": Object{"address": address(anyPort)}}
	maps.Copy(bootstrap, opts.Bootstrap)
	text, err := json.Marshal(bootstrap)
	if err != nil {
		return "", err
	}
	path := filepath.Join(p.dir, "bootstrap.json")
	return path, os.WriteFile(path, text, 0o644)
}

func (p *Process) adminFile() string { return filepath.Join(p.dir, "admin") }

func (p *Process) waitUntilLive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return p.Poll(ctx, "Envoy to be live", func() (bool, error) {
		if p.Admin.addr == "" {
			addr, err := os.ReadFile(p.adminFile())
			if err != nil || len(addr) == 0 {
				return false, nil
			}
			p.Admin.addr = string(addr)
		}
		body, err := p.Admin.Get(ctx, "/ready")
		return err == nil && strings.HasPrefix(string(body), "LIVE"), nil
	})
}

// Poll calls done until it reports true or an error, the context ends, or Envoy exits. What says what is waited for.
func (p *Process) Poll(ctx context.Context, what string, done func() (bool, error)) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-p.exited:
			return p.exitError()
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w; the end of its log:\n%s", what, ctx.Err(), p.Log.Tail(20))
		case <-tick.C:
		}
	}
}

// Exited is closed when Envoy has ended, stopped or by itself.
func (p *Process) Exited() <-chan struct{} { return p.exited }

func (p *Process) exitError() error {
	code := 0
	if exit := (*exec.ExitError)(nil); errors.As(p.exitErr, &exit) {
		code = exit.ExitCode()
	}
	return &ExitError{Code: code, Log: p.Log}
}

// PID returns the process id of Envoy itself, also of one in a container.
func (p *Process) PID() (int, error) {
	if p.container == "" {
		return p.cmd.Process.Pid, nil
	}
	out, err := exec.Command("docker", "inspect", "--format", "{{.State.Pid}}", p.container).Output()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(out)))
}

// Stop ends Envoy, this one and no other, and removes its files. It fails when Envoy had crashed or has to be killed.
func (p *Process) Stop() error {
	var err error
	select {
	case <-p.exited:
		err = p.exitError()
	default:
		err = p.terminate()
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

func (p *Process) terminate() error {
	if err := p.signal("TERM"); err != nil {
		return err
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopLimit):
	}
	killed := fmt.Errorf("an Envoy that did not stop within %v; the end of its log:\n%s", stopLimit, p.Log.Tail(20))
	if err := p.signal("KILL"); err != nil {
		return errors.Join(killed, err)
	}
	<-p.exited
	return killed
}

func (p *Process) signal(name string) error {
	if p.container != "" {
		return quietly(exec.Command("docker", "kill", "--signal", name, p.container))
	}
	if name == "KILL" {
		return p.cmd.Process.Kill()
	}
	return p.cmd.Process.Signal(syscall.SIGTERM)
}
