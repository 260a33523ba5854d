package explain_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/explain"
	"corsguard/cmd/corsguard/internal/finding"
)

func newPolicy(t *testing.T, config string) *explain.Policy {
	t.Helper()
	p, err := explain.NewPolicy([]byte(config), func(path string) finding.Place { return finding.Place{File: "policy.json", Path: path} })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func page(t *testing.T, rawURL, origin, method string, headers ...browser.Header) *explain.Page {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return &explain.Page{Request: browser.Request{URL: u, Origin: origin, Method: method, Headers: headers}, Upstream: edge.Response{Status: 200}}
}

const (
	api  = "https://api.example.com/v1"
	app  = "https://app.example.com"
	evil = "https://evil.test"
)

// changed is a text that says what to change, and the path where.
type changed struct{ text, path string }

func TestChangesNameWhatIsMissingAndWhere(t *testing.T) {
	json := browser.Header{Name: "Content-Type", Value: "application/json"}
	tests := map[string]struct {
		config string
		page   *explain.Page
		want   []changed
	}{
		"an allowed request needs none": {`{"cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, app, "GET"), nil},
		"an origin": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, "https://other.example.com", "GET"),
			[]changed{{`add "https://other.example.com" to allowOrigins`, "cors.allowOrigins"}},
		},
		"an origin of a rule": {
			`{"cors": {"allowOrigins": ["https://other.test"]}, "rules": [{"name": "v1", "match": {"paths": [{"prefix": "/v1"}]}, "cors": {"allowOrigins": ["https://app.example.com"]}}]}`,
			page(t, api, "https://other.test", "GET"), []changed{{`add "https://other.test" to allowOrigins`, "rules[0].cors.allowOrigins"}},
		},
		"an origin where a rule has the default's block": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "v1", "match": {"paths": [{"prefix": "/v1"}]}, "mode": "enforce"}]}`,
			page(t, api, "https://other.test", "GET"), []changed{{`add "https://other.test" to allowOrigins`, "cors.allowOrigins"}},
		},
		"an origin of another scheme": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, "http://app.example.com", "GET"),
			[]changed{{`is listed, but for https, and the request comes from http`, "cors.allowOrigins"}, {`add "http://app.example.com"`, "cors.allowOrigins"}},
		},
		"an insecure origin is not to be added with credentials": {
			`{"cors": {"allowOrigins": ["https://other.test"], "allowCredentials": true}}`, page(t, api, "http://app.example.com", "GET"),
			[]changed{{`serve them over https`, "cors.allowOrigins"}},
		},
		"an origin with another port": {
			`{"cors": {"allowOrigins": ["https://app.example.com:8443"]}}`, page(t, api, app, "GET"),
			[]changed{{`with another port`, "cors.allowOrigins"}, {`add "https://app.example.com"`, "cors.allowOrigins"}},
		},
		"the domain beside its subdomains": {
			`{"cors": {"allowOrigins": ["https://*.example.org"]}}`, page(t, api, "https://example.org", "GET"),
			[]changed{{`the domain itself has to be listed too`, "cors.allowOrigins"}, {`add "https://example.org"`, "cors.allowOrigins"}},
		},
		"www": {
			`{"cors": {"allowOrigins": ["https://example.org"]}}`, page(t, api, "https://www.example.org", "GET"),
			[]changed{{`www is another host`, "cors.allowOrigins"}, {`add "https://www.example.org"`, "cors.allowOrigins"}},
		},
		"the null origin is not to be added": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, "null", "GET"), []changed{{`serve the page from an origin of its own`, "cors"}},
		},
		"a method of the group that has the origin": {
			`{"cors": [{"allowOrigins": ["https://app.example.com"], "allowMethods": ["PUT"]}, {"allowOrigins": ["https://other.test"], "allowMethods": ["DELETE"]}]}`,
			page(t, api, app, "DELETE"), []changed{{`add "DELETE" to allowMethods`, "cors[0].allowMethods"}},
		},
		"a method in another case": {
			`{"cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["PATCH"]}}`, page(t, api, app, "patch"),
			[]changed{{`the page asks for "patch" and the policy lists PATCH`, "cors.allowMethods"}},
		},
		"headers, and only those that are missing": {
			`{"cors": {"allowOrigins": ["https://app.example.com"], "allowHeaders": ["X-One"]}}`,
			page(t, api, app, "GET", json, browser.Header{Name: "X-One", Value: "1"}, browser.Header{Name: "X-Two", Value: "2"}),
			[]changed{{`add "content-type", "x-two" to allowHeaders`, "cors.allowHeaders"}},
		},
		"authorization beside a wildcard": {
			`{"cors": {"allowOrigins": ["https://app.example.com"], "allowHeaders": ["*"]}}`,
			page(t, api, app, "GET", browser.Header{Name: "Authorization", Value: "Bearer x"}, browser.Header{Name: "X-Two", Value: "2"}),
			[]changed{{`"authorization"`, "cors.allowHeaders"}},
		},
		"CORS switched off by a rule": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "v1", "match": {"paths": [{"prefix": "/v1"}]}, "cors": null}]}`,
			page(t, api, app, "GET"), []changed{{`CORS is switched off for this rule`, "rules[0].cors"}},
		},
		"shadow mode": {
			`{"mode": "shadow", "cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, app, "GET"), []changed{{`the mode is shadow here`, "mode"}},
		},
		"mode off": {
			`{"mode": "off", "cors": {"allowOrigins": ["https://app.example.com"]}}`, page(t, api, app, "GET"), []changed{{`the mode is off here`, "mode"}},
		},
		"an ambiguous path": {
			`{"cors": {"allowOrigins": ["https://app.example.com"]}, "rules": [{"name": "v1", "match": {"paths": [{"prefix": "/v1"}]}, "cors": null}]}`,
			page(t, "https://api.example.com/v1%2f..%2fx", app, "GET"), []changed{{`let Envoy normalise paths`, ""}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newPolicy(t, test.config).Explain(test.page)
			if len(r.Changes) != len(test.want) {
				t.Fatalf("changes %+v, want %+v", r.Changes, test.want)
			}
			for i, c := range r.Changes {
				if !strings.Contains(c.Text, test.want[i].text) || c.Path != test.want[i].path || c.Place.Path != c.Path {
					t.Errorf("change %+v, want %+v", c, test.want[i])
				}
			}
			if blocked := !r.Browser.Allowed; blocked != (len(test.want) > 0) {
				t.Errorf("blocked %v", blocked)
			}
		})
	}
}

