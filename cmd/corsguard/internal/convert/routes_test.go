package convert

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// route is a route of Envoy, as a test makes one.
type route struct {
	name             string
	kind, text       string
	header, isAction bool
	origin           string // of its policy, "" for none
}

type vhost struct {
	domains []string
	origin  string
	routes  []route
}

func (r *route) takes(path string, header bool) bool {
	if r.header && !header {
		return false
	}
	switch r.kind {
	case "prefix":
		return strings.HasPrefix(path, r.text)
	case "path":
		return path == r.text
	case "path_separated_prefix":
		return path == r.text || strings.HasPrefix(path, r.text+"/")
	}
	return regexp.MustCompile("^(?:" + r.text + ")$").MatchString(path)
}

// lookUp returns the route of a request, as Envoy's documentation of virtual hosts and routes says, nil where there is none.
func lookUp(vhosts []vhost, host, path string, header bool) (*vhost, *route) {
	best, rank := (*vhost)(nil), -1
	for i := range vhosts {
		for _, d := range vhosts[i].domains {
			r := -1
			switch {
			case d == host:
				r = 1000
			case d == "*":
				r = 0
			case strings.HasPrefix(d, "*") && strings.HasSuffix(host, d[1:]) && len(host) > len(d)-1:
				r = 500 + len(d)
			case strings.HasSuffix(d, "*") && strings.HasPrefix(host, d[:len(d)-1]):
				r = len(d)
			}
			if r > rank {
				best, rank = &vhosts[i], r
			}
		}
	}
	if best == nil {
		return nil, nil
	}
	for i := range best.routes {
		if best.routes[i].takes(path, header) {
			return best, &best.routes[i]
		}
	}
	return best, nil
}

// allowedOrigin returns the origin that the policy in force for a request allows.
func allowedOrigin(v *vhost, r *route) string {
	switch {
	case r == nil || !r.isAction:
		return ""
	case r.origin != "":
		return r.origin
	}
	return v.origin
}

var (
	testHosts   = []string{"a.test.example", "b.test.example", "x.a.test.example", "other.example", "foo.bar.example"}
	testPaths   = []string{"/", "/a", "/a/", "/a/b", "/ab", "/b", "/b/c", "/A", "/a/b/c", "/v1/x", "/v12"}
	testDomains = []string{"a.test.example", "b.test.example", "*.test.example", "*.a.test.example", "*", "foo.*", "*-x.test.example", "other.example:8080"}
	testMatches = [][2]string{
		{"prefix", "/"}, {"prefix", "/a"}, {"prefix", "/a/"}, {"path", "/a"}, {"path", "/a/b"}, {"path_separated_prefix", "/a"}, {"path_separated_prefix", "/b"},
		{"safe_regex", "/v[0-9]+/.*"}, {"safe_regex", "/a(/b)?"}, {"safe_regex", `/\pL+`}, {"prefix", "/b"}, {"prefix", "/v1"},
	}
	testOrigins = []string{"", "", "https://one.example", "https://two.example", "https://three.example"}
)

func randomVhosts(r *rand.Rand) []vhost {
	domains := slices.Clone(testDomains)
	r.Shuffle(len(domains), func(i, j int) { domains[i], domains[j] = domains[j], domains[i] })
	var vhosts []vhost
	for len(domains) > 3 {
		n := 1 + r.IntN(2)
		v := vhost{domains: domains[:n], origin: pickOf(r, testOrigins)}
		domains = domains[n:]
		for range 1 + r.IntN(4) {
			m := pickOf(r, testMatches)
			v.routes = append(v.routes, route{
				name: pickOf(r, []string{"", "", "same", fmt.Sprint("r", r.IntN(1000))}), kind: m[0], text: m[1], header: r.IntN(4) == 0, isAction: r.IntN(5) > 0,
				origin: pickOf(r, testOrigins),
			})
		}
		vhosts = append(vhosts, v)
	}
	return vhosts
}

func policyOf(origin string) any {
	return map[string]any{"envoy.filters.http.cors": map[string]any{
		"@type": corsType, "allow_origin_string_match": []any{map[string]any{"exact": origin}}, "allow_credentials": true,
	}}
}

func routeConfiguration(t *testing.T, vhosts []vhost) []byte {
	t.Helper()
	var hosts []any
	for i, v := range vhosts {
		var routes []any
		for _, r := range v.routes {
			match := map[string]any{r.kind: r.text}
			if r.kind == "safe_regex" {
				match[r.kind] = map[string]any{"regex": r.text}
			}
			if r.header {
				match["headers"] = []any{map[string]any{"name": "x-test", "present_match": true}}
			}
			one := map[string]any{"name": r.name, "match": match, "redirect": map[string]any{}}
			if r.isAction {
				delete(one, "redirect")
				one["route"] = map[string]any{"cluster": "c"}
			}
			if r.origin != "" {
				one["typed_per_filter_config"] = policyOf(r.origin)
			}
			routes = append(routes, one)
		}
		host := map[string]any{"name": fmt.Sprint("v", i), "domains": v.domains, "routes": routes}
		if v.origin != "" {
			host["typed_per_filter_config"] = policyOf(v.origin)
		}
		hosts = append(hosts, host)
	}
	text, err := json.Marshal(map[string]any{"virtual_hosts": hosts})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestRulesNeverGrantMoreThanRoutes asks converted rules, and the routes that they were converted from. What no route takes has no response of anybody's.
func TestRulesNeverGrantMoreThanRoutes(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	granted, refused := 0, 0
	for range 1500 {
		vhosts := randomVhosts(r)
		text := routeConfiguration(t, vhosts)
		result, err := Convert([]Input{{"routes.json", text}}, "envoy")
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if len(result.Configurations) == 0 {
			continue
		}
		c := compile(t, result.Configurations[0].JSON)
		for _, host := range testHosts {
			for _, path := range testPaths {
				for _, header := range []bool{false, true} {
					v, route := lookUp(vhosts, host, path, header)
					a := &ask{host: host, path: path, method: "GET", credentials: true}
					if route != nil {
						a.route = route.name
					}
					want := allowedOrigin(v, route)
					for _, a.origin = range []string{"https://one.example", "https://two.example", "https://three.example"} {
						switch got := c.permits(a); {
						case got && a.origin == want:
							granted++
						case got && route != nil:
							t.Fatalf("%+v is permitted; the route %+v allows %q\n%s\n%s", a, route, want, text, result.Configurations[0].JSON)
						case a.origin == want:
							refused++
						}
					}
				}
			}
		}
	}
	t.Logf("%d grants kept, %d lost", granted, refused)
	if granted < 2000 || refused > 3*granted {
		t.Errorf("%d grants are kept and %d lost: too few to mean anything, or too much lost", granted, refused)
	}
}
