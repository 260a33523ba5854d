package e2e_test

import (
	"io"
	"net"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/upstream"
)

// TestEveryResponse holds that the plugin's headers are on whatever response the stream ends with, whoever made it, and that preflights never
// get as far as that.
func TestEveryResponse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		hcm    envoy.HCM
		answer upstream.Answer
		status int
	}{
		{"upstream 200", app(), upstream.Answer{Status: 200, Body: "page"}, 200},
		{"upstream 204", app(), upstream.Answer{Status: 204}, 204},
		{"upstream 304", app(), upstream.Answer{Status: 304}, 304},
		{"upstream 404", app(), upstream.Answer{Status: 404}, 404},
		{"upstream 500", app(), upstream.Answer{Status: 500}, 500},
		{"upstream over HTTP/2", withRoutes(envoy.Route("/", "upstream-h2")), upstream.Answer{Status: 200, Body: "page"}, 200},
		{"upstream down", withRoutes(envoy.Route("/", "down")), upstream.Answer{}, 503},
		{"upstream closes without a word", app(), upstream.Answer{Raw: closeAtOnce}, 503},
		{"upstream closes in its head", app(), upstream.Answer{Raw: half}, 502},
		{"upstream talks no HTTP", app(), upstream.Answer{Raw: noHTTP}, 502},
		{"upstream too slow", withRoutes(impatientRoute()), upstream.Answer{Delay: time.Minute}, 504},
		{"no route", withRoutes(envoy.Route("/elsewhere", "upstream")), upstream.Answer{}, 404},
		{"direct response", withRoutes(directRoute(418)), upstream.Answer{}, 418},
		{"redirect", withRoutes(redirectRoute()), upstream.Answer{}, 301},
		{"internal redirect that goes on forever", withRoutes(internalRedirectRoute()), upstream.Answer{
			Status:  302,
			Headers: []corpus.Header{{"location", "http://api.example.test/again"}},
		}, 302},
		{"route that adds CORS headers", withRoutes(wideRoute()), upstream.Answer{}, 200},
		{"later native cors", nativeCORS(), upstream.Answer{}, 200},
		{"later basic_auth", app(basicAuth()), upstream.Answer{}, 401},
		{"later jwt_authn", app(jwtAuthn()), upstream.Answer{}, 401},
		{"later rbac", app(rbac()), upstream.Answer{}, 403},
		{"later local_ratelimit", app(rateLimit()), upstream.Answer{}, 429},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.answer.Headers = append(c.answer.Headers, upstreamCORS...)
			backend.On(t.Name(), c.answer)
			addr := listen(t, c.hcm)
			send(t, http1, addr, corpus.Request{}) // takes the only token of the rate limit
			checkActuals(t, addr, corpus.Request{}, c.status)
			checkActuals(t, addr, corpus.Request{Method: "HEAD"}, c.status)
			checkPreflights(t, addr)
		})
	}
}

func withRoutes(routes ...envoy.Object) envoy.HCM {
	h := app()
	h.Routes = routes
	return h
}

func closeAtOnce(conn net.Conn) { conn.Close() }

func half(conn net.Conn) {
	io.WriteString(conn, "HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\nva")
	conn.Close()
}

func noHTTP(conn net.Conn) {
	io.WriteString(conn, "220 mail.example.com ESMTP\r\n\r\n")
	conn.Close()
}

func impatientRoute() envoy.Object {
	r := envoy.Route("/", "upstream")
	r["route"] = envoy.Object{"cluster": "upstream", "timeout": "0.05s"}
	return r
}

func directRoute(status int) envoy.Object {
	return envoy.Object{"match": envoy.Object{"prefix": "/"}, "direct_response": envoy.Object{"status": status}}
}

func redirectRoute() envoy.Object {
	return envoy.Object{"match": envoy.Object{"prefix": "/"}, "redirect": envoy.Object{"https_redirect": true}}
}

func internalRedirectRoute() envoy.Object {
	r := envoy.Route("/", "upstream")
	r["route"] = envoy.Object{"cluster": "upstream", "internal_redirect_policy": envoy.Object{"max_internal_redirects": 2}}
	return r
}

// wideRoute does in Envoy's configuration what upstreams do in their code.
func wideRoute() envoy.Object {
	r := envoy.Route("/", "upstream")
	r["response_headers_to_add"] = []envoy.Object{{"header": envoy.Object{"key": "access-control-allow-origin", "value": "*"}}}
	return r
}

// nativeCORS has Envoy's own CORS filter after the plugin, with a policy that allows everything.
func nativeCORS() envoy.HCM {
	const filter, types = "envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3."
	h := app(envoy.Filter(filter, types+"Cors", nil))
	r := envoy.Route("/", "upstream")
	r["typed_per_filter_config"] = envoy.Object{filter: envoy.Filter("", types+"CorsPolicy", envoy.Object{
		"allow_origin_string_match": []envoy.Object{{"safe_regex": envoy.Object{"regex": ".*"}}},
		"allow_methods":             "*",
		"allow_credentials":         true,
	})["typed_config"]}
	h.Routes = []envoy.Object{r}
	return h
}

func basicAuth() envoy.Object {
	return envoy.Filter("basic_auth", "envoy.extensions.filters.http.basic_auth.v3.BasicAuth", envoy.Object{
		"users": envoy.Object{"inline_string": "ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="},
	})
}

func jwtAuthn() envoy.Object {
	return envoy.Filter("jwt", "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication", envoy.Object{
		"providers": envoy.Object{"issuer": envoy.Object{
			"issuer":     "https://issuer.example.com",
			"local_jwks": envoy.Object{"inline_string": `{"keys": [{"kty": "oct", "kid": "k", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}]}`},
		}},
		"rules": []envoy.Object{{"match": envoy.Object{"prefix": "/"}, "requires": envoy.Object{"provider_name": "issuer"}}},
	})
}

// rbac denies everything: it allows what meets one of no policies.
func rbac() envoy.Object {
	return envoy.Filter("rbac", "envoy.extensions.filters.http.rbac.v3.RBAC", envoy.Object{"rules": envoy.Object{"action": "ALLOW"}})
}

// rateLimit has a bucket of one token, which is not filled again.
func rateLimit() envoy.Object {
	full := envoy.Object{"default_value": envoy.Object{"numerator": 100}}
	return envoy.Filter("rate", "envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit", envoy.Object{
		"stat_prefix":     "rate",
		"token_bucket":    envoy.Object{"max_tokens": 1, "fill_interval": "86400s"},
		"filter_enabled":  full,
		"filter_enforced": full,
	})
}
