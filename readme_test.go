package main_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// What the documentation shows must be what the code does. These tests read it as people do, and try it.

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// pages are the documents about configurations.
func pages(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("docs/*.md")
	if err != nil || len(names) < 2 {
		t.Fatalf("%q: %v", names, err)
	}
	return append(names, "README.md")
}

// block is a fenced block of Markdown.
type block struct {
	line       int
	lang, mark string // mark is the HTML comment on the line before
	text       string
}

func (b block) String() string { return fmt.Sprintf("the block at line %d", b.line) }

func blocks(t *testing.T, document string) []block {
	t.Helper()
	var all []block
	lines := strings.Split(document, "\n")
	for i := 0; i < len(lines); i++ {
		lang, fenced := strings.CutPrefix(lines[i], "```")
		if !fenced {
			continue
		}
		b := block{line: i + 1, lang: lang}
		if i > 0 && strings.HasPrefix(lines[i-1], "<!--") {
			b.mark = strings.Trim(lines[i-1], "<!-> ")
		}
		for i++; lines[i] != "```"; i++ {
			b.text += lines[i] + "\n"
		}
		all = append(all, b)
	}
	return all
}

// said returns what the plugin logs for a configuration: its mistakes, or its warnings.
func said(data string) (mistakes, warnings string) {
	_, warned, err := config.Parse([]byte(data))
	var problems config.Error
	if errors.As(err, &problems) {
		for _, p := range problems {
			mistakes += "corsguard: config error: " + p.String() + "\n"
		}
	}
	for _, w := range warned {
		warnings += "corsguard: config warning: " + w.String() + "\n"
	}
	return mistakes, warnings
}

func TestConfigurationsAreWhatTheyAreShownAs(t *testing.T) {
	marks := map[string]int{}
	for _, page := range pages(t) {
		all := blocks(t, read(t, page))
		for i, b := range all {
			if b.lang != "json" {
				continue
			}
			marks[b.mark]++
			mistakes, warnings := said(b.text)
			wantMistakes, wantWarnings := "", ""
			switch b.mark {
			case "refused", "refused, beyond the schema":
				wantMistakes = all[i+1].text
			case "warned":
				wantWarnings = all[i+1].text
			case "":
			default:
				t.Errorf("%s: %v has the mark %q", page, b, b.mark)
			}
			if mistakes != wantMistakes || warnings != wantWarnings {
				t.Errorf("%s: %v: the plugin says\n%s%swant\n%s%s", page, b, mistakes, warnings, wantMistakes, wantWarnings)
			}
			if strings.HasPrefix(b.mark, "refused") && mistakes == "" || b.mark == "warned" && warnings == "" {
				t.Errorf("%s: %v is %s, and the plugin takes it", page, b, b.mark)
			}
		}
	}
	if marks[""] < 15 || marks["refused"] < 8 || marks["refused, beyond the schema"] < 3 || marks["warned"] < 3 {
		t.Errorf("configurations by their mark: %v", marks)
	}
}

func TestCasesInTheContributorsGuideAreCases(t *testing.T) {
	cases := 0
	for _, b := range blocks(t, read(t, "CONTRIBUTING.md")) {
		if b.lang != "json" {
			continue
		}
		var file struct {
			Config  json.RawMessage
			Refused []struct {
				Config json.RawMessage
				Paths  []string
			}
		}
		if err := json.Unmarshal([]byte(b.text), &file); err != nil {
			t.Fatalf("%v: %v", b, err)
		}
		if file.Config != nil {
			cases++
			if mistakes, warnings := said(string(file.Config)); mistakes+warnings != "" {
				t.Errorf("%v:\n%s%s", b, mistakes, warnings)
			}
		}
		for _, r := range file.Refused {
			cases++
			for _, path := range r.Paths {
				if mistakes, _ := said(string(r.Config)); !strings.Contains(mistakes, "error: "+path+":") {
					t.Errorf("%v: no mistake at %s:\n%s", b, path, mistakes)
				}
			}
		}
	}
	if cases < 2 {
		t.Errorf("%d cases", cases)
	}
}

