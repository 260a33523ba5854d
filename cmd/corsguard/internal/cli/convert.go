package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"corsguard/cmd/corsguard/internal/convert"
	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

// convertFlags are the flags of convert.
type convertFlags struct {
	from, output, failOn string
	wrap                 convert.Wrapping
}

const (
	convertText = "text"
	convertJSON = "json"
)

func newConvert(p *program) *cobra.Command {
	var f convertFlags
	cmd := &cobra.Command{
		Use:   "convert FILE…",
		Short: "Make a Corsguard policy of another product's CORS settings",
		Long:  convertLong(),
		Example: `  # A VirtualService, and the WasmPlugin for the gateway
  corsguard convert virtualservice.yaml
  corsguard convert virtualservice.yaml --to istio --selector istio=ingressgateway --url oci://registry.example/corsguard:1.0 >plugin.yaml

  # All Ingresses of a cluster, from standard input
  kubectl get ingress --all-namespaces --output yaml | corsguard convert -

  # An Envoy configuration, to a filter for its http_filters
  corsguard convert envoy.yaml --to envoy --url /etc/envoy/main.wasm

  # A SecurityPolicy, to an EnvoyExtensionPolicy with the same targets
  corsguard convert policy.yaml --to envoy-gateway --url registry.example/corsguard:1.0

  # The options of a Node service; fail on whatever was not kept
  corsguard convert cors.json --from express --fail-on warning`,
		Args:              named("files, or - for standard input"),
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return p.convert(&f, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", convert.Auto, "the product that the files are of: "+strings.Join(convert.Sources(), ", "))
	flags.StringVar(&f.wrap.To, "to", convert.ToPolicy, "what to write: "+strings.Join(convert.Targets(), ", ")+"; all but policy are YAML around it")
	flags.StringVarP(&f.output, "output", "o", convertText, "text: the policy to standard output, findings to standard error; json: all in one object")
	flags.StringVar(&f.failOn, "fail-on", finding.Error.String(), "exit with 1 if something of this severity could not be kept: note, warning or error; or never")
	flags.StringVar(&f.wrap.Name, "name", "corsguard", "name of the WasmPlugin, EnvoyExtensionPolicy or filter; further ones get a suffix")
	flags.StringVar(&f.wrap.Namespace, "namespace", "", "namespace of the WasmPlugin or EnvoyExtensionPolicy (default: that of a SecurityPolicy, otherwise none)")
	flags.StringVar(&f.wrap.URL, "url", "", "where the wasm is: an image or URL; for --to envoy a file (default: a placeholder)")
	flags.StringVar(&f.wrap.SHA256, "sha256", "", "the wasm's SHA-256 in hex, for the WasmPlugin or EnvoyExtensionPolicy")
	flags.StringToStringVar(&f.wrap.Selector, "selector", nil, "labels of the workloads that the WasmPlugin is for, such as istio=ingressgateway (default: all of the namespace)")
	flags.StringVar(&f.wrap.Target, "target", "", "what the EnvoyExtensionPolicy is for, such as Gateway/public (default: the targets of the source)")
	completeWith(cmd, "from", convert.Sources()...)
	completeWith(cmd, "to", convert.Targets()...)
	completeWith(cmd, "output", convertText, convertJSON)
	completeWith(cmd, "fail-on", "note", "warning", "error", failOnNever)
	return cmd
}

func convertLong() string {
	var b strings.Builder
	b.WriteString(`Reads other products' CORS settings, YAML or JSON, several documents in a file, "-" for standard input, and writes a Corsguard policy.
Files given together are in force together: give all of a gateway at once, so that what one of them leaves out stays left out.

The policy never grants what the source does not grant. What Corsguard refuses, such as any origin with credentials, prefixes of origins and
expressions that are not anchored, is written narrower or left out, and a finding says so, why, and what to write by hand. A route without a policy
becomes a rule with "cors": null where it has to.

Errors are about what could not be had at all, warnings about what works in another way, notes about what became stricter or is left to do.

The sources, and the versions whose documented behaviour and defaults are taken:
`)
	for _, line := range convert.Abouts() {
		fmt.Fprintf(&b, "  %-14s %s\n", line[0], line[1])
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// convert runs the command.
func (p *program) convert(f *convertFlags, args []string) error {
	if err := f.check(); err != nil {
		return err
	}
	var inputs []convert.Input
	for _, name := range args {
		shown, data, err := p.read(name)
		if err != nil {
			return err
		}
		inputs = append(inputs, convert.Input{File: shown, Data: data})
	}
	result, err := convert.Convert(inputs, f.from)
	if err != nil {
		var internal *convert.InternalError
		if errors.As(err, &internal) {
			fmt.Fprintln(p.stderr, finding.Printable(internal.JSON))
		}
		for _, in := range inputs {
			if syntax := document.CheckSyntax(in.File, in.Data); syntax != nil {
				return syntax // it has the place
			}
		}
		return err
	}
	text, more, err := result.Wrap(f.wrap)
	if err != nil {
		return err
	}
	findings := slices.Concat(result.Findings, more)
	if err := p.writeConversion(f, result, text, findings); err != nil {
		return err
	}
	if f.failOn == failOnNever {
		return nil
	}
	failOn, err := finding.ParseSeverity(f.failOn)
	if err != nil {
		return err
	}
	if worst, found := finding.Worst(findings); found && worst >= failOn {
		return errFindings
	}
	return nil
}

// check checks the values that flags may have.
func (f *convertFlags) check() error {
	return errors.Join(
		oneOf("from", f.from, convert.Sources()...),
		oneOf("to", f.wrap.To, convert.Targets()...),
		oneOf("output", f.output, convertText, convertJSON),
		oneOf("fail-on", f.failOn, "note", "warning", "error", failOnNever),
	)
}

func (p *program) writeConversion(f *convertFlags, result *convert.Result, text []byte, findings []finding.Finding) error {
	if f.output == convertJSON {
		return finding.WriteJSON(p.stdout, newConversion(f, result, text, findings))
	}
	if _, err := p.stdout.Write(text); err != nil {
		return err
	}
	if len(findings) == 0 {
		return nil
	}
	palette, err := p.palette(p.stderr)
	if err != nil {
		return err
	}
	return finding.WriteText(p.stderr, findings, palette)
}

// conversion is what --output json writes.
type conversion struct {
	From           string                    `json:"from"`
	To             string                    `json:"to"`
	Configurations []conversionConfiguration `json:"configurations"`
	// Text is the YAML; it is left out where that is the policy itself.
	Text     string            `json:"text,omitempty"`
	Findings []finding.Finding `json:"findings"`
}

type conversionConfiguration struct {
	Name   string          `json:"name,omitempty"`
	Policy json.RawMessage `json:"policy"`
}

func newConversion(f *convertFlags, result *convert.Result, text []byte, findings []finding.Finding) conversion {
	c := conversion{From: result.From, To: f.wrap.To, Configurations: []conversionConfiguration{}, Findings: findings}
	for i := range result.Configurations {
		c.Configurations = append(c.Configurations, conversionConfiguration{result.Configurations[i].Name, result.Configurations[i].JSON})
	}
	if f.wrap.To != convert.ToPolicy {
		c.Text = string(text)
	}
	if c.Findings == nil {
		c.Findings = []finding.Finding{}
	}
	return c
}
