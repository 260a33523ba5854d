package browser

import (
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
)

// consoleCase is a case of the tests in real browsers, which hold the same file.
type consoleCase struct {
	Name    string
	Request struct {
		Null           bool
		Host           string
		Suffix         string
		HTTP1          bool
		Method         string
		Headers        []string
		Credentials    string
		Mode           string
		Initiator      string
		Embedder       string
		ForcePreflight bool
	}
	Preflight, Actual               *consoleAnswer
	Asks                            string
	SkippedBy                       []string
	Failure                         string
	AllowedBy                       []string
	Chromium, Firefox               string
	FirefoxMore                     []string
	Missing                         []string
	Readable                        []string
	PreflightHeaders, ActualHeaders []string
}

type consoleAnswer struct {
	Status  int
	Headers []string
}

const (
	testOrigin = "https://app.example.test:8443"
	testURL    = "https://api.example.test:9443/case/"
)

func readConsoleCases(t testing.TB) []consoleCase {
	t.Helper()
	text, err := os.ReadFile("../../../../e2e/browser/testdata/console.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []consoleCase
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 200 {
		t.Fatalf("%d cases", len(cases))
	}
	return cases
}

func (c *consoleCase) origin() string {
	if c.Request.Null {
		return "null"
	}
	return testOrigin
}

func (c *consoleCase) base() string {
	if c.Request.Host != "" {
		return strings.Replace(testURL, "api.example.test", c.Request.Host, 1)
	}
	return testURL
}

func (c *consoleCase) fill(text string) string {
	return strings.NewReplacer("$origin", c.origin(), "$url", c.base()).Replace(text)
}

func (c *consoleCase) fillAll(texts []string) []string {
	var filled []string
	for _, text := range texts {
		filled = append(filled, c.fill(text))
	}
	return filled
}

func (c *consoleCase) headers(lines []string) []Header {
	var headers []Header
	for _, line := range lines {
		name, value, _ := strings.Cut(c.fill(line), ":")
		headers = append(headers, Header{name, strings.TrimPrefix(value, " ")})
	}
	return headers
}

func (c *consoleCase) request(t testing.TB) *Request {
	t.Helper()
	u, err := url.Parse(c.base() + c.Request.Suffix)
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{
		URL: u, Origin: c.origin(), Method: c.Request.Method, Headers: c.headers(c.Request.Headers), ForcePreflight: c.Request.ForcePreflight,
		Initiator: map[string]Initiator{"XMLHttpRequest": XMLHttpRequest, "image": Image, "script": Script, "style": Stylesheet, "font": Font}[c.Request.Initiator],
		Embedder:  map[string]EmbedderPolicy{"require-corp": RequireCORP, "credentialless": Credentialless}[c.Request.Embedder],
	}
	if c.Request.Credentials != "" {
		r.Credentials, _ = ParseCredentials(c.Request.Credentials)
	}
	if c.Request.Mode != "" {
		r.Mode, _ = ParseMode(c.Request.Mode)
	}
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (c *consoleCase) answer(a *consoleAnswer) Answer {
	return Answer{Status: a.Status, Headers: c.headers(a.Headers), HTTP1: c.Request.HTTP1}
}

func TestTheConsolesSayWhatRealBrowsersSay(t *testing.T) {
	found := map[Failure]bool{}
	for _, c := range readConsoleCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			r := c.request(t)
			p, because := r.Preflight()
			c.checkPreflight(t, p, because)
			_, sent := r.Sent()
			c.checkSent(t, c.ActualHeaders, sent)
			v := Verdict{Allowed: true}
			if p != nil && c.Preflight != nil {
				v = CheckPreflight(r, c.answer(c.Preflight))
			}
			if v.Allowed {
				warning := v
				if v = CheckActual(r, c.answer(c.Actual)); v.Firefox == "" {
					v.Firefox = warning.Firefox
				}
			}
			found[v.Failure] = true
			c.checkVerdict(t, v)
		})
	}
	for _, f := range Failures() {
		if !found[f] {
			t.Errorf("no case of %s", f)
		}
	}
}

func (c *consoleCase) checkPreflight(t *testing.T, p *Preflight, because []string) {
	t.Helper()
	if (p != nil) != (c.Preflight != nil) || (p != nil) != (because != nil) {
		t.Fatalf("the preflight is %+v, because %q", p, because)
	}
	if p == nil {
		return
	}
	if asks := strings.TrimSpace(p.RequestMethod + " " + strings.Join(p.UnsafeHeaders, ",")); c.Asks != "" && asks != c.Asks {
		t.Errorf("the preflight asks for %q, want %q", asks, c.Asks)
	}
	if !slices.Equal(p.SkippedBy, c.SkippedBy) {
		t.Errorf("the preflight is skipped by %q, want %q", p.SkippedBy, c.SkippedBy)
	}
	c.checkSent(t, c.PreflightHeaders, p.Headers)
}

func (c *consoleCase) checkSent(t *testing.T, want []string, sent []Header) {
	t.Helper()
	if got := c.headers(want); want != nil && !slices.Equal(got, sent) {
		t.Errorf("sent %q, want %q", sent, got)
	}
}

func (c *consoleCase) checkVerdict(t *testing.T, v Verdict) {
	t.Helper()
	if v.Failure.String() != c.Failure || v.Allowed != (c.Failure == "") {
		t.Errorf("the failure is %q, want %q", v.Failure, c.Failure)
	}
	if got, want := v.Chromium, c.fill(c.Chromium); got != want {
		t.Errorf("Chromium says\n%q, want\n%q", got, want)
	}
	if got, want := v.Firefox, c.fill(c.Firefox); got != want {
		t.Errorf("Firefox says\n%q, want\n%q", got, want)
	}
	if want := c.fillAll(c.FirefoxMore); !slices.Equal(v.FirefoxMore, want) {
		t.Errorf("Firefox says after that\n%q, want\n%q", v.FirefoxMore, want)
	}
	if !slices.Equal(v.AllowedBy, c.AllowedBy) {
		t.Errorf("allowed by %q, want %q", v.AllowedBy, c.AllowedBy)
	}
	if !slices.Equal(v.Readable, c.Readable) {
		t.Errorf("readable are %q, want %q", v.Readable, c.Readable)
	}
	if c.Missing != nil && !slices.Equal(v.Missing, c.Missing) {
		t.Errorf("missing are %q, want %q", v.Missing, c.Missing)
	}
}
