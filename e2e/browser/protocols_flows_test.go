package browser_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
)

// grpcAnswer is what a page sees of a call over gRPC-Web. Trailers stand in the body, behind the message; or, where there is no message, in the headers.
type grpcAnswer struct {
	Error             string
	HTTP              int
	Message, Trailers string
	Status            string // of the headers
}

// TestGRPCWeb holds that a page calls a gRPC service through Envoy's filter, and reads how the call ended, with the preset and nothing else.
func TestGRPCWeb(t *testing.T) {
	t.Parallel()
	web := envoy.Filter("grpc_web", "envoy.extensions.filters.http.grpc_web.v3.GrpcWeb", nil)
	with := func(cors string) site {
		return through(t, corsguard(`{"cors": {"allowOrigins": ["https://app.example.test:*"]`+cors+`}}`), web)
	}
	preset := with(`, "presets": ["grpc-web"]`)
	const script = `(async () => {
		const message = new TextEncoder().encode("ping");
		const frame = new Uint8Array([0, 0, 0, 0, message.length, ...message]);
		let r;
		try {
			r = await fetch(%q, {method: "POST", body: frame, headers: {
				"content-type": "application/grpc-web+proto", "x-grpc-web": "1", "x-user-agent": "grpc-web-javascript/0.1", "grpc-timeout": "5S"}});
		} catch (e) {
			return {error: e.name};
		}
		const answer = {http: r.status, status: r.headers.get("grpc-status") ?? "", message: "", trailers: ""};
		const body = new DataView(await r.arrayBuffer());
		for (let at = 0; at < body.byteLength; ) {
			const length = body.getUint32(at + 1);
			answer[body.getUint8(at) & 0x80 ? "trailers" : "message"] += new TextDecoder().decode(new Uint8Array(body.buffer, at + 5, length));
			at += 5 + length;
		}
		return answer;
	})()`
	pages := openAll(t, app, evil)
	for _, c := range []struct {
		name, from string
		site       site
		method     string
		want       grpcAnswer
	}{
		{"a call", app, preset, "Say", grpcAnswer{HTTP: 200, Message: "ping", Trailers: "grpc-message:said\r\ngrpc-status:0\r\n"}},
		{"a call that fails", app, preset, "Unknown", grpcAnswer{HTTP: 200, Status: "12"}},
		{"refused origin", evil, preset, "Say", grpcAnswer{Error: "TypeError"}},
		{"no preset", app, with(""), "Say", grpcAnswer{Error: "TypeError"}},
		{"no preset, nothing exposed", app, with(`, "allowHeaders": ["content-type", "x-grpc-web", "x-user-agent", "grpc-timeout"]`), "Unknown", grpcAnswer{HTTP: 200}},
		{"no plugin", app, through(t, web), "Say", grpcAnswer{Error: "TypeError"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := eval[grpcAnswer](pages[c.from].in(t), script, c.site.origin(api)+"/echo.Echo/"+c.method)
			if lines := strings.SplitAfter(got.Trailers, "\r\n"); len(lines) == 3 && lines[0] > lines[1] {
				got.Trailers = lines[1] + lines[0] // they have no order
			}
			if got != c.want {
				t.Errorf("the page got %+v", got)
			}
		})
	}
}

// TestWebSocket holds that handshakes go through untouched, whosesoever page it is, as CORS has no say in them; and that the policy keeps other sites out where it says so.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	const script = `new Promise(resolve => {
		const socket = new WebSocket(%q);
		socket.onmessage = e => { socket.close(); resolve(e.data); };
		socket.onerror = () => resolve("error");
	})`
	const deny = `{"cors": {"allowOrigins": ["https://app.example.test:*"], "onRefusedOrigin": "deny"}}`
	pages := openAll(t, app, evil)
	var mu sync.Mutex
	answers := map[string]*network.WebSocketResponse{} // the last one, by the page's host
	for host, p := range pages {
		if err := chromedp.Listen(p.ctx, func(event any) {
			if e, ok := event.(*network.EventWebSocketHandshakeResponseReceived); ok {
				mu.Lock()
				defer mu.Unlock()
				answers[host] = e.Response
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	s, denying := behind(t, appPolicy), behind(t, deny)
	for _, c := range []struct {
		name, from string
		site       site
		want       string
	}{
		{"allowed origin", app, s, "hello"},
		{"refused origin", evil, s, "hello"},
		{"allowed origin where others are denied", app, denying, "hello"},
		{"refused origin that is denied", evil, denying, "error"},
		{"no plugin", evil, bare, "hello"},
	} {
		t.Run(c.name, func(t *testing.T) {
			mu.Lock()
			delete(answers, c.from)
			mu.Unlock()
			address := strings.Replace(c.site.origin(api), "https:", "wss:", 1) + "/stage/socket"
			if got := eval[string](pages[c.from].in(t), script, address); got != c.want {
				t.Fatalf("the page got %q", got)
			}
			if c.want == "error" {
				return
			}
			until(t, tellLimit, func() error {
				mu.Lock()
				defer mu.Unlock()
				r := answers[c.from]
				if r == nil || len(r.Headers) == 0 {
					return errors.New("the browser does not tell of the handshake's answer")
				}
				for name := range r.Headers {
					if corpus.IsOwned(strings.ToLower(name)) {
						t.Errorf("the handshake's answer has %s", name)
					}
				}
				return nil
			})
		})
	}
}
