package browser_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"time"

	"corsguard/e2e/envoy"
)

// certificate is what all sites show. It is made for the run, and signs itself.
type certificate struct {
	der, key []byte
	pin      string // by which the browser is told to trust it: a hash of the public key
}

func newCertificate() (*certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"*.example.test", "*.other.test", "evil.test"},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(time.Hour),
	}
	c := &certificate{}
	if c.der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		return nil, err
	}
	if c.key, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		return nil, err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(public)
	c.pin = base64.StdEncoding.EncodeToString(sum[:])
	return c, nil
}

// transportSocket is the TLS of a listener. Browsers get HTTP/2, as nearly everywhere.
func (c *certificate) transportSocket() envoy.Object {
	inline := func(kind string, der []byte) envoy.Object {
		return envoy.Object{"inline_string": string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))}
	}
	return envoy.Filter("envoy.transport_sockets.tls", "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext", envoy.Object{
		"common_tls_context": envoy.Object{
			"alpn_protocols": []string{"h2", "http/1.1"},
			"tls_certificates": []envoy.Object{{
				"certificate_chain": inline("CERTIFICATE", c.der),
				"private_key":       inline("PRIVATE KEY", c.key),
			}},
		},
	})
}
