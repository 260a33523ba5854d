package e2e_test

import (
	"io"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// denyConfig refuses cross-origin requests of other origins, WebSocket handshakes among them.
const denyConfig = `{"cors": {"allowOrigins": ["https://app.example.com"], "onRefusedOrigin": "deny"}}`

// TestWebSocket holds what becomes of handshakes. A 101 is not touched: the upstream's own headers, CORS headers too, come through.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config, origin string
		status               int
	}{
		{"allowed", appConfig, appOrigin, 101},
		{"refused, passes by default", appConfig, otherOrigin, 101},
		{"refused and denied", denyConfig, otherOrigin, 403},
		{"allowed where others are denied", denyConfig, appOrigin, 101},
		{"same origin where others are denied", denyConfig, "http://api.example.test", 101},
		{"no origin where others are denied", denyConfig, "", 101},
	} {
		t.Run(c.name, func(t *testing.T) {
			own := []corpus.Header{{"access-control-allow-origin", "*"}, {"vary", "Cookie"}}
			backend.On(t.Name(), upstream.Answer{Status: 101, Headers: own})
			addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(c.config)}})
			conn, err := wire.DialH1(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			got, err := conn.Do(handshake(t, c.origin))
			if err != nil {
				t.Fatal(err)
			}
			if c.status != 101 {
				check(t, got, c.status, varyOrigin)
				if n := len(backend.Seen(t.Name())); n > 0 {
					t.Errorf("the upstream saw %d handshakes", n)
				}
				return
			}
			check(t, got, 101, own...)
			echo(t, conn)
		})
	}
}

func handshake(t *testing.T, from string) corpus.Request {
	headers := []corpus.Header{
		{"connection", "Upgrade"},
		{"upgrade", "websocket"},
		{"sec-websocket-version", "13"},
		{"sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="},
		{upstream.CaseHeader, t.Name()},
	}
	if from != "" {
		headers = append(headers, originHeader(from))
	}
	return corpus.Request{Headers: headers}
}

// echo checks that bytes go through the tunnel, and back.
func echo(t *testing.T, conn *wire.H1Conn) {
	t.Helper()
	const text = "through the tunnel"
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := conn.ReadFull(got); err != nil {
		t.Fatal(err)
	}
	if string(got) != text {
		t.Errorf("got %q back", got)
	}
}

// TestConnect holds that CONNECT goes on, whatever the policy.
func TestConnect(t *testing.T) {
	t.Parallel()
	for name, config := range map[string]string{
		"by default":          appConfig,
		"with deny":           denyConfig,
		"with missing denied": `{"cors": {"allowOrigins": ["https://app.example.com"], "onMissingOrigin": "deny"}}`,
	} {
		t.Run(name, func(t *testing.T) {
			backend.On(t.Name(), upstream.Answer{Status: 200})
			addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(config)}})
			for _, p := range protocols {
				got := send(t, p, addr, corpus.Request{Method: "CONNECT", Authority: "db.example.test:5432"})
				check(t, got, 200, varyOrigin)
			}
			if n := len(backend.Seen(t.Name())); n != len(protocols) {
				t.Errorf("the upstream saw %d requests", n)
			}
		})
	}
}

// TestOptionsAsterisk holds a fact about Envoy: it answers a request about the server as a whole by itself, before any filter, even one that looks
// like a preflight.
func TestOptionsAsterisk(t *testing.T) {
	t.Parallel()
	addr := listen(t, app())
	r := preflight(appOrigin)
	r.Path = "*"
	for _, p := range protocols {
		check(t, send(t, p, addr, corpus.Request{Method: "OPTIONS", Path: "*"}), 404)
		check(t, send(t, p, addr, r), 404)
	}
	if n := len(backend.Seen(t.Name())); n != 0 {
		t.Errorf("the upstream saw %d requests", n)
	}
}
