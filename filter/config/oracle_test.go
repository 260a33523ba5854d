package config

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// knownKeys are the keys of the objects that a configuration may hold, by the path of the object without indexes.
var knownKeys = map[string]string{
	"": " cors log mode rules isolation securityHeaders fetchMetadata ",
	"cors": " allowOrigins allowMethods allowHeaders exposeHeaders allowCredentials maxAge allowNull allowPrivateNetwork timingAllowOrigin preflightStatus onRefusedPreflight " +
		"onRefusedOrigin onMissingOrigin upstreamHeaders allowOriginsFrom presets dangerously ",
	"cors.allowOriginsFrom": " cluster authority path interval timeout maxBytes ",
	"cors.dangerously":      " allowInsecureOrigins allowPublicSuffixWildcards ",
	"cors.allowOrigins[]":   " exact regex ",
	"log":                   " refusalsPerMinute ",
	"rule":                  " name match cors mode isolation securityHeaders fetchMetadata ",
	"rule.match":            " hosts paths routes ",
	"rule.match.paths[]":    " exact prefix regex ",
	"mode":                  " enforce otherwise ",
	"mode.enforce":          " numerator denominator ",
	"fetchMetadata":         " mode allowSameSite allowUnsafeNavigations ",
	"isolation": " preset crossOriginOpenerPolicy crossOriginOpenerPolicyReportOnly crossOriginEmbedderPolicy crossOriginEmbedderPolicyReportOnly crossOriginResourcePolicy " +
		"originAgentCluster documentIsolationPolicy reportingEndpoints ",
	"securityHeaders": " contentSecurityPolicy contentSecurityPolicyReportOnly strictTransportSecurity xContentTypeOptions xFrameOptions referrerPolicy permissionsPolicy xXssProtection ",
}

// isKnownKey reports whether an object of a shape may hold key. A block is the same in a rule and at the top, and a cors block in an array.
func isKnownKey(shape, key string) bool {
	if rest, ok := strings.CutPrefix(shape, "rules[]"); ok {
		if rest == "" || strings.HasPrefix(rest, ".match") {
			shape = "rule" + rest
		} else {
			shape = rest[1:]
		}
	}
	if rest, ok := strings.CutPrefix(shape, "cors[]"); ok {
		shape = "cors" + rest
	}
	block, header, ok := strings.Cut(shape, ".")
	switch {
	case shape == "isolation.reportingEndpoints":
		return true // names of the user's choice
	case ok && block == "isolation" && !strings.ContainsAny(header, ".["):
		return key == "value" || key == "reportTo"
	case ok && block == "securityHeaders" && !strings.ContainsAny(header, ".["):
		return key == "value" || key == "ifAbsent"
	}
	return strings.Contains(knownKeys[shape], " "+key+" ")
}

// document is what encoding/json's tokens tell of a configuration.
type document struct {
	paths     map[string]bool // every place in it, as Problem.Path names places
	duplicate bool
	unknown   bool
	depth     int
}

// readDocument reads data, which must be JSON.
func readDocument(data []byte) (*document, error) {
	d := &document{paths: map[string]bool{"$": true}}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	return d, d.value(dec, "", "", 0)
}

