package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"corsguard/cmd/corsguard/internal/advice"
	"corsguard/cmd/corsguard/internal/audit"
	"corsguard/cmd/corsguard/internal/convert"
	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

// Reference returns the flags of every command and the rules of every finding, as Markdown: from the same source as --help and the manual pages.
func Reference() string {
	var b strings.Builder
	root := Command()
	writeFlags(&b, "All commands", root.PersistentFlags())
	for _, c := range root.Commands() {
		if c.LocalFlags().HasFlags() {
			writeFlags(&b, "`"+c.UseLine()+"`", c.NonInheritedFlags())
		}
	}
	tabulate(&b, "Findings of check", document.Rules, advice.Rules)
	tabulate(&b, "Findings of audit", audit.Rules)
	tabulate(&b, "Findings of convert", convert.Rules)
	return b.String()
}

func writeFlags(b *strings.Builder, title string, flags *pflag.FlagSet) {
	fmt.Fprintf(b, "### %s\n\n| flag | value | default | |\n| --- | --- | --- | --- |\n", title)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" {
			return
		}
		name := "`--" + f.Name + "`"
		if f.Shorthand != "" {
			name = "`-" + f.Shorthand + "`, " + name
		}
		value, usage := pflag.UnquoteUsage(f)
		initial := f.DefValue
		if initial == "[]" || initial == "false" || initial == "0" {
			initial = ""
		}
		if initial != "" {
			initial = "`" + initial + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", name, value, initial, cell(usage))
	})
	b.WriteByte('\n')
}

func tabulate(b *strings.Builder, title string, lists ...[]*finding.Rule) {
	fmt.Fprintf(b, "### %s\n\n| id | severity | | why |\n| --- | --- | --- | --- |\n", title)
	for _, rules := range lists {
		for _, r := range rules {
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", r.ID, r.Severity, cell(r.Title), cell(r.Why))
		}
	}
	b.WriteByte('\n')
}

func cell(s string) string { return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(s) }
