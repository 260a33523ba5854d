package convert

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// origins returns what a source's one origin becomes, with the credentials that it gets, and the findings' rules.
func origins(t *testing.T, from, source string) (with, without, rules []string) {
	t.Helper()
	result, err := Convert([]Input{{"source", []byte(source)}}, from)
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	for i := range result.Findings {
		if id := result.Findings[i].Rule.ID; id != "convert-upstream-headers" && id != "convert-refused-preflight" && id != "convert-scope-unknown" && id != "convert-nothing-left" {
			rules = append(rules, strings.TrimPrefix(id, "convert-"))
		}
	}
	if len(result.Configurations) == 0 {
		return nil, nil, rules
	}
	var one struct{ CORS json.RawMessage }
	if err := json.Unmarshal(result.Configurations[0].JSON, &one); err != nil {
		t.Fatal(err)
	}
	type block struct {
		AllowOrigins                []any
		AllowCredentials, AllowNull bool
	}
	var blocks []block
	if err := json.Unmarshal(one.CORS, &blocks); err != nil {
		blocks = make([]block, 1)
		if err := json.Unmarshal(one.CORS, &blocks[0]); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range blocks {
		list := &without
		if b.AllowCredentials {
			list = &with
		}
		for _, o := range b.AllowOrigins {
			text, isText := o.(string)
			if !isText {
				text = "re:" + o.(map[string]any)["regex"].(string)
			}
			*list = append(*list, text)
		}
		if b.AllowNull {
			*list = append(*list, "null")
		}
	}
	return with, without, rules
}

func TestEnvoyOriginsBecomeNarrowerOrNothing(t *testing.T) {
	for matcher, want := range map[string][3]string{
		`{"exact": "https://a.example.com"}`:                           {"https://a.example.com", "", ""},
		`{"exact": "*"}`:                                               {"", "*", "any-origin-with-credentials"},
		`{"exact": "null"}`:                                            {"", "null", "null-origin not-with-credentials"},
		`{"exact": "https://*.example.com"}`:                           {"", "", "origin-never-matches"},
		`{"exact": "https://a.example.com/"}`:                          {"", "", "origin-never-matches"},
		`{"exact": "http://a.example.com"}`:                            {"", "http://a.example.com", "not-with-credentials"},
		`{"exact": "http://localhost"}`:                                {"http://localhost", "", ""},
		`{"prefix": "https://a.example.com"}`:                          {"https://a.example.com:*", "", "prefix-match"},
		`{"prefix": "https://a.example.com:"}`:                         {`re:https://a\.example\.com:[0-9]+`, "", ""},
		`{"prefix": "https://"}`:                                       {"", "https://*", "not-with-credentials"},
		`{"prefix": "https://a."}`:                                     {"", "", "prefix-match"},
		`{"suffix": ".example.com"}`:                                   {"https://*.example.com", "", "suffix-match"},
		`{"suffix": "example.com"}`:                                    {"https://*.example.com https://example.com", "", "suffix-match"},
		`{"suffix": ".github.io"}`:                                     {"", "https://*.github.io", "suffix-match not-with-credentials"},
		`{"suffix": "://a.example.com"}`:                               {"https://a.example.com", "", "suffix-match"},
		`{"contains": "example"}`:                                      {"", "", "suffix-match"},
		`{"contains": "example.com"}`:                                  {"https://*.example.com https://example.com", "", "suffix-match"},
		`{"contains": "*"}`:                                            {"", "*", "any-origin-with-credentials"},
		`{"safe_regex": {"regex": ".*"}}`:                              {"", "*", "any-origin-with-credentials"},
		`{"safe_regex": {"regex": "[^a]"}}`:                            {"", "*", "any-origin-with-credentials"},
		`{"safe_regex": {"regex": "https?://a\\.example\\.com"}}`:      {`re:https://a\.example\.com`, `re:http://a\.example\.com`, "not-with-credentials"},
		`{"safe_regex": {"regex": "https://.*\\.example\\.com"}}`:      {`re:https://.*\.example\.com`, "", ""},
		`{"safe_regex": {"regex": "https://.*example\\.com"}}`:         {"https://*.example.com https://example.com", "", "suffix-match"},
		`{"safe_regex": {"regex": "https://a.example.com"}}`:           {"https://a.example.com", "", "regex-refused"},
		`{"safe_regex": {"regex": "https://.+example\\.com"}}`:         {"", "", "regex-refused"},
		`{"safe_regex": {"regex": "https://a\\.example\\.com.*"}}`:     {"https://a.example.com:*", "", "prefix-match"},
		`{"safe_regex": {"regex": "https://[a-z]+\\.com"}}`:            {"", "", "regex-refused"},
		`{"safe_regex": {"regex": "(?i)https://a\\.example\\.com"}}`:   {`re:https://a\.example\.com`, "", ""},
		`{"safe_regex": {"regex": "(?=x)y"}}`:                          {"", "", "regex-refused"},
		`{"custom": {"name": "x"}}`:                                    {"", "", "code"},
		`{"exact": "HTTPS://A.example.com", "ignore_case": true}`:      {"https://a.example.com", "", ""},
		`{"exact": "chrome-extension://abcdefghijklmnopabcdefghijkl"}`: {"chrome-extension://abcdefghijklmnopabcdefghijkl", "", ""},
	} {
		with, without, rules := origins(t, "envoy", `{"allow_origin_string_match": [`+matcher+`], "allow_credentials": true}`)
		slices.Sort(with)
		got := [3]string{strings.Join(with, " "), strings.Join(without, " "), strings.Join(rules, " ")}
		if got != want {
			t.Errorf("%s:\ngot  %q\nwant %q", matcher, got, want)
		}
	}
}

func TestOriginsOfOtherProductsBecomeNarrowerOrNothing(t *testing.T) {
	for _, c := range []struct {
		from, source string
		want         [3]string
	}{
		{"express", `{"origin": true, "credentials": true}`, [3]string{"", "*", "any-origin-with-credentials"}},
		{"express", `{"origin": false}`, [3]string{}},
		{"express", `{"credentials": true}`, [3]string{"", "*", "any-origin-with-credentials"}},
		{"express", `{"origin": {"regex": "^https://(a|b)\\.example\\.com$"}}`, [3]string{"", `re:https://(a|b)\.example\.com`, ""}},
		{"express", `{"origin": {"regex": "^https://a\\.example\\.com\\$"}}`, [3]string{"", "", "unanchored-regex"}},
		{"traefik", `{"accessControlAllowOriginList": ["*", "https://a.example.com"], "accessControlAllowCredentials": true}`, [3]string{"", "*", "any-origin-with-credentials"}},
		{"traefik", `{"accessControlAllowOriginList": ["https://a.example.com", "*"], "accessControlAllowCredentials": true}`, [3]string{"https://a.example.com", "*", "any-origin-with-credentials"}},
		{"traefik", `{"accessControlAllowOriginListRegex": ["https://a\\.example\\.com"]}`, [3]string{"", "", "unanchored-regex"}},
		{"rs-cors", `{"AllowCredentials": true}`, [3]string{"", "*", "any-origin-with-credentials"}},
		{"rs-cors", `{"allowed_origins": ["https://a.example.com"], "allowed_methods": ["GET"]}`, [3]string{"", "", "simple-methods"}},
		{"rs-cors", `{"AllowedOrigins": ["https://*-a.example.com"]}`, [3]string{"", "https://*-a.example.com", "origin-narrowed"}},
		{"rs-cors", `{"AllowedOrigins": ["https://*example.com"]}`, [3]string{"", "https://*.example.com https://example.com", "suffix-match"}},
		{"envoy-gateway", `{"allowOrigins": ["http*://*.example.com"]}`, [3]string{"", "https://*.example.com http://*.example.com", "suffix-match"}},
		{"envoy-gateway", `{"allowOrigins": ["*"], "allowCredentials": true}`, [3]string{"", "*", "any-origin-with-credentials"}},
		{"spring", `{"allowedOriginPatterns": ["https://*.example.com:[8443,9443]", "https://a.example.com:[*]"], "allowedMethods": ["*"]}`, [3]string{"", "https://*.example.com:8443 https://*.example.com:9443 https://a.example.com:*", ""}},
		{"spring", `{"allowedOrigins": ["https://a.example.com"]}`, [3]string{"", "", "simple-methods"}},
		{"kong", `{"name": "cors", "config": {"origins": ["https://a.example.com", "*"], "credentials": true}}`, [3]string{"https://a.example.com", "*", "any-origin-with-credentials"}},
		{"kong", `{"name": "cors", "config": {"origins": ["a.example.com", "https://b.example.com:443"]}}`, [3]string{"", "https://b.example.com", "origin-never-matches"}},
		{"istio", `{"corsPolicy": {"allowOrigin": ["*"]}}`, [3]string{"", "*", ""}},
		{"istio", `{"corsPolicy": {"allowOrigins": [{"prefix": "https://a.example.com"}], "allowOrigin": ["*"]}}`, [3]string{"", "https://a.example.com:*", "prefix-match setting-lost"}},
	} {
		with, without, rules := origins(t, c.from, c.source)
		got := [3]string{strings.Join(with, " "), strings.Join(without, " "), strings.Join(rules, " ")}
		if got != c.want {
			t.Errorf("%s %s:\ngot  %q\nwant %q", c.from, c.source, got, c.want)
		}
	}
}
