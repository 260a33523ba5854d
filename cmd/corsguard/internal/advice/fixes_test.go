package advice

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/document"
	"corsguard/cmd/corsguard/internal/finding"
)

var (
	addition    = regexp.MustCompile(`^add ("\w+"): (.*?)(?: to (isolation|securityHeaders|it), .*)?$`)
	replacement = regexp.MustCompile(`^write ("[^"]*"|\[[^\]]*\]|\d+|true|false)(?:[,;]? (?:once|when|if|or|it|for|where|in|to) .*)?(?:, .*)?$`)
)

// fix returns a policy with the fix of a finding, and whether that says what to write.
func fix(t *testing.T, policy []byte, f *finding.Finding) ([]byte, bool) {
	t.Helper()
	var root any
	if err := json.Unmarshal(policy, &root); err != nil {
		t.Fatal(err)
	}
	steps := strings.FieldsFunc(f.Place.Path, func(r rune) bool { return r == '.' || r == '[' || r == ']' || r == '$' })
	if key, ok := strings.CutPrefix(f.Fix, "leave "); ok && len(steps) > 1 && key == steps[len(steps)-2]+" out" {
		return marshal(t, edit(t, root, steps[:len(steps)-1], func(any) (any, bool) { return nil, false })), true
	}
	remove := f.Fix == "leave it out" || strings.HasPrefix(f.Fix, "leave it out, ") || f.Fix == "leave one of them out"
	switch added := addition.FindStringSubmatch(f.Fix); {
	case remove:
		root = edit(t, root, steps, func(any) (any, bool) { return nil, false })
	case added != nil:
		if i := slices.Index(steps, added[3]); i >= 0 {
			steps = steps[:i+1]
		} else if added[3] == "securityHeaders" {
			steps = append(steps, added[3])
		}
		root = edit(t, root, steps, func(at any) (any, bool) {
			object, _ := at.(map[string]any)
			if object == nil {
				object = map[string]any{}
			}
			var key string
			var value any
			if json.Unmarshal([]byte(added[1]), &key) != nil || json.Unmarshal([]byte(added[2]), &value) != nil {
				t.Fatalf("%q is no JSON", f.Fix)
			}
			object[key] = value
			return object, true
		})
	default:
		written := replacement.FindStringSubmatch(f.Fix)
		if written == nil || len(steps) == 0 {
			return policy, false
		}
		var value any
		if err := json.Unmarshal([]byte(written[1]), &value); err != nil {
			t.Fatalf("%q: %v", f.Fix, err)
		}
		if _, isList := value.([]any); isList {
			steps = steps[:len(steps)-1]
		}
		root = edit(t, root, steps, func(any) (any, bool) { return value, true })
	}
	return marshal(t, root), true
}

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// edit returns v with what change makes of the value at a path, or without it.
func edit(t *testing.T, v any, steps []string, change func(any) (any, bool)) any {
	t.Helper()
	if len(steps) == 0 {
		out, _ := change(v)
		return out
	}
	switch v := v.(type) {
	case map[string]any:
		if len(steps) == 1 {
			if out, keep := change(v[steps[0]]); keep {
				v[steps[0]] = out
			} else {
				delete(v, steps[0])
			}
		} else {
			v[steps[0]] = edit(t, v[steps[0]], steps[1:], change)
		}
		return v
	case []any:
		i, err := strconv.Atoi(steps[0])
		if err != nil || i >= len(v) {
			t.Fatalf("%v in %v", steps, v)
		}
		if len(steps) == 1 {
			out, keep := change(v[i])
			if !keep {
				return slices.Delete(v, i, i+1)
			}
			v[i] = out
		} else {
			v[i] = edit(t, v[i], steps[1:], change)
		}
		return v
	}
	t.Fatalf("%v in %v", steps, v)
	return nil
}

func findingsOf(t *testing.T, policy []byte) []finding.Finding {
	t.Helper()
	policies, _, err := document.Read("policy.json", policy)
	if err != nil || len(policies) != 1 {
		t.Fatalf("%s: %d policies, %v", policy, len(policies), err)
	}
	return Check(&policies[0])
}

// TestFixesHelp applies each fix that says what to write: the plugin takes the policy, there is one finding of the rule fewer, and none that counts more than the one before.
func TestFixesHelp(t *testing.T) {
	applied := map[string]int{}
	for _, policy := range policiesToFix(t) {
		before := findingsOf(t, policy)
		for i := range before {
			f := &before[i]
			fixed, ok := fix(t, policy, f)
			if !ok || f.Rule == unwiseSetting { // what the plugin says is tested with the plugin
				continue
			}
			applied[f.Rule.ID]++
			count := map[*finding.Rule]int{}
			for _, b := range before {
				count[b.Rule]++
			}
			there := false
			for _, after := range findingsOf(t, fixed) {
				count[after.Rule]--
				there = there || after.Rule == f.Rule && after.Place.Path == f.Place.Path
				if after.Rule == invalidPolicy || count[after.Rule] < 0 && after.Severity > f.Severity {
					t.Errorf("%s\n%s at %s, fix %q, gives\n%s\n%s at %s: %s", policy, f.Rule.ID, f.Place.Path, f.Fix, fixed, after.Rule.ID, after.Place.Path, after.Message)
				}
			}
			if there && count[f.Rule] <= 0 { // what follows in a list moves to the place of what is left out
				t.Errorf("%s\n%s at %s is there still after %q:\n%s", policy, f.Rule.ID, f.Place.Path, f.Fix, fixed)
			}
		}
	}
	t.Log(applied)
	if len(applied) < 20 {
		t.Errorf("only the fixes of %v say what to write", slices.Sorted(maps.Keys(applied)))
	}
}

