// Package schema tests docs/schema.json: it takes every configuration that the plugin takes, and refuses what a schema can refuse.
package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"corsguard/e2e/corpus"
	"corsguard/e2e/repo"
)

const corpusDir = "../corpus"

func docs(t *testing.T, name ...string) string {
	t.Helper()
	root, err := repo.Root()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(append([]string{root}, name...)...)
}

func read(t *testing.T, name ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(docs(t, name...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func decode(t *testing.T, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	return v
}

const dialect = "https://json-schema.org/draft/2020-12/schema"

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", decode(t, read(t, "docs", "schema.json"))); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheSchemaIsASchema(t *testing.T) {
	text := read(t, "docs", "schema.json")
	document := decode(t, text)
	meta, err := jsonschema.NewCompiler().Compile(dialect)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(document); err != nil {
		t.Error(err)
	}
	if root := document.(map[string]any); root["$schema"] != dialect || strings.Contains(root["$id"].(string), "://") {
		t.Errorf("the schema is of %v and calls itself %v, which is nobody's address", root["$schema"], root["$id"])
	}
	eachSchema(t, document, func(s map[string]any) {
		for keyword, value := range s {
			if !slices.Contains(keywords, keyword) {
				t.Errorf("%q is no keyword, or a needless one: validators ignore it or refuse the schema", keyword)
			}
			if ref, _ := value.(string); keyword == "$ref" {
				name, local := strings.CutPrefix(ref, "#/$defs/")
				if _, there := document.(map[string]any)["$defs"].(map[string]any)[name]; !local || !there {
					t.Errorf("there is no %s", ref)
				}
			}
		}
	})
}

// keywords are those of the dialect that the schema has a use for. Those that hold schemas are treated in eachSchema.
var keywords = []string{
	"$schema", "$id", "$ref", "$defs", "$comment", "title", "description", "default", "examples",
	"type", "const", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern",
	"properties", "additionalProperties", "propertyNames", "required", "minProperties", "maxProperties",
	"items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains",
	"anyOf", "allOf", "not", "if", "then",
}

// eachSchema calls f for every schema in node that is an object.
func eachSchema(t *testing.T, node any, f func(map[string]any)) {
	t.Helper()
	s, ok := node.(map[string]any)
	if !ok {
		if _, boolean := node.(bool); !boolean {
			t.Errorf("%v is no schema", node)
		}
		return
	}
	f(s)
	for keyword, value := range s {
		switch keyword {
		case "items", "contains", "not", "if", "then", "additionalProperties", "propertyNames":
			eachSchema(t, value, f)
		case "anyOf", "allOf", "prefixItems":
			for _, v := range value.([]any) {
				eachSchema(t, v, f)
			}
		case "properties", "$defs":
			for _, v := range value.(map[string]any) {
				eachSchema(t, v, f)
			}
		}
	}
}

// Validators differ in their regular expressions: ECMA-262 where they follow the standard, the host language's otherwise.
func TestPatternsAreWrittenInWhatAllRegularExpressionsHave(t *testing.T) {
	var (
		letter    = regexp.MustCompile(`\\[a-wyzA-Z0-9]`)
		escape    = regexp.MustCompile(`\\.`)
		class     = regexp.MustCompile(`\[\^?[^\]]+\]`)
		extension = regexp.MustCompile(`\(\?|[*+?}][*+?]|[\[\]]`)
	)
	found := 0
	eachSchema(t, decode(t, read(t, "docs", "schema.json")), func(s map[string]any) {
		if p, ok := s["pattern"].(string); ok {
			found++
			plain := class.ReplaceAllString(escape.ReplaceAllString(p, "x"), "x")
			if m := letter.FindString(p) + extension.FindString(plain); m != "" {
				t.Errorf("%q is not everywhere the same, in %s", m, p)
			}
		}
	})
	if found < 20 {
		t.Errorf("%d patterns", found)
	}
}

func TestEverythingThatIsSaidForPeopleIsSaid(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(read(t, "docs", "schema.json"), &root); err != nil {
		t.Fatal(err)
	}
	eachSchema(t, root, func(s map[string]any) {
		if s["additionalProperties"] == nil {
			return
		}
		for key, value := range s["properties"].(map[string]any) {
			p := value.(map[string]any)
			if ref, ok := p["$ref"].(string); ok && p["title"] == nil {
				p = root["$defs"].(map[string]any)[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
			}
			if p["title"] == nil || p["description"] == nil {
				t.Errorf("%s has no title or no description", key)
			}
		}
	})
}

func TestTheSchemaTakesEveryConfigurationOfTheCorpus(t *testing.T) {
	schema := compile(t)
	cases, err := corpus.Load(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[string(c.Config)] {
			continue
		}
		seen[string(c.Config)] = true
		if err := schema.Validate(decode(t, c.Config)); err != nil {
			t.Errorf("%s: %s: %s\n%.1000s", c.File, c.Name, c.Config, err.Error())
		}
	}
	if len(seen) < 100 {
		t.Errorf("%d configurations", len(seen))
	}
}

// What a regular expression says of numbers is easily wrong by one.
func TestTheSchemaKnowsPortsAndOctets(t *testing.T) {
	schema := compile(t)
	isTaken := func(origin string) bool {
		return schema.Validate(map[string]any{"cors": map[string]any{"allowOrigins": []any{origin}}}) == nil
	}
	for port := range 70_000 {
		origin := fmt.Sprint("https://a.test:", port)
		if want := port > 0 && port <= 65535 && port != 443; isTaken(origin) != want {
			t.Errorf("%s is taken: %v", origin, !want)
		}
	}
	for octet := range 1000 {
		for _, origin := range []string{fmt.Sprintf("https://%d.0.0.1", octet), fmt.Sprintf("https://0.0.0.%d", octet)} {
			if want := octet <= 255; isTaken(origin) != want {
				t.Errorf("%s is taken: %v", origin, !want)
			}
		}
	}
}

// reach tells whether a schema can judge a document at all.
type reach int

const (
	judged     reach = iota
	noJSON           // not a JSON text, so not a document
	keysRepeat       // a document that two readers understand differently: what a validator gets has one of the values
)

func reachOf(data []byte) reach {
	switch {
	case !utf8.Valid(data) || !json.Valid(data):
		return noJSON
	case repeatsKeys(json.NewDecoder(bytes.NewReader(data))):
		return keysRepeat
	}
	return judged
}

// repeatsKeys reports whether an object of the text, which is valid JSON, has a key twice.
func repeatsKeys(d *json.Decoder) bool {
	type level struct {
		keys  map[string]bool // nil in an array
		value bool            // a key was read, its value comes next
	}
	levels := []level{{}}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return false
		}
		at := &levels[len(levels)-1]
		if key, ok := token.(string); ok && at.keys != nil && !at.value {
			if at.keys[key] {
				return true
			}
			at.keys[key], at.value = true, true
			continue
		}
		at.value = false
		switch token {
		case json.Delim('{'):
			levels = append(levels, level{keys: map[string]bool{}})
		case json.Delim('['):
			levels = append(levels, level{})
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:len(levels)-1]
		}
	}
}