// What explain says to add must do what it is added for: after the changes the request passes.
func TestWhatIsAddedHelps(t *testing.T) {
	before := newPolicy(t, `{"cors": {"allowOrigins": ["https://other.test"]}}`)
	asked := page(t, api, app, "PUT", browser.Header{Name: "X-Trace", Value: "1"})
	asked.Credentials = browser.Include
	for _, config := range []string{
		`{"cors": {"allowOrigins": ["https://other.test", "https://app.example.com"]}}`,
		`{"cors": {"allowOrigins": ["https://other.test", "https://app.example.com"], "allowMethods": ["PUT"]}}`,
		`{"cors": {"allowOrigins": ["https://other.test", "https://app.example.com"], "allowMethods": ["PUT"], "allowHeaders": ["X-Trace"]}}`,
		`{"cors": {"allowOrigins": ["https://other.test", "https://app.example.com"], "allowMethods": ["PUT"], "allowHeaders": ["X-Trace"], "allowCredentials": true}}`,
	} {
		r := before.Explain(asked)
		if r.Browser.Allowed || len(r.Changes) == 0 || r.Actual != nil {
			t.Fatalf("not refused before %s: %+v", config, r.Browser)
		}
		before = newPolicy(t, config)
	}
	if r := before.Explain(asked); !r.Browser.Allowed || len(r.Changes) > 0 || r.Actual == nil {
		t.Errorf("%+v", r)
	}
}

