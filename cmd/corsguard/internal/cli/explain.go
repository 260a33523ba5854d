package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/explain"
	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/cmd/corsguard/internal/har"
	"corsguard/filter/config"
	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

type explainFlags struct {
	*program
	url, origin, method, mode, credentials, route string
	headers, upstreamHeaders, hosts               []string
	upstreamStatus                                int
	har, policy, output, expect                   string
	fetched                                       []string
}

func newExplain(p *program) *cobra.Command {
	f := &explainFlags{program: p}
	c := &cobra.Command{
		Use:   "explain FILE --url URL [flags]",
		Short: "Tell what a policy does with a request, what the browser makes of it, and what to change",
		Long: `explain tells what becomes of a request of a web page under the policy in FILE: the rule that decides, the decision and its reason, the preflight, if a
browser sends one, and its exact answer, the actual request and the headers of its response, what the browser makes of them, with the messages of the
consoles of Chromium and Firefox, and what to change. Nothing is sent.

FILE holds a policy as check reads it; - is standard input. The upstream is taken to answer 200 without CORS headers, unless --upstream-status and
--upstream-header say otherwise. Requests of HTTP archives (--har) are explained exactly as they were recorded, with the recorded responses as those of
the upstream.`,
		Example: `  corsguard explain policy.json --url https://api.example.com/v1/orders --origin https://app.example.com
  corsguard explain policy.yaml --url https://api.example.com/v1/orders --origin https://app.example.com \
      --method PUT --header 'Content-Type: application/json' --credentials
  corsguard explain wasmplugin.yaml --har recorded.har --host api.example.com
  corsguard explain policy.json --url https://api.example.com/ --origin https://evil.test --expect refused`,
		Args:              func(_ *cobra.Command, args []string) error { return f.files(args) },
		ValidArgsFunction: completeFiles,
		RunE:              func(_ *cobra.Command, args []string) error { return f.run(args[0]) },
	}
	flags := c.Flags()
	flags.StringVar(&f.url, "url", "", "what is asked for")
	flags.StringVar(&f.origin, "origin", "", "the origin of the page, such as https://app.example.com, or null; without it, no page asks")
	flags.StringVarP(&f.method, "method", "X", "GET", "the method, as the page spells it")
	flags.StringArrayVarP(&f.headers, "header", "H", nil, "a header that the page sets, 'Name: value'; may be repeated")
	flags.StringVar(&f.credentials, "credentials", "same-origin", "the request's credentials mode: omit, same-origin or include; alone, include")
	flags.Lookup("credentials").NoOptDefVal = "include"
	flags.StringVar(&f.mode, "mode", "cors", "the request's mode: cors, as of fetch(); no-cors, as of images; or navigate")
	flags.StringVar(&f.route, "route", "", "the name of the Envoy route that the request takes, for rules that ask for it")
	flags.StringVar(&f.har, "har", "", "explain the requests of this HTTP archive, as browsers export it; - is standard input")
	flags.StringArrayVar(&f.hosts, "host", nil, "of an archive, only the requests to this host; may be repeated")
	flags.IntVar(&f.upstreamStatus, "upstream-status", 200, "the status of the upstream's answer")
	flags.StringArrayVar(&f.upstreamHeaders, "upstream-header", nil, "a header of the upstream's answer, 'Name: value'; may be repeated")
	flags.StringVar(&f.policy, "policy", "", "which policy of FILE, by what check calls it, where it holds several")
	flags.StringArrayVar(&f.fetched, "fetched", nil, "a document that the policy's allowOriginsFrom gives; several in the order of the sources")
	flags.StringVarP(&f.output, "output", "o", "text", "text or json")
	flags.StringVar(&f.expect, "expect", "", "exit with 1 unless the request, or each of the archive, is: allowed or refused")
	completeWith(c, "credentials", "omit", "same-origin", "include")
	completeWith(c, "mode", "cors", "no-cors", "navigate")
	completeWith(c, "output", "text", "json")
	completeWith(c, "expect", "allowed", "refused")
	c.MarkFlagsMutuallyExclusive("har", "url")
	c.MarkFlagsOneRequired("har", "url")
	c.MarkFlagsMutuallyExclusive("host", "url")
	for _, flag := range []string{"origin", "method", "header", "credentials", "mode", "upstream-status", "upstream-header"} {
		c.MarkFlagsMutuallyExclusive("har", flag) // the archive says it
	}
	return c
}

