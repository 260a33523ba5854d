// Package command builds the corsguard command and runs it as people do, for tests that look at it from outside.
package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"corsguard/e2e/repo"
)

// Binary is the path of a built command.
type Binary string

// Build compiles the command into dir.
func Build(dir string) (Binary, error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "corsguard")
	if out, err := exec.Command("go", "build", "-C", root, "-o", path, "./cmd/corsguard").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return Binary(path), nil
}

// Result is what a run came to.
type Result struct {
	Code           int
	Stdout, Stderr string
}

// Run runs the command. An error means that it could not be started.
func (b Binary) Run(ctx context.Context, args ...string) (Result, error) {
	cmd := exec.CommandContext(ctx, string(b), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = nil
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}, err
}

// Audited is the report of one audit, as JSON has it.
type Audited struct {
	Result
	Requests   int
	Incomplete string
	NotTested  []string
	Findings   []struct {
		Rule, Severity, Message string
		Evidence                []string
	}
}

// Host is the name by which servers on the loopback interface are audited: names can be played tricks with, and addresses not.
const Host = "api.example.com"

// Audit audits what listens at addr, as if it were the server of Host, with the path /v1/items.
func (b Binary) Audit(ctx context.Context, scheme, addr string, args ...string) (Audited, error) {
	address, port, err := net.SplitHostPort(addr)
	if err != nil {
		return Audited{}, err
	}
	args = append([]string{
		"audit", "--output", "json", "--rate", "10000", "--insecure", "--resolve", Host + ":" + port + ":" + address, scheme + "://" + Host + ":" + port + "/v1/items",
	}, args...)
	var a Audited
	if a.Result, err = b.Run(ctx, args...); err != nil {
		return a, err
	}
	document := struct{ Reports []*Audited }{[]*Audited{&a}}
	result := a.Result
	if err := json.Unmarshal([]byte(a.Stdout), &document); err != nil || len(document.Reports) != 1 {
		return a, fmt.Errorf("exit code %d, %w\n%s%s", a.Code, err, a.Stdout, a.Stderr)
	}
	a = *document.Reports[0]
	a.Result = result
	return a, nil
}

// Found returns the findings as "rule severity", each once, sorted.
func (a Audited) Found() []string {
	var found []string
	for _, f := range a.Findings {
		found = append(found, f.Rule+" "+f.Severity)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Differs says how the report is not the one with exactly these findings, or nothing. The exit code must be that of the default --fail-on.
func (a Audited) Differs(want ...string) string {
	slices.Sort(want)
	code := 0
	if slices.ContainsFunc(want, func(f string) bool { return !strings.HasSuffix(f, " note") }) {
		code = 1
	}
	if slices.Equal(a.Found(), want) && a.Code == code && a.Incomplete == "" && a.Stderr == "" {
		return ""
	}
	said := fmt.Sprintf("got %q, want %q; exit code %d, want %d; incomplete: %q; stderr: %q\n", a.Found(), want, a.Code, code, a.Incomplete, a.Stderr)
	for _, f := range a.Findings {
		said += f.Rule + ": " + f.Message + "\n  " + strings.Join(f.Evidence, "\n  ") + "\n"
	}
	return said
}
