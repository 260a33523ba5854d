package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// auditedServer answers every origin with itself where reflects is set, and is right apart from that.
func auditedServer(t *testing.T, reflects bool) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Vary", "Origin")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if o := r.Header.Get("Origin"); o != "" && reflects {
			h.Set("Access-Control-Allow-Origin", o)
			h.Set("Access-Control-Max-Age", "60")
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

func runAudit(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Run(append([]string{"audit", "--rate", "1000000"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestAuditExitCodes(t *testing.T) {
	t.Parallel()
	right, wrong := auditedServer(t, false), auditedServer(t, true)
	const down = "http://127.0.0.1:1/"
	for _, c := range []struct {
		name string
		args []string
		code int
		says string // on stderr
	}{
		{"clean", []string{"--fail-on", "note", right}, 0, ""},
		{"a warning", []string{wrong}, 1, ""},
		{"a warning that does not count", []string{"--fail-on", "error", wrong}, 0, ""},
		{"nothing counts", []string{"--fail-on", "never", wrong}, 0, ""},
		{"nothing counts, and half an audit", []string{"--fail-on", "never", "--max-requests", "3", wrong}, 2, "incomplete"},
		{"one of two", []string{right, wrong}, 1, ""},
		{"nobody there", []string{down}, 2, "does not answer"},
		{"nobody at one of two", []string{right, down}, 2, "does not answer"},
		{"findings count more", []string{wrong, down}, 1, "does not answer"},
		{"half an audit", []string{"--max-requests", "3", right}, 2, "incomplete"},
		{"half an audit with findings", []string{"--max-requests", "3", wrong}, 1, "incomplete"},
		{"no URL", nil, 2, "audit what?"},
		{"another scheme", []string{"file:///etc/passwd"}, 2, "http or https"},
		{"an origin with a slash", []string{"--origin", "https://example.com/", right}, 2, "how browsers write an origin"},
		{"a severity", []string{"--fail-on", "fatal", right}, 2, "no severity"},
		{"an output", []string{"--output", "xml", right}, 2, "--output"},
		{"a rate", []string{"--rate", "0", right}, 2, "--rate"},
		{"a header without a name", []string{"--header", "secret-token", right}, 2, "--header, number 1"},
		{"a header of the audit's", []string{"--header", "origin: https://a.example", right}, 2, "audit's own"},
		{"a host", []string{"--header", "host: a.example", right}, 2, "--resolve"},
		{"a method that browsers do not send", []string{"--method", "trace", right}, 2, "browsers do not send"},
		{"a bad URL after a good one", []string{wrong, "https://"}, 2, "no host"},
		{"a method", []string{"--method", "P U T", right}, 2, "no method"},
		{"a request header", []string{"--request-header", "a:b", right}, 2, "no header name"},
		{"resolve", []string{"--resolve", "example.com:127.0.0.1", right}, 2, "host:port:address"},
		{"a colour", []string{"--color", "blue", right}, 2, "--color"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := runAudit(c.args...)
			if code != c.code || !strings.Contains(stderr, c.says) || (c.says == "") != (stderr == "") {
				t.Errorf("exit code %d, want %d; stderr %q\n%s", code, c.code, stderr, stdout)
			}
			if strings.Contains(stderr, "secret-token") {
				t.Error("stderr has what may be a secret")
			}
		})
	}
}

func TestAuditOutputs(t *testing.T) {
	t.Parallel()
	wrong := auditedServer(t, true)
	for format, part := range map[string]string{
		"text":  "warning: answers https://audit",
		"json":  `"rule": "reflects-any-origin"`,
		"sarif": `"ruleId": "reflects-any-origin"`,
		"html":  "<code>reflects-any-origin</code>",
	} {
		file := filepath.Join(t.TempDir(), "report")
		code, stdout, stderr := runAudit("-o", format, wrong)
		if code != 1 || !strings.Contains(stdout, part) || stderr != "" {
			t.Errorf("%s: exit code %d, stderr %q\n%s", format, code, stderr, stdout)
		}
		code, stdout, stderr = runAudit("-o", format, "--out", file, wrong)
		written, err := os.ReadFile(file)
		if code != 1 || stdout != "" || stderr != "" || err != nil || !strings.Contains(string(written), part) {
			t.Errorf("%s to a file: exit code %d, %v, stdout %q, stderr %q\n%s", format, code, err, stdout, stderr, written)
		}
		if format == "json" || format == "sarif" {
			if !json.Valid(written) {
				t.Errorf("%s is no JSON", format)
			}
		}
	}
}

// Nothing is sent where the report could not be written, and a report that is there stays until there is another.
func TestAuditOpensItsFileFirst(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	if code, _, stderr := runAudit("--out", filepath.Join(dir, "none", "report"), s.URL); code != 2 || !strings.Contains(stderr, "none") || asked.Load() > 0 {
		t.Errorf("exit code %d after %d requests, stderr %q", code, asked.Load(), stderr)
	}

	const before = "a report of before, which is longer than nothing"
	const nobody = "http://127.0.0.1:1/"
	old, fresh := filepath.Join(dir, "old"), filepath.Join(dir, "fresh")
	if err := os.WriteFile(old, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{old, fresh} {
		if code, _, stderr := runAudit("--out", file, nobody); code != 2 || stderr == "" {
			t.Errorf("exit code %d, stderr %q", code, stderr)
		}
	}
	if text, err := os.ReadFile(old); err != nil || string(text) != before {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := os.Stat(fresh); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty report is left: %v", err)
	}

	if err := os.WriteFile(old, []byte(strings.Repeat(before, 10_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runAudit("-o", "json", "--fail-on", "never", "--out", old, s.URL); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
	if text, err := os.ReadFile(old); err != nil || !json.Valid(text) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

func TestAuditNamesWhatItDidNotAudit(t *testing.T) {
	t.Parallel()
	const nobody = "http://127.0.0.1:1/"
	for format, said := range map[string]string{"text": "not audited", "json": "not audited", "html": "not audited", "sarif": `"executionSuccessful": false`} {
		if code, stdout, _ := runAudit("-o", format, auditedServer(t, false), nobody); code != 2 || !strings.Contains(stdout, nobody) || !strings.Contains(stdout, said) {
			t.Errorf("%s: exit code %d\n%s", format, code, stdout)
		}
	}
}

func TestAuditPreflightsAreThoseOfBrowsers(t *testing.T) {
	t.Parallel()
	var asked sync.Map
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			asked.Store(r.Header.Get("Access-Control-Request-Method")+" "+r.Header.Get("Access-Control-Request-Headers"), true)
		}
	}))
	t.Cleanup(s.Close)
	runAudit("--method", "put", "--request-header", "X-B", "--request-header", "x-a", "--request-header", "x-b", s.URL)
	if _, there := asked.Load("PUT x-a,x-b"); !there {
		asked.Range(func(k, _ any) bool { t.Errorf("asked for %q", k); return true })
	}
}

func TestAuditResolvesAsToldTo(t *testing.T) {
	t.Parallel()
	host, port, err := net.SplitHostPort(strings.TrimSuffix(strings.TrimPrefix(auditedServer(t, false), "http://"), "/"))
	if err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runAudit("--resolve", "api.example.com:"+port+":"+host, "http://api.example.com:"+port+"/")
	if code != 0 || !strings.HasPrefix(stdout, "http://api.example.com:"+port+"/: ") {
		t.Errorf("exit code %d, %s%s", code, stdout, stderr)
	}
}
