package process_test

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"corsguard/e2e/mesh/internal/process"
)

// What a program leaves behind would hold ports that the next test wants.
func TestWhatAProgramStartsEndsWithIt(t *testing.T) {
	p := process.Start(t, exec.Command("sh", "-c", `trap 'exit 0' TERM; sleep 300 & echo "child $!"; wait`))
	var child int
	p.Until(t, time.Minute, func() error {
		_, rest, found := strings.Cut(p.Log.String(), "child ")
		if !found || !strings.Contains(rest, "\n") {
			return errors.New("no child yet")
		}
		for _, digit := range strings.TrimSpace(rest) {
			child = 10*child + int(digit-'0')
		}
		return nil
	})
	p.Stop(t)
	for deadline := time.Now().Add(time.Minute); syscall.Kill(child, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d is still there", child)
		}
	}
}

// recorder keeps what a test would have failed with.
type recorder struct {
	testing.TB
	failed []string
}

func (r *recorder) Errorf(format string, _ ...any) { r.failed = append(r.failed, format) }

func TestAProgramThatEndsByItselfFailsItsTest(t *testing.T) {
	r := &recorder{TB: t}
	t.Run("a test", func(t *testing.T) {
		r.TB = t
		p := process.Start(t, exec.Command("sh", "-c", "echo started"))
		<-p.Exited()
		p.Stop(r)
	})
	if len(r.failed) != 1 || !strings.Contains(r.failed[0], "by itself") {
		t.Errorf("%q", r.failed)
	}
}