// configurations returns the plugin configurations in a document of Envoy's: strings, wrapped as Envoy unwraps them.
func configurations(node any) []string {
	var all []string
	switch n := node.(type) {
	case map[string]any:
		if c, ok := n["configuration"].(map[string]any); ok && c["@type"] == "type.googleapis.com/google.protobuf.StringValue" {
			if value, ok := c["value"].(string); ok {
				all = append(all, value)
			}
		}
		for _, v := range n {
			all = append(all, configurations(v)...)
		}
	case []any:
		for _, v := range n {
			all = append(all, configurations(v)...)
		}
	}
	return all
}

func parseYAML(t *testing.T, text string) map[string]any {
	t.Helper()
	var document map[string]any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestEnvoyConfigurationsHoldPoliciesWithoutMistakes(t *testing.T) {
	documents := map[string]map[string]any{"envoy.yaml": parseYAML(t, read(t, "envoy.yaml"))}
	demoTags := documents["envoy.yaml"]["stats_config"]
	tags := 0
	for _, b := range blocks(t, read(t, "README.md")) {
		if b.lang != "yaml" {
			continue
		}
		d := parseYAML(t, b.text)
		if shown, ok := d["stats_config"]; ok {
			tags++
			if fmt.Sprint(shown) != fmt.Sprint(demoTags) {
				t.Errorf("%v: the tags are not those of envoy.yaml", b)
			}
			continue
		}
		documents[b.String()] = d
	}
	for name, d := range documents {
		policies := configurations(d)
		if len(policies) != 1 {
			t.Errorf("%s holds %d policies, want 1", name, len(policies))
		}
		for _, p := range policies {
			if mistakes, warnings := said(p); mistakes+warnings != "" {
				t.Errorf("%s:\n%s%s", name, mistakes, warnings)
			}
		}
	}
	if len(documents) < 2 || tags != 1 {
		t.Errorf("%d documents, tags in %d blocks", len(documents), tags)
	}
}

var word = regexp.MustCompile(`"(\w+)"`)

// knownKeys returns the keys that the configuration knows at a place: it lists them where it meets one that it does not know.
func knownKeys(t *testing.T, document string) []string {
	t.Helper()
	const unknown = "aKeyThatIsFarFromEveryKeyThatThereIs"
	_, _, err := config.Parse([]byte(fmt.Sprintf(document, unknown)))
	var problems config.Error
	if !errors.As(err, &problems) {
		t.Fatalf("accepted: "+document, unknown)
	}
	var keys []string
	for _, p := range problems {
		if strings.HasSuffix(p.Path, unknown) {
			for _, m := range word.FindAllStringSubmatch(p.Fix, -1) {
				keys = append(keys, m[1])
			}
		}
	}
	if len(keys) == 0 {
		t.Fatalf("no keys in %v", err)
	}
	return keys
}

var (
	rowKey = regexp.MustCompile("(?m)^\\| `(\\w+)` \\|")
	keyRow = regexp.MustCompile("(?m)^\\| key[^\n]*\n\\| ---[^\n]*\n((?:\\|[^\n]*\n)+)")
)

// tabled returns the keys in the first column of the tables whose head begins with "key".
func tabled(text string) []string {
	var keys []string
	for _, table := range keyRow.FindAllStringSubmatch(text, -1) {
		for _, m := range rowKey.FindAllStringSubmatch(table[1], -1) {
			keys = append(keys, m[1])
		}
	}
	return keys
}

func TestTheTablesOfKeysHaveEveryKeyAndNoOther(t *testing.T) {
	readme, reference := read(t, "README.md"), read(t, "docs/configuration.md")
	_, limits, _ := strings.Cut(readme, "\n## Limits\n")
	var supported []string
	for _, document := range []string{
		`{"cors": {"allowNull": true, %q: 1}}`,
		`{"cors": {"allowNull": true}, %q: 1}`,
		`{"cors": {"allowNull": true}, "log": {%q: 1}}`,
		`{"cors": {"allowNull": true}, "rules": [{"name": "a", "match": {"hosts": ["a.test"]}, %q: 1}]}`,
		`{"cors": {"allowNull": true}, "rules": [{"name": "a", "match": {"hosts": ["a.test"], %q: 1}}]}`,
		`{"cors": {"allowOriginsFrom": {%q: 1}}}`,
		`{"isolation": {%q: 1}}`,
		`{"securityHeaders": {%q: 1}}`,
		`{"fetchMetadata": {%q: 1}}`,
		`{"mode": {%q: 1}}`,
		`{"mode": {"enforce": {%q: 1}}}`,
	} {
		for _, key := range knownKeys(t, document) {
			_, _, err := config.Parse([]byte(fmt.Sprintf(document, key)))
			switch {
			case err == nil || !strings.Contains(err.Error(), "not supported by this version"):
				supported = append(supported, key)
			case !strings.Contains(limits, "`"+key+"`"):
				t.Errorf("%s is not supported, and the limits do not say so", key)
			}
		}
	}
	shown := tabled(reference)
	for _, key := range supported {
		if !slices.Contains(shown, key) {
			t.Errorf("the tables of keys lack %s", key)
		}
	}
	for _, key := range append(shown, tabled(readme)...) {
		if !slices.Contains(supported, key) {
			t.Errorf("the tables have %s, which is no key", key)
		}
	}
	for _, key := range knownKeys(t, `{"cors": {"allowNull": true, "dangerously": {%q: 1}}}`) {
		if !strings.Contains(reference, "`"+key+"`") {
			t.Errorf("%s is not there", key)
		}
	}
	if len(tabled(readme)) < 8 || len(shown) < len(supported) {
		t.Errorf("keys in tables: %q and %q", tabled(readme), shown)
	}
}

func TestTheReadmeNamesEveryReasonAndKind(t *testing.T) {
	readme := read(t, "README.md")
	for i := range policy.NumOutcomes {
		if o := policy.Outcome(i); o.IsPossible() {
			kind, reason := o.Split()
			for _, name := range []string{kind.String(), reason.Verdict().String(), reason.String()} {
				if !strings.Contains(readme, "`"+name+"`") {
					t.Errorf("%s is not there", name)
				}
			}
		}
	}
}

// documents are all pages that people read.
func documents(t *testing.T) []string {
	return append(pages(t), "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
}

func TestDocumentsNameOnlyWhatIsThere(t *testing.T) {
	var (
		target = regexp.MustCompile("(?:`|    |\n)make ([a-z0-9-]+)")
		link   = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
		path   = regexp.MustCompile("`((?:filter|e2e|\\.ci)/[a-zA-Z0-9_./-]*)`")
	)
	makefile := read(t, "Makefile")
	for _, m := range regexp.MustCompile(`(?m)^    (GOOS=wasip1 .*)$`).FindAllStringSubmatch(read(t, "README.md"), -1) {
		if !strings.Contains(makefile, m[1]+"\n") {
			t.Errorf("the plugin is not built by %q", m[1])
		}
	}
	built := []string{"main.wasm", ".venv-envoy"}
	for _, name := range documents(t) {
		text := read(t, name)
		for _, m := range target.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+m[1]+":") {
				t.Errorf("%s: there is no target %s", name, m[1])
			}
		}
		var files []string
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			files = append(files, filepath.Join(filepath.Dir(name), m[1]))
		}
		for _, m := range path.FindAllStringSubmatch(text, -1) {
			files = append(files, m[1])
		}
		for _, file := range files {
			if _, err := os.Stat(filepath.FromSlash(file)); err != nil && !slices.Contains(built, file) {
				t.Errorf("%s: there is no %s", name, file)
			}
		}
	}
}

// anchors returns the anchors that the headings of a document make.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

func TestLinksToHeadingsLead(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]*)#([^)]*)\)`)
	found := 0
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			found++
			to := name
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(name), m[1])
			}
			if !anchors(read(t, to))[m[2]] {
				t.Errorf("%s: no heading for #%s in %s", name, m[2], to)
			}
		}
	}
	if found < 20 {
		t.Errorf("%d links", found)
	}
}
