// Command demo runs Envoy with the repository's envoy.yaml in front of an upstream that does CORS badly, and prints curl lines that show what the plugin
// makes of it. It runs until Ctrl-C.
//
// With -check it sends the requests itself, prints what came back, and fails where that is not what the curl lines promise.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
)

// The addresses in envoy.yaml.
const (
	gatewayAddr  = "127.0.0.1:10000"
	adminAddr    = "127.0.0.1:9901"
	upstreamAddr = "127.0.0.1:8001"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	check := flags.Bool("check", false, "send the requests, compare the answers, and exit")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := demo(ctx, *check, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	return 0
}

func demo(ctx context.Context, check bool, stdout, stderr io.Writer) (err error) {
	root, err := repo.Root()
	if err != nil {
		return err
	}
	if _, err := repo.Wasm(); err != nil {
		return err
	}
	for _, addr := range []string{gatewayAddr, adminAddr} {
		if err := free(addr); err != nil {
			return err
		}
	}
	stopUpstream, err := startUpstream(upstreamAddr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopUpstream()) }()

	engine, err := envoy.Find(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, "Starting", engine)
	options := envoy.Options{File: filepath.Join(root, "envoy.yaml"), Dir: root}
	if !check {
		options.Output = stderr
	}
	process, err := engine.Start(ctx, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C while it was starting
		}
		return err
	}
	defer func() { err = errors.Join(err, process.Stop()) }()

	if check {
		return checkSteps(ctx, process.Admin, stdout)
	}
	printSteps(stdout)
	select {
	case <-ctx.Done():
		fmt.Fprintln(stdout, "\nStopping.")
	case <-process.Exited():
	}
	return nil // Stop tells of an Envoy that ended by itself
}

// free reports an address that another process has, before Envoy does so in words of its own.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return taken(addr, err)
	}
	return l.Close()
}

func taken(addr string, err error) error {
	return fmt.Errorf("the demo needs %s, which another process has: %w", addr, err)
}
