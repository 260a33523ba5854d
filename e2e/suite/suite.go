// Package suite has what packages of end-to-end tests begin and wait with.
package suite

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// Run runs the tests of a package by run, which gets a directory that is there until then, and returns the exit code. An error, such as for a part that is missing,
// fails them: nothing is skipped.
func Run(m *testing.M, name string, run func(m *testing.M, dir string) (code int, err error)) (code int) {
	code, err := runIn(m, name, run)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func runIn(m *testing.M, name string, run func(m *testing.M, dir string) (code int, err error)) (code int, err error) {
	dir, err := os.MkdirTemp("", "corsguard-"+name+"-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return run(m, dir)
}

const pollInterval = 20 * time.Millisecond

// Until calls check until it returns no error, and fails with the last one at the limit.
func Until(t testing.TB, limit time.Duration, check func() error) {
	t.Helper()
	for deadline := time.Now().Add(limit); ; time.Sleep(pollInterval) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", limit, err)
		}
	}
}
