// Package servers_test runs the command against web servers of a distribution, each with settings as they are often copied, and as they ought to be.
package servers_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"corsguard/e2e/command"
	"corsguard/e2e/suite"
)

var binary command.Binary

func TestMain(m *testing.M) { os.Exit(suite.Run(m, "servers", run)) }

func run(m *testing.M, dir string) (code int, err error) {
	if binary, err = command.Build(dir); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// server is a program that serves what a file says. In the file and in args, ADDRESS, PORT, DIR and FILE stand for what the test chooses.
type server struct {
	program string
	args    []string
	file    string // what surrounds SETTINGS in it
}

// site is a server's settings, and what an audit of it finds.
type site struct {
	name     string
	settings string
	args     []string
	want     []string
}

// known is what an auditor knows of all the sites.
var known = []string{"--origin", "https://app.example.com", "--credentials", "--method", "PUT", "--request-header", "content-type"}

// bareNotes is what servers do not send of themselves.
var bareNotes = []string{"missing-corp-header note", "missing-nosniff-header note"}

func (s server) audit(t *testing.T, sites []site) {
	t.Parallel()
	for _, at := range sites {
		t.Run(at.name, func(t *testing.T) {
			t.Parallel()
			a, err := binary.Audit(t.Context(), "http", s.start(t, at.settings), at.args...)
			if err != nil {
				t.Fatal(err)
			}
			if said := a.Differs(at.want...); said != "" {
				t.Error(said)
			}
		})
	}
}

// start runs the server until the end of the test. A server that is not there fails it.
func (s server) start(t *testing.T, settings string) (addr string) {
	t.Helper()
	path, err := exec.LookPath(s.program)
	if err != nil {
		t.Fatalf("%v (apt-get install nginx-light apache2 haproxy lighttpd caddy)", err)
	}
	dir := t.TempDir()
	// Servers that are started by root give up its rights, and must get here all the same.
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.MkdirAll(filepath.Join(dir, "www/v1"), 0o755), os.WriteFile(filepath.Join(dir, "www/v1/items"), []byte("[]\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	address, port := freePort(t)
	file := filepath.Join(dir, "server.conf")
	fill := strings.NewReplacer("ADDRESS", address, "PORT", port, "DIR", dir, "FILE", file, "SETTINGS", settings)
	if err := os.WriteFile(file, []byte(fill.Replace(fill.Replace(s.file))), 0o644); err != nil {
		t.Fatal(err)
	}
	args := make([]string, len(s.args))
	for i, a := range s.args {
		args[i] = fill.Replace(a)
	}
	log := launch(t, dir, path, args)
	addr = net.JoinHostPort(address, port)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return addr
		}
		if time.Now().After(deadline) {
			printed, _ := os.ReadFile(log)
			t.Fatalf("%s does not listen: %v\n%s", s.program, err, printed)
		}
	}
}

// launch starts a process group, which the end of the test stops, and returns the file that has what it prints.
func launch(t *testing.T, dir, path string, args []string) (log string) {
	t.Helper()
	log = filepath.Join(dir, "log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-ended
		}
	})
	return log
}

var started atomic.Uint32

// freePort returns a port of an address of the loopback interface that the server has to itself. Of one that all share, the port may be another's before the server takes it.
func freePort(t *testing.T) (address, port string) {
	t.Helper()
	pid := os.Getpid()
	l, err := net.Listen("tcp", net.IPv4(127, byte(100+started.Add(1)%100), byte(pid>>8), byte(pid)).String()+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	address, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return address, port
}

// plus returns the notes that all bare servers give, and more.
func plus(more ...string) []string { return append(append([]string{}, bareNotes...), more...) }
