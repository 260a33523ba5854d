package browser_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// contents is what the upstream has, by the last part of the path.
var contents = map[string]struct{ mime, body string }{
	"page":      {"text/html", "<!doctype html><title>a page</title>"},
	"frame":     {"text/html", `<!doctype html><script>parent.postMessage("in the frame", "*")</script>`},
	"window":    {"text/html", `<!doctype html><script>fetch("told" + location.search, {method: "POST", body: String(opener != null)})</script>`},
	"told":      {"text/plain", ""},
	"image":     {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>`},
	"script.js": {"text/javascript", `globalThis.scriptRan = true`},
	"worker.js": {"text/javascript", `postMessage({isolated: crossOriginIsolated, shared: typeof SharedArrayBuffer == "function" && new SharedArrayBuffer(8).byteLength == 8})`},
	"data.json": {"application/json", `{"secret": 42}`},
	"reports":   {"text/plain", ""},
}

// arrival is a request that came as far as the upstream.
type arrival struct {
	method string
	header http.Header
	body   []byte
}

// upstream answers as the URL of a request says (see [site.url]), and remembers what arrived. It is safe for concurrent use.
type upstream struct {
	addr   string
	server http.Server

	mu       sync.Mutex
	arrivals map[string][]arrival // by the number in the URL
}

// idleLimit outlasts every test. Browsers and Envoy open connections ahead of need, and a request fails where the server closes one that it takes just then.
const idleLimit = time.Hour

func startUpstream() (*upstream, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	u := &upstream{addr: listener.Addr().String(), arrivals: map[string][]arrival{}}
	u.server = http.Server{Handler: u, ReadHeaderTimeout: idleLimit}
	go u.server.Serve(listener) // returns when close is called
	return u, nil
}

func (u *upstream) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if u.server.Shutdown(ctx) == nil {
		return nil
	}
	return u.server.Close()
}

// ServeHTTP answers one request.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the client went away
	}
	query := r.URL.Query()
	u.mu.Lock()
	n := query.Get("n")
	u.arrivals[n] = append(u.arrivals[n], arrival{r.Method, r.Header.Clone(), body})
	u.mu.Unlock()

	content, found := contents[path.Base(r.URL.Path)]
	if !found {
		http.NotFound(w, r)
		return
	}
	status := http.StatusOK
	w.Header().Set("content-type", content.mime)
	for _, line := range query["answer"] {
		name, value, _ := strings.Cut(strings.ReplaceAll(line, "$origin", r.Header.Get("origin")), ": ")
		switch name {
		case "status":
			status, _ = strconv.Atoi(value)
		case "content-type":
			w.Header().Set(name, value)
		default:
			w.Header().Add(name, value)
		}
	}
	w.WriteHeader(status)
	io.WriteString(w, content.body)
}

// seen returns the requests of a URL that came as far as the upstream.
func (u *upstream) seen(t *testing.T, address string) []arrival {
	t.Helper()
	parsed, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return append([]arrival(nil), u.arrivals[parsed.Query().Get("n")]...)
}

// report is a report of the Reporting API. Body has what the tests look at.
type report struct {
	Type string `json:"type"`
	URL  string `json:"url"`
	Body struct {
		Type               string `json:"type"`
		Disposition        string `json:"disposition"`
		BlockedURL         string `json:"blockedURL"`
		EffectiveDirective string `json:"effectiveDirective"`
	} `json:"body"`
}

// reports returns what was reported to a URL.
func (u *upstream) reports(t *testing.T, address string) []report {
	t.Helper()
	var all []report
	for _, a := range u.seen(t, address) {
		if a.method != http.MethodPost || a.header.Get("content-type") != "application/reports+json" {
			t.Errorf("%s of %s came to where reports should", a.method, a.header.Get("content-type"))
			continue
		}
		var some []report
		if err := json.Unmarshal(a.body, &some); err != nil {
			t.Errorf("a report: %v", err)
		}
		all = append(all, some...)
	}
	return all
}
