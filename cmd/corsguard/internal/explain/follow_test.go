package explain_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/browser"
	"corsguard/cmd/corsguard/internal/edge"
	"corsguard/cmd/corsguard/internal/explain"
	"corsguard/cmd/corsguard/internal/finding"
)

// follower makes policies and requests at random, and applies the changes that explain proposes.
type follower struct{ *rand.Rand }

func pick[T any](f follower, all ...T) T { return all[f.IntN(len(all))] }

func some[T any](f follower, all ...T) (out []T) {
	for _, v := range all {
		if f.IntN(3) == 0 {
			out = append(out, v)
		}
	}
	return out
}

var patternsToPick = []any{
	"*", app, "https://other.test", "https://*.example.com", "http://localhost:*", "http://old.example.com", "https://*.github.io", "https://pr-*.example.com",
	map[string]any{"regex": `https://(a|b)\.example\.com`}, "https://www.app.example.com", "https://app.example.com:8443", "https://*", "chrome-extension://abcdefghijklmnop",
}

func (f follower) group() map[string]any {
	g := map[string]any{}
	for key, v := range map[string]any{
		"allowOrigins": some(f, patternsToPick...), "allowMethods": some(f, "GET", "POST", "PUT", "patch", "PATCH", "*"), "allowHeaders": some(f, "x-trace", "Content-Type", "authorization", "*"),
		"allowCredentials": pick(f, true, false), "allowNull": f.IntN(5) == 0, "maxAge": 5, "onRefusedPreflight": pick(f, "answer", "deny"),
		"onRefusedOrigin": pick(f, "pass", "deny"), "upstreamHeaders": pick(f, "replace", "keep"), "exposeHeaders": some(f, "x-a", "*"),
	} {
		if key == "allowOrigins" || f.IntN(2) == 0 {
			g[key] = v
		}
	}
	return g
}

func (f follower) cors() any {
	switch f.IntN(4) {
	case 0:
		return []any{f.group(), f.group()}
	case 1:
		if f.IntN(4) == 0 {
			return nil
		}
	}
	return f.group()
}

// policy returns one that the plugin takes.
func (f follower) policy() []byte {
	for {
		p := map[string]any{"cors": f.cors()}
		if f.IntN(2) == 0 {
			rule := map[string]any{"name": "v1", "match": map[string]any{"paths": []any{map[string]any{"prefix": "/v1"}}}}
			if f.IntN(3) > 0 {
				rule["cors"] = f.cors()
			} else {
				rule["mode"] = "enforce"
			}
			p["rules"] = []any{rule}
		}
		if f.IntN(8) == 0 {
			p["mode"] = pick(f, "shadow", "off")
		}
		text, _ := json.Marshal(p)
		if _, err := explain.NewPolicy(text, nowhere); err == nil {
			return text
		}
	}
}

func nowhere(path string) finding.Place { return finding.Place{File: "policy.json", Path: path} }

func (f follower) page(t *testing.T) *explain.Page {
	t.Helper()
	u, err := url.Parse(pick(f, api, "https://api.example.com/other"))
	if err != nil {
		t.Fatal(err)
	}
	p := &explain.Page{Upstream: edge.Response{Status: 200}, Request: browser.Request{
		URL: u, Method: pick(f, "GET", "POST", "PUT", "patch", "PATCH", "DELETE", "QUERY"), Credentials: pick(f, browser.SameOrigin, browser.Include, browser.Omit),
		Origin: pick(f, app, evil, "https://x.example.com", "https://example.com", "http://old.example.com", "http://app.example.com", "http://localhost:3000", "https://pr-1.example.com",
			"https://someone.github.io", "null", "chrome-extension://abcdefghijklmnop", "https://app.example.com:8443", "https://[2001:db8::1]:1", "https://xn--bcher-kva.example"),
		Headers: some(f, browser.Header{Name: "X-Trace", Value: "1"}, browser.Header{Name: "Authorization", Value: "Bearer x"}, browser.Header{Name: "Content-Type", Value: "application/json"}),
	}}
	if f.IntN(6) == 0 {
		p.Upstream.Headers = []edge.Header{{"access-control-allow-origin", "*"}}
	}
	return p
}

var (
	quoted = regexp.MustCompile(`"[^"]*"`)
	step   = regexp.MustCompile(`[^.\[\]]+|\[\d+\]`)
)

// follow applies a change to a policy, and reports whether it is one that needs no thought.
func follow(t *testing.T, config []byte, c *explain.Change) ([]byte, bool) {
	t.Helper()
	var root any
	if err := json.Unmarshal(config, &root); err != nil {
		t.Fatal(err)
	}
	steps := step.FindAllString(c.Path, -1)
	if len(steps) == 0 {
		return config, false
	}
	at := root
	for _, s := range steps[:len(steps)-1] {
		if index, ok := strings.CutPrefix(s, "["); ok {
			i, _ := strconv.Atoi(strings.TrimSuffix(index, "]"))
			at = at.([]any)[i]
		} else {
			at = at.(map[string]any)[s]
		}
	}
	key := steps[len(steps)-1]
	object, ok := at.(map[string]any)
	if !ok && !strings.HasPrefix(key, "[") {
		t.Fatalf("%s\n%s: %q: there is no object", config, c.Path, c.Text)
	}
	switch {
	case strings.HasPrefix(c.Text, "add "):
		what, _, _ := strings.Cut(c.Text, " to "+key)
		list, _ := object[key].([]any)
		for _, name := range quoted.FindAllString(what, -1) {
			list = append(list, strings.Trim(name, `"`))
		}
		object[key] = list
	case strings.HasPrefix(c.Text, "set allowCredentials to true"):
		object[key] = true
	case strings.HasPrefix(c.Text, "* does not stand for authorization"):
		list, _ := object[key].([]any)
		object[key] = append(list, "authorization")
	default:
		return config, false
	}
	out, _ := json.Marshal(root)
	return out, true
}

// TestChangesLeadToARequestThatPasses applies what explain proposes, as far as that says what to write, until the request passes. The plugin takes each policy on the way.
func TestChangesLeadToARequestThatPasses(t *testing.T) {
	passed := 0
	for seed := range uint64(2000) {
		f := follower{rand.New(rand.NewPCG(seed, 6))} //nolint:gosec // a test is to be repeatable
		config, asked := f.policy(), f.page(t)
		trail := fmt.Sprintf("seed %d: %s %s from %s, credentials %v, %v\n%s", seed, asked.Method, asked.URL, asked.Origin, asked.Credentials, asked.Headers, config)
		for turn := 0; ; turn++ {
			p, err := explain.NewPolicy(config, nowhere)
			if err != nil {
				t.Fatalf("%s\nis refused: %v", trail, err)
			}
			r := p.Explain(asked)
			if r.Browser.Allowed {
				if turn > 0 {
					passed++
				}
				break
			}
			if len(r.Changes) == 0 || turn > 5 {
				t.Fatalf("%s\nis blocked, and nothing helps: %+v", trail, r.Browser)
			}
			mechanical, by := false, ""
			for i := range r.Changes {
				trail += "\n" + r.Changes[i].Text + " @ " + r.Changes[i].Path
				next, ok := follow(t, config, &r.Changes[i])
				mechanical = mechanical || ok
				config, by = next, by+r.Changes[i].Text
			}
			if !mechanical {
				break
			}
			trail += "\n" + string(config)
		}
	}
	if passed < 300 {
		t.Errorf("only %d requests were helped", passed)
	}
}