func TestNothingIsSentAfterAFailedPreflight(t *testing.T) {
	p := newPolicy(t, `{"cors": {"allowOrigins": ["https://app.example.com"]}}`)
	r := p.Explain(page(t, api, evil, "DELETE"))
	if r.Preflight == nil || r.Actual != nil || r.Browser.Failure != "missing-allow-origin" || !r.Refused() {
		t.Errorf("%+v %+v", r, r.Browser)
	}
	if r = p.Explain(page(t, api, evil, "GET")); r.Preflight != nil || r.Actual == nil || !r.Refused() {
		t.Errorf("%+v", r)
	}
	if r = p.Explain(page(t, api, app, "GET")); r.Refused() || !slices.Equal(r.Actual.ResponseHeaders, []edge.Header{{"access-control-allow-origin", app}, {"vary", "Origin"}}) {
		t.Errorf("%+v", r.Actual)
	}
}

// A page of the same origin asks no leave.
func TestTheOwnOriginNeedsNoGrant(t *testing.T) {
	r := newPolicy(t, `{"cors": {"allowOrigins": ["https://app.example.com"], "onRefusedOrigin": "deny"}}`).Explain(page(t, api, "https://api.example.com", "DELETE"))
	if r.CrossOrigin || r.Preflight != nil || r.Refused() || len(r.Changes) > 0 || r.Actual.Reason != "same_origin" {
		t.Errorf("%+v %+v", r, r.Actual)
	}
}

func TestAShareIsSaid(t *testing.T) {
	r := newPolicy(t, `{"mode": {"enforce": {"numerator": 125, "denominator": "TEN_THOUSAND"}}, "cors": {"allowOrigins": ["https://app.example.com"]}}`).Explain(page(t, api, app, "GET"))
	if r.Actual.Effect != "enforced" || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "1.25 %") || !strings.Contains(r.Notes[0], "shadow") {
		t.Errorf("%s, %q", r.Actual.Effect, r.Notes)
	}
}

// Nothing that came from a file or a server reaches the terminal as a command.
func TestTextIsPrintable(t *testing.T) {
	raw := &edge.Request{Method: "GET\x1b[31m", Scheme: "https", Authority: "x", Path: "/\x1b]0;\a", Headers: []edge.Header{{"origin", "\x1b[2J\u202e"}}}
	r := newPolicy(t, `{"cors": {"allowOrigins": ["https://app.example.com"]}}`).ExplainRaw(raw, "https://x/\x1b", &edge.Response{Status: 200, Headers: []edge.Header{{"x", "\x1b[0m\r\n"}}})
	for _, text := range []string{r.Text(finding.Palette{}), r.Line(finding.Palette{})} {
		if strings.ContainsAny(text, "\x1b\a\r\u202e") {
			t.Errorf("%q", text)
		}
	}
}

// What the policy fetches is known only where it is given.
func TestFetchedOriginsCount(t *testing.T) {
	const config = `{"cors": [{"allowOrigins": ["https://static.example.com"], "allowOriginsFrom": {"cluster": "origins", "path": "/"}, "allowMethods": ["PUT"]},
		{"allowOriginsFrom": {"cluster": "partners", "path": "/"}}]}`
	p := newPolicy(t, config)
	r := p.Explain(page(t, api, app, "PUT"))
	if !r.Refused() || len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "--fetched") {
		t.Errorf("%+v", r)
	}
	if err := p.Fetch([]byte(`{"allowOrigins": ["https://app.example.com/"]}`)); err == nil {
		t.Error("a document with a mistake is taken")
	}
	for _, document := range []string{`{"hosts": {"api.example.com": {"allowOrigins": ["https://app.example.com"]}}}`, `{"allowOrigins": ["https://partner.test"]}`} {
		if err := p.Fetch([]byte(document)); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Fetch([]byte(`{"allowOrigins": []}`)); err == nil {
		t.Error("two sources give three documents")
	}
	if r := p.Explain(page(t, api, app, "PUT")); r.Refused() || len(r.Notes) > 0 {
		t.Errorf("%+v", r)
	}
	if r := p.Explain(page(t, "https://other.example.com/", app, "PUT")); !r.Refused() {
		t.Errorf("%+v", r)
	}
	if r := p.Explain(page(t, api, "https://partner.test", "PUT")); !r.Refused() || len(r.Changes) != 1 || r.Changes[0].Path != "cors[1].allowMethods" {
		t.Errorf("%+v", r)
	}
	if r := p.Explain(page(t, api, "https://partner.test", "GET")); r.Refused() {
		t.Errorf("%+v", r)
	}
}
