package e2e_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// rawExchange is a request of which every byte counts, and the bytes that the upstream answers.
type rawExchange struct {
	name     string
	request  corpus.Request
	body     string
	chunked  bool // in HTTP/1.1, whether there is a body or not
	trailers []corpus.Header
	answer   string
	tunnel   bool
	// kind and reason of the policy's decision, enforced or not.
	kind, reason string
	// same: enforced, the policy does nothing either.
	same bool
}

const tunnelled = "through a tunnel" // TunnelSize bytes

// text returns the request in HTTP/1.1.
func (x rawExchange) text() string {
	r := wire.With(x.request, upstream.CaseHeader, x.name)
	switch {
	case x.tunnel && r.Method != "CONNECT":
		return wire.Format(wire.With(r, "connection", "upgrade")) + tunnelled
	case x.tunnel:
		return wire.Format(r) + tunnelled
	case x.chunked:
		r = wire.With(r, "transfer-encoding", "chunked")
	case x.body != "":
		r = wire.With(r, "content-length", fmt.Sprint(len(x.body)))
	}
	text := wire.Format(r)
	if !x.chunked {
		return text + x.body
	}
	if x.body != "" {
		text += fmt.Sprintf("%x\r\n%s\r\n", len(x.body), x.body)
	}
	text += "0\r\n"
	for _, h := range x.trailers {
		text += h[0] + ": " + h[1] + "\r\n"
	}
	return text + "\r\n"
}

// reaches reports whether the upstream gets the request where nothing is in the way.
func (x rawExchange) reaches() bool {
	return x.request.Method == "CONNECT" || strings.HasPrefix(x.request.Path, "/raw") || strings.HasPrefix(x.request.Path, "/added")
}

// rawRoutes lead to the recorder, and to what Envoy answers by itself.
func rawRoutes() []envoy.Object {
	direct := at("/direct", "", directRoute(410))
	direct["direct_response"].(envoy.Object)["body"] = envoy.Object{"inline_string": "gone\n"}
	direct["response_headers_to_add"] = []envoy.Object{added("cross-origin-resource-policy", "cross-origin"), added("access-control-allow-origin", "*")}
	changes := at("/added", "", envoy.Route("", "recorder"))
	changes["response_headers_to_add"] = []envoy.Object{added("access-control-allow-origin", "*"), added("vary", "x-added"), added("x-frame-options", "DENY")}
	changes["response_headers_to_remove"] = []string{"x-empty"}
	changes["request_headers_to_add"] = []envoy.Object{added("origin", "https://added.example.com")}
	changes["request_headers_to_remove"] = []string{"x-removed"}
	return []envoy.Object{
		envoy.ConnectRoute("recorder"), envoy.Route("/raw", "recorder"), envoy.Route("/forbidden", "recorder"), envoy.Route("/down", "down"), changes, direct,
		at("/redirect", "", redirectRoute()),
	}
}

// added returns a header that a route adds to those that are there.
func added(name, value string) envoy.Object {
	return envoy.Object{"header": envoy.Object{"key": name, "value": value}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
}

// rawListener returns a listener with the routes of rawRoutes, and with these filters. Envoy adds no header there that differs from one request to the next.
func rawListener(name string, filters ...envoy.Object) envoy.Object {
	denies := envoy.Filter("rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", envoy.Object{"rules": envoy.Object{
		"action": "DENY",
		"policies": envoy.Object{"forbidden": envoy.Object{
			"permissions": []envoy.Object{{"url_path": envoy.Object{"path": envoy.Object{"prefix": "/forbidden"}}}},
			"principals":  []envoy.Object{{"any": true}},
		}},
	}})
	router := envoy.Filter("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", envoy.Object{"suppress_envoy_headers": true})
	return envoy.HCM{Routes: rawRoutes(), Extra: envoy.Object{
		"http_filters":          append(slices.Clone(filters), denies, router),
		"generate_request_id":   false,
		"http_protocol_options": envoy.Object{"enable_trailers": true},
	}}.Listener(name)
}

// rawGateway is an Envoy with a cluster of a recorder.
type rawGateway struct {
	*envoy.Gateway
	recorder *upstream.Recorder
}

func startRawGateway(t *testing.T) rawGateway {
	t.Helper()
	recorder, err := upstream.StartRecorder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { recorder.Close() })
	cluster := envoy.Cluster("recorder", recorder.Addr, false)
	for _, options := range cluster["typed_extension_protocol_options"].(envoy.Object) {
		options.(envoy.Object)["explicit_http_config"] = envoy.Object{"http_protocol_options": envoy.Object{"enable_trailers": true}}
	}
	g, err := engine.Gateway(t.Context(), append(clusters(), cluster), []string{wasm}, "--concurrency", "1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stopGateway(g); err != nil {
			t.Error(err)
		}
	})
	return rawGateway{g, recorder}
}

// exchange sends x to a listener.
func (g rawGateway) exchange(t *testing.T, via rawVia, listener string, x rawExchange) (got rawResult) {
	t.Helper()
	g.recorder.On(x.name, x.answer)
	client, err := via.send(g.Addr(listener), x)
	if err != nil {
		t.Errorf("%s: %s: %v", listener, x.name, err)
	}
	got.client = dateLine.ReplaceAllString(client, "$1(some time)")
	got.upstream = strings.Join(g.recorder.Take(x.name), "(again)")
	return got
}

// rawResult is all that both sides of Envoy saw of an exchange.
type rawResult struct{ client, upstream string }

// difference tells where what the two sides got begins to differ from what they get without the plugin.
func difference(got, plain rawResult) string {
	return differenceOf("client", got.client, plain.client) + differenceOf("upstream", got.upstream, plain.upstream)
}

func differenceOf(side, got, plain string) string {
	if got == plain {
		return ""
	}
	at := 0
	for at < min(len(got), len(plain)) && got[at] == plain[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-60):min(len(s), at+200)] }
	return fmt.Sprintf("\nthe %s got, around byte %d,\n\t%q\nand without the plugin\n\t%q", side, at, around(got), around(plain))
}

var dateLine = regexp.MustCompile(`(?m)^(date: )[^\r\n]+`)

// rawVia is a way to send a rawExchange.
type rawVia struct {
	name  string
	takes func(rawExchange) bool // whether it can say the request
	send  func(addr string, x rawExchange) (string, error)
}

var rawVias = []rawVia{
	{"HTTP/1.1", func(rawExchange) bool { return true }, func(addr string, x rawExchange) (string, error) {
		return wire.Bytes(addr, x.request.Method, x.text(), len(tunnelled))
	}},
	{"HTTP/2", func(x rawExchange) bool { return !x.tunnel && len(x.body) < longBody }, func(addr string, x rawExchange) (string, error) {
		conn, err := wire.DialH2(addr)
		if err != nil {
			return "", err
		}
		defer conn.Close()
		r := wire.With(x.request, upstream.CaseHeader, x.name)
		var got wire.Response
		if x.body == "" && !x.chunked {
			got, err = conn.Do(r)
		} else {
			got, err = conn.DoBody(r, x.body, x.trailers)
		}
		text := fmt.Sprintf(":status: %d\n", got.Status)
		for _, h := range got.Headers {
			text += h[0] + ": " + h[1] + "\n"
		}
		return text + "\n" + string(got.Body), err
	}},
}
