package browser_test

import (
	"cmp"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/plain"
)

// TestHTTP3 holds that the configuration with HTTP/3 in deploy/envoy serves a browser over HTTP/3, to the last header of CORS: preflights, responses, and the 401 of the filter behind
// the plugin.
func TestHTTP3(t *testing.T) {
	t.Parallel()
	const page, service, stranger = "shop.example.com", "api.example.com", "evil.test"
	port := startHTTP3(t)
	f := flags()
	delete(f, "disable-quic")
	f["enable-quic"] = true
	f["origin-to-force-quic-on"] = service + ":443"
	f["host-resolver-rules"] = fmt.Sprintf("MAP %s:443 127.0.0.1:%s, MAP %s:443 127.0.0.1:%s, MAP %s:443 127.0.0.1:%s, MAP * ~NOTFOUND", service, port, page, bare.port, stranger, bare.port)
	path, err := findBrowser()
	if err != nil {
		t.Fatal(err)
	}
	b, err := startBrowser(t.Context(), path, t.TempDir(), f)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	}()
	token, err := plain.Token()
	if err != nil {
		t.Fatal(err)
	}

	const origin = "https://" + page
	const exposed = "access-control-expose-headers: www-authenticate, x-request-id\n"
	const granted = "access-control-allow-origin: " + origin + "\n" + exposed +
		"strict-transport-security: max-age=31536000\nvary: Origin\nx-content-type-options: nosniff\n"
	const asked = "vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\n"
	const allowed = "204\naccess-control-allow-headers: authorization, content-type\naccess-control-allow-methods: GET, HEAD, POST, PUT, DELETE\n" +
		"access-control-allow-origin: " + origin + "\n" + exposed + "access-control-max-age: 7200\n" + asked
	for _, c := range []struct {
		name, from, init  string
		status            int // that the page gets; 0: none
		preflight, actual string
	}{
		{"with a token", page, fmt.Sprintf("{method: 'PUT', headers: {authorization: %q}}", token), 200, allowed, "200\n" + granted},
		{"without a token", page, "{}", 401, "", "401\n" + granted},
		{"another page without a token", stranger, "{}", 0, "", ""}, // of a response that it keeps from the page, the browser tells nothing
		{"another page with a token", stranger, fmt.Sprintf("{headers: {authorization: %q}}", token), 0, "204\n" + asked, ""},
		{"a method that is not allowed", page, "{method: 'PATCH'}", 0, allowed, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPage(b.ctx, t)
			p.load("https://" + c.from + "/page")
			x := &exchanges{}
			if err := chromedp.Listen(p.ctx, x.note); err != nil {
				t.Fatal(err)
			}
			address := "https://" + service + "/data.json?n=" + strings.ReplaceAll(t.Name(), " ", "_")
			if got := eval[response](p, "read(%q, %s)", address, c.init); got.Status != c.status {
				t.Errorf("the page got %+v", got)
			}
			until(t, tellLimit, func() error {
				return errors.Join(x.check(network.ResourceTypePreflight, address, c.preflight), x.check(network.ResourceTypeFetch, address, c.actual))
			})
		})
	}
}

// startHTTP3 runs an Envoy with the configuration, and returns the port of QUIC.
func startHTTP3(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	places := plain.Places{Wasm: wasm, Certificate: filepath.Join(dir, "tls.crt"), Key: filepath.Join(dir, "tls.key"), Service: backend.addr}
	err := errors.Join(
		os.WriteFile(places.Certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: identity.der}), 0o644),
		os.WriteFile(places.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: identity.key}), 0o600),
		plain.Copy(dir, places),
	)
	if err != nil {
		t.Fatal(err)
	}
	p, err := gateway.Engine.Start(t.Context(), envoy.Options{File: filepath.Join(dir, plain.HTTP3), Mounts: []string{dir, filepath.Dir(wasm)}, Args: []string{"--concurrency", "2"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	listeners, err := p.Admin.Get(t.Context(), "/listeners")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(listeners), plain.EdgeQUIC+"::127.0.0.1:")
	if !found {
		t.Fatalf("listeners: %s", listeners)
	}
	return strings.Fields(rest)[0]
}

// exchanges are the responses that came over the network, as they came. The browser tells of each in two events, in any order.
type exchanges struct {
	mu    sync.Mutex
	heads []*network.EventResponseReceived
	lines []*network.EventResponseReceivedExtraInfo
}

func (x *exchanges) note(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *network.EventResponseReceived:
		x.heads = append(x.heads, e)
	case *network.EventResponseReceivedExtraInfo:
		x.lines = append(x.lines, e)
	}
}

// check compares the one response of a type and URL with its status and the header lines that are the plugin's to settle. It must have come over HTTP/3.
func (x *exchanges) check(kind network.ResourceType, address, want string) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all strings.Builder
	for _, head := range x.heads {
		if head.Type != kind || head.Response.URL != address {
			continue
		}
		if head.Response.Protocol != "h3" {
			return fmt.Errorf("the %s went over %s", kind, head.Response.Protocol)
		}
		for _, e := range x.lines {
			if e.RequestID == head.RequestID {
				fmt.Fprintf(&all, "%d\n%s", e.StatusCode, owned(e.Headers))
			}
		}
	}
	if got := all.String(); got != want {
		return fmt.Errorf("%s: got\n%swant\n%s", kind, got, want)
	}
	return nil
}

// owned returns the header lines that are the plugin's to settle. Those of one name are joined by newlines.
func owned(headers network.Headers) string {
	var lines []string
	for name, values := range headers {
		for value := range strings.SplitSeq(fmt.Sprint(values), "\n") {
			if name = strings.ToLower(name); corpus.IsOwned(name) {
				lines = append(lines, name+": "+value+"\n")
			}
		}
	}
	slices.SortFunc(lines, cmp.Compare)
	return strings.Join(lines, "")
}