func TestTheSchemaRefusesWhatThePluginRefuses(t *testing.T) {
	schema := compile(t)
	refusals, err := corpus.LoadRefusals(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, r := range refusals {
		data, err := r.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		at := r.File + ": " + r.Name
		if kind := reachOf(data); kind != judged {
			counts[[...]string{noJSON: "no JSON", keysRepeat: "keys repeat"}[kind]]++
			if r.BeyondSchema {
				t.Errorf("%s: no schema judges it, so the mark says nothing", at)
			}
			if whole := slices.Equal(r.Paths, []string{"$"}); whole != (kind == noJSON) {
				t.Errorf("%s: the errors are at %q, and it is a JSON text: %v", at, r.Paths, kind != noJSON)
			}
			continue
		}
		refused := schema.Validate(decode(t, data))
		switch {
		case r.BeyondSchema && refused != nil:
			t.Errorf("%s: the schema refuses it: take the mark away\n%v", at, refused)
		case !r.BeyondSchema && refused == nil:
			t.Errorf("%s: the schema takes it: %.300s", at, data)
		case r.BeyondSchema:
			counts["beyond"]++
		default:
			counts["refused"]++
		}
	}
	t.Log(counts)
	if counts["refused"] < 500 || counts["no JSON"] < 50 || counts["keys repeat"] < 10 || counts["refused"] < 5*counts["beyond"] {
		t.Errorf("%v", counts)
	}
}

var example = regexp.MustCompile("(?ms)(?:^<!-- ([^\n]*) -->\n)?^```json\n(.*?)^```$")

// In documents a configuration that is refused has a mark before it; one that only the plugin refuses has a longer one.
func TestTheSchemaAgreesWithTheExamples(t *testing.T) {
	schema := compile(t)
	documents, err := filepath.Glob(docs(t, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	counts := map[bool]int{}
	for _, name := range append(documents, docs(t, "README.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range example.FindAllSubmatch(text, -1) {
			if reachOf(m[2]) != judged {
				t.Errorf("%s: no schema judges %s", name, m[2])
				continue
			}
			err := schema.Validate(decode(t, m[2]))
			refused := string(m[1]) == "refused"
			if refused != (err != nil) {
				t.Errorf("%s: marked %q, and the schema says %v:\n%s", name, m[1], err, m[2])
			}
			counts[refused]++
		}
	}
	files, err := filepath.Glob(docs(t, "docs", "environments", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		counts[false]++
		if err := schema.Validate(decode(t, read(t, "docs", "environments", filepath.Base(name)))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if counts[false] < 15 || counts[true] < 5 {
		t.Errorf("%d good and %d refused examples", counts[false], counts[true])
	}
}
