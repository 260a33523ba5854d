package plain_test

import (
	"fmt"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
)

// A version of the policy tells itself apart in every answer that grants something. Every other one allows the partner too. Version 0 is the files' policy.
type version int

func (v version) allows(origin string) bool { return origin == shop || origin == partner && v%2 == 1 }

func (v version) exposed() string {
	if v == 0 {
		return "x-request-id"
	}
	return fmt.Sprintf("x-version-%d", v)
}

func (v version) maxAge() string { return fmt.Sprint(7200 - int(v)) }

// apply returns a file with the policy of version 0 as one with this version's.
func (v version) apply(t *testing.T, text string) string {
	t.Helper()
	origins := []string{"https://shop.example.com"}
	if v.allows(partner) {
		origins = append(origins, partner)
	}
	// In JSON that holds the policy as a string, its quotes are escaped.
	for _, change := range [][2]string{
		{"https://shop.example.com", strings.Join(origins, `", "`)},
		{"x-request-id", v.exposed()},
		{"7200", v.maxAge()},
	} {
		to := change[1]
		if strings.Contains(text, `\"allowOrigins\"`) {
			to = strings.ReplaceAll(to, `"`, `\"`)
		}
		if n := strings.Count(text, change[0]); n != 1 {
			t.Fatalf("%d times %s in the file", n, change[0])
		}
		text = strings.Replace(text, change[0], to, 1)
	}
	return text
}

// question is a request, of which a version knows the answer.
type question struct {
	preflight     bool
	origin        string
	authenticated bool
}

var questions = []question{
	{true, shop, false}, {false, shop, true}, {false, shop, false}, {true, partner, false}, {false, partner, true}, {false, partner, false},
}

func (q question) request(token corpus.Header) corpus.Request {
	switch {
	case q.preflight:
		return preflight(q.origin)
	case q.authenticated:
		return actual(q.origin, token)
	}
	return actual(q.origin)
}

// answer returns what [owned] says of the answer to a question.
func (v version) answer(q question) string {
	var b strings.Builder
	switch {
	case q.preflight:
		b.WriteString("204\n")
	case q.authenticated:
		b.WriteString("200\n")
	default:
		b.WriteString("401\n")
	}
	if v.allows(q.origin) {
		if q.preflight {
			b.WriteString("access-control-allow-headers: authorization, content-type\naccess-control-allow-methods: GET, HEAD, POST, PUT, DELETE\n")
		}
		fmt.Fprintf(&b, "access-control-allow-origin: %s\naccess-control-expose-headers: www-authenticate, %s\n", q.origin, v.exposed())
		if q.preflight {
			fmt.Fprintf(&b, "access-control-max-age: %s\n", v.maxAge())
		}
	}
	if q.preflight {
		b.WriteString("vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers\n")
	} else {
		b.WriteString("strict-transport-security: max-age=31536000\nvary: Origin\nx-content-type-options: nosniff\n")
	}
	return b.String()
}
