package e2e_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// TestSchemeOfSameOrigin holds which scheme makes an Origin the request's own: the one that Envoy vouches for. Other origins are denied here, so a
// 200 says "same origin".
func TestSchemeOfSameOrigin(t *testing.T) {
	t.Parallel()
	const httpOrigin, httpsOrigin = "http://api.example.test", "https://api.example.test"
	for _, c := range []struct {
		name        string
		tls, edge   bool
		forwarded   string // x-forwarded-proto of the client
		http, https int    // status for either origin
	}{
		{name: "plain", http: 200, https: 403},
		{name: "plain, behind a proxy that had TLS", forwarded: "https", http: 403, https: 200},
		{name: "plain, at the edge, with a forged header", edge: true, forwarded: "https", http: 200, https: 403},
		{name: "TLS", tls: true, http: 403, https: 200},
		{name: "TLS, at the edge, with a forged header", tls: true, edge: true, forwarded: "http", http: 403, https: 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := envoy.HCM{Filters: []envoy.Object{plugin(denyConfig)}, Extra: envoy.Object{"use_remote_address": c.edge}}
			if c.tls {
				h.TransportSocket = serverTLS(t)
			}
			addr := listen(t, h)
			for from, status := range map[string]int{httpOrigin: c.http, httpsOrigin: c.https} {
				r := corpus.Request{Headers: []corpus.Header{originHeader(from)}}
				if c.forwarded != "" {
					r = wire.With(r, "x-forwarded-proto", c.forwarded)
				}
				check(t, exchange(t, addr, c.tls, r), status, varyOrigin)
			}
		})
	}
}

func exchange(t *testing.T, addr string, overTLS bool, r corpus.Request) wire.Response {
	t.Helper()
	conn, err := wire.DialH1(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if overTLS {
		conn = wire.NewH1(tls.Client(conn, &tls.Config{InsecureSkipVerify: true}))
	}
	got, err := conn.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// serverTLS returns a transport socket with a certificate made for the occasion.
func serverTLS(t *testing.T) envoy.Object {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"api.example.test"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	inline := func(kind string, der []byte) envoy.Object {
		return envoy.Object{"inline_string": string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))}
	}
	return envoy.Filter("envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", envoy.Object{
		"common_tls_context": envoy.Object{"tls_certificates": []envoy.Object{{
			"certificate_chain": inline("CERTIFICATE", cert),
			"private_key":       inline("PRIVATE KEY", secret),
		}}},
	})
}
