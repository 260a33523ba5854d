package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRequestsHaveNoEffect holds what an audit sends: bounded in number, GET and OPTIONS without a body, by a name of its own, and no cookies.
func TestRequestsHaveNoEffect(t *testing.T) {
	t.Parallel()
	e := &endpoint{edit: func(_ *http.Request, a *reply) { a.set("Set-Cookie", "session=1; Path=/") }}
	o := pageOptions()
	o.Version = "(devel)"
	r := run(t, e, target, o)
	if len(e.seen) != r.Requests || r.Requests > 80 || r.MaxRequests != 105 || r.Requests != len(r.Probes) {
		t.Errorf("%d requests, %d seen, %d probes", r.Requests, len(e.seen), len(r.Probes))
	}
	for _, req := range e.seen {
		if req.Method != http.MethodGet && req.Method != http.MethodOptions {
			t.Errorf("sent %s", req.Method)
		}
		if req.ContentLength != 0 || req.Header.Get("Cookie") != "" || req.Header.Get("User-Agent") != "corsguard-audit/devel" {
			t.Errorf("%d bytes, %v", req.ContentLength, req.Header)
		}
		if req.ProtoMajor != 2 {
			t.Errorf("over %s", req.Proto)
		}
	}
	o.HTTP1 = true
	e = &endpoint{}
	if run(t, e, target, o); e.seen[0].ProtoMajor != 1 {
		t.Errorf("over %s", e.seen[0].Proto)
	}
}

// TestMadeUpOriginsAreRandom holds that no two audits ask for the same names.
func TestMadeUpOriginsAreRandom(t *testing.T) {
	t.Parallel()
	a, b := newNames(), newNames()
	if a.label == b.label || a.method == b.method || a.header == b.header || a.id == b.id || len(a.id) != 32 || strings.Trim(a.id, "abcdefghijklmnop") != "" {
		t.Errorf("%+v %+v", a, b)
	}
}

// TestSecretsStayOut holds that the auditor's own headers are sent, not with preflights, and that no output has them, even where the server sends them back.
func TestSecretsStayOut(t *testing.T) {
	t.Parallel()
	const secret = "tok-0123456789"
	e := &endpoint{edit: func(r *http.Request, a *reply) {
		if isPreflight(r) {
			return
		}
		if r.Header.Get("Authorization") == "" {
			bare(http.StatusUnauthorized)(a)
		}
		a.set("Cross-Origin-Resource-Policy", r.Header.Get("Authorization"))
		a.set("Access-Control-Allow-Credentials", strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		a.set("Www-Authenticate", "you sent "+r.Header.Get("Authorization"))
		a.set("Location", "/?"+strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	}}
	o := pageOptions()
	o.Header = http.Header{"Authorization": {"Bearer " + secret}}
	r := run(t, e, target, o)
	wantFindings(t, r, "allowed-origin-refused error", "error-without-cors warning", "invalid-allow-credentials warning", "isolation-header-invalid warning")
	var out bytes.Buffer
	if err := errors.Join(WriteText(&out, []*Report{r}, plainPalette), WriteHTML(&out, []*Report{r}, "v1"), json.NewEncoder(&out).Encode(r)); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), secret) || !strings.Contains(out.String(), "authorization: [redacted]") {
		t.Error("the secret is in the output, or nothing is in its place")
	}
	with := 0
	for _, req := range e.seen {
		if req.Header.Get("Authorization") != "" {
			with++
		}
		if isPreflight(req) && req.Header.Get("Authorization") != "" {
			t.Error("a preflight has the auditor's header")
		}
	}
	if with == 0 {
		t.Error("no request has the auditor's header")
	}
}

// TestPartsOfSecretsStayOut holds that a server cannot show what stands in a value that the auditor gave, either.
func TestPartsOfSecretsStayOut(t *testing.T) {
	t.Parallel()
	e := &endpoint{edit: func(r *http.Request, a *reply) {
		if c, err := r.Cookie("sid"); err == nil {
			a.set("X-Frame-Options", c.Name+"="+c.Value)
			a.set("Location", "/?sid="+c.Value+"&"+r.Header.Get("Cookie"))
		}
		a.set("Retry-After", strings.Trim(r.Header.Get("X-Key"), `"=`))
	}}
	o := pageOptions()
	o.Header = http.Header{"Cookie": {"theme=dark-blue; sid=0123456789"}, "X-Key": {`"QWxhZGRpbjpvcGVu=="`}}
	r := run(t, e, target, o)
	var out bytes.Buffer
	if err := errors.Join(WriteText(&out, []*Report{r}, plainPalette), WriteHTML(&out, []*Report{r}, "v1"), json.NewEncoder(&out).Encode(r)); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"0123456789", "dark-blue", "QWxhZGRpbjpvcGVu"} {
		if strings.Contains(strings.ReplaceAll(out.String(), r.Target, ""), secret) {
			t.Errorf("the output has %s", secret)
		}
	}
	if !strings.Contains(out.String(), "x-frame-options: [redacted]") {
		t.Error("nothing is in the secret's place")
	}
}

