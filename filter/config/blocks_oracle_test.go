package config

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/policy"
)

// What stands beside cors, as encoding/json reads it.

func (p *plainBlocks) check(t *testing.T, data []byte, isolation, security []policy.SetHeader, metadata policy.FetchMetadata, mode policy.Mode) {
	t.Helper()
	if got, want := linesOf(isolation), isolationLines(t, p.Isolation); !slices.Equal(got, want) {
		t.Fatalf("%q: isolation sets %q, want %q", data, got, want)
	}
	if got, want := linesOf(security), headerLines(t, p.SecurityHeaders); !slices.Equal(got, want) {
		t.Fatalf("%q: securityHeaders sets %q, want %q", data, got, want)
	}
	var f struct {
		Mode                                  string
		AllowSameSite, AllowUnsafeNavigations *bool
	}
	read(t, p.FetchMetadata, &f)
	isOff := func(b *bool) bool { return b != nil && !*b }
	on := len(p.FetchMetadata) > 0 && p.FetchMetadata[0] == '{'
	if want := (policy.FetchMetadata{On: on, Report: f.Mode == "report", RefuseSameSite: isOff(f.AllowSameSite), RefuseUnsafeNavigations: isOff(f.AllowUnsafeNavigations)}); metadata != want {
		t.Fatalf("%q: fetchMetadata %+v, want %+v", data, metadata, want)
	}
	if want := modeOf(t, p.Mode); mode != want {
		t.Fatalf("%q: mode %+v, want %+v", data, mode, want)
	}
}

// read decodes raw, if there is any.
func read(t *testing.T, raw json.RawMessage, into any) {
	t.Helper()
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatalf("accepted: %s, though %v", raw, err)
		}
	}
}

func modeOf(t *testing.T, raw json.RawMessage) policy.Mode {
	t.Helper()
	if len(raw) == 0 {
		return policy.Mode{}
	}
	if raw[0] == '"' {
		return map[string]policy.Mode{`"enforce"`: {}, `"shadow"`: {Unenforced: 1_000_000}, `"off"`: {Unenforced: 1_000_000, Otherwise: policy.Off}}[compact(t, raw)]
	}
	var m struct {
		Enforce struct {
			Numerator   float64
			Denominator string
		}
		Otherwise string
	}
	read(t, raw, &m)
	of := map[string]float64{"": 1e2, "HUNDRED": 1e2, "TEN_THOUSAND": 1e4, "MILLION": 1e6}[m.Enforce.Denominator]
	mode := policy.Mode{Unenforced: uint32(1e6 - m.Enforce.Numerator*(1e6/of))}
	if m.Otherwise == "off" {
		mode.Otherwise = policy.Off
	}
	return mode
}

