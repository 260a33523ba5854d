package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/finding"
)

var plainPalette = finding.NewPalette(false)

// hostile is what a server may put into a header to get at the reader of a report: markup, terminal commands, changes of direction, and a lot of it.
const hostile = "</pre><script>alert(1)</script>\u202e\u2066\u009b31m\xff\"'><img src=x onerror=alert(1)>"

func hostileReport(t *testing.T) *Report {
	t.Helper()
	edit := func(_ *http.Request, a *reply) {
		a.set("Access-Control-Allow-Origin", "https://"+hostile)
		a.set("Cache-Control", strings.Repeat("x", 20_000))
		for range 50 {
			a.header.Add("Cross-Origin-Resource-Policy", hostile)
		}
	}
	o := pageOptions()
	o.HTTP1 = true
	return run(t, &endpoint{edit: edit}, target, o)
}

// TestHostileAnswersDoNoHarm holds it for every output.
func TestHostileAnswersDoNoHarm(t *testing.T) {
	t.Parallel()
	r := hostileReport(t)
	if len(r.Findings) == 0 {
		t.Fatal("no findings")
	}
	var page, text, data, log bytes.Buffer
	for _, err := range []error{
		WriteHTML(&page, []*Report{r}, "v1"), WriteText(&text, []*Report{r}, plainPalette),
		finding.WriteJSON(&data, r), finding.WriteSARIF(&log, r.Findings, Rules, "v1", nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, out := range map[string]string{"html": page.String(), "text": text.String(), "json": data.String(), "sarif": log.String()} {
		if strings.ContainsAny(out, "\u202e\u2066\u009b") {
			t.Errorf("%s has control characters", name)
		}
		if len(out) > 400_000 {
			t.Errorf("%s has %d bytes", name, len(out))
		}
	}
	if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "<img") {
		t.Error("the page has the server's markup")
	}
	for _, p := range r.Probes {
		for _, line := range p.Came {
			if len(line) > 1200 {
				t.Errorf("a line of %d bytes", len(line))
			}
		}
	}
}

// TestPageNeedsNothingBesideIt holds that the page names no other resource, and that its policy admits its own style and nothing else.
func TestPageNeedsNothingBesideIt(t *testing.T) {
	t.Parallel()
	r := run(t, &endpoint{allow: func(string) bool { return true }}, target, pageOptions())
	var out bytes.Buffer
	if err := WriteHTML(&out, []*Report{r, r}, "v1.2.3"); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	if found := regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed|form)|\ssrc=|url\(|@import|\sstyle=|\son[a-z]+=`).FindString(page); found != "" {
		t.Errorf("the page has %q", found)
	}
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	want := "default-src &#39;none&#39;; style-src &#39;sha256-" + strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;") + "&#39;"
	if len(style) == 0 || !strings.Contains(page, want) {
		t.Errorf("the policy does not admit the style: want %s in\n%s", want, page[:600])
	}
	for _, part := range []string{target, "reflects-any-origin", "&gt; origin: https://audit", "corsguard v1.2.3", `href="#endpoint-1"`} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
}

// TestJSONReport holds the names that scripts read.
func TestJSONReport(t *testing.T) {
	t.Parallel()
	r := run(t, &endpoint{}, target, pageOptions())
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"target", "started", "finished", "requests", "maxRequests", "findings", "probes"} {
		if fields[name] == nil {
			t.Errorf("no %s", name)
		}
	}
	if _, there := fields["incomplete"]; there {
		t.Error("a complete report says something of incompleteness")
	}
	if found, ok := fields["findings"].([]any); !ok || len(found) != 0 {
		t.Errorf("findings: %v", fields["findings"])
	}
}