func (d *document) value(dec *json.Decoder, path, shape string, depth int) error {
	if depth > 2*MaxDepth {
		path = "…" // paths of paths: memory grows with the square of the depth
	}
	d.paths[path] = true
	token, err := dec.Token()
	if err != nil {
		return err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	d.depth = max(d.depth, depth+1)
	seen := map[string]bool{}
	for i := 0; dec.More(); i++ {
		at, under := path+"["+strconv.Itoa(i)+"]", shape+"[]"
		if delim == '{' {
			token, err := dec.Token()
			if err != nil {
				return err
			}
			key := token.(string)
			d.duplicate = d.duplicate || seen[key]
			d.unknown = d.unknown || !isKnownKey(shape, key)
			seen[key] = true
			at, under = joined(path, key), strings.TrimPrefix(shape+"."+key, ".")
		}
		if err := d.value(dec, at, under, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

// joined appends a key to a path as the reference describes it.
func joined(path, key string) string {
	plain := key != "" && len(key) <= 60 && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`.[]"\`, r) })
	switch {
	case !plain:
		return path + "[" + fetch.Quoted(key, 60) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}

// plain is a configuration as encoding/json reads it.
type plain struct {
	plainBlocks

	CORS  plainGroups
	Rules []struct {
		plainBlocks

		Name  string
		Match struct {
			Hosts, Routes []string
			Paths         []map[string]string
		}
		CORS json.RawMessage
	}
	Log struct{ RefusalsPerMinute *float64 }
}

// plainBlocks are the blocks beside cors, nil where there is none.
type plainBlocks struct{ Mode, Isolation, SecurityHeaders, FetchMetadata json.RawMessage }

// plainGroups is a cors block: an object, or an array of them.
type plainGroups []plainCORS

func (g *plainGroups) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		return json.Unmarshal(data, (*[]plainCORS)(g))
	}
	*g = make(plainGroups, 1)
	return json.Unmarshal(data, &(*g)[0])
}

type plainCORS struct {
	AllowOrigins                                                          []json.RawMessage
	AllowMethods, AllowHeaders, ExposeHeaders, Presets                    []string
	AllowCredentials, AllowNull, AllowPrivateNetwork, TimingAllowOrigin   bool
	MaxAge, PreflightStatus                                               *float64
	OnRefusedPreflight, OnRefusedOrigin, OnMissingOrigin, UpstreamHeaders string
	Dangerously                                                           map[string]bool
}

// shareKeys gives each block of an array the keys that hold for all of it.
func (g plainGroups) shareKeys() {
	for _, from := range g {
		for i := range g {
			to := &g[i]
			for _, key := range [][2]*string{
				{&to.OnRefusedPreflight, &from.OnRefusedPreflight}, {&to.OnRefusedOrigin, &from.OnRefusedOrigin},
				{&to.OnMissingOrigin, &from.OnMissingOrigin}, {&to.UpstreamHeaders, &from.UpstreamHeaders},
			} {
				if *key[0] == "" {
					*key[0] = *key[1]
				}
			}
			if to.PreflightStatus == nil {
				to.PreflightStatus = from.PreflightStatus
			}
		}
	}
}

// block makes the block that c means, its patterns as text.
func (c *plainCORS) block(t *testing.T) (cors policy.CORS, origins []string) {
	t.Helper()
	for _, raw := range c.AllowOrigins {
		var text string
		var object struct{ Exact, Regex string }
		if json.Unmarshal(raw, &text) != nil {
			if err := json.Unmarshal(raw, &object); err != nil {
				t.Fatalf("a pattern is accepted that is no string and no object: %s", raw)
			}
			text = object.Exact + object.Regex
		}
		origins = append(origins, text)
	}
	index := func(values, value string) int {
		return max(0, strings.Count(values[:strings.Index(values+" "+value, value)], " "))
	}
	cors = policy.CORS{
		AllowNull: c.AllowNull, AllowMethods: c.AllowMethods, AllowHeaders: c.AllowHeaders, ExposeHeaders: c.ExposeHeaders, AllowCredentials: c.AllowCredentials,
		MaxAge: number(c.MaxAge, policy.MaxAgeUnset), AllowPrivateNetwork: c.AllowPrivateNetwork, TimingAllowOrigin: c.TimingAllowOrigin, PreflightStatus: number(c.PreflightStatus, 204),
		OnRefusedPreflight: policy.RefusedPreflight(index("answer deny forward", c.OnRefusedPreflight)), OnRefusedOrigin: policy.OnRefused(index("pass deny", c.OnRefusedOrigin)),
		OnMissingOrigin: policy.OnRefused(index("pass deny", c.OnMissingOrigin)), UpstreamHeaders: policy.UpstreamHeaders(index("replace keep", c.UpstreamHeaders)),
	}
	if cors.AllowMethods == nil {
		cors.AllowMethods = []string{"GET", "HEAD", "POST"}
	}
	if len(c.Presets) > 0 {
		add := func(list *[]string, names ...string) {
			for _, n := range names {
				if !strings.Contains(" "+strings.ToLower(strings.Join(*list, " "))+" ", " "+strings.ToLower(n)+" ") && !strings.Contains(" "+strings.Join(*list, " ")+" ", " * ") {
					*list = append(*list, n)
				}
			}
		}
		add(&cors.AllowMethods, "POST")
		add(&cors.AllowHeaders, "x-grpc-web", "x-user-agent", "grpc-timeout", "content-type")
		add(&cors.ExposeHeaders, "grpc-status", "grpc-message", "grpc-status-details-bin")
	}
	return cors, origins
}

func number(n *float64, absent int) int {
	if n == nil {
		return absent
	}
	return int(*n)
}

// checkParse parses data and holds the outcome against encoding/json.
func checkParse(t *testing.T, data []byte) (accepted bool) {
	t.Helper()
	given := bytes.Clone(data)
	spec, warnings, err := Parse(data)
	if !bytes.Equal(given, data) {
		t.Fatalf("Parse changed %q", given)
	}
	var doc *document
	if json.Valid(data) {
		var err error
		if doc, err = readDocument(data); err != nil {
			t.Fatalf("encoding/json disagrees with itself on %q: %v", data, err)
		}
	}
	if err != nil {
		checkProblems(t, data, doc, err.(Error))
		return false
	}
	if !utf8.Valid(data) || doc == nil || doc.duplicate || doc.unknown || doc.depth > MaxDepth {
		t.Fatalf("accepted: %q, though %+v", data, doc)
	}
	checkProblems(t, data, doc, warnings)
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		t.Fatalf("accepted: %q, though %v", data, err)
	}
	p.check(t, data, &spec)
	if _, err := policy.Compile(&spec); err != nil {
		t.Fatalf("accepted: %q, though %v", data, err)
	}
	return true
}

// check holds spec against p, which is the same document.
func (p *plain) check(t *testing.T, data []byte, spec *policy.Spec) {
	t.Helper()
	if want := (policy.Log{RefusalsPerMinute: number(p.Log.RefusalsPerMinute, 60)}); spec.Log != want {
		t.Fatalf("%q: log %+v, want %+v", data, spec.Log, want)
	}
	checkGroups(t, data, spec.CORS, p.CORS)
	p.plainBlocks.check(t, data, spec.Isolation, spec.SecurityHeaders, spec.FetchMetadata, spec.Mode)
	if len(spec.Rules) != len(p.Rules) {
		t.Fatalf("%q: %d rules, want %d", data, len(spec.Rules), len(p.Rules))
	}
	for i := range p.Rules {
		got, want := &spec.Rules[i], &p.Rules[i]
		var groups plainGroups
		if want.CORS != nil && string(want.CORS) != "null" {
			if err := json.Unmarshal(want.CORS, &groups); err != nil {
				t.Fatalf("%q: %v", data, err)
			}
		}
		checkGroups(t, data, got.CORS, groups)
		want.check(t, data, got.Isolation, got.SecurityHeaders, got.FetchMetadata, got.Mode)
		if got.OwnMode != (want.Mode != nil) || got.OwnIsolation != (want.Isolation != nil) || got.OwnSecurityHeaders != (want.SecurityHeaders != nil) || got.OwnFetchMetadata != (want.FetchMetadata != nil) {
			t.Fatalf("%q: rule %+v, want %+v", data, got, want)
		}
		if got.Name != want.Name || got.OwnCORS != (want.CORS != nil) || !slices.Equal(got.Match.Routes, want.Match.Routes) {
			t.Fatalf("%q: rule %+v, want %+v", data, got, want)
		}
		var hosts []string
		for _, h := range got.Match.Hosts {
			hosts = append(hosts, strings.Repeat("*.", map[bool]int{true: 1}[h.Subdomains])+h.Name)
		}
		var paths []map[string]string
		for _, path := range got.Match.Paths {
			paths = append(paths, map[string]string{[]string{"exact", "prefix", "regex"}[path.Kind]: path.Value})
		}
		if !slices.Equal(hosts, want.Match.Hosts) || !reflect.DeepEqual(paths, want.Match.Paths) {
			t.Fatalf("%q: hosts %q, paths %q, want %+v", data, hosts, paths, want.Match)
		}
	}
}

func checkGroups(t *testing.T, data []byte, got []policy.CORS, want plainGroups) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%q: %d groups, want %d", data, len(got), len(want))
	}
	want.shareKeys()
	for i := range want {
		block, origins := want[i].block(t)
		checkBlock(t, data, got[i], &block, origins)
	}
}

func checkBlock(t *testing.T, data []byte, got policy.CORS, want *policy.CORS, origins []string) {
	t.Helper()
	if have := textsOf(&got.AllowOrigins); !slices.Equal(have, slices.Sorted(slices.Values(origins))) {
		t.Fatalf("%q: patterns %q, want %q", data, have, origins)
	}
	got.AllowOrigins = origin.List{}
	text := func(c *policy.CORS) string {
		c.AllowMethods, c.AllowHeaders, c.ExposeHeaders = append([]string{}, c.AllowMethods...), append([]string{}, c.AllowHeaders...), append([]string{}, c.ExposeHeaders...)
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := text(&got), text(want); a != b {
		t.Fatalf("%q:\n got %s\nwant %s", data, a, b)
	}
}

// textsOf returns the patterns of a list as text, sorted.
func textsOf(l *origin.List) []string {
	texts := slices.Clone(l.Exact)
	for i := range l.Patterns {
		texts = append(texts, l.Patterns[i].String())
	}
	slices.Sort(texts)
	return texts
}

func checkProblems(t *testing.T, data []byte, doc *document, problems []Problem) {
	t.Helper()
	for i := range problems {
		p := &problems[i]
		line := p.String()
		if p.Path == "" || p.Reason == "" || p.Fix == "" || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) || !utf8.ValidString(line) || len(line) > 1500 {
			t.Fatalf("%q: a problem lacks a part, or is no line: %q", data, line)
		}
		if doc == nil && p.Path != "$" || doc != nil && !doc.paths[p.Path] {
			t.Fatalf("%q: nothing at %q", data, p.Path)
		}
	}
}
