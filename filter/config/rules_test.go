package config

import (
	"fmt"
	"strings"
	"testing"

	"corsguard/filter/policy"
)

func numbered(n int, format string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(all, ",")
}

func errorPaths(t *testing.T, doc string) []string {
	t.Helper()
	_, _, err := Parse([]byte(doc))
	if err == nil {
		return nil
	}
	var paths []string
	for _, p := range err.(Error) {
		paths = append(paths, p.Path)
	}
	return paths
}

func TestRulesAreBoundedInNumber(t *testing.T) {
	doc := func(n int) string {
		return `{"cors":{` + base + `},"rules":[` + numbered(n, `{"name":"r%[1]d","match":{"hosts":["h%[1]d.test"]}}`) + `]}`
	}
	if paths := errorPaths(t, doc(maxRules)); paths != nil {
		t.Errorf("%d rules: errors at %q", maxRules, paths)
	}
	if paths := errorPaths(t, doc(maxRules+1)); len(paths) != 1 || paths[0] != "rules" {
		t.Errorf("%d rules: errors at %q", maxRules+1, paths)
	}
}

func TestCombinationsAreBounded(t *testing.T) {
	doc := func(hosts, paths int) string {
		return `{"cors":{` + base + `},"rules":[{"name":"a","match":{"hosts":["a.test"]}},{"name":"b","match":{"hosts":[` + numbered(hosts, `"h%d.test"`) + `],"paths":[` +
			numbered(paths, `{"prefix":"/p%d"}`) + `]}},{"name":"c","match":{"routes":["r"]}}]}`
	}
	if paths := errorPaths(t, doc(policy.MaxCombinations/1000-1, 1000)); paths != nil {
		t.Errorf("errors at %q", paths)
	}
	if paths := errorPaths(t, doc(policy.MaxCombinations/1000, 1000)); len(paths) != 1 || paths[0] != "rules[1].match" {
		t.Errorf("errors at %q", paths)
	}
}

// What a rule does not write, it has from elsewhere, or not at all.
func TestARuleHasItsOwnBlockOrTheDefault(t *testing.T) {
	spec, warnings, err := Parse([]byte(`{"cors":{` + base + `},"rules":[
		{"name":"own","match":{"routes":["a"]},"cors":{"allowOrigins":["https://own.example.com"]}},
		{"name":"off","match":{"routes":["b"]},"cors":null},
		{"name":"same","match":{"routes":["c"]}}]}`))
	if err != nil || len(warnings) > 0 || len(spec.Rules) != 3 {
		t.Fatalf("%v, warnings %v, %d rules", err, warnings, len(spec.Rules))
	}
	own, off, same := &spec.Rules[0], &spec.Rules[1], &spec.Rules[2]
	if !own.OwnCORS || own.CORS[0].AllowOrigins.Exact[0] != "https://own.example.com" || own.CORS[0].MaxAge != policy.MaxAgeUnset {
		t.Errorf("own: %+v", own)
	}
	if !off.OwnCORS || off.CORS != nil || same.OwnCORS {
		t.Errorf("off: %+v, same: %+v", off, same)
	}
}

// Hosts that stand in one rule with many paths, and each in a rule of its own too, need the paths once for each host.
func TestAnIndexThatWouldFillTheMemoryIsRefused(t *testing.T) {
	doc := func(hosts int) string {
		return `{"cors":{` + base + `},"rules":[{"name":"all","match":{"hosts":[` + numbered(hosts, `"h%d.test"`) + `],"paths":[` + numbered(300, `{"prefix":"/p%d`+strings.Repeat("/x", 100)+`"}`) + `]}},` +
			numbered(hosts, `{"name":"r%[1]d","match":{"hosts":["h%[1]d.test"]}}`) + `]}`
	}
	if paths := errorPaths(t, doc(8)); paths != nil {
		t.Errorf("errors at %q", paths)
	}
	if paths := errorPaths(t, doc(300)); len(paths) != 1 || paths[0] != "rules" {
		t.Errorf("errors at %q", paths)
	}
}
