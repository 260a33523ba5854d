package browser_test

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// scripted is a server that answers as the cases say, and nothing besides. It is safe for concurrent use.
type scripted struct {
	cases       []consoleCase
	port, http1 string // of the listeners with HTTP/2 and without

	mu   sync.Mutex
	seen map[string][]http.Header // by method and number
}

func startScripted(t *testing.T, cases []consoleCase) *scripted {
	t.Helper()
	s := &scripted{cases: cases, seen: map[string][]http.Header{}}
	s.port = s.listen(t, nil)
	s.http1 = s.listen(t, map[string]func(*http.Server, *tls.Conn, http.Handler){})
	return s
}

// listen returns the port of a new listener, which speaks what protocols has, or by default HTTP/2.
func (s *scripted) listen(t *testing.T, protocols map[string]func(*http.Server, *tls.Conn, http.Handler)) string {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(identity.key)
	if err != nil {
		t.Fatal(err)
	}
	pair := tls.Certificate{Certificate: [][]byte{identity.der}, PrivateKey: key}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := http.Server{
		Handler: s, ReadHeaderTimeout: idleLimit, TLSNextProto: protocols,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }() // returns when it is closed
	t.Cleanup(func() { server.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// base returns the URL of a case, but for its suffix. None is the beginning of another.
func (s *scripted) base(n int) string {
	r := &s.cases[n].Request
	port := s.port
	if r.HTTP1 {
		port = s.http1
	}
	return site{port}.origin(cmp.Or(r.Host, api)) + "/case/" + strconv.Itoa(n) + "/"
}

// url returns the URL of a case.
func (s *scripted) url(n int) string { return s.base(n) + s.cases[n].Request.Suffix }

// ServeHTTP answers one request.
func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	number := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/case/"), "/")
	n, err := strconv.Atoi(number)
	if err != nil || n >= len(s.cases) { // where cases redirect to
		w.Header().Set("access-control-allow-origin", "*")
		w.Header().Set("access-control-allow-methods", "*")
		return
	}
	s.mu.Lock()
	s.seen[r.Method+" "+number] = append(s.seen[r.Method+" "+number], r.Header.Clone())
	s.mu.Unlock()

	c := &s.cases[n]
	answer := c.Actual
	if r.Method == http.MethodOptions {
		if answer = c.Preflight; answer == nil {
			return // the test sees that it came
		}
	}
	for _, line := range answer.Headers {
		name, value, _ := strings.Cut(strings.ReplaceAll(line, "$origin", c.origin()), ":")
		w.Header().Add(name, strings.TrimSpace(value))
	}
	w.WriteHeader(answer.Status)
	if c.Request.Initiator == "image" && r.Method == http.MethodGet {
		io.WriteString(w, contents["image"].body)
	}
}

// arrived returns the headers of the requests with a method for a case.
func (s *scripted) arrived(method string, n int) []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen[cmp.Or(method, http.MethodGet)+" "+strconv.Itoa(n)])
}

type object = map[string]any

// ask returns the script of a case's request, whose promise gives an [outcome].
func (c *consoleCase) ask(address string) string {
	r := &c.Request
	switch r.Initiator {
	case "image":
		return c.element("img", "src", address, nil)
	case "script":
		return c.element("script", "src", address, nil)
	case "style":
		return c.element("link", "href", address, object{"rel": "stylesheet"})
	case "font":
		return fmt.Sprintf(`new FontFace("f", "url(%s)").load().then(() => ({failed: false}), () => ({failed: true}))`, address)
	case "XMLHttpRequest":
		set := ""
		for _, h := range r.headers() {
			set += fmt.Sprintf("x.setRequestHeader(%q, %q);", h[0], h[1])
		}
		return fmt.Sprintf(`new Promise(resolve => {
			const x = new XMLHttpRequest();
			x.open(%q, %q);
			x.withCredentials = %t;
			%s
			if (%t) x.upload.onprogress = () => {};
			x.onloadend = () => resolve({failed: x.status == 0});
			x.send(%t ? "x" : null);
		})`, cmp.Or(r.Method, http.MethodGet), address, r.Credentials == "include", set, r.ForcePreflight, r.ForcePreflight)
	}
	init := object{"headers": r.headers()}
	for key, value := range map[string]string{"method": r.Method, "mode": r.Mode, "credentials": r.Credentials} {
		if value != "" {
			init[key] = value
		}
	}
	return fmt.Sprintf("read(%q, %s).then(r => ({failed: !!r.error, type: r.type, headers: r.headers}))", address, asJSON(init))
}

// element is a request by an element.
func (c *consoleCase) element(name, attribute, address string, attributes object) string {
	all := object{}
	if c.Request.Mode != "no-cors" {
		all["crossOrigin"] = map[string]string{"include": "use-credentials"}[c.Request.Credentials]
	}
	maps.Copy(all, attributes)
	// What starts the load comes last.
	return fmt.Sprintf("element(%q, Object.assign(%s, {%s: %q})).then(type => ({failed: type == 'error'}))", name, asJSON(all), attribute, address)
}

// headers returns names and values.
func (r *consoleRequest) headers() [][2]string {
	headers := [][2]string{}
	for _, line := range r.Headers {
		name, value, _ := strings.Cut(line, ": ")
		headers = append(headers, [2]string{name, value})
	}
	return headers
}

// asJSON returns v, of which nothing fails to be JSON.
func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
