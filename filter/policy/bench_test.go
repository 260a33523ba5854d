package policy

import (
	"fmt"
	"testing"
)

// ofSize has n patterns, half of them with wildcards, and lists as long as real ones.
func ofSize(b *testing.B, n int) *Policy {
	texts := []string{"https://app.example.com", "https://*.example.org"}
	for i := 2; i < n; i += 2 {
		texts = append(texts, fmt.Sprintf("https://app%d.customers.example.com", i), fmt.Sprintf("https://*.tenant%d.example.org", i))
	}
	return compiled(b, CORS{
		AllowOrigins: patterns(b, texts...), AllowCredentials: true, AllowMethods: []string{"GET", "PUT", "DELETE", "PATCH"},
		AllowHeaders: []string{"content-type", "authorization", "x-request-id"}, ExposeHeaders: []string{"x-total"}, MaxAge: 600,
	})
}

var decided Decision

func benchmarkDecide(b *testing.B, n int) {
	p := ofSize(b, n)
	at := Request{Method: "GET", Scheme: "https", Authority: "api.example.com", Path: "/", Origins: 1}
	exact, subdomain, evil, preflight, none := at, at, at, at, at
	exact.Origin, subdomain.Origin, evil.Origin = "https://app.example.com", "https://a.b.example.org", "https://app.example.com.evil.test"
	preflight.Method, preflight.Origin, preflight.RequestMethod, preflight.RequestHeaders = "OPTIONS", exact.Origin, "PUT", "content-type,x-request-id"
	none.Origins = 0
	for _, c := range []struct {
		name string
		r    *Request
	}{{"exact", &exact}, {"subdomain", &subdomain}, {"refused", &evil}, {"preflight", &preflight}, {"none", &none}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				r := *c.r
				decided = p.Decide(&r)
			}
		})
	}
}

func BenchmarkDecide10(b *testing.B)    { benchmarkDecide(b, 10) }
func BenchmarkDecide10000(b *testing.B) { benchmarkDecide(b, 10_000) }

func BenchmarkEdits(b *testing.B) {
	p := strict(b)
	r := kindsOfRequests()["exact"]
	d := p.Decide(&r)
	var memo VaryMemo
	var edits []Edit
	b.ReportAllocs()
	for range b.N {
		var response Response
		response.Add(":status", "200")
		response.Add("vary", "Accept-Encoding")
		response.Add("access-control-allow-origin", "*")
		edits = p.Edits(&d, &response, &memo, edits[:0])
	}
}
