package convert

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// golden is what a conversion makes, as its golden file has it.
type golden struct {
	From     string            `json:"from"`
	Policies []json.RawMessage `json:"policies"`
	Findings []string          `json:"findings"`
}

// goldenCase is a file of testdata, with requests that the source allows and the conversion keeps, and hostile ones.
type goldenCase struct {
	file             string
	allowed, hostile []ask
}

func page(origin, method, header string, credentials bool) ask {
	return ask{origin: origin, method: method, header: header, credentials: credentials}
}

func at2(host, path string, a ask) ask {
	a.host, a.path = host, path
	return a
}

// evil are origins that nobody means to allow, where example.com is meant.
var evil = []ask{
	page("https://evil.test", "GET", "", true), page("https://evilexample.com", "GET", "", true), page("https://app.example.com.evil.test", "GET", "", false),
	page("null", "GET", "", true), page("http://app.example.com", "GET", "", true), page("https://appxexample.com", "GET", "", false),
}

func on(host, path string, asks []ask) []ask {
	var out []ask
	for _, a := range asks {
		out = append(out, at2(host, path, a))
	}
	return out
}

var goldenCases = []goldenCase{
	{
		"envoy/policy.yaml",
		[]ask{
			page("https://app.example.com", "PUT", "authorization", true), page("https://shop.example.com", "GET", "", true), page("https://a.example.org", "GET", "", true),
			page("https://api.example.net", "GET", "", true), page("http://intranet.example.com", "GET", "", false), page("null", "GET", "", false),
		},
		append(slices.Clone(evil), page("http://intranet.example.com", "GET", "", true), page("https://shop.example.com.evil.test", "GET", "", false), page("https://app.example.com", "DELETE", "", false)),
	},
	{
		"envoy/bootstrap.yaml",
		[]ask{
			at2("web.example.com", "/x", page("https://evil.test", "GET", "", false)), at2("api.example.com", "/v1/x", page("https://app.example.com", "PUT", "content-type", true)),
			at2("api.example.com", "/admin/x", page("https://admin.example.com", "GET", "", true)),
			{host: "api.example.com", path: "/v2/x", route: "beta", origin: "https://beta.example.com", method: "GET"},
		},
		append(slices.Concat(on("api.example.com", "/v1/x", evil), on("api.example.com", "/health", evil), on("api.example.com", "/none", evil)),
			at2("api.example.com", "/healthy", page("https://app.example.com", "GET", "", false)), at2("api.example.com", "/admin", page("https://app.example.com", "GET", "", false)),
			at2("web.example.com", "/", page("https://evil.test", "GET", "", true))),
	},
	{
		"envoy/old.yaml", []ask{at2("a.test", "/x", page("https://app.example.com", "DELETE", "", false))},
		append(slices.Clone(evil), at2("a.test", "/private/x", page("https://private.example.com", "GET", "", false)), at2("a.test", "/private/x", page("https://app.example.com", "GET", "", false))),
	},
	{
		"istio/virtualservice.yaml",
		[]ask{
			at2("shop.example.com", "/api/x", page("https://app.example.com", "DELETE", "authorization", true)), at2("shop.example.com", "/apis", page("https://partner.example.org", "GET", "", true)),
			at2("shop.example.com", "/legacy/1", page("https://a.b.preview.example.net", "GET", "", true)), at2("shop.example.com", "/x", page("https://evil.test", "GET", "", false)),
		},
		append(slices.Concat(on("shop.example.com", "/api/x", evil), on("shop.example.com", "/login", evil)),
			at2("shop.example.com", "/login", page("https://app.example.com", "GET", "", false)), at2("other.example.com", "/api", page("https://app.example.com", "GET", "", false)),
			at2("shop.example.com", "/api", page("https://partner.example.org.evil.test", "GET", "", false)), at2("shop.example.com", "/x", page("https://evil.test", "PUT", "", false))),
	},
	{
		"gateway-api/httproute.yaml",
		[]ask{
			at2("store.example.com", "/api/x", page("https://app.example.com", "DELETE", "authorization", true)), at2("eu.store.example.com", "/status", page("https://a.b.example.com", "GET", "", true)),
			at2("store.example.com", "/api", page("http://dev.example.com", "GET", "", false)),
		},
		append(on("store.example.com", "/api", evil), at2("store.example.com", "/api/v2/x", page("https://app.example.com", "GET", "", false)),
			at2("store.example.com", "/", page("https://app.example.com", "GET", "", false)), at2("store.example.com", "/apis", page("https://app.example.com", "GET", "", false)),
			at2("store.example.com", "/api", page("http://dev.example.com", "GET", "", true)), at2("store.example.com", "/api", page("https://evil.test:8443", "GET", "", false))),
	},
	{
		"envoy-gateway/securitypolicy.yaml",
		[]ask{page("https://a.example.com", "PUT", "authorization", true), page("http://localhost:3000", "GET", "", true), page("https://evil.test", "GET", "", false)},
		[]ask{page("https://evil.test", "GET", "", true), page("http://evil.test", "GET", "", false), page("https://a.example.com", "DELETE", "", true), page("null", "GET", "", false)},
	},
	{
		"ingress-nginx/ingress.yaml",
		[]ask{
			at2("api.example.com", "/x", page("https://app.example.com", "PUT", "authorization", true)), at2("api.example.com", "/", page("https://a.example.org", "GET", "", true)),
			at2("open.example.com", "/filesystem", page("https://evil.test", "DELETE", "authorization", false)),
		},
		append(slices.Concat(on("api.example.com", "/", evil), on("api.example.com", "/admin/x", evil)),
			at2("api.example.com", "/admin", page("https://app.example.com", "GET", "", false)), at2("api.example.com", "/", page("https://a.b.example.org", "GET", "", false)),
			at2("api.example.com", "/", page("https://app.example.com", "DELETE", "", false)), at2("open.example.com", "/", page("https://evil.test", "GET", "", false)),
			at2("open.example.com", "/files", page("https://evil.test", "GET", "", true))),
	},
	{
		"kong/kong.yml",
		[]ask{page("https://app.example.com", "PATCH", "x-any", true), page("https://www.example.com", "GET", "", true), page("https://a.example.org", "GET", "authorization", true)},
		append(slices.Clone(evil), page("http://a.example.org", "GET", "", false), page("https://api.example.com.evil.test", "GET", "", false), page("http://a.example.com", "GET", "", false)),
	},
	{"kong/scopes.yml", []ask{page("https://evil.test", "GET", "", false)}, []ask{page("https://evil.test", "GET", "", true), page("https://evil.test", "PUT", "", false), page("https://evil.test", "GET", "x-a", false)}},
	{
		"traefik/dynamic.yaml", []ask{page("https://app.example.com", "PUT", "", true), page("https://a.example.org", "GET", "", true)},
		append(slices.Clone(evil), page("https://x.example.com", "GET", "", false), page("https://a.example.net", "GET", "", false), page("https://app.example.com", "GET", "x-a", true)),
	},
	{"traefik/compose.yaml", []ask{page("https://www.example.com", "PUT", "", true)}, append(slices.Clone(evil), page("https://app.example.com", "DELETE", "", true))},
	{
		"spring/application.yml",
		[]ask{at2("", "/admin/x", page("https://admin.example.com", "DELETE", "x-any", true)), at2("", "/x", page("https://evil.test", "DELETE", "x-a", false))},
		append(on("", "/admin", evil), at2("", "/read", page("https://app.example.com", "GET", "", false)), at2("", "/broken", page("https://app.example.com", "GET", "", false)),
			at2("", "/x", page("https://evil.test", "GET", "x-b", false)), at2("", "/x", page("https://evil.test", "GET", "", true))),
	},
	{
		"express/options.json",
		[]ask{page("https://app.example.com", "PUT", "authorization", true), page("https://abc.example.org", "GET", "", true), page("null", "GET", "", false)},
		append(slices.Clone(evil), page("https://b.example.com", "GET", "", false), page("https://app.example.com", "DELETE", "", true)),
	},
	{
		"rs-cors/options.json", []ask{page("https://a.example.com", "PUT", "x-a", true), page("http://localhost:3000", "GET", "", true)},
		append(slices.Clone(evil), page("http://localhost", "GET", "", false), page("https://shop.evil.test", "GET", "", false), page("https://a.example.com", "GET", "x-b", true)),
	},
}

