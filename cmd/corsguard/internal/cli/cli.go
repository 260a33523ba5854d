// Package cli is the command line of corsguard: flags, input, output and exit codes. What the commands do is in the packages beside it.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"corsguard/cmd/corsguard/internal/finding"
)

// Exit codes.
const (
	exitClean    = 0
	exitFindings = 1 // there are findings at or above --fail-on
	exitUnusable = 2 // the command line, a file or an endpoint cannot be used
)

// errFindings ends a command that has written what it found.
var errFindings = errors.New("there are findings")

// program is what a command is run with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	colour         string
}

// Run runs the command with args, and returns its exit code. It writes nothing but to stdout and stderr and the files that args name.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot(&program{stdin: stdin, stdout: stdout, stderr: stderr})
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	switch err := root.Execute(); {
	case err == nil:
		return exitClean
	case errors.Is(err, errFindings):
		return exitFindings
	default:
		fmt.Fprintln(stderr, "corsguard: "+finding.Printable(err.Error()))
		return exitUnusable
	}
}

// Command returns the command with all of its subcommands, for what documents it.
func Command() *cobra.Command { return newRoot(&program{}) }

// version is set by the linker in releases.
var version string

// Version returns the release, or where this is none, what the Go toolchain knows of the source.
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:     "corsguard",
		Version: Version(),
		Short:   "Check, explain, audit and convert cross-origin policies",
		Long: `corsguard is the host-side command of the Corsguard filter for Envoy. It reads policies with the filter's own code, so that what it says is what the
filter does.

Exit codes: 0 nothing found; 1 findings at or above --fail-on; 2 the command line, a file or an endpoint cannot be used.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVar(&p.colour, "color", "auto", "colour the output: auto, always or never; auto also honours NO_COLOR")
	root.AddCommand(newCheck(p), newExplain(p), newAudit(p), newConvert(p), newVersion(p))
	return root
}

func newVersion(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  corsguard version",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, "corsguard version "+Version())
			return err
		},
	}
}

// named has a command ask for what it is about.
func named(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return fmt.Errorf("%s what? Name %s", cmd.Name(), what)
		}
		return nil
	}
}

// palette returns the colours for w.
func (p *program) palette(w io.Writer) (finding.Palette, error) {
	switch p.colour {
	case "always":
		return finding.NewPalette(true), nil
	case "never":
		return finding.NewPalette(false), nil
	case "auto":
		return finding.NewPalette(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"), nil
	}
	return finding.Palette{}, fmt.Errorf("--color %q: write auto, always or never", p.colour)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd())) //nolint:gosec // a file descriptor fits
}

// stdinName is how messages name what comes from standard input.
const stdinName = "<stdin>"

// maxInput bounds what is read of one file.
const maxInput = 64 << 20

// read returns what the file holds, or standard input for "-", and the name for messages.
func (p *program) read(name string) (shown string, data []byte, err error) {
	r := p.stdin
	if shown = name; name == "-" {
		shown = stdinName
	} else {
		f, err := os.Open(name)
		if err != nil {
			return name, nil, err
		}
		defer f.Close()
		r = f
	}
	data, err = io.ReadAll(io.LimitReader(r, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("%s: is longer than %d bytes", shown, maxInput)
	}
	return shown, data, err
}
