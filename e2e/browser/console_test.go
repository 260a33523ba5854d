package browser_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
)

// consoleCase is a request of a page, what the server answers, and what becomes of it. In texts, $origin stands for the origin of the page, and $url for what it asks
// for. The command foretells all of it without a browser: its tests read the same file.
type consoleCase struct {
	Name              string
	Request           consoleRequest
	Preflight, Actual *consoleAnswer
	Asks              string   // the method and the header names of the preflight, where the case is about them
	SkippedBy         []string // browsers that send no preflight where others do

	Failure           string
	AllowedBy         []string // browsers that let through what the standard refuses
	Chromium, Firefox string   // what the consoles say
	FirefoxMore       []string // what Firefox says after that
	Missing           []string // header names that are not allowed, where there are several: Chromium names one of them
	Readable          []string // of the headers that the server was told to send

	PreflightHeaders, ActualHeaders []string // what the server gets, where the case is about it
}

// consoleRequest is a request in the words of the Fetch standard. What is left out is as fetch() has it by default.
type consoleRequest struct {
	Null           bool   // the page's origin is opaque
	Host           string // another one than api
	Suffix         string // of the URL, behind the path
	HTTP1          bool   // the server speaks no HTTP/2
	Method         string
	Headers        []string
	Credentials    string
	Mode           string
	Initiator      string
	Embedder       string // the page's Cross-Origin-Embedder-Policy
	ForcePreflight bool
}

type consoleAnswer struct {
	Status  int
	Headers []string
}

//go:embed testdata/console.json
var consoleCases string

