package filter

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// The corpus belongs to the end-to-end tests, which know nothing of this package; these are the parts of its format that are needed here.
type (
	corpusCase struct {
		Name    string
		Config  json.RawMessage
		Request struct {
			Method, Scheme, Authority, Path, Route string
			Headers                                []policy.Header
		}
		Upstream struct {
			Status  int
			Headers []policy.Header
		}
		Want struct {
			Forwarded              bool
			Status                 int
			Headers                []policy.Header
			Kind, Decision, Reason string
			Rule, Reported         string
		}
	}
	corpusRefusal struct {
		Name         string
		Config       json.RawMessage
		Text, Base64 *string
		Paths        []string
	}
)

const corpusDir = "../e2e/corpus"

func readCorpus[F any](t testing.TB, dir string) []F {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(corpusDir, dir, "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no corpus in %s: %v", dir, err)
	}
	var files []F
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f F
		if err := json.Unmarshal(data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files = append(files, f)
	}
	return files
}

func corpusCases(t testing.TB) []corpusCase {
	t.Helper()
	type file struct {
		Config json.RawMessage
		Cases  []corpusCase
	}
	var cases []corpusCase
	for _, f := range readCorpus[file](t, "cases") {
		for _, c := range f.Cases {
			if c.Config == nil {
				c.Config = f.Config
			}
			cases = append(cases, c)
		}
	}
	return cases
}

func or(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}

// requestOf gives the request as the policy sees it behind Envoy, which joins repeated lines of these headers.
func (c *corpusCase) requestOf() policy.Request {
	r := policy.Request{
		Method: or(c.Request.Method, "GET"), Scheme: or(c.Request.Scheme, "http"),
		Authority: or(c.Request.Authority, "api.example.test"), Path: or(c.Request.Path, "/"),
	}
	lines := func(name string) []string {
		var all []string
		for _, h := range c.Request.Headers {
			if strings.EqualFold(h[0], name) {
				all = append(all, h[1])
			}
		}
		return all
	}
	if o := lines("origin"); len(o) > 0 {
		r.Origins, r.Origin = 1, strings.Join(o, ",")
	}
	r.RequestMethod = strings.Join(lines("access-control-request-method"), ",")
	r.RequestHeaders = strings.Join(lines("access-control-request-headers"), ",")
	r.RequestPrivateNetwork = strings.Join(lines("access-control-request-private-network"), ",")
	r.FetchSite, r.FetchMode, r.FetchDest = strings.Join(lines("sec-fetch-site"), ","), strings.Join(lines("sec-fetch-mode"), ","), strings.Join(lines("sec-fetch-dest"), ",")
	if p := lines("x-forwarded-proto"); len(p) == 1 {
		r.Scheme = p[0]
	}
	return r
}

// target gives what rules may ask of the request.
func (c *corpusCase) target() *policy.Target {
	return &policy.Target{Authority: or(c.Request.Authority, "api.example.test"), Path: or(c.Request.Path, "/"), Route: c.Request.Route}
}