// policiesToFix are those of the corpus and of the reference, and some made at random.
func policiesToFix(t *testing.T) (policies [][]byte) {
	t.Helper()
	for _, file := range corpus[accepted](t, "cases") {
		policies = append(policies, file.Config)
		for _, c := range file.Cases {
			policies = append(policies, c.Config)
		}
	}
	for _, name := range []string{"docs/configuration.md", "README.md"} {
		data, err := os.ReadFile(filepath.Join(repository, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllSubmatch(data, -1) {
			if _, _, err := document.Read("policy.json", block[1]); err == nil {
				policies = append(policies, block[1])
			}
		}
	}
	for seed := range uint64(300) {
		policies = append(policies, randomPolicy(rand.New(rand.NewPCG(seed, 6)))) //nolint:gosec // a test is to be repeatable
	}
	return slices.DeleteFunc(policies, func(p []byte) bool {
		if len(p) == 0 {
			return true
		}
		found, _, err := document.Read("policy.json", p)
		if err != nil || len(found) != 1 {
			return true
		}
		all := Check(&found[0])
		return len(all) > 0 && all[0].Rule == invalidPolicy
	})
}

func randomPolicy(r *rand.Rand) []byte {
	keys := func(of map[string][]string) string {
		var out []string
		for _, key := range slices.Sorted(maps.Keys(of)) {
			if values := of[key]; r.IntN(2) == 0 {
				out = append(out, strconv.Quote(key)+": "+values[r.IntN(len(values))])
			}
		}
		return "{" + strings.Join(out, ", ") + "}"
	}
	cors := func() string {
		group := func() string {
			text := keys(map[string][]string{
				"allowMethods": {`["OPTIONS"]`, `["GET", "POST", "PUT", "OPTIONS"]`, `["*"]`, `["PUT"]`}, "allowHeaders": {`["accept"]`, `["*"]`, `["authorization", "accept", "x-a"]`},
				"exposeHeaders": {`["content-type"]`, `["x-a"]`}, "allowCredentials": {"true", "false"}, "maxAge": {"0", "10000", "86400", "5"}, "allowNull": {"true"}, "allowPrivateNetwork": {"true"},
				"upstreamHeaders": {`"keep"`}, "onRefusedPreflight": {`"forward"`}, "dangerously": {`{"allowInsecureOrigins": true}`, `{"allowPublicSuffixWildcards": true}`, `{"allowInsecureOrigins": true, "allowPublicSuffixWildcards": true}`},
			})
			origins := []string{`["*"]`, `["https://app.example.com"]`, `["https://app.example.com", "https://*.example.com", "http://localhost:*"]`, `["http://app.example.com"]`, `["https://*.github.io"]`, `["https://x*.example.com", "https://xy*.example.com"]`}
			if r.IntN(10) > 0 {
				text = strings.Replace(text, "{", `{"allowOrigins": `+origins[r.IntN(len(origins))]+", ", 1)
			}
			return strings.Replace(text, ", }", "}", 1)
		}
		switch r.IntN(5) {
		case 0:
			return "[" + group() + ", " + group() + "]"
		case 1:
			return "null"
		}
		return group()
	}
	blocks := func() map[string][]string {
		return map[string][]string{
			"cors": {cors()}, "mode": {`"shadow"`, `"enforce"`, `"off"`, `{"enforce": {"numerator": 5}}`}, "fetchMetadata": {`{}`, `{"mode": "report"}`},
			"isolation":       {`{"preset": "cross-origin-isolated"}`, `{"crossOriginOpenerPolicy": "same-origin"}`, `{"crossOriginEmbedderPolicy": "credentialless"}`, `{"crossOriginEmbedderPolicy": "require-corp"}`},
			"securityHeaders": {`{"strictTransportSecurity": "max-age=5"}`, `{"contentSecurityPolicy": "default-src *"}`, `{"xContentTypeOptions": "nosniff"}`},
		}
	}
	top := blocks()
	top["log"] = []string{`{"refusalsPerMinute": 0}`}
	text := keys(top)
	if r.IntN(2) == 0 {
		rule := blocks()
		rule["cors"] = append(rule["cors"], top["cors"]...)
		text = strings.TrimSuffix(text, "}") + `, "rules": [` + strings.Replace(keys(rule), "{", `{"name": "one", "match": {"paths": [{"prefix": "/v1"}]}, `, 1) + "]}"
		text = strings.ReplaceAll(strings.ReplaceAll(text, "{, ", "{"), ", }", "}")
	}
	return []byte(text)
}
