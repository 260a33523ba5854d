package command_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// TestInterrupt holds that Ctrl-C ends an audit with what it has seen, and that nobody can take that for all.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	const answered = 2 // and no more, so that the audit is not over before it is interrupted, and has seen these
	var requests atomic.Int32
	held := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == answered+1 {
			held <- struct{}{}
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	cmd := exec.CommandContext(t.Context(), string(binary), "audit", "--rate", "20", "--timeout", "5m", "--output", "json", server.URL)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-held:
	case <-t.Context().Done():
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	cmd.Wait() // the exit code says more
	var report struct {
		Reports []struct {
			Incomplete string
			Probes     []struct{ Purpose string }
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
		t.Fatalf("%v\n%s", err, stdout.String())
	}
	if cmd.ProcessState.ExitCode() != 2 || len(report.Reports) != 1 || !strings.Contains(report.Reports[0].Incomplete, "interrupted") || len(report.Reports[0].Probes) < answered ||
		!strings.Contains(stderr.String(), "incomplete") {
		t.Errorf("exit code %d, %+v, stderr %q", cmd.ProcessState.ExitCode(), report, stderr.String())
	}
}

// TestNothingButTheReport holds that what is no terminal gets no progress and no colours.
func TestNothingButTheReport(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	r, err := binary.Run(t.Context(), "audit", "--rate", "1000", server.URL)
	if err != nil || r.Code != 0 || r.Stderr != "" || strings.ContainsAny(r.Stdout, "\x1b\r") || !strings.Contains(r.Stdout, "0 errors, 0 warnings, 2 notes") {
		t.Errorf("%v, exit code %d, stderr %q\n%s", err, r.Code, r.Stderr, r.Stdout)
	}
}