// files checks the arguments beside the flags.
func (f *explainFlags) files(args []string) error {
	switch {
	case len(args) == 0:
		return errors.New("explain what? Name the file of a policy, or - for standard input")
	case len(args) == 1:
		return nil
	}
	for _, arg := range args {
		if _, ok := browser.ParseCredentials(arg); ok {
			return fmt.Errorf("%s is no file: write --credentials=%s, with an equals sign", arg, arg)
		}
	}
	return errors.New("name one file")
}

// explained is the JSON form of the output.
type explained struct {
	File    string           `json:"file"`
	Policy  string           `json:"policy,omitempty"`
	Reports []explain.Report `json:"reports"`
}

func (f *explainFlags) run(file string) error {
	if err := oneOf("output", f.output, "text", "json"); err != nil {
		return err
	}
	if err := oneOf("expect", f.expect, "", "allowed", "refused"); err != nil {
		return err
	}
	fromStdin := 0
	for _, name := range append([]string{file, f.har}, f.fetched...) {
		if name == "-" {
			fromStdin++
		}
	}
	if fromStdin > 1 {
		return errors.New("only one of FILE, --har and --fetched can be standard input")
	}
	name, found, err := f.find(file)
	if err != nil {
		return err
	}
	policy, err := explain.NewPolicy(found.JSON, found.Place)
	if err != nil {
		return f.refused(found, err)
	}
	for _, file := range f.fetched {
		if err := f.fetch(policy, file); err != nil {
			return err
		}
	}
	reports, err := f.reports(policy)
	if err != nil {
		return err
	}
	if f.output == "json" {
		err = finding.WriteJSON(f.stdout, explained{File: name, Policy: found.Name, Reports: reports})
	} else {
		err = f.writeText(reports)
	}
	if err != nil {
		return err
	}
	return f.judge(reports)
}

// judge returns errFindings unless all reports are as expected.
func (f *explainFlags) judge(reports []explain.Report) error {
	for i := range reports {
		if f.expect != "" && reports[i].Refused() != (f.expect == "refused") {
			return errFindings
		}
	}
	return nil
}

