package audit

import (
	"crypto/rand"
	"encoding/hex"
)

// names are what an audit makes up. They are random, so that no policy can know them; hosts are below .test, which nobody can register, where the trick lets them be.
type names struct {
	label  string // of a host
	method string
	header string
	id     string // of a browser extension
}

func newNames() names {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it does not fail
	h := hex.EncodeToString(b[:])
	id := make([]byte, 32) // Chromium's alphabet is a to p
	for i := range id {
		id[i] = 'a' + "0123456789abcdef"[int(b[i/2]>>(4*(i%2)))&15]%16
	}
	return names{label: "audit" + h[:10], method: "AUDIT" + toUpper(h[10:16]), header: "x-audit-" + h[10:20], id: string(id)}
}

// toUpper writes hexadecimal digits as letters, for a method.
func toUpper(h string) string {
	b := []byte(h)
	for i, c := range b {
		if c >= '0' && c <= '9' {
			c += 'G' - '0'
		} else {
			c -= 'a' - 'A'
		}
		b[i] = c
	}
	return string(b)
}

func (n names) stranger() string  { return "https://" + n.label + ".test" }
func (n names) extension() string { return "chrome-extension://" + n.id }