func readConsoleCases(t *testing.T) []consoleCase {
	t.Helper()
	var cases []consoleCase
	d := json.NewDecoder(strings.NewReader(consoleCases))
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// page returns the address of the page that asks.
func (c *consoleCase) page() string {
	var answer []string
	if c.Request.Null {
		answer = append(answer, "content-security-policy: sandbox allow-scripts")
	}
	if c.Request.Embedder != "" {
		answer = append(answer, "cross-origin-embedder-policy: "+c.Request.Embedder)
	}
	return bare.url(app, "/page", answer...)
}

// TestConsole holds, in a real Chromium, what the command foretells of browsers.
func TestConsole(t *testing.T) {
	t.Parallel()
	server := startScripted(t, readConsoleCases(t))
	profile := newProfile(t)
	pages := map[string]*page{}
	said := &console{}
	for n, c := range server.cases {
		key := fmt.Sprint(c.Request.Null, c.Request.Embedder)
		if pages[key] == nil {
			pages[key] = newPage(profile.ctx, t)
			if err := chromedp.Listen(pages[key].ctx, said.note); err != nil {
				t.Fatal(err)
			}
			pages[key].load(c.page())
		}
		t.Run(c.Name, func(t *testing.T) {
			got := eval[outcome](pages[key].in(t), "%s", c.ask(server.url(n)))
			server.check(t, n, "Chromium", got)
			server.checkConsole(t, n, []string{c.Chromium}, func() []string { return said.about(server.base(n)) })
		})
	}
}

// console gathers what Chromium's console says.
type console struct {
	mu      sync.Mutex
	entries []log.Entry
}

func (c *console) note(event any) {
	if e, ok := event.(*log.EventEntryAdded); ok {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.entries = append(c.entries, *e.Entry)
	}
}

// about returns what the console said of URLs that begin so. Of everything that failed, it says besides that it did, and of fonts that they are none.
func (c *console) about(base string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var texts []string
	for _, e := range c.entries {
		switch {
		case strings.HasPrefix(e.Text, "Access to ") && strings.Contains(e.Text, base),
			e.Source == log.EntrySourceNetwork && strings.HasPrefix(e.URL, base) && (strings.Contains(e.Text, "ERR_BLOCKED_BY_RESPONSE") || strings.Contains(e.Text, "ERR_UNSAFE")):
			texts = append(texts, e.Text)
		}
	}
	return texts
}

// outcome is what a page sees of its request.
type outcome struct {
	Failed  bool
	Type    string            // of a response to fetch()
	Headers map[string]string // of a response to fetch()
}

// check compares what a browser sent, and what the page got, with the case.
func (s *scripted) check(t *testing.T, n int, browser string, got outcome) {
	t.Helper()
	c := &s.cases[n]
	if failed := c.Failure != "" && !slices.Contains(c.AllowedBy, browser); got.Failed != failed && c.Request.Initiator != "font" { // the server has no font
		t.Errorf("failed %v, want %v", got.Failed, failed)
	}
	if opaque := c.Request.Mode == "no-cors" && c.Request.Initiator == "" && !got.Failed; (got.Type == "opaque") != opaque {
		t.Errorf("the response is %q", got.Type)
	}
	var readable []string
	for _, line := range c.Actual.Headers {
		name, _, _ := strings.Cut(line, ":")
		if _, ok := got.Headers[name]; ok && !slices.Contains(readable, name) {
			readable = append(readable, name)
		}
	}
	slices.Sort(readable)
	if c.Request.Initiator == "" && !slices.Equal(readable, c.Readable) {
		t.Errorf("the page reads the headers %q, want %q", readable, c.Readable)
	}

	preflights := s.arrived(http.MethodOptions, n)
	c.checkSent(t, c.PreflightHeaders, preflights)
	c.checkSent(t, c.ActualHeaders, s.arrived(c.Request.Method, n))
	want := 0
	if c.Preflight != nil && !slices.Contains(c.SkippedBy, browser) {
		want = 1
	}
	if len(preflights) != want {
		t.Errorf("%d preflights, want %d", len(preflights), want)
	}
	if c.Asks != "" && len(preflights) > 0 {
		p := preflights[0]
		if asks := strings.TrimSpace(p.Get("access-control-request-method") + " " + p.Get("access-control-request-headers")); asks != c.Asks {
			t.Errorf("the preflight asks for %q, want %q", asks, c.Asks)
		}
	}
}

// checkSent compares the headers of a request that matter to CORS and to Fetch Metadata, and those that the page set, with what they should be.
func (c *consoleCase) checkSent(t *testing.T, want []string, requests []http.Header) {
	t.Helper()
	if want == nil {
		return
	}
	if len(requests) != 1 {
		t.Fatalf("%d requests", len(requests))
	}
	names := []string{"access-control-request-headers", "access-control-request-method", "access-control-request-private-network", "origin", "sec-fetch-dest", "sec-fetch-mode", "sec-fetch-site"}
	if c.Request.Initiator == "" || c.Request.Initiator == "XMLHttpRequest" {
		names = append(names, "accept") // that of an image differs from browser to browser
	}
	for _, h := range c.Request.headers() {
		names = append(names, strings.ToLower(h[0]))
	}
	slices.Sort(names)
	var got []string
	for _, name := range slices.Compact(names) {
		for _, value := range requests[0].Values(name) {
			got = append(got, name+": "+value)
		}
	}
	for i, line := range want {
		if want := strings.ReplaceAll(line, "$origin", c.origin()); i >= len(got) || got[i] != want {
			t.Fatalf("the server got %q, want %q", got, want)
		}
	}
	if len(got) != len(want) {
		t.Errorf("the server got %q, want %q", got, want)
	}
}

// checkConsole compares what a console says, which may take a moment, with what it should, less what is empty.
func (s *scripted) checkConsole(t *testing.T, n int, want []string, said func() []string) {
	t.Helper()
	c := &s.cases[n]
	var whole []string
	for _, text := range want {
		if text != "" {
			whole = append(whole, strings.NewReplacer("$origin", c.origin(), "$url", s.base(n)).Replace(text))
		}
	}
	var got []string
	for deadline := time.Now().Add(tellLimit); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if got = said(); len(got) >= len(whole) {
			break
		}
	}
	for i := range got {
		for _, name := range c.Missing {
			got[i] = strings.Replace(got[i], "Request header field "+name+" is", "Request header field "+c.Missing[0]+" is", 1)
		}
	}
	if !slices.Equal(got, whole) {
		t.Errorf("the console says\n%q, want\n%q", got, whole)
	}
}

// origin returns the serialised origin of the page.
func (c *consoleCase) origin() string {
	if c.Request.Null {
		return "null"
	}
	return bare.origin(app)
}