// TestHalfAnAuditSaysSo holds that what was not asked is not taken for right.
func TestHalfAnAuditSaysSo(t *testing.T) {
	t.Parallel()
	t.Run("the limit", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		o.MaxRequests = 7
		e := &endpoint{}
		serve(t, e, &o)
		r, err := Run(context.Background(), target, o)
		if err != nil || r.Requests != 7 || len(e.seen) != 7 || !strings.Contains(r.Incomplete, "7 requests") {
			t.Errorf("%v, %d sent, %q", err, len(e.seen), r.Incomplete)
		}
	})
	t.Run("an interruption", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		o := pageOptions()
		o.Progress = func(n, _ int, _ string) {
			if n == 5 {
				cancel()
			}
		}
		serve(t, &endpoint{allow: func(string) bool { return true }}, &o)
		r, err := Run(ctx, target, o)
		if err != nil || r.Incomplete == "" || !slices.Contains(ids(r.Findings), "reflects-any-origin error") {
			t.Errorf("%v, %+v", err, r)
		}
	})
	t.Run("too many requests", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		e := &endpoint{}
		e.edit = func(_ *http.Request, a *reply) {
			if len(e.seen) > 3 {
				bare(http.StatusTooManyRequests)(a)
			}
		}
		serve(t, e, &o)
		r, err := Run(context.Background(), target, o)
		if err != nil || !strings.Contains(r.Incomplete, "429") || len(e.seen) != 4 {
			t.Errorf("%v, %+v", err, r)
		}
	})
	t.Run("a server that falls silent", func(t *testing.T) {
		t.Parallel()
		o := pageOptions()
		o.HTTP1 = true
		e := &endpoint{}
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if len(e.seen) > 3 {
				panic(http.ErrAbortHandler)
			}
			e.ServeHTTP(w, r)
		})
		serve(t, handler, &o)
		r, err := Run(context.Background(), target, o)
		if err != nil || !strings.Contains(r.Incomplete, "in a row") {
			t.Errorf("%v, %+v", err, r)
		}
	})
}

// TestWhatCannotBeAudited holds that there is no report where nothing was seen.
func TestWhatCannotBeAudited(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"http://127.0.0.1:1":               "does not answer",
		"ftp://api.example.com/":           "http or https",
		"api.example.com":                  "http or https",
		"https://":                         "no host",
		"https://ada:secret@example.com/":  "--header",
		"https://api.example.com/%zz":      "invalid URL escape",
		"https://ada:secret%zz@a.example":  "invalid URL escape",
		"https://ada:secret word@a.test/":  "invalid userinfo",
		"https://api.example.com:notaport": "invalid port",
	} {
		if r, err := Run(context.Background(), at, Options{}); err == nil || r != nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, origin := range []string{"example.com", "https://example.com/", "https://EXAMPLE.com", "https://example.com:443", "https://bücher.example", "null"} {
		if _, err := Run(context.Background(), target, Options{Origins: []string{origin}}); err == nil {
			t.Errorf("origin %s was taken", origin)
		}
	}
}

// TestEndlessBodiesAreNotRead holds that a stream of events does not hold an audit up.
func TestEndlessBodiesAreNotRead(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = io.WriteString(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-done:
		}
	})
	o := Options{Rate: 1e6, Timeout: time.Minute} // which each body would take that is read
	serve(t, handler, &o)
	t.Cleanup(func() { close(done) })
	start := time.Now()
	if r, err := Run(context.Background(), target, o); err != nil || r.Incomplete != "" || time.Since(start) >= o.Timeout {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestRequestsAreSpreadOut holds the rate.
func TestRequestsAreSpreadOut(t *testing.T) {
	t.Parallel()
	o := pageOptions()
	o.MaxRequests, o.Rate = 6, 50
	serve(t, &endpoint{}, &o)
	start := time.Now()
	if _, err := Run(context.Background(), target, o); err != nil || time.Since(start) < 95*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
}

// TestRedirectsAreNotFollowed holds that only the host that was named is asked.
func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	asked := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(other.Close)
	r := run(t, &endpoint{edit: func(_ *http.Request, a *reply) { a.status = http.StatusFound; a.set("Location", other.URL) }}, target, pageOptions())
	if said := strings.Join(r.NotTested, "\n"); asked || !strings.Contains(said, "redirects") {
		t.Errorf("asked: %v, not tested: %q", asked, said)
	}
}
