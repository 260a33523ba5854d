package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/textproto"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/net/http/httpguts"

	"corsguard/cmd/corsguard/internal/audit"
	"corsguard/cmd/corsguard/internal/finding"
)

// auditFlags are those of audit, as they were given.
type auditFlags struct {
	options        audit.Options
	header         []string
	resolve        []string
	requestHeaders []string
	output, out    string
	failOn         string
}

func newAudit(p *program) *cobra.Command {
	f := &auditFlags{}
	cmd := &cobra.Command{
		Use:   "audit URL…",
		Short: "Send requests to a live endpoint and say what is wrong with its cross-origin policy",
		Long: `audit asks an endpoint, of any server, as pages of many origins would, and judges the answers: which origins it allows that it should not, what browsers
make of the headers, how preflights, errors and redirects are answered, and which isolation and security headers are missing.

It sends GET and OPTIONS alone, never a request that is meant to change something, one at a time and a few each second. It follows no redirects, keeps no
cookies, and reads no more than a few kilobytes of a body. Origins that must not exist have random names. Proxies are taken from HTTPS_PROXY and its like.
Audit only servers that you may audit.

--origin names an origin whose pages must be able to read the endpoint. Without it, what depends on an allowed origin can only be tested where one is found;
the report says what was not tested.

Exit codes: 0 nothing found; 1 findings at or above --fail-on; 2 the endpoint does not answer, the command line is wrong, or the audit is incomplete and what
it saw has no such findings.`,
		Example: `  corsguard audit https://api.example.com/v1/items
  corsguard audit --origin https://app.example.com --credentials --method PUT --request-header content-type https://api.example.com/v1/items
  corsguard audit --origin https://app.example.com --header "Authorization: Bearer $TOKEN" https://api.example.com/v1/items
  corsguard audit --output html --out report.html https://api.example.com/
  corsguard audit --output sarif --fail-on error https://api.example.com/ >audit.sarif
  corsguard audit --resolve api.example.com:443:127.0.0.1 --insecure https://api.example.com/`,
		Args: named("URLs of http or https"),
		RunE: func(cmd *cobra.Command, urls []string) error { return p.audit(cmd.Context(), f, urls) },
	}
	f.define(cmd)
	return cmd
}

func (f *auditFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.options.Origins, "origin", nil, "origin that must be allowed, such as https://app.example.com; may be repeated")
	flags.BoolVar(&f.options.Credentials, "credentials", false, "pages of --origin send cookies or other credentials: it must be allowed with them")
	flags.StringVarP(&f.options.Method, "method", "X", "", "method that pages of --origin send; the preflight must allow it (it is not sent itself)")
	flags.StringArrayVar(&f.requestHeaders, "request-header", nil, "name of a header that pages of --origin set; the preflight must allow it; may be repeated")
	flags.StringArrayVar(&f.options.Paths, "path", nil, "further path of the same host to get as a page of --origin, such as one that answers 401; may be repeated")
	flags.StringArrayVarP(&f.header, "header", "H", nil, "'Name: value' to send with all requests but preflights, such as Authorization; no report has the value; may be repeated")
	flags.IntVar(&f.options.MaxRequests, "max-requests", 0, "most requests for each URL; 0: 80, 25 more for each --origin, and 1 for each --path")
	flags.Float64Var(&f.options.Rate, "rate", audit.DefaultRate, "most requests a second")
	flags.DurationVar(&f.options.Timeout, "timeout", audit.DefaultTimeout, "time for each request")
	flags.BoolVar(&f.options.Insecure, "insecure", false, "accept any certificate")
	flags.StringArrayVar(&f.resolve, "resolve", nil, "host:port:address to connect to in place of what the name resolves to; may be repeated")
	flags.BoolVar(&f.options.HTTP1, "http1", false, "do not use HTTP/2")
	flags.StringVarP(&f.output, "output", "o", "text", "text, json, sarif or html")
	flags.StringVar(&f.out, "out", "", "file to write to in place of standard output")
	flags.StringVar(&f.failOn, "fail-on", "warning", "lowest severity that counts for the exit code: note, warning or error; or never")
	completeWith(cmd, "output", "text", "json", "sarif", "html")
	completeWith(cmd, "fail-on", "note", "warning", "error", failOnNever)
}

