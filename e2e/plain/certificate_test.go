package plain_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// host is the name that the certificate is for.
const host = "api.example.com"

// certificate signs itself, as that of the files' instructions does.
type certificate struct {
	dir   string         // with tls.crt and tls.key
	trust *x509.CertPool // with the certificate, and no other
}

func writeCertificate(dir string) (certificate, error) {
	c := certificate{dir, x509.NewCertPool()}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return c, err
	}
	now := time.Now()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return c, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return c, err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	c.trust.AppendCertsFromPEM(public)
	if err := os.WriteFile(filepath.Join(dir, "tls.crt"), public, 0o644); err != nil {
		return c, err
	}
	return c, os.WriteFile(filepath.Join(dir, "tls.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600)
}
