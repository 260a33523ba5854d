// Command genman writes the manual pages of corsguard, one a subcommand, from the same source as its --help: genman DIR.
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra/doc"

	"corsguard/cmd/corsguard/internal/cli"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "genman:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: genman DIR")
	}
	if err := os.MkdirAll(args[0], 0o755); err != nil {
		return err
	}
	root := cli.Command()
	root.DisableAutoGenTag = true // the same source gives the same pages
	root.InitDefaultHelpCmd()
	date := time.Unix(0, 0).UTC()
	return doc.GenManTree(root, &doc.GenManHeader{Title: "CORSGUARD", Section: "1", Source: "Corsguard", Manual: "Corsguard", Date: &date}, args[0])
}
