// Command build compiles the control planes that the tests run, where they are not there yet. It leaves the machine to whoever else needs it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"corsguard/e2e/mesh/internal/tools"
)

// niceness is that of the compilers. There is no hurry.
const niceness = 10

func main() {
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, niceness); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := tools.Build(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}
