package audit

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"corsguard/cmd/corsguard/internal/finding"
)

const (
	target     = "https://api.example.com/v1/items"
	pageOrigin = "https://app.example.com"
)

// endpoint is a server that does everything right, as far as its fields do not say otherwise.
type endpoint struct {
	// allow reports whether an origin is allowed; nil means pageOrigin alone.
	allow func(origin string) bool
	// edit changes answers at the end.
	edit func(r *http.Request, a *reply)

	mu   sync.Mutex
	seen []*http.Request
}

// reply is an answer before it is sent.
type reply struct {
	status int
	header http.Header
	body   string
}

func (a *reply) set(name, value string) { a.header.Set(name, value) }

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	e.seen = append(e.seen, r)
	e.mu.Unlock()
	a := e.answer(r)
	if e.edit != nil {
		e.edit(r, a)
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
}

func (e *endpoint) answer(r *http.Request) *reply {
	a := &reply{status: http.StatusOK, header: http.Header{}}
	a.set("Content-Type", "application/json")
	a.set("Vary", "Origin")
	a.set("X-Content-Type-Options", "nosniff")
	a.set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	a.set("Cross-Origin-Resource-Policy", "same-site")
	if r.URL.Path != "/v1/items" {
		a.status = http.StatusNotFound
	}
	origin := r.Header.Get("Origin")
	granted := origin == pageOrigin
	if e.allow != nil {
		granted = origin != "" && e.allow(origin)
	}
	if granted {
		a.set("Access-Control-Allow-Origin", origin)
		a.set("Access-Control-Allow-Credentials", "true")
	}
	if isPreflight(r) {
		a.status = http.StatusNoContent
		a.header.Del("Content-Type")
		if granted {
			a.set("Access-Control-Allow-Methods", "GET, PUT")
			a.set("Access-Control-Allow-Headers", "authorization, content-type")
			a.set("Access-Control-Max-Age", "7200")
		}
	}
	return a
}

func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// pageOptions are what an auditor knows of the right endpoint.
func pageOptions() Options {
	return Options{Origins: []string{pageOrigin}, Credentials: true, Method: http.MethodPut, RequestHeaders: []string{"content-type"}, Rate: 1e6}
}

// serve starts a server for api.example.com, over https and http, and says how to get to it.
func serve(t *testing.T, handler http.Handler, o *Options) {
	t.Helper()
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(handler)
	t.Cleanup(plain.Close)
	o.Resolve = map[string]string{"api.example.com:443": secure.Listener.Addr().String(), "api.example.com:80": plain.Listener.Addr().String()}
	o.Insecure = true
}

// run audits an endpoint that must answer.
func run(t *testing.T, e *endpoint, at string, o Options) *Report {
	t.Helper()
	serve(t, e, &o)
	r, err := Run(context.Background(), at, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Incomplete != "" {
		t.Errorf("incomplete: %s", r.Incomplete)
	}
	return r
}

// ids returns the rules of findings with their severities, each once, sorted.
func ids(findings []finding.Finding) []string {
	got := []string{}
	for _, f := range findings {
		got = append(got, f.Rule.ID+" "+f.Severity.String())
	}
	slices.Sort(got)
	return slices.Compact(got)
}

// wantFindings fails unless the report has exactly the findings "rule severity".
func wantFindings(t *testing.T, r *Report, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := ids(r.Findings); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
		for _, f := range r.Findings {
			t.Logf("%s %s: %s\n%s", f.Severity, f.Rule.ID, f.Message, strings.Join(f.Evidence, "\n"))
		}
	}
}
