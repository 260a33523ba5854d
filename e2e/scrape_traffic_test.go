package e2e_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// scrapedRules are rules of every mode, each for the paths below its name, and what they may count. The rest is denied by Fetch Metadata too.
var scrapedRules = []struct {
	name, blocks      string
	refused, metadata []string
}{
	{"plain", `"fetchMetadata": null`, refusedOnly, nil},
	{"enforced", `"mode": "enforce"`, refusedOnly, refusedOnly},
	{"reports", `"fetchMetadata": {"mode": "report", "allowSameSite": false}`, refusedOnly, shadowedOnly},
	{"shadow", `"mode": "shadow"`, shadowedOnly, shadowedOnly},
	{"share", `"mode": {"enforce": {"numerator": 50}}`, bothOfThem, bothOfThem},
	{"any", `"cors": {"allowOrigins": ["*"], ` + scrapedLists + `}, "fetchMetadata": null`, refusedOnly, nil},
	{"strict", `"cors": {"allowOrigins": ["https://app.example.com"], ` + scrapedLists + `, "onMissingOrigin": "deny", "onRefusedOrigin": "deny"}`, refusedOnly, refusedOnly},
	{"no-cors", `"cors": null, "fetchMetadata": null, "isolation": {"originAgentCluster": true}`, refusedOnly, nil},
}

const scrapedLists = `"allowMethods": ["PUT"], "allowHeaders": ["x-one"]`

func scrapedConfig() string {
	var rules []string
	for _, r := range scrapedRules {
		rules = append(rules, fmt.Sprintf(`{"name": %q, "match": {"paths": [{"prefix": "/%[1]s"}]}, %s}`, r.name, r.blocks))
	}
	rules = append(rules, `{"name": "off", "match": {"paths": [{"prefix": "/off"}]}, "mode": "off"}`)
	return `{
		"cors": {"allowOrigins": ["https://app.example.com"], ` + scrapedLists + `},
		"fetchMetadata": {"allowSameSite": false}, "log": {"refusalsPerMinute": 0},
		"rules": [` + strings.Join(rules, ", ") + `]
	}`
}

// scrapedRequests returns requests to path that have everything counted which traffic can have counted.
func scrapedRequests(path string) []corpus.Request {
	var all []corpus.Request
	add := func(method, suffix string, headers ...corpus.Header) {
		all = append(all, corpus.Request{Method: method, Path: path + suffix, Headers: headers})
	}
	origins := []string{appOrigin, otherOrigin, "null", "https://x.example.com/", "http://api.example.test"}
	for _, ambiguous := range []string{"", "/a;b%2Fc"} {
		add("GET", ambiguous)
		for _, site := range []string{"cross-site", "same-site"} {
			add("GET", ambiguous, fetchMetadata(site, "no-cors", "image")...)
			add("GET", ambiguous, from(otherOrigin, fetchMetadata(site, "cors", "empty")...)...)
		}
		for _, origin := range origins {
			add("GET", ambiguous, from(origin)...)
			add("OPTIONS", ambiguous, asks(origin, "PUT", "x-one").Headers...)
		}
		add("OPTIONS", ambiguous, asks(appOrigin, "DELETE", "x-one").Headers...)
		add("OPTIONS", ambiguous, asks(appOrigin, "PUT", "x-two").Headers...)
	}
	return all
}

