package e2e_test

import (
	"fmt"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/wire"
)

// pathRules are the rules of the tests of paths.
var pathRules = rulesConfig(
	ruled{"public", `{"paths": [{"prefix": "/public"}]}`},
	ruled{"admin", `{"paths": [{"prefix": "/admin"}]}`},
)

// redirected stands for Envoy's own answer: it sends the client to the path without escaped slashes.
const redirected = "redirected"

// paths are what clients send, and the rule that decides, for a listener that tidies paths up as envoy.yaml has it and for one that leaves them as they come.
var paths = []struct{ path, tidied, raw string }{
	{"/public/x", "public", "public"},
	{"/public", "public", "public"},
	{"/public/", "public", "public"},
	{"/publicity", corpus.DefaultRule, corpus.DefaultRule},
	{"/public/x?to=/../admin", "public", "public"},
	{"/Public/x", corpus.DefaultRule, corpus.DefaultRule},
	{"/public/../admin/x", "admin", undecided},
	{"/public/./x", "public", undecided},
	{"/public/%2e%2e/admin/x", "admin", undecided},
	{"/public/%2E./admin/x", "admin", undecided},
	{"/public/..", corpus.DefaultRule, undecided},
	{"//admin/x", "admin", undecided},
	{"/public//x", "public", "public"},
	{"/%61dmin/x", "admin", undecided},
	{"/%2561dmin/x", undecided, undecided},
	{"/public%2fx", redirected, undecided},
	{"/public%2F..%2Fadmin/x", redirected, undecided},
	{"/public/x%2Fy", redirected, "public"},
	{"/admin;v=1/x", undecided, undecided},
	{`/public\..\admin`, "admin", undecided},
	{"/public%5c..%5cadmin", redirected, undecided},
}

// TestRulesByPath holds that what Envoy does not tidy up is not granted by a rule that the upstream may see otherwise.
func TestRulesByPath(t *testing.T) {
	t.Parallel()
	t.Run("tidied", func(t *testing.T) {
		addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(pathRules)}, Extra: envoy.Object{
			"normalize_path": true, "merge_slashes": true, "path_with_escaped_slashes_action": "UNESCAPE_AND_REDIRECT",
		}})
		for _, c := range paths {
			checkPath(t, addr, c.path, c.tidied)
		}
	})
	t.Run("raw", func(t *testing.T) {
		addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(pathRules)}, Extra: envoy.Object{
			"normalize_path": false, "merge_slashes": false, "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
		}})
		for _, c := range paths {
			checkPath(t, addr, c.path, c.raw)
		}
	})
}

func checkPath(t *testing.T, addr, path, rule string) {
	t.Helper()
	r := corpus.Request{Path: path}
	if rule != redirected {
		checkDecides(t, addr, r, 200, rule)
		checkDecidesPreflight(t, addr, r, rule)
		return
	}
	for _, p := range protocols {
		got := send(t, p, addr, wire.With(r, "origin", appOrigin))
		if err := verify(got, 307, nil); err != nil {
			t.Errorf("%s, %s: %v", p.name, path, err)
		}
	}
}

// TestLongPathsAgainstRegexes sends paths of up to 50 KB, made to be costly to match or to tidy up, to rules with regular expressions. Each is answered
// soon, and nothing is granted to those too long to be asked about. The VM lives on.
func TestLongPathsAgainstRegexes(t *testing.T) {
	t.Parallel()
	var rules []ruled
	for i := range 20 { // close to as many expressions as a configuration may have
		for _, r := range []ruled{{"nested", "/(a+)+b%d"}, {"many", "/([a-z]*/)*(x|xx|xxx)*end%d"}, {"late", ".*/[ab]*a[ab]{20}(%d)?"}} {
			rules = append(rules, ruled{fmt.Sprint(r.name, i), fmt.Sprintf(`{"paths": [{"regex": "`+r.match+`"}]}`, i)})
		}
	}
	addr := listen(t, envoy.HCM{Filters: []envoy.Object{plugin(rulesConfig(rules...))}, Extra: envoy.Object{"normalize_path": false, "merge_slashes": false}})
	const size, asked = 50_000, 2_000
	for name, part := range map[string]string{
		"one letter": "a", "letters": "ab", "segments": "x/", "slashes": "/", "dots": "./", "double dots": "../", "escaped": "%61", "escaped slashes": "%2f",
		"escaped dots": "%2e", "escaped escapes": "25", "broken escapes": "%", "parameters": ";a", "empty parameters": ";", "backslashes": `\`, "escaped bytes": "%ff",
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{asked, size} {
				path := "/" + strings.Repeat(part, n/len(part))
				if part == "25" { // %252525…: each decoding leaves another escape
					path = "/%" + strings.Repeat(part, n/len(part)) + "61"
				}
				for _, p := range protocols {
					got := soon(t, p, addr, corpus.Request{Path: path, Headers: []corpus.Header{originHeader(appOrigin)}})
					if by, err := decidedBy(got, false); by != undecided && n == size || err != nil {
						t.Errorf("%s: %d bytes: status %d, decided by %q (%v)", p.name, len(path), got.Status, by, err)
					}
				}
			}
		})
	}
	checkDecides(t, addr, corpus.Request{Path: "/aaaab7"}, 200, "nested7")
	checkDecides(t, addr, corpus.Request{Path: "/"}, 200, corpus.DefaultRule)
}
