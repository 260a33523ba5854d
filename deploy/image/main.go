// Command image makes container images of the compiled plugin, in the layouts that Istio and Envoy Gateway fetch Wasm modules from, saves them and pushes them.
//
// The digests depend on the module, the version, the source and the compiler's gzip, and on nothing else: neither on the time nor on the machine.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// What run returns.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

const usage = `Usage: go -C deploy/image run . [flags]

Makes three images of the compiled plugin, prints their digests, and saves or pushes them. The layouts are

  oci        an OCI image with /plugin.wasm, tag TAG
  docker     the same in Docker's media types, tag TAG-docker
  artifact   an OCI artifact of the module itself, tag TAG-artifact

Istio and Envoy Gateway fetch each of them. Registries that know no OCI take the second; the third is what tools for OCI artifacts list as Wasm.

Flags:
`

// maxModule is what both Istio's and Envoy Gateway's fetcher read at most.
const maxModule = 256 << 20

type options struct {
	wasm     string
	out      string
	push     string
	tag      string
	insecure bool
	about    about
}

// run is the program: it returns the exit code.
func run(args []string, stdout, stderr io.Writer) int {
	var o options
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.wasm, "wasm", "../../main.wasm", "the compiled plugin, a `file`")
	flags.StringVar(&o.out, "out", "", "save the images in this `directory`: an OCI layout, and a tarball for docker load")
	flags.StringVar(&o.push, "push", "", "push the images to this `repository`, such as registry.example.com/team/corsguard")
	flags.StringVar(&o.tag, "tag", "", "the `tag` to push and to name the saved images by (default: the version)")
	flags.BoolVar(&o.insecure, "insecure", false, "speak plain HTTP to a registry that is not on this machine")
	flags.StringVar(&o.about.version, "version", "devel", "the plugin's `version`, for the annotations")
	flags.StringVar(&o.about.source, "source", "", "the `URL` of the source code, for the annotations; without it there is none")
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitOK
		}
		return exitUsage
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(stderr, "image: unknown argument %q\n", flags.Arg(0))
		flags.Usage()
		return exitUsage
	}
	if o.tag == "" {
		o.tag = o.about.version
	}
	if err := o.make(stdout); err != nil {
		fmt.Fprintln(stderr, "image:", err)
		return exitFailed
	}
	return exitOK
}

// make builds the images, and does with them what the options say.
func (o options) make(stdout io.Writer) error {
	module, err := readModule(o.wasm)
	if err != nil {
		return err
	}
	images, err := build(module, o.about)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "module sha256:%x\n", sha256.Sum256(module))
	for _, i := range images {
		fmt.Fprintf(stdout, "%s %s\n", i.layout, i.digest)
	}
	if o.out != "" {
		if err := save(images, o.out, o.tag); err != nil {
			return err
		}
		fmt.Fprintln(stdout, "saved", o.out)
	}
	if o.push == "" {
		return nil
	}
	return push(images, o.push, o.tag, o.insecure, stdout)
}

// readModule reads a file that begins as a Wasm module does.
func readModule(path string) ([]byte, error) {
	module, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("the plugin is not built (run `make build`): %w", err)
	}
	if !bytes.HasPrefix(module, []byte("\x00asm\x01\x00\x00\x00")) {
		return nil, fmt.Errorf("%s is no Wasm module", path)
	}
	if len(module) > maxModule {
		return nil, fmt.Errorf("%s has %d bytes; Istio and Envoy Gateway read %d at most", path, len(module), maxModule)
	}
	return module, nil
}