// fetch reads a document that the policy is to have fetched.
func (f *explainFlags) fetch(policy *explain.Policy, file string) error {
	name, data, err := f.read(file)
	if err == nil {
		if err = policy.Fetch(data); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	return err
}

// find returns the policy of a file that is meant.
func (f *explainFlags) find(file string) (name string, found *document.Policy, err error) {
	name, data, err := f.read(file)
	if err != nil {
		return name, nil, err
	}
	policies, _, err := document.Read(name, data)
	if err != nil {
		return name, nil, err
	}
	var names []string
	for i := range policies {
		p := &policies[i]
		if f.policy == "" && len(policies) == 1 || f.policy != "" && p.Name == f.policy {
			return name, p, nil
		}
		names = append(names, fmt.Sprintf("%q", p.Name))
	}
	if f.policy != "" {
		return name, nil, fmt.Errorf("%s: has no policy %q, but %s", name, f.policy, strings.Join(names, ", "))
	}
	return name, nil, fmt.Errorf("%s: holds several policies: say which by --policy: %s", name, strings.Join(names, ", "))
}

// refused tells what is wrong with a policy that the plugin does not take.
func (f *explainFlags) refused(found *document.Policy, err error) error {
	var problems config.Error
	if !errors.As(err, &problems) {
		return err
	}
	for i := range problems {
		fmt.Fprintf(f.stderr, "%s: %s\n", finding.Printable(found.Place(problems[i].Path).String()), finding.Printable(problems[i].String()))
	}
	return errors.New("the plugin refuses this policy")
}

func (f *explainFlags) reports(policy *explain.Policy) ([]explain.Report, error) {
	if f.har != "" {
		return f.archive(policy)
	}
	page, err := f.page()
	if err != nil {
		return nil, err
	}
	if page.Origin != "" {
		return []explain.Report{policy.Explain(page)}, nil
	}
	raw := &edge.Request{
		Method: page.Method, Scheme: page.URL.Scheme, Authority: page.URL.Host, Path: page.URL.RequestURI(), Route: page.Route, Headers: []edge.Header{},
	}
	for _, h := range page.Headers {
		raw.Headers = append(raw.Headers, edge.Header{fetch.Lower(h.Name), h.Value})
	}
	return []explain.Report{policy.ExplainRaw(raw, f.url, &page.Upstream)}, nil
}

func (f *explainFlags) archive(policy *explain.Policy) ([]explain.Report, error) {
	name, data, err := f.read(f.har)
	if err != nil {
		return nil, err
	}
	entries, err := har.Read(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var reports []explain.Report
	for i := range entries {
		u, err := url.Parse(entries[i].URL)
		if len(f.hosts) > 0 && (err != nil || !slices.Contains(f.hosts, u.Host) && !slices.Contains(f.hosts, u.Hostname())) {
			continue
		}
		reports = append(reports, policy.ExplainEntry(&entries[i], f.route))
	}
	if len(reports) == 0 {
		return nil, fmt.Errorf("%s: has no request to %s", name, strings.Join(f.hosts, " or "))
	}
	return reports, nil
}

// page gives the request that the flags describe.
func (f *explainFlags) page() (*explain.Page, error) {
	u, err := f.asked()
	if err != nil {
		return nil, fmt.Errorf("--url %w", err)
	}
	if err := checkOrigin(f.origin); err != nil {
		return nil, err
	}
	page := &explain.Page{Route: f.route, Request: browser.Request{URL: u, Origin: f.origin, Method: f.method}}
	var ok bool
	if page.Mode, ok = browser.ParseMode(f.mode); !ok {
		return nil, fmt.Errorf("--mode %q: write cors, no-cors or navigate", f.mode)
	}
	if page.Credentials, ok = browser.ParseCredentials(f.credentials); !ok {
		return nil, fmt.Errorf("--credentials %q: write omit, same-origin or include", f.credentials)
	}
	for _, h := range f.headers {
		name, value, err := headerLine("--header", h)
		if err != nil {
			return nil, err
		}
		page.Headers = append(page.Headers, browser.Header{Name: name, Value: value})
	}
	if f.upstreamStatus < 200 || f.upstreamStatus > 599 {
		return nil, fmt.Errorf("--upstream-status %d: write 200 to 599", f.upstreamStatus)
	}
	page.Upstream = edge.Response{Status: f.upstreamStatus}
	for _, h := range f.upstreamHeaders {
		name, value, err := headerLine("--upstream-header", h)
		if err != nil {
			return nil, err
		}
		page.Upstream.Headers = append(page.Upstream.Headers, edge.Header{name, value})
	}
	return page, page.Validate()
}

// asked returns the URL that is asked for: as browsers write it where a page asks, and as it is written where another program does.
func (f *explainFlags) asked() (*url.URL, error) {
	u, err := browser.ParseURL(f.url)
	switch {
	case err != nil:
		return nil, err
	case u.User != nil:
		return nil, errors.New("with a user name or a password: browsers take them out of it; write --header 'Authorization: …'")
	case f.origin != "":
		return u, nil
	}
	u, err = url.Parse(f.url)
	if err == nil {
		u.Fragment, u.RawFragment = "", ""
	}
	return u, err
}

// checkOrigin says how browsers write an origin that they do not write so.
func checkOrigin(s string) error {
	if _, ok := origin.Parse(s); ok || s == "" || s == fetch.NullOrigin {
		return nil
	}
	if strings.HasPrefix(s, "file:") {
		return fmt.Errorf("--origin %q: browsers send null for pages of files: write null", s)
	}
	if written, err := browser.Origin(s); err == nil && written != s {
		return fmt.Errorf("--origin %q: browsers do not write an origin so: write %s", s, written)
	}
	return fmt.Errorf("--origin %q: is no origin: write https://, a host in lower case, and the port where it is not 443", s)
}

// headerLine reads 'Name: value'.
func headerLine(flag, line string) (name, value string, err error) {
	name, value, ok := strings.Cut(line, ":")
	value = fetch.TrimOWS(value)
	if !ok || !fetch.IsToken(name) || strings.ContainsAny(value, "\r\n\x00") {
		return "", "", fmt.Errorf("%s %q: write 'Name: value'", flag, line)
	}
	return name, value, nil
}

func (f *explainFlags) writeText(reports []explain.Report) error {
	p, err := f.palette(f.stdout)
	if err != nil {
		return err
	}
	var b strings.Builder
	for i := range reports {
		r := &reports[i]
		if f.har == "" {
			b.WriteString(r.Text(p))
			continue
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, r.Line(p))
		if r.Refused() {
			for line := range strings.Lines(r.Text(p)) {
				b.WriteString("    " + line)
			}
		}
	}
	_, err = io.WriteString(f.stdout, b.String())
	return err
}