func compile(t testing.TB, data []byte) *policy.Rules {
	t.Helper()
	spec, _, err := config.Parse(data)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	p, err := policy.Compile(&spec)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// setHeaders are the headers that policies set beside those of CORS.
var setHeaders = func() map[string]bool {
	names := map[string]bool{}
	for n := policy.OpenerPolicy; n <= policy.XSSProtection; n++ {
		names[n.String()] = true
	}
	return names
}()

// owned sorts the headers that the corpus lists completely; the elements of Vary are set apart by ", ".
func owned(headers []policy.Header) []policy.Header {
	out := []policy.Header{}
	vary := -1
	for _, h := range headers {
		name, value := strings.ToLower(h[0]), h[1]
		if !strings.HasPrefix(name, "access-control-") && name != "timing-allow-origin" && name != "vary" && !setHeaders[name] {
			continue
		}
		if name == "vary" {
			elements := strings.Split(value, ",")
			for i := range elements {
				elements[i] = strings.TrimSpace(elements[i])
			}
			value = strings.Join(elements, ", ")
			if vary >= 0 {
				out[vary][1] += ", " + value
				continue
			}
			vary = len(out)
		}
		out = append(out, policy.Header{name, value})
	}
	slices.SortStableFunc(out, func(a, b policy.Header) int { return strings.Compare(a[0], b[0]) })
	return out
}

func (c *corpusCase) check(t *testing.T, forwarded bool, status int, headers []policy.Header) {
	t.Helper()
	if forwarded != c.Want.Forwarded || status != c.Want.Status {
		t.Errorf("forwarded %v, status %d; want %v, %d", forwarded, status, c.Want.Forwarded, c.Want.Status)
	}
	if got, want := owned(headers), owned(c.Want.Headers); !slices.Equal(got, want) {
		t.Errorf("headers\n got %q\nwant %q", got, want)
	}
}

// uncounted is the decision of a case about which nothing is decided.
const uncounted = "uncounted"

// counters gives the counters that the case goes to: one of each list.
func (c *corpusCase) counters() [][]string {
	if c.Want.Decision == uncounted {
		return nil
	}
	name := func(decision, reason string) string {
		return counterName(or(c.Want.Rule, policy.DefaultRule), c.Want.Kind, decision, reason)
	}
	all := [][]string{{name(c.Want.Decision, c.Want.Reason)}}
	if c.Want.Reason == "refused_any" {
		all[0] = []string{name(c.Want.Decision, "origin_malformed"), name(c.Want.Decision, "origin_not_allowed")}
	}
	if c.Want.Reported != "" {
		all = append(all, []string{name("shadowed", c.Want.Reported)})
	}
	return all
}

// checkCounted compares what was counted, counters that are not zero, with what the case goes to.
func (c *corpusCase) checkCounted(t *testing.T, counted map[string]uint64) {
	t.Helper()
	want := c.counters()
	for _, names := range want {
		var sum uint64
		for _, name := range names {
			sum += counted[name]
		}
		if sum != 1 {
			t.Errorf("counted %v, want one of %q", counted, names)
		}
	}
	if len(counted) != len(want) {
		t.Errorf("counted %v, want %q", counted, want)
	}
}

// apply does edits as a host does them.
func apply(headers []policy.Header, edits []policy.Edit) []policy.Header {
	for _, e := range edits {
		switch e.Op {
		case policy.AddHeader:
			headers = append(headers, policy.Header{e.Name, e.Value})
		case policy.RemoveHeader:
			headers = slices.DeleteFunc(headers, func(h policy.Header) bool { return strings.EqualFold(h[0], e.Name) })
		case policy.ReplaceHeader:
			i := slices.IndexFunc(headers, func(h policy.Header) bool { return strings.EqualFold(h[0], e.Name) })
			headers[i][1] = e.Value
		}
	}
	return headers
}

// TestCorpusOnPolicy runs the corpus on the pure policy.
func TestCorpusOnPolicy(t *testing.T) {
	for _, c := range corpusCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			got, counted := c.outcomeOnPolicy(compile(t, c.Config))
			c.check(t, got.forwarded, got.status, got.headers)
			c.checkCounted(t, counted)
		})
	}
}

func (r *corpusRefusal) bytes(t *testing.T) []byte {
	t.Helper()
	switch {
	case r.Text != nil:
		return []byte(*r.Text)
	case r.Base64 != nil:
		data, err := base64.StdEncoding.DecodeString(*r.Base64)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	return r.Config
}

func corpusRefusals(t testing.TB) []corpusRefusal {
	t.Helper()
	type file struct{ Refused []corpusRefusal }
	var all []corpusRefusal
	for _, f := range readCorpus[file](t, "refused") {
		all = append(all, f.Refused...)
	}
	return all
}

// TestRefusedConfigurations checks that each mistake is named by its path.
func TestRefusedConfigurations(t *testing.T) {
	for _, r := range corpusRefusals(t) {
		t.Run(r.Name, func(t *testing.T) {
			_, _, err := config.Parse(r.bytes(t))
			problems, ok := err.(config.Error)
			if !ok {
				t.Fatalf("accepted; want errors at %q", r.Paths)
			}
			var got []string
			for i := range problems {
				p := &problems[i]
				got = append(got, p.Path)
				if p.Reason == "" || p.Fix == "" || strings.ContainsAny(p.String(), "\n\r\x00") {
					t.Errorf("a problem lacks a part, or is no single line: %q", p)
				}
			}
			want := slices.Clone(r.Paths)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("errors at %q, want %q:\n%v", got, want, err)
			}
		})
	}
}