// compact returns a string as JSON that has no escapes but those that it needs.
func compact(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var s string
	read(t, raw, &s)
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// member is a key of an object, and its value.
type member struct {
	key   string
	value json.RawMessage
}

// membersOf returns the members of an object in their order; none if raw is no object.
func membersOf(t *testing.T, raw json.RawMessage) []member {
	t.Helper()
	if len(raw) == 0 || raw[0] != '{' {
		return nil
	}
	var all []member
	dec := json.NewDecoder(bytes.NewReader(raw))
	next := func() json.Token {
		token, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for next(); dec.More(); {
		m := member{key: next().(string)}
		if err := dec.Decode(&m.value); err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// linesOf returns headers as text.
func linesOf(headers []policy.SetHeader) []string {
	var lines []string
	for _, h := range headers {
		lines = append(lines, line(h.Name.String(), h.Value, h.IfAbsent))
	}
	return lines
}

func line(name, value string, ifAbsent bool) string {
	if ifAbsent {
		name += " if absent"
	}
	return name + ": " + value
}

// headerOf returns the name of the header that a key is for: the keys are the names of headers, as JSON writes them.
func headerOf(key string) string {
	name := ""
	for _, r := range key {
		if r >= 'A' && r <= 'Z' {
			name += "-"
		}
		name += strings.ToLower(string(r))
	}
	return name
}

// headerLines returns the headers of a block whose values are strings or objects of value and more.
func headerLines(t *testing.T, block json.RawMessage) []string {
	t.Helper()
	var lines []string
	for _, m := range membersOf(t, block) {
		var o struct {
			Value, ReportTo string
			IfAbsent        bool
		}
		if m.value[0] == '{' {
			read(t, m.value, &o)
		} else {
			read(t, m.value, &o.Value)
		}
		if o.ReportTo != "" {
			o.Value += `; report-to="` + o.ReportTo + `"`
		}
		lines = append(lines, line(headerOf(m.key), o.Value, o.IfAbsent))
	}
	return lines
}

// isolationLines returns the headers of an isolation block.
func isolationLines(t *testing.T, block json.RawMessage) []string {
	t.Helper()
	var lines []string
	fill := map[string]string{}
	for _, m := range membersOf(t, block) {
		switch m.key {
		case "preset":
			fill = map[string]string{"cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp"}
		case "originAgentCluster":
			lines = append(lines, "origin-agent-cluster: "+map[string]string{"true": "?1", "false": "?0"}[string(m.value)])
		case "reportingEndpoints":
			var all []string
			for _, e := range membersOf(t, m.value) {
				var url string
				read(t, e.value, &url)
				all = append(all, e.key+`="`+url+`"`)
			}
			lines = append(lines, "reporting-endpoints: "+strings.Join(all, ", "))
		default:
			lines = append(lines, headerLines(t, json.RawMessage(`{"`+m.key+`":`+string(m.value)+`}`))...)
		}
	}
	for _, name := range []string{"cross-origin-opener-policy", "cross-origin-embedder-policy"} {
		isWritten := slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, name+": ") })
		if fill[name] != "" && !isWritten {
			lines = append(lines, name+": "+fill[name])
		}
	}
	return lines
}

// Values of the keys of blocks, of which some are good.
var (
	policies = []string{
		`"same-origin"`, `"require-corp"`, `"credentialless"`, `"unsafe-none"`, `"none"`, `"isolate-and-credentialless"`, `{"value":"same-origin"}`, `{"value":"require-corp","reportTo":"a"}`, `{"reportTo":"b","value":"none"}`, `"same\u002dorigin"`,
	}
	valuesOf = map[string][]string{
		"mode": {`"enforce"`, `"shadow"`, `"off"`, `"report"`, `{"enforce":{"numerator":5}}`, `{"enforce":{"numerator":5e1,"denominator":"TEN_THOUSAND"},"otherwise":"off"}`, `{"otherwise":"shadow","enforce":{"denominator":"MILLION","numerator":250000.0}}`},

		"preset": {`"cross-origin-isolated"`}, "crossOriginResourcePolicy": policies, "originAgentCluster": {`true`, `false`},
		"reportingEndpoints":      {`{"a":"/a"}`, `{"b":"https://b.example/?x","a":"http:\/\/localhost"}`, `{"a":"/","b":"/","*-._":"/"}`, `{"A":"/"}`, `{"a":"//b"}`},
		"crossOriginOpenerPolicy": policies, "crossOriginOpenerPolicyReportOnly": policies, "crossOriginEmbedderPolicy": policies, "crossOriginEmbedderPolicyReportOnly": policies, "documentIsolationPolicy": policies,

		"contentSecurityPolicy": {`"default-src 'self'"`, `{"value":"img-src *","ifAbsent":true}`}, "contentSecurityPolicyReportOnly": {`"img-src *; report-to a"`}, "strictTransportSecurity": {`"max-age=5"`, `{"ifAbsent":false,"value":"max-age=5"}`},
		"xContentTypeOptions": {`"nosniff"`}, "xFrameOptions": {`"DENY"`, `{"value":"SAMEORIGIN"}`}, "referrerPolicy": {`"origin, same-origin"`}, "permissionsPolicy": {`"camera=()"`}, "xXssProtection": {`"0"`, `"\u0030"`},

		"allowSameSite": {`true`, `false`}, "allowUnsafeNavigations": {`true`, `false`},
	}
)

// randomObject gives an object with some of the keys, or what is none.
func randomObject(r *rand.Rand, keys string) string {
	if r.IntN(20) == 0 {
		return pick(r, odd)
	}
	all := strings.Fields(keys)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var parts []string
	for _, key := range all[:min(len(all), 1+r.IntN(4))] {
		value := pick(r, valuesOf[key])
		if r.IntN(30) == 0 {
			value = pick(r, odd)
		}
		parts = append(parts, `"`+key+`":`+value)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func randomBlocks(r *rand.Rand) string {
	text := ""
	for _, key := range []string{"mode", "isolation", "securityHeaders", "fetchMetadata"} {
		value := pick(r, valuesOf["mode"])
		if key != "mode" {
			value = strings.ReplaceAll(randomObject(r, knownKeys[key]), `"mode":"shadow"`, `"mode":"report"`)
		}
		if r.IntN(15) == 0 {
			value = "null"
		}
		if r.IntN(2) == 0 {
			text += `,"` + key + `":` + value
		}
	}
	return text
}

func TestParseAgreesWithEncodingJSONOnRandomBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	accepted := 0
	const n = 12_000
	for range n {
		text := `{"cors":{` + base + `}` + randomBlocks(r)
		if r.IntN(2) == 0 {
			text += `,"rules":[{"name":"a","match":{"hosts":["a.example.com"]}` + randomBlocks(r) + `}]`
		}
		if checkParse(t, []byte(text+"}")) {
			accepted++
		}
	}
	if accepted < n/10 || accepted > n*9/10 {
		t.Errorf("%d of %d documents are accepted: the generator is lopsided", accepted, n)
	}
}
