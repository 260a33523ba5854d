package istio_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
)

// loginService runs what deploy/istio/ext-authz asks: it lets the cookie of a session pass, and denies the rest. It returns its address.
func loginService(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookie, err := r.Cookie("session"); err != nil || cookie.Value != "good" {
			w.WriteHeader(http.StatusForbidden)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// authentication returns deploy/istio/authentication.yaml with a key in it in place of a URL, and a token that it takes, as a header.
func authentication(t *testing.T) ([]cluster.Object, corpus.Header) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	half := (len(public) - 1) / 2
	keys, err := json.Marshal(cluster.Object{"keys": []cluster.Object{{
		"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "test", "x": encode(public[1 : 1+half]), "y": encode(public[1+half:]),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	all := manifest(t, "authentication.yaml")
	rule := all[0]["spec"].(cluster.Object)["jwtRules"].([]any)[0].(cluster.Object)
	delete(rule, "jwksUri")
	rule["jwks"] = string(keys)

	head, err := json.Marshal(cluster.Object{"alg": "ES256", "typ": "JWT", "kid": "test"})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := json.Marshal(cluster.Object{"iss": rule["issuer"], "sub": "ada", "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	signed := encode(head) + "." + encode(claims)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	signature := append(r.FillBytes(make([]byte, half)), s.FillBytes(make([]byte, half))...)
	return all, corpus.Header{"authorization", "Bearer " + signed + "." + encode(signature)}
}
