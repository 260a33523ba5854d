package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTheConfigurationOfTheSchemaTestsHasEveryKeyOfTheSchema(t *testing.T) {
	if _, _, err := Parse([]byte(everyKey)); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, v := range visits(t) {
		seen[v.name] = true
	}
	objects := 0
	var walk func(name string, value any)
	walk = func(name string, value any) {
		switch v := value.(type) {
		case map[string]any:
			if isClosed(v) {
				objects++
				for _, key := range keysOf(v) {
					if !seen[name+"/properties/"+key] {
						t.Errorf("no place of %s/properties/%s", name, key)
					}
				}
			}
			for key, sub := range v {
				walk(name+"/"+key, sub)
			}
		case []any:
			for i, sub := range v {
				walk(fmt.Sprintf("%s/%d", name, i), sub)
			}
		}
	}
	root := readSchema(t)
	defs := root["$defs"].(schemaNode)
	delete(root, "$defs")
	walk("#", root)
	for name, def := range defs {
		walk("#/$defs/"+name, def)
	}
	if objects < 15 {
		t.Errorf("%d objects", objects)
	}
}

var quoted = regexp.MustCompile(`"([^"]+)"`)

// inQuotes returns what a message has in quotes.
func inQuotes(message string) []string {
	var all []string
	for _, m := range quoted.FindAllStringSubmatch(message, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestTheSchemaHasTheKeysThatAreRead(t *testing.T) {
	const unknown = "zzzzzzzzzzzz"
	tried := map[string]bool{}
	for _, v := range visits(t) {
		if !isClosed(v.node) || v.node["maxProperties"] == 1.0 {
			continue
		}
		tried[v.name] = true
		p := problemAt(with(t, append(v.at, unknown), 1), Key(v.path, unknown))
		if p == nil {
			t.Errorf("%s: an unknown key is taken", v.path)
			continue
		}
		read := []string{}
		for _, key := range inQuotes(p.Fix) {
			if why := problemAt(with(t, append(v.at, key), 1), Key(v.path, key)); why == nil || !strings.Contains(why.Reason, "not supported by this version") {
				read = append(read, key)
			}
		}
		slices.Sort(read)
		if want := keysOf(v.node); !slices.Equal(read, want) {
			t.Errorf("%s: the keys %q are read, and the schema has %q", v.path, read, want)
		}
	}
	if len(tried) != 14 {
		t.Errorf("objects that were tried: %v", tried)
	}
}

// Objects that hold one key are read by their key, and list no others.
func TestTheSchemaHasTheKindsOfMatchersThatAreRead(t *testing.T) {
	kinds := []string{"exact", "prefix", "suffix", "contains", "regex", "safe_regex", "wildcard", "value", "zzzzzzzzzzzz"}
	tried := map[string]bool{}
	for _, v := range visits(t) {
		if !isClosed(v.node) || v.node["maxProperties"] != 1.0 {
			continue
		}
		tried[v.name] = true
		keys := keysOf(v.node)
		for _, kind := range append(kinds, keys...) {
			p := problemAt(with(t, v.at, map[string]any{kind: 1}), v.path)
			if p == nil {
				t.Errorf("%s: %s may be a number", v.path, kind)
				continue
			}
			if isRead := strings.Contains(p.Reason, "a string, "); isRead != slices.Contains(keys, kind) {
				t.Errorf("%s: %s is read: %v; the schema has %q (%v)", v.path, kind, isRead, keys, p)
			}
		}
	}
	if len(tried) != 2 {
		t.Errorf("objects that were tried: %v", tried)
	}
}

// texts makes, for each schema with a bound of lengths, a value of some length that is good but for it.
var texts = map[string]func(n int) any{
	"#/$defs/method":                             func(n int) any { return strings.Repeat("A", n) },
	"#/$defs/requestHeader":                      func(n int) any { return strings.Repeat("a", n) },
	"#/$defs/responseHeader":                     func(n int) any { return strings.Repeat("a", n) },
	"#/$defs/rule/properties/name":               func(n int) any { return strings.Repeat("x", n) },
	"#/$defs/host":                               func(n int) any { return strings.Repeat("a.", (n-1)/2) + strings.Repeat("b", 2-n%2) },
	"#/$defs/match/properties/routes/items":      func(n int) any { return strings.Repeat("r", n) },
	"#/$defs/pathText":                           func(n int) any { return "/" + strings.Repeat("a", n-1) },
	"#/$defs/originText":                         longOrigin,
	"#/$defs/cors/properties/allowOrigins/items": longOrigin,

	"#/$defs/authority":               func(n int) any { return strings.Repeat("a", n) },
	"#/$defs/word":                    func(n int) any { return "/" + strings.Repeat("a", n-1) },
	"#/$defs/endpointName":            func(n int) any { return strings.Repeat("a", n) },
	"#/$defs/endpoint":                func(n int) any { return "/" + strings.Repeat("a", n-1) },
	"#/$defs/contentSecurityPolicy":   func(n int) any { return "img-src " + strings.Repeat("a", n-8) },
	"#/$defs/strictTransportSecurity": func(n int) any { return "max-age=" + strings.Repeat("0", n-8) },
	"#/$defs/referrerPolicy":          func(n int) any { return "origin," + strings.Repeat(" ", n-18) + "same-origin" },
	"#/$defs/permissionsPolicy":       func(n int) any { return "camera=(" + strings.Repeat(" ", n-9) + ")" },
}

// longOrigin returns an origin of n bytes with the longest scheme and the longest port.
func longOrigin(n int) any {
	rest := n - len("://:65535")
	scheme := min(64, rest-1)
	host := make([]byte, rest-scheme)
	for i := range host {
		if host[i] = 'a'; i%2 == 1 && i < len(host)-1 {
			host[i] = '.'
		}
	}
	return strings.Repeat("s", scheme) + "://" + string(host) + ":65535"
}

func TestTheBoundsOfTheSchemaAreThoseThatAreRead(t *testing.T) {
	tried := map[string]int{}
	accept := func(v *visit, what string, at []any, value any, want bool) {
		t.Helper()
		tried[what]++
		data := with(t, at, value)
		if p := problemAt(data, v.path); (p == nil) != want {
			t.Errorf("%s of %s at %s: accepted: %v, want %v: %v\n%.300s", what, v.name, v.path, p == nil, want, p, data)
		}
	}
	for _, v := range visits(t) {
		for _, value := range list(v.node["enum"]) {
			accept(&v, "enum", v.at, value, true)
			accept(&v, "enum", v.at, value.(string)+"x", false)
		}
		if enum := list(v.node["enum"]); enum != nil {
			if p := problemAt(with(t, v.at, "x"), v.path); p == nil || fmt.Sprint(inQuotes(p.Fix)) != fmt.Sprint(enum) {
				t.Errorf("%s: the values are %v, and the schema has %v", v.path, p, enum)
			}
		}
		if least, ok := v.node["minimum"].(float64); ok {
			accept(&v, "minimum", v.at, least, true)
			accept(&v, "minimum", v.at, least-1, false)
		}
		if most, ok := v.node["maximum"].(float64); ok {
			accept(&v, "maximum", v.at, most, true)
			accept(&v, "maximum", v.at, most+1, false)
		}
		if v.node["minItems"] == 1.0 {
			accept(&v, "minItems", v.at, []any{}, false)
		}
		if v.node["minProperties"] == 1.0 {
			accept(&v, "minProperties", v.at, map[string]any{}, false)
		}
		if most, ok := v.node["maxProperties"].(float64); ok && most > 1 {
			value := valueAt(t, v.at).(map[string]any)
			for i := len(value); i < int(most); i++ {
				value[fmt.Sprint("x", i)] = "/"
			}
			accept(&v, "maxProperties", v.at, value, true)
			value["y"] = "/"
			accept(&v, "maxProperties", v.at, value, false)
		}
		if v.node["minLength"] == 1.0 {
			accept(&v, "minLength", v.at, "", false)
		}
		if v.node["uniqueItems"] == true {
			value := valueAt(t, v.at).([]any)
			accept(&v, "uniqueItems", v.at, append(value, value[0]), false)
		}
		for _, key := range list(v.node["required"]) {
			if isClosed(v.node) {
				accept(&v, "required", append(v.at, key), absent, false)
			}
		}
		if most, ok := v.node["maxLength"].(float64); ok && v.name != "#/$defs/regex" {
			text := texts[v.name]
			if text == nil {
				t.Errorf("nothing makes texts for %s", v.name)
				continue
			}
			accept(&v, "maxLength", v.at, text(int(most)), true)
			accept(&v, "maxLength", v.at, text(int(most)+1), false)
		}
		for _, value := range list(v.node["examples"]) {
			at := v.at
			if _, isElement := at[len(at)-1].(int); isElement {
				at, value = at[:len(at)-1], []any{value} // alone, since some may not stand beside others
			}
			accept(&v, "examples", at, value, true)
		}
	}
	for _, what := range []string{"enum", "minimum", "maximum", "minItems", "minProperties", "maxProperties", "minLength", "maxLength", "uniqueItems", "required", "examples"} {
		if tried[what] == 0 {
			t.Errorf("no %s", what)
		}
	}
}

func list(value any) []any {
	values, _ := value.([]any)
	return values
}

// A regular expression of many bytes and few states is one with long repeat counts.
func TestRegularExpressionsAreAsLongAsTheSchemaSays(t *testing.T) {
	most := int(readSchema(t)["$defs"].(schemaNode)["regex"].(schemaNode)["maxLength"].(float64))
	for n, want := range map[int]bool{most: true, most + 1: false} {
		text := "/" + strings.Repeat("[[:digit:]]", (n-1)/11) + strings.Repeat("x", (n-1)%11)
		data := with(t, []any{"rules", 1, "match", "paths", 2, "regex"}, text)
		if p := problemAt(data, "rules[1].match.paths[2]"); len(text) != n || (p == nil) != want {
			t.Errorf("%d bytes: %v", len(text), p)
		}
	}
}

func TestThereMayBeAsManyRulesAsTheSchemaSays(t *testing.T) {
	most := int(readSchema(t)["properties"].(schemaNode)["rules"].(schemaNode)["maxItems"].(float64))
	for n, want := range map[int]bool{most: true, most + 1: false} {
		rules := make([]any, n)
		for i := range rules {
			rules[i] = map[string]any{"name": fmt.Sprint("r", i), "match": map[string]any{"hosts": []any{fmt.Sprintf("h%d.example.com", i)}}}
		}
		if p := problemAt(with(t, []any{"rules"}, rules), "rules"); (p == nil) != want {
			t.Errorf("%d rules: %v", n, p)
		}
	}
}

func TestTheDefaultsOfTheSchemaAreThoseThatAreRead(t *testing.T) {
	spec := func(data []byte) any {
		s, _, err := Parse(data)
		if err != nil {
			t.Errorf("%v\n%s", err, data)
		}
		return s
	}
	tried := 0
	for _, v := range visits(t) {
		if value, ok := v.node["default"]; ok {
			tried++
			if !reflect.DeepEqual(spec(with(t, v.at, absent)), spec(with(t, v.at, value))) {
				t.Errorf("%s: the default is not %v", v.path, value)
			}
		}
	}
	if tried < 25 {
		t.Errorf("%d defaults", tried)
	}
}

// The bound of a numerator depends on the denominator, so that everyKey has the greatest.
func TestSharesAreBoundedAsTheSchemaSays(t *testing.T) {
	share := readSchema(t)["$defs"].(schemaNode)["mode"].(schemaNode)["anyOf"].([]any)[1].(schemaNode)["properties"].(schemaNode)["enforce"].(schemaNode)
	bound := func(denominator any) float64 {
		most := share["properties"].(schemaNode)["numerator"].(schemaNode)["maximum"].(float64)
		for _, sub := range share["allOf"].([]any) {
			properties := sub.(schemaNode)["if"].(schemaNode)["properties"].(schemaNode)
			if properties["denominator"].(schemaNode)["const"] == denominator {
				most = sub.(schemaNode)["then"].(schemaNode)["properties"].(schemaNode)["numerator"].(schemaNode)["maximum"].(float64)
			}
		}
		return most
	}
	seen := map[float64]bool{}
	for _, denominator := range append(list(share["properties"].(schemaNode)["denominator"].(schemaNode)["enum"]), absent) {
		written := denominator
		if denominator == absent {
			written = share["properties"].(schemaNode)["denominator"].(schemaNode)["default"]
		}
		most := bound(written)
		seen[most] = true
		for n, want := range map[float64]bool{0: true, most: true, most + 1: false} {
			value := map[string]any{"numerator": n, "denominator": denominator}
			if denominator == absent {
				delete(value, "denominator")
			}
			if p := problemAt(with(t, []any{"mode", "enforce"}, value), "mode"); (p == nil) != want {
				t.Errorf("%v out of %v: %v", n, denominator, p)
			}
		}
	}
	if len(seen) != 3 {
		t.Errorf("bounds: %v", seen)
	}
}
