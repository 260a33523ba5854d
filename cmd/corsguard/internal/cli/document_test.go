package cli_test

import (
	"bytes"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/cli"
)

var update = flag.Bool("update", false, "write docs/command.md anew, with what the commands in it print")

const (
	documentFile = "../../../../docs/command.md"
	examplesDir  = "../../../../docs/command"
)

// The examples of the document print what it shows, and its reference is that of the code.
func TestTheDocumentShowsWhatTheCommandPrints(t *testing.T) {
	text, err := os.ReadFile(documentFile)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "\n## Reference\n")
	examples := regexp.MustCompile("(?s)```console\n\\$ corsguard ([^\n]*)\n(.*?)```\n")
	t.Chdir(examplesDir)
	n := 0
	want := examples.ReplaceAllStringFunc(before, func(block string) string {
		n++
		line := examples.FindStringSubmatch(block)[1]
		return "```console\n$ corsguard " + line + "\n" + printed(t, line) + "```\n"
	}) + "\n## Reference\n\n" + strings.TrimSuffix(cli.Reference(), "\n")
	if n < 6 {
		t.Errorf("only %d examples", n)
	}
	if *update {
		if err := os.WriteFile("../command.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) == want {
		return
	}
	got, wanted := strings.Split(string(text), "\n"), strings.Split(want, "\n")
	for i := range wanted {
		if i >= len(got) || got[i] != wanted[i] {
			t.Fatalf("line %d is not what it should be; run this test with -update\n%s", i+1, wanted[i])
		}
	}
	t.Error("the document goes on where it should end")
}

// printed returns what a line prints, on both streams.
func printed(t *testing.T, line string) string {
	t.Helper()
	args := words(line)
	if args[0] == "audit" {
		return auditedExample(t, args)
	}
	var out bytes.Buffer
	if code := cli.Run(args, nil, &out, &out); code == 2 {
		t.Errorf("%s: %s", line, out.String())
	}
	return out.String()
}

// words splits a line as a shell does: at blanks, but not within quotes.
func words(line string) []string {
	var all []string
	for _, m := range regexp.MustCompile(`'([^']*)'|\S+`).FindAllStringSubmatch(line, -1) {
		if m[1] != "" {
			all = append(all, m[1])
		} else {
			all = append(all, m[0])
		}
	}
	return all
}

var (
	auditTime = regexp.MustCompile(`at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`)
	auditName = regexp.MustCompile(`audit[0-9a-f]{10}`)
)

// auditedExample audits a server that takes every origin that begins like the right one.
func auditedExample(t *testing.T, args []string) string {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Vary", "Origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		h.Set("Cross-Origin-Resource-Policy", "same-site")
		h.Set("Access-Control-Max-Age", "600")
		if origin := r.Header.Get("Origin"); strings.HasPrefix(origin, "https://shop.example.com") {
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		h.Del("Date")
		if r.URL.Path != "/v1/orders" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	for i := range args {
		args[i] = strings.Replace(args[i], "https://api.example.com", "https://api.example.com"+port, 1)
	}
	var out bytes.Buffer
	code := cli.Run(append(args, "--insecure", "--rate", "1000", "--resolve", "api.example.com"+port+":127.0.0.1"), nil, &out, &out)
	if code != 1 {
		t.Errorf("exit code %d: %s", code, out.String())
	}
	text := auditTime.ReplaceAllString(strings.ReplaceAll(out.String(), port, ""), "at 2026-11-21 12:00:00 UTC")
	return auditName.ReplaceAllString(text, "audit0123456789")
}
