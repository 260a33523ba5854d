package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"corsguard/cmd/corsguard/internal/advice"
	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

// checkFlags are those of check, as they were given.
type checkFlags struct {
	output, failOn string
	disable        []string
	rules          bool
}

// failOnNever is the --fail-on by which findings do not count for the exit code.
const failOnNever = "never"

func newCheck(p *program) *cobra.Command {
	f := &checkFlags{}
	cmd := &cobra.Command{
		Use:   "check FILE…",
		Short: "Say what is wrong or unwise in policies, and where",
		Long: `check reads policies as the filter does, and says what it would refuse or warn of, and what else is unwise: with the place, the reason, and what to write instead.

A policy is found wherever people keep it, in YAML or JSON, in any of several documents: by itself, in an Envoy configuration or a part of one (a bootstrap, a
listener, an HTTP filter), in a WasmPlugin or an EnvoyFilter of Istio, in an EnvoyExtensionPolicy or an EnvoyPatchPolicy of Envoy Gateway, and in a ConfigMap that holds any of
these. What is around it counts too: filters before it that answer preflights, for example. Other plugins are passed over.

A file named .json is JSON; one named .yaml or .yml is YAML, unless it is JSON; others are JSON where they begin with a bracket. YAML is read as Kubernetes' tools read it. - is standard input.

Exit codes: 0 nothing found; 1 findings at or above --fail-on; 2 a file cannot be read, none holds a policy, or the command line is wrong. Other files are checked all the same.
Files without a policy beside others that have one are named on standard error.`,
		Example: `  corsguard check policy.json
  corsguard check envoy.yaml k8s/*.yaml
  kubectl get wasmplugins,envoyfilters -A -o yaml | corsguard check -
  corsguard check --fail-on error --disable missing-csp,missing-hsts policy.json
  corsguard check --output sarif --fail-on never envoy.yaml >corsguard.sarif
  corsguard check --rules`,
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, files []string) error { return p.check(f, files) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.output, "output", "o", "text", "text, json or sarif")
	flags.StringVar(&f.failOn, "fail-on", "warning", "lowest severity that counts for the exit code: note, warning or error; or never")
	flags.StringSliceVar(&f.disable, "disable", nil, "ids of rules to leave out, with commas between them; may be repeated")
	flags.BoolVar(&f.rules, "rules", false, "list the rules, and check nothing")
	completeWith(cmd, "output", "text", "json", "sarif")
	completeWith(cmd, "fail-on", "note", "warning", "error", failOnNever)
	completeWith(cmd, "disable", ruleIDs()...)
	return cmd
}

// checkRules are all rules that check knows.
func checkRules() []*finding.Rule { return slices.Concat(advice.Rules, document.Rules) }

func ruleIDs() []string {
	var ids []string
	for _, r := range checkRules() {
		ids = append(ids, r.ID)
	}
	return ids
}

// checkedPolicy is a policy that was found, as --output json has it.
type checkedPolicy struct {
	File     string        `json:"file"`
	Document string        `json:"document,omitempty"`
	Kind     document.Kind `json:"kind"`
}

// checked is what check found, as --output json has it.
type checked struct {
	Findings []finding.Finding `json:"findings"`
	Summary  map[string]int    `json:"summary"`
	Policies []checkedPolicy   `json:"policies"`
	// WithoutPolicy are files that hold none.
	WithoutPolicy []string `json:"withoutPolicy,omitempty"`
	// Unreadable holds an error for each file that could not be checked.
	Unreadable []string `json:"unreadable,omitempty"`

	noPolicy error // of the last file that holds none
}