func TestSourcesBecomeTheirGoldenPolicies(t *testing.T) {
	for _, g := range goldenCases {
		t.Run(g.file, func(t *testing.T) {
			name := filepath.Join("testdata", filepath.FromSlash(g.file))
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			result, err := Convert([]Input{{filepath.Base(name), data}}, Auto)
			if err != nil {
				t.Fatal(err)
			}
			if want := filepath.Dir(filepath.FromSlash(g.file)); result.From != want {
				t.Errorf("taken for %s, is of %s", result.From, want)
			}
			got := golden{From: result.From}
			for i := range result.Configurations {
				got.Policies = append(got.Policies, result.Configurations[i].JSON)
			}
			for i := range result.Findings {
				f := &result.Findings[i]
				got.Findings = append(got.Findings, f.Place.String()+" "+f.Severity.String()+" "+f.Rule.ID)
			}
			compareGolden(t, strings.TrimSuffix(name, filepath.Ext(name))+".golden", append(pretty(got), "\n"...))
			c := compile(t, result.Configurations[0].JSON)
			for i := range g.allowed {
				if !c.permits(&g.allowed[i]) {
					t.Errorf("%+v is not permitted", g.allowed[i])
				}
			}
			for i := range g.hostile {
				if c.permits(&g.hostile[i]) {
					t.Errorf("%+v is permitted", g.hostile[i])
				}
			}
		})
	}
}

func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; run the test with -update and look at the difference. Got:\n%s", name, got)
	}
}

func TestEveryTestFileIsAsked(t *testing.T) {
	files, err := filepath.Glob("testdata/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f = filepath.ToSlash(f)
		asked := slices.ContainsFunc(goldenCases, func(g goldenCase) bool { return "testdata/"+g.file == f })
		if !asked && !strings.HasSuffix(f, ".golden") && !strings.HasPrefix(f, "testdata/fuzz/") {
			t.Errorf("%s stands there for nothing", f)
		}
	}
}
