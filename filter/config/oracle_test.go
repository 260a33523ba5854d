package config

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// knownKeys are the keys of the objects that a configuration may hold, by the path of the object without indexes.
var knownKeys = map[string]string{
	"": " cors log mode rules isolation securityHeaders fetchMetadata ",
	"cors": " allowOrigins allowMethods allowHeaders exposeHeaders allowCredentials maxAge allowNull allowPrivateNetwork timingAllowOrigin preflightStatus onRefusedPreflight " +
		"onRefusedOrigin onMissingOrigin upstreamHeaders allowOriginsFrom presets dangerously ",
	"cors.dangerously":    " allowInsecureOrigins allowPublicSuffixWildcards ",
	"cors.allowOrigins[]": " exact ",
	"log":                 " refusalsPerMinute ",
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
			d.unknown = d.unknown || !strings.Contains(knownKeys[shape], " "+key+" ")
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
	CORS *struct {
		AllowOrigins                                                          []json.RawMessage
		AllowMethods, AllowHeaders, ExposeHeaders, Presets                    []string
		AllowCredentials, AllowNull, AllowPrivateNetwork, TimingAllowOrigin   bool
		MaxAge, PreflightStatus                                               *float64
		OnRefusedPreflight, OnRefusedOrigin, OnMissingOrigin, UpstreamHeaders string
		Dangerously                                                           map[string]bool
	}
	Log struct{ RefusalsPerMinute *float64 }
}

// spec makes the Spec that the document means, its patterns as text.
func (p *plain) spec(t *testing.T) (cors policy.CORS, origins []string, log policy.Log) {
	t.Helper()
	c := p.CORS
	for _, raw := range c.AllowOrigins {
		var text string
		var object struct{ Exact string }
		if json.Unmarshal(raw, &text) != nil {
			if err := json.Unmarshal(raw, &object); err != nil {
				t.Fatalf("a pattern is accepted that is no string and no object: %s", raw)
			}
			text = object.Exact
		}
		origins = append(origins, text)
	}
	index := func(values, value string) int {
		return max(0, strings.Count(values[:strings.Index(values+" "+value, value)], " "))
	}
	number := func(n *float64, absent int) int {
		if n == nil {
			return absent
		}
		return int(*n)
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
	return cors, origins, policy.Log{RefusalsPerMinute: number(p.Log.RefusalsPerMinute, 60)}
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
	if err := json.Unmarshal(data, &p); err != nil || p.CORS == nil {
		t.Fatalf("accepted: %q, though %v", data, err)
	}
	want, origins, log := p.spec(t)
	checkSpec(t, data, &spec, &want, origins, log)
	if _, err := policy.Compile(spec.CORS); err != nil {
		t.Fatalf("accepted: %q, though %v", data, err)
	}
	return true
}

func checkSpec(t *testing.T, data []byte, spec *policy.Spec, want *policy.CORS, origins []string, log policy.Log) {
	t.Helper()
	got := *spec.CORS
	if len(got.AllowOrigins) != len(origins) {
		t.Fatalf("%q: %d patterns", data, len(got.AllowOrigins))
	}
	for i := range got.AllowOrigins {
		if got.AllowOrigins[i].String() != origins[i] {
			t.Fatalf("%q: pattern %q, want %q", data, got.AllowOrigins[i].String(), origins[i])
		}
	}
	got.AllowOrigins = nil
	text := func(c *policy.CORS) string {
		c.AllowMethods, c.AllowHeaders, c.ExposeHeaders = append([]string{}, c.AllowMethods...), append([]string{}, c.AllowHeaders...), append([]string{}, c.ExposeHeaders...)
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, b := text(&got), text(want); a != b || spec.Log != log {
		t.Fatalf("%q:\n got %s %+v\nwant %s %+v", data, a, spec.Log, b, log)
	}
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