// checkSeriesDoNotGrow holds that the series are a matter of the configuration and not of traffic: whatever clients send, no rule has more than its share, and
// after some requests of every kind there are no new ones. Their labels are of the words that the README has.
func checkSeriesDoNotGrow(t *testing.T, g *envoy.Gateway) {
	put(t, g, envoy.HCM{Filters: []envoy.Object{plugin(scrapedConfig())}}.Listener("scraped"))
	addr := g.Addr("scraped")
	may := possible(corpus.DefaultRule, bothOfThem, bothOfThem) // those that are there already
	for _, kind := range []string{"no_origin", "actual", "preflight"} {
		// Where it is not clear which rule decides, the strictest mode counts.
		may[series{"shadow", kind, "refused", "path_ambiguous"}] = true
	}
	paths := []string{"/elsewhere"}
	for _, r := range scrapedRules {
		maps.Copy(may, possible(r.name, r.refused, r.metadata))
		paths = append(paths, "/"+r.name)
	}

	var requests []corpus.Request
	for _, path := range paths {
		times := 1
		if path == "/share" {
			times = 60 // that one of the two effects is not drawn for one of them has a probability of some 2⁻⁵⁵
		}
		requests = append(requests, slices.Repeat(scrapedRequests(path), times)...)
	}
	sent := flood(t, addr, requests)
	flood(t, addr, scrapedRequests("/off")[:15]) // without the ambiguous ones, of which it is not clear that they are off
	before := settledSeries(t, g, sent)

	const random = 4000
	r := rand.New(rand.NewPCG(1, 2))
	requests = requests[:0]
	for range random {
		requests = append(requests, randomRequest(r, paths[r.IntN(len(paths))]))
	}
	sent += flood(t, addr, requests)
	after := settledSeries(t, g, sent)
	if err := sameSeries(names(after), names(before)); err != nil {
		t.Errorf("after %d more requests: %v", random, err)
	}

	perRule := map[string]int{}
	for s := range after {
		perRule[s.rule]++
		if !may[s] {
			t.Errorf("there is a series %v", s)
		}
	}
	t.Logf("series: %v", perRule)
	checkVocabulary(t, after)
	for _, s := range []series{
		{"enforced", "no_origin", "refused", "cross_site_not_allowed"}, {"enforced", "actual", "refused", "same_site_not_allowed"},
		{"shadow", "no_origin", "shadowed", "same_site_not_allowed"}, {"shadow", "preflight", "shadowed", "origin_not_allowed"},
		{"reports", "no_origin", "shadowed", "cross_site_not_allowed"}, {"reports", "no_origin", "allowed", "no_origin"},
		{"share", "actual", "refused", "origin_not_allowed"}, {"share", "actual", "shadowed", "origin_not_allowed"},
		{"any", "no_origin", "allowed", "any_origin"}, {"no-cors", "preflight", "allowed", "cors_off"}, {"strict", "no_origin", "refused", "origin_missing"},
		{"plain", "actual", "refused", "path_ambiguous"},
	} {
		if after[s] == 0 {
			t.Errorf("%v counted nothing", s)
		}
	}
}

// flood sends requests over a few connections at a time and returns how many.
func flood(t *testing.T, addr string, requests []corpus.Request) int64 {
	t.Helper()
	const connections = 4
	var next atomic.Int64
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			conn, err := wire.DialH2(addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			for i := int(next.Add(1)) - 1; i < len(requests); i = int(next.Add(1)) - 1 {
				if _, err := conn.Do(requests[i]); err != nil {
					t.Errorf("%v: %v", requests[i], err)
					return
				}
			}
		})
	}
	wg.Wait()
	return int64(len(requests))
}

// settledSeries waits until so many requests are counted, each once, and returns the series. What is only reported counts in addition.
func settledSeries(t *testing.T, g *envoy.Gateway, sent int64) (got map[series]int64) {
	t.Helper()
	until(t, countersLimit, func() error {
		got = scrape(t, g)
		var counted int64
		for s, n := range got {
			if isReport := s.rule == "reports" && s.decision == "shadowed"; !isReport {
				counted += n
			}
		}
		if counted != sent {
			return fmt.Errorf("%d requests are counted, want %d", counted, sent)
		}
		return nil
	})
	return got
}

// randomRequest returns a request of a client that makes everything up.
func randomRequest(r *rand.Rand, path string) corpus.Request {
	word := func() string { return fmt.Sprintf("%x", r.Uint64()) }
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	request := corpus.Request{
		Method:    one("GET", "GET", "POST", "OPTIONS", "OPTIONS", "HEAD", "PUT"),
		Authority: one("api.example.test", word()+".example.com", word()+":8080", "[::1]"),
		Path:      path + one("", "/"+word(), "?"+word(), "/%41"+word(), "//"+word(), ";"+word(), "/"+word()+";/..;/"+word(), "/%2f"+word()),
	}
	if r.IntN(4) > 0 {
		request = wire.With(request, "origin", one(appOrigin, otherOrigin, "null", "http://api.example.test",
			"https://"+word()+".example.com", "HTTPS://"+word(), word(), "https://"+word()+":"+word()))
	}
	if r.IntN(2) > 0 {
		request = wire.With(request, "access-control-request-method", one("GET", "PUT", "DELETE", "X"+word()))
		request = wire.With(request, "access-control-request-headers", one("x-one", "x-"+word(), ", ,", word()+","+word()))
	}
	if r.IntN(2) > 0 {
		site, mode, dest := one("cross-site", "same-site", "same-origin", "none", word()), one("cors", "no-cors", "navigate", word()), one("empty", "image", "document", word())
		for _, h := range fetchMetadata(site, mode, dest) {
			request = wire.With(request, h[0], h[1])
		}
	}
	return request
}
