// Command corsguard checks Corsguard policies, explains what they do with a request, audits live endpoints, and converts other products' CORS settings.
package main

import (
	"os"

	"corsguard/cmd/corsguard/internal/cli"
)

func main() { os.Exit(cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }
