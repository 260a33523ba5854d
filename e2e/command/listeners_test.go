package command_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"corsguard/e2e/command"
	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
)

// Answers of the upstream, by the request header x-case.
var (
	document = []corpus.Header{{"content-type", "text/html; charset=utf-8"}}
	wide     = []corpus.Header{{"content-type", "application/json"}, {"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}, {"vary", "accept-encoding"}}
)

// itemsRoute is the only route there is, so all other paths are answered by Envoy with 404.
func itemsRoute() envoy.Object { return envoy.Route("/v1/items", "upstream") }

// corsguard is the plugin with a policy.
func corsguard(policy string) envoy.Object {
	return envoy.Plugin{Wasm: wasm, Config: []byte(policy), Name: "corsguard"}.Filter()
}

func basicAuth() envoy.Object {
	return envoy.Filter("basic_auth", "envoy.extensions.filters.http.basic_auth.v3.BasicAuth", envoy.Object{
		"users": envoy.Object{"inline_string": "ada:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="},
	})
}

// native is Envoy's own CORS filter, and the route with its policy.
func native(policy envoy.Object, others ...envoy.Object) *envoy.HCM {
	const filter, types = "envoy.filters.http.cors", "envoy.extensions.filters.http.cors.v3."
	r := itemsRoute()
	r["typed_per_filter_config"] = envoy.Object{filter: envoy.Filter("", types+"CorsPolicy", policy)["typed_config"]}
	return &envoy.HCM{Filters: append(others, envoy.Filter(filter, types+"Cors", nil)), Routes: []envoy.Object{r}}
}

// tls is a listener's side of TLS, with a certificate that signs itself.
var tls = sync.OnceValue(func() envoy.Object {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{command.Host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	inline := func(kind string, der []byte) envoy.Object {
		return envoy.Object{"inline_string": string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))}
	}
	return envoy.Filter("envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", envoy.Object{
		"common_tls_context": envoy.Object{
			"alpn_protocols":   []string{"h2", "http/1.1"},
			"tls_certificates": []envoy.Object{{"certificate_chain": inline("CERTIFICATE", certificate), "private_key": inline("PRIVATE KEY", private)}},
		},
	})
})

// scenario is a listener, how it is audited, and what is found. Scenarios with the same connection manager share a listener.
type scenario struct {
	name string
	hcm  *envoy.HCM
	args []string
	want []string
}

// audit has all scenarios' listeners made in one update, and audits each.
func audit(t *testing.T, scenarios []scenario) {
	names := map[*envoy.HCM]string{}
	var listeners []envoy.Object
	for _, s := range scenarios {
		if names[s.hcm] != "" {
			continue
		}
		names[s.hcm] = t.Name() + " " + s.name
		s.hcm.TransportSocket = tls()
		if s.hcm.Routes == nil {
			s.hcm.Routes = []envoy.Object{itemsRoute()}
		}
		listeners = append(listeners, s.hcm.Listener(names[s.hcm]))
	}
	refused, err := gateway.Put(t.Context(), listeners...)
	if err != nil || len(refused) > 0 {
		t.Fatal(err, refused)
	}
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			a, err := binary.Audit(t.Context(), "https", gateway.Addr(names[s.hcm]), s.args...)
			if err != nil {
				t.Fatal(err)
			}
			if said := a.Differs(s.want...); said != "" {
				t.Error(said)
			}
		})
	}
}
