package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// facts says what was measured on what.
type facts struct {
	Envoy      string `json:"envoy"`
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	Kernel     string `json:"kernel"`
	Rounds     int    `json:"rounds"`   // of the times
	Requests   int    `json:"requests"` // of each kind in a round
	Counted    int    `json:"counted"`  // requests in a window under callgrind
}

func gatherFacts(o *options, version string) facts {
	f := facts{
		Envoy: version, Processor: runtime.GOARCH, Processors: runtime.NumCPU(), Kernel: runtime.GOOS,
		Rounds: o.rounds, Requests: o.requests, Counted: o.counted,
	}
	// Both files are there on Linux only, and the processor's name not on every architecture: nicer to have than necessary.
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		f.Kernel = "Linux " + strings.TrimSpace(string(release))
	}
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if _, after, found := strings.Cut(string(info), "model name\t: "); found {
			f.Processor, _, _ = strings.Cut(after, "\n")
		}
	}
	return f
}

func (f facts) write(b *strings.Builder) {
	fmt.Fprintf(b, "Envoy %s, one worker, one HTTP/1.1 hop to an upstream over loopback; %d × %s, %s.\n", f.Envoy, f.Processors, f.Processor, f.Kernel)
}
