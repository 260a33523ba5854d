// Package process runs the programs of a control plane for as long as a test lasts.
package process

import (
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"corsguard/e2e/envoy"
)

const (
	// stopLimit is what a terminated program gets before it is killed. Istio's agent drains connections for five seconds.
	stopLimit = 30 * time.Second
	// pollInterval is the pause between two looks at something that a program does on its own time.
	pollInterval = 50 * time.Millisecond
	// shownLines are how many lines of a log a failed test shows.
	shownLines = 40
)

// Process is a running program. It is the test's goroutine's alone, but for Log.
type Process struct {
	Log *envoy.Log

	cmd     *exec.Cmd
	exited  chan struct{}
	err     error // valid once exited is closed
	stopped bool  // Stop was called
}

// Start runs a command, until it is stopped or the test ends. A test that fails shows the end of its log.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Log: &envoy.Log{}, cmd: cmd, exited: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Log, p.Log
	cmd.WaitDelay = time.Second // what it leaves behind may have its output, too
	// In a group of its own: what the program starts ends with it, and Ctrl-C reaches the test alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Stop(t)
		if t.Failed() {
			t.Logf("the end of the log of %s:\n%s", cmd.Path, p.Log.Tail(shownLines))
		}
	})
	return p
}

// Stop ends the program, and whatever it started. A program that has ended by itself is an error of the test. Later calls do nothing.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	select {
	case <-p.exited:
		t.Errorf("%s has ended by itself: %v", p.cmd.Path, p.err)
	default:
		p.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-p.exited:
	case <-time.After(stopLimit):
		t.Errorf("%s did not stop within %v", p.cmd.Path, stopLimit)
	}
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // what is left of its group, if anything
	<-p.exited
}

// Exited is closed when the program has ended, stopped or by itself.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Until calls done until it returns no error, and fails the test where the program ends or the limit is over.
func (p *Process) Until(t testing.TB, limit time.Duration, done func() error) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(pollInterval) {
		err := done()
		if err == nil {
			return
		}
		select {
		case <-p.exited:
			if err = done(); err != nil { // it may have come to it just before
				t.Fatalf("%s has ended: %v; before that: %v", p.cmd.Path, p.err, err)
			}
			return
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", limit, err)
		}
	}
}

// FreePort returns a port of the loopback interface that nobody listens on, for programs that do not tell which one the kernel gave them.
func FreePort(t testing.TB) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// FreeAddr is the same as an address.
func FreeAddr(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", FreePort(t))
}
