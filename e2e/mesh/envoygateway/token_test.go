package envoygateway_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"testing"
	"time"
)

// jwks returns the issuer's public key as a set of JSON Web Keys.
func jwks() string {
	text, err := json.Marshal(object{"keys": []object{{
		"kty": "RSA", "alg": "RS256", "kid": "test",
		"n": base64.RawURLEncoding.EncodeToString(issuer.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(issuer.E)).Bytes()),
	}}})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// token returns a token as the SecurityPolicy of deploy/envoy-gateway asks for.
func token(t *testing.T) string {
	t.Helper()
	part := func(o object) string {
		text, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(object{"alg": "RS256", "kid": "test"}) + "." +
		part(object{"iss": "https://issuer.example.com", "aud": "shop", "sub": "ada", "exp": time.Now().Add(time.Hour).Unix()})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(nil, issuer, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}