// read turns the flags into options, and checks what they say.
func (f *auditFlags) read() (failOn finding.Severity, err error) {
	switch {
	case f.failOn == failOnNever:
		failOn = finding.Error + 1
	default:
		if failOn, err = finding.ParseSeverity(f.failOn); err != nil {
			return 0, fmt.Errorf("--fail-on %w, or never", err)
		}
	}
	o := &f.options
	o.RequestHeaders = nil
	for _, name := range f.requestHeaders {
		if !httpguts.ValidHeaderFieldName(name) {
			return 0, fmt.Errorf("--request-header %q: is no header name", name)
		}
		o.RequestHeaders = append(o.RequestHeaders, strings.ToLower(name))
	}
	slices.Sort(o.RequestHeaders) // as browsers do
	o.RequestHeaders = slices.Compact(o.RequestHeaders)
	if o.Method, err = auditMethod(o.Method); err != nil {
		return 0, err
	}
	if o.MaxRequests < 0 || !(o.Rate > 0 && o.Rate <= maxRate) || o.Timeout <= 0 {
		return 0, errors.New("--max-requests, --rate and --timeout: write numbers above 0, and no rate above a million")
	}
	if o.Header, err = parseHeader(f.header); err != nil {
		return 0, err
	}
	o.Resolve, err = parseResolve(f.resolve)
	return failOn, err
}

// maxRate is as good as none.
const maxRate = 1e6

// auditMethod returns a method as browsers send it.
func auditMethod(method string) (string, error) {
	if method != "" && !httpguts.ValidHeaderFieldName(method) { // both are tokens
		return "", fmt.Errorf("--method %q: is no method", method)
	}
	switch upper := strings.ToUpper(method); upper {
	case http.MethodConnect, http.MethodTrace, "TRACK":
		return "", fmt.Errorf("--method %s: browsers do not send it", upper)
	case http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPost, http.MethodPut:
		return upper, nil
	}
	return method, nil
}

// parseHeader reads lines of a header. No error has a value: it may be a secret.
func parseHeader(lines []string) (http.Header, error) {
	header := http.Header{}
	for i, line := range lines {
		name, value, found := strings.Cut(line, ":")
		value = textproto.TrimString(value)
		if !found || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("--header, number %d: write 'Name: value'", i+1)
		}
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Host":
			return nil, errors.New("--header Host: write the host into the URL, and its address into --resolve")
		case "Origin", "User-Agent", "Content-Length", "Transfer-Encoding", "Connection":
			return nil, fmt.Errorf("--header %s: is the audit's own", name)
		}
		header.Add(name, value)
	}
	return header, nil
}

// parseResolve reads host:port:address, as curl has it.
func parseResolve(entries []string) (map[string]string, error) {
	resolve := map[string]string{}
	for _, e := range entries {
		host, rest, _ := strings.Cut(e, ":")
		port, address, found := strings.Cut(rest, ":")
		address = strings.Trim(address, "[]")
		if !found || host == "" || port == "" || net.ParseIP(address) == nil {
			return nil, fmt.Errorf("--resolve %q: write host:port:address, with an IP address", e)
		}
		resolve[net.JoinHostPort(strings.ToLower(host), port)] = net.JoinHostPort(address, port)
	}
	return resolve, nil
}

// audit audits the URLs one after the other, and writes what was found, also where a later one fails or a person ends it.
func (p *program) audit(ctx context.Context, f *auditFlags, urls []string) error {
	failOn, err := f.read()
	if err != nil {
		return err
	}
	write, err := p.auditWriter(f.output)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	out, err := p.openOutput(f.out) // before requests are sent for nothing
	if err != nil {
		return err
	}
	reports, err := p.audits(ctx, &f.options, urls)
	if err != nil {
		return errors.Join(err, out.discard())
	}
	if err := out.write(func(w io.Writer) error { return write(w, reports) }); err != nil {
		return err
	}
	return auditVerdict(p.stderr, reports, failOn)
}

// audits returns a report for each URL, and an error where there is nothing to report of any. Nothing is sent unless all of them can be audited.
func (p *program) audits(ctx context.Context, o *audit.Options, urls []string) ([]*audit.Report, error) {
	o.Version = Version()
	var failed error
	for _, u := range urls {
		failed = also(failed, audit.Check(u, o))
	}
	if failed != nil {
		return nil, failed
	}
	var reports []*audit.Report
	audited := 0
	for _, u := range urls {
		done := p.progress(o, u)
		r, err := audit.Run(ctx, u, *o)
		done()
		if r == nil {
			failed = also(failed, err)
			r = audit.NotAudited(u, errors.Unwrap(err))
		} else {
			audited++
		}
		reports = append(reports, r)
	}
	if audited > 0 {
		failed = nil // the reports say it
	}
	return reports, failed
}

