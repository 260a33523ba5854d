package soak_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// memory is what Envoy holds, in megabytes, measured once a second.
type memory struct{ samples []float64 }

// watchMemory measures until the time is over.
func (s *soak) watchMemory(length time.Duration) *memory {
	m := &memory{}
	pid, err := s.gateway.PID()
	if err != nil {
		s.fault("%v", err)
		return m
	}
	for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(time.Second) {
		size, err := resident(pid)
		if err != nil {
			s.fault("%v", err)
			return m
		}
		m.samples = append(m.samples, size)
	}
	return m
}

// resident returns the resident memory of a process.
func resident(pid int) (megabytes float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if kB, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(kB), " kB"))
			return float64(n) / 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory", pid)
}

// check compares the last quarter with the second. The first is for getting warm.
func (m *memory) check(t *testing.T) {
	t.Helper()
	const (
		quarters   = 4
		mostGrowth = 1.10
	)
	n := len(m.samples) / quarters
	if n < 3 {
		t.Errorf("only %d measurements", len(m.samples))
		return
	}
	early, late := median(m.samples[n:2*n]), median(m.samples[len(m.samples)-n:])
	t.Logf("resident memory: %.0f MB at first, %.0f MB in the second quarter, %.0f MB in the last", m.samples[0], early, late)
	if late > early*mostGrowth {
		t.Errorf("memory grows: %.0f MB, and then %.0f MB", early, late)
	}
}

func median(samples []float64) float64 {
	sorted := slices.Sorted(slices.Values(samples))
	return sorted[len(sorted)/2]
}
