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

func BenchmarkDecide10(b *testing.B)     { benchmarkDecide(b, 10) }
func BenchmarkDecide10000(b *testing.B)  { benchmarkDecide(b, 10_000) }
func BenchmarkDecide100000(b *testing.B) { benchmarkDecide(b, 100_000) }

var picked int

// BenchmarkPick looks for the rule of a request among n: the last one, and none.
func BenchmarkPick(b *testing.B) {
	for _, n := range []int{1, 10, 1_000, 10_000} {
		last := n - 1
		for _, c := range []struct {
			name, rule string
			hit, miss  Target
		}{
			{"hosts", "tenant%d.example.com", Target{Authority: fmt.Sprintf("tenant%d.example.com:8443", last), Path: "/"}, Target{Authority: "other.example.com", Path: "/"}},
			{"wildcard hosts", "*.tenant%d.example.com", Target{Authority: fmt.Sprintf("a.b.tenant%d.example.com", last), Path: "/"}, Target{Authority: "a.b.other.example.com", Path: "/"}},
			{"prefixes", "|prefix /tenants/t%d/api", Target{Path: fmt.Sprintf("/tenants/t%d/api/orders/4711?x=y", last)}, Target{Path: "/tenants/other/api/orders"}},
			{"hosts and paths", "tenant%d.example.com|prefix /api,exact /", Target{Authority: fmt.Sprintf("tenant%d.example.com", last), Path: "/api/orders"}, Target{Authority: "tenant0.example.com", Path: "/x"}},
			{"routes", "||route-%d", Target{Route: fmt.Sprintf("route-%d", last)}, Target{Route: "other"}},
		} {
			var texts []string
			for i := range n {
				texts = append(texts, fmt.Sprintf(c.rule, i))
			}
			rules := compileRules(b, rulesOf(b, texts...))
			for what, q := range map[string]*Target{"hit": &c.hit, "miss": &c.miss} {
				b.Run(fmt.Sprintf("%s/%s/%d", c.name, what, n), func(b *testing.B) {
					b.ReportAllocs()
					for range b.N {
						picked, _ = rules.Pick(q)
					}
					if (picked == last) != (what == "hit") {
						b.Fatalf("rule %d", picked)
					}
				})
			}
		}
	}
}

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
		edits = p.Edits(&d, &response, false, &memo, edits[:0])
	}
}