func (p *program) check(f *checkFlags, files []string) error {
	if err := oneOf("output", f.output, "text", "json", "sarif"); err != nil {
		return err
	}
	if err := oneOf("fail-on", f.failOn, "note", "warning", "error", failOnNever); err != nil {
		return err
	}
	for _, id := range f.disable {
		if !slices.Contains(ruleIDs(), id) {
			return fmt.Errorf("--disable %q: there is no such rule; --rules lists them", id)
		}
	}
	palette, err := p.palette(p.stdout)
	switch {
	case err != nil:
		return err
	case f.rules:
		return writeRules(p.stdout, checkRules(), f.output)
	case len(files) == 0:
		return errors.New("check what? Name files, or - for standard input")
	}
	c := &checked{Findings: []finding.Finding{}, Policies: []checkedPolicy{}}
	for _, name := range files {
		p.checkFile(c, name)
	}
	c.Findings = slices.DeleteFunc(c.Findings, func(x finding.Finding) bool { return slices.Contains(f.disable, x.Rule.ID) })
	finding.Sort(c.Findings)
	if err := c.write(p.stdout, f.output, palette); err != nil {
		return err
	}
	return c.verdict(p.stderr, f.failOn)
}

// checkFile adds what there is to say about a file.
func (p *program) checkFile(c *checked, name string) {
	shown, data, err := p.read(name)
	var policies []document.Policy
	var around []finding.Finding
	if err == nil {
		policies, around, err = document.Read(shown, data)
	}
	switch {
	case errors.Is(err, document.ErrNoPolicy):
		c.WithoutPolicy = append(c.WithoutPolicy, shown)
		c.noPolicy = err
		return
	case err != nil:
		c.Unreadable = append(c.Unreadable, err.Error())
		return
	}
	c.Findings = append(c.Findings, around...)
	for i := range policies {
		c.Policies = append(c.Policies, checkedPolicy{shown, policies[i].Name, policies[i].Kind})
		c.Findings = append(c.Findings, advice.Check(&policies[i])...)
	}
}

func (c *checked) write(w io.Writer, output string, palette finding.Palette) error {
	switch output {
	case "json":
		c.Summary = map[string]int{"error": 0, "warning": 0, "note": 0}
		for i := range c.Findings {
			c.Summary[c.Findings[i].Severity.String()]++
		}
		return finding.WriteJSON(w, c)
	case "sarif":
		return finding.WriteSARIF(w, c.Findings, checkRules(), Version(), c.failures())
	}
	if len(c.Policies)+len(c.Findings) == 0 {
		return nil // no file could be read
	}
	return finding.WriteText(w, c.Findings, palette)
}

// failures says what could not be checked.
func (c *checked) failures() []string {
	if len(c.Policies)+len(c.Findings) == 0 && c.noPolicy != nil {
		return append(slices.Clone(c.Unreadable), c.noPolicy.Error())
	}
	return c.Unreadable
}

// verdict says which files could not be read, and returns the error for the exit code. That a file was not checked counts more than findings in others.
func (c *checked) verdict(stderr io.Writer, failOn string) error {
	found := len(c.Policies)+len(c.Findings) > 0
	for _, name := range c.WithoutPolicy {
		if found || len(c.WithoutPolicy) > 1 {
			fmt.Fprintln(stderr, "corsguard: "+finding.Printable(name)+": holds no policy")
		}
	}
	if n := len(c.Unreadable); n > 0 {
		for _, message := range c.Unreadable[:n-1] {
			fmt.Fprintln(stderr, "corsguard: "+finding.Printable(message))
		}
		return errors.New(c.Unreadable[n-1])
	}
	if !found && c.noPolicy != nil {
		return c.noPolicy
	}
	worst, some := finding.Worst(c.Findings)
	if failOn == failOnNever || !some {
		return nil
	}
	if least, err := finding.ParseSeverity(failOn); err != nil || worst >= least {
		return errFindings
	}
	return nil
}

// writeRules writes a table of rules, or for machines an array.
func writeRules(w io.Writer, rules []*finding.Rule, output string) error {
	switch output {
	case "json":
		type rule struct {
			ID       string           `json:"id"`
			Severity finding.Severity `json:"severity"`
			Title    string           `json:"title"`
			Why      string           `json:"why"`
		}
		list := make([]rule, len(rules))
		for i, r := range rules {
			list[i] = rule{r.ID, r.Severity, r.Title, r.Why}
		}
		return finding.WriteJSON(w, map[string]any{"rules": list})
	case "sarif":
		return finding.WriteSARIF(w, nil, rules, Version(), nil)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintln(table, strings.Join([]string{r.ID, r.Severity.String(), r.Title}, "\t"))
	}
	return table.Flush()
}