// also joins errors so that they fit into a line.
func also(before, err error) error {
	if before == nil || err == nil {
		return cmp.Or(before, err)
	}
	return fmt.Errorf("%w; %w", before, err)
}

// incomplete returns an error where r is not about all that was to be asked.
func incomplete(r *audit.Report) error {
	if r.Incomplete == "" {
		return nil
	}
	return fmt.Errorf("%s: the audit is incomplete: %s", r.Target, r.Incomplete)
}

// auditVerdict returns the error for the exit code. Findings count more than what could not be asked.
func auditVerdict(stderr io.Writer, reports []*audit.Report, failOn finding.Severity) error {
	found := false
	var failed error
	for _, r := range reports {
		worst, some := finding.Worst(r.Findings)
		found = found || some && worst >= failOn
		failed = also(failed, incomplete(r))
	}
	if found {
		if failed != nil {
			fmt.Fprintln(stderr, "corsguard: "+finding.Printable(failed.Error()))
		}
		return errFindings
	}
	return failed
}

// auditWriter returns the function that writes reports in a format.
func (p *program) auditWriter(output string) (func(io.Writer, []*audit.Report) error, error) {
	switch output {
	case "text":
		palette, err := p.palette(p.stdout)
		return func(w io.Writer, reports []*audit.Report) error {
			if w != p.stdout {
				palette = finding.Palette{}
			}
			return audit.WriteText(w, reports, palette)
		}, err
	case "json":
		return func(w io.Writer, reports []*audit.Report) error {
			return finding.WriteJSON(w, map[string]any{"reports": reports})
		}, nil
	case "sarif":
		return func(w io.Writer, reports []*audit.Report) error {
			var all []finding.Finding
			var failures []string
			for _, r := range reports {
				all = append(all, r.Findings...)
				if err := incomplete(r); err != nil {
					failures = append(failures, err.Error())
				}
			}
			return finding.WriteSARIF(w, all, audit.Rules, Version(), failures)
		}, nil
	case "html":
		return func(w io.Writer, reports []*audit.Report) error { return audit.WriteHTML(w, reports, Version()) }, nil
	}
	return nil, fmt.Errorf("--output %q: write text, json, sarif or html", output)
}

// output is a file, or standard output where that is nil.
type output struct {
	stdout io.Writer
	file   *os.File
	isNew  bool
}

// openOutput opens the named file, or standard output. What is in the file stays until there is something to write.
func (p *program) openOutput(name string) (*output, error) {
	if name == "" {
		return &output{stdout: p.stdout}, nil
	}
	const mode = 0o666
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if !errors.Is(err, fs.ErrExist) {
		return &output{file: file, isNew: true}, err
	}
	file, err = os.OpenFile(name, os.O_WRONLY, mode)
	return &output{file: file}, err
}

// write has f write, and closes the output.
func (o *output) write(f func(io.Writer) error) error {
	if o.file == nil {
		return f(o.stdout)
	}
	if info, err := o.file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := o.file.Truncate(0); err != nil {
			return errors.Join(err, o.file.Close())
		}
	}
	return errors.Join(f(o.file), o.file.Close())
}

// discard closes the output, and leaves no file behind that was not there.
func (o *output) discard() error {
	if o.file == nil {
		return nil
	}
	err := o.file.Close()
	if o.isNew {
		err = errors.Join(err, os.Remove(o.file.Name()))
	}
	return err
}

// progressWidth keeps the line of progress to one line of a terminal, which can be taken back.
const progressWidth = 79

// progress has o show on a terminal what is going on. The function that it returns removes that again.
func (p *program) progress(o *audit.Options, target string) (done func()) {
	if !isTerminal(p.stderr) {
		return func() {}
	}
	last := time.Time{}
	o.Progress = func(n, most int, purpose string) {
		if now := time.Now(); now.Sub(last) > 100*time.Millisecond {
			last = now
			line := []rune(fmt.Sprintf("request %d of at most %d to %s: %s", n, most, finding.Printable(target), purpose))
			fmt.Fprintf(p.stderr, "\r\x1b[K%s", string(line[:min(len(line), progressWidth)]))
		}
	}
	return func() { fmt.Fprint(p.stderr, "\r\x1b[K") }
}
