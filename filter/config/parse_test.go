package config

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const base = `"allowOrigins":["https://app.example.com"]`

func TestEveryKeyOfTheReferenceIsRead(t *testing.T) {
	for _, inner := range []string{
		base, `"allowOrigins":[{"exact":"https://app.example.com"}]`, `"allowNull":true`, `"allowOrigins":["*"]`,
		base + `,"allowMethods":["GET","PATCH"]`, base + `,"allowMethods":["*"]`, base + `,"allowHeaders":["X-Custom","Authorization"]`, base + `,"allowHeaders":["*","authorization"]`,
		base + `,"allowHeaders":["Authorization","*"]`, base + `,"exposeHeaders":["X-Total"]`, base + `,"exposeHeaders":["*"]`, base + `,"allowCredentials":true`, base + `,"allowCredentials":false`,
		base + `,"maxAge":0`, base + `,"maxAge":86400`, base + `,"maxAge":7.2e3`, base + `,"maxAge":7200.0`, base + `,"maxAge":72E2`, base + `,"maxAge":-0`,
		base + `,"allowNull":true`, base + `,"allowPrivateNetwork":true`, base + `,"timingAllowOrigin":true`, base + `,"preflightStatus":200`, base + `,"preflightStatus":299`,
		base + `,"onRefusedPreflight":"answer"`, base + `,"onRefusedPreflight":"deny"`, base + `,"onRefusedPreflight":"forward"`, base + `,"onRefusedOrigin":"pass"`, base + `,"onRefusedOrigin":"deny"`,
		base + `,"onMissingOrigin":"pass"`, base + `,"onMissingOrigin":"deny"`, base + `,"upstreamHeaders":"replace"`, base + `,"upstreamHeaders":"keep"`,
		base + `,"presets":["grpc-web"]`, base + `,"presets":["grpc-web"],"allowHeaders":["*"],"allowMethods":["post"],"exposeHeaders":["Grpc-Status"]`,
		`"allowOrigins":["http://a.test"],"allowCredentials":true,"dangerously":{"allowInsecureOrigins":true}`,
		`"allowOrigins":["https://*.com"],"allowCredentials":true,"dangerously":{"allowPublicSuffixWildcards":true}`, base + `,"dangerously":{}`,
		`"allowOrigins":["http://localhost:*","http://127.0.0.1","http://[::1]:1","http://*.a.localhost","ws://a.test"],"allowCredentials":true`,
		`"allow\u004frigins":["https:\/\/app.example.com"]`,
	} {
		if data := []byte(`{"cors":{` + inner + `}}`); !checkParse(t, data) {
			_, _, err := Parse(data)
			t.Errorf("%s: %v", data, err)
		}
	}
	for _, log := range []string{`{}`, `{"refusalsPerMinute":0}`, `{"refusalsPerMinute":60000}`} {
		if !checkParse(t, []byte(`{"log":`+log+`,"cors":{`+base+`}}`)) {
			t.Errorf("log %s is refused", log)
		}
	}
	for _, inner := range []string{base, `"allowNull":true,` + base} {
		for _, key := range []string{`"mode":"on"`, `"rules":[]`, `"rules":null`, `"isolation":{}`, `"securityHeaders":{}`, `"fetchMetadata":null`} {
			if checkParse(t, []byte(`{`+key+`,"cors":{`+inner+`}}`)) {
				t.Errorf("%s is accepted", key)
			}
		}
	}
}

func TestUnwiseConfigurationsAreWarnedOf(t *testing.T) {
	for inner, want := range map[string][]string{
		base:                    nil,
		base + `,"maxAge":7200`: nil,
		base + `,"maxAge":7201`: {"cors.maxAge"},
		base + `,"allowMethods":["PATCH","patch","put","Options"]`: {"cors.allowMethods[1]", "cors.allowMethods[2]", "cors.allowMethods[3]"},
		`"allowOrigins":["*"]`:                                     nil,
		`"allowOrigins":["*"],"allowNull":true`:                    {"cors.allowNull"},
		`"allowOrigins":["*"],"allowPrivateNetwork":true`:          {"cors.allowOrigins[0]"},
		`"allowOrigins":["https://*.com"]`:                         {"cors.allowOrigins[0]"},
		`"allowOrigins":["https://a.test","https://x*.github.io"]`: {"cors.allowOrigins[1]"},
		`"allowOrigins":["https://*.internal"],"allowCredentials":true,"dangerously":{"allowPublicSuffixWildcards":true}`: {"cors.allowOrigins[0]"},
		`"allowOrigins":["http://a.test"],"allowCredentials":true,"dangerously":{"allowInsecureOrigins":true}`:            {"cors.allowOrigins[0]"},
		`"allowOrigins":["http://a.test"]`:                                 nil,
		`"allowOrigins":["https://a.example.com","https://*.example.com"]`: {"cors.allowOrigins[0]"},
		`"allowOrigins":["http://localhost:3000","http://localhost:*"]`:    {"cors.allowOrigins[0]"},
		`"allowOrigins":["https://a.test"],"allowNull":true`:               {"cors.allowNull"},
	} {
		_, warnings, err := Parse([]byte(`{"cors":{` + inner + `}}`))
		if err != nil {
			t.Errorf("%s: %v", inner, err)
			continue
		}
		var got []string
		for i := range warnings {
			got = append(got, warnings[i].Path)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: warnings %q, want %q", inner, got, want)
		}
	}
}

func TestDocumentsAreBoundedInDepth(t *testing.T) {
	nested := func(n int) []byte {
		return []byte(`{"cors":{` + base + `},"x":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`)
	}
	for n, path := range map[int]string{MaxDepth: "x", MaxDepth + 1: "$"} {
		_, _, err := Parse(nested(n))
		if problems, ok := err.(Error); !ok || len(problems) != 1 || problems[0].Path != path {
			t.Errorf("depth %d: %v", n, err)
		}
	}
	for _, unit := range []string{"[", `{"a":`, `[{"a":`, "]", "}", `"`, `\`, `"\`, "[]", "]["} {
		checkParse(t, bytes.Repeat([]byte(unit), 9_000))
	}
	if checkParse(t, []byte(`{"cors":{"allowOrigins":["https://[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]}}`)) {
		t.Error("brackets in a string pass for a host")
	}
}

func TestDocumentsAreBoundedInLength(t *testing.T) {
	doc := `{"cors":{` + base + `}}`
	for size, want := range map[int]bool{MaxBytes: true, MaxBytes + 1: false} {
		best := time.Hour
		for try := 0; try < 3 && best > 5*time.Second; try++ { // a machine may stall
			start := time.Now()
			_, _, err := Parse([]byte(doc + strings.Repeat(" ", size-len(doc))))
			if best = min(best, time.Since(start)); (err == nil) != want {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
		if best > 5*time.Second {
			t.Errorf("%d bytes took %v", size, best)
		}
	}
}

func TestOfManyMistakesSomeAreShownAndTheOthersCounted(t *testing.T) {
	const n, perMistake = 4_000, 1_000
	for what, data := range map[string]string{
		"origins":      `{"cors":{"allowOrigins":["` + strings.Repeat(`x","`, n-1) + `x"]}}`,
		"unknown keys": `{"cors":{"allowOrigins":["https://a.test"]}` + strings.Repeat(`,"x":1`, n) + `}`,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Parse([]byte(data))
		text := err.Error()
		runtime.ReadMemStats(&after)
		if got := strings.Count(text, "\n"); got != maxProblems || !strings.HasSuffix(text, "\n$: has 3500 more of these; mend those above first") {
			t.Errorf("%s: %d lines, at last %s", what, got+1, text[strings.LastIndex(text, "\n")+1:])
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > n*perMistake {
			t.Errorf("%s: %d mistakes take %d bytes", what, n, got)
		}
	}
}

func TestOfManyWarningsSomeAreShownAndTheOthersCounted(t *testing.T) {
	list := ""
	for i := range maxProblems + 7 {
		list += fmt.Sprintf(`"https://*.a%d.github.io", "https://x%d.a%d.github.io",`, i, i, i)
	}
	_, warnings, err := Parse([]byte(`{"cors":{"allowOrigins":[` + strings.TrimSuffix(list, ",") + `]}}`))
	if err != nil || len(warnings) != maxProblems+1 || warnings[maxProblems].String() != "$: has 7 more of these; mend those above first" {
		t.Errorf("%d warnings, %v; at last %v", len(warnings), err, warnings[len(warnings)-1].String())
	}
}

var (
	keys = append(strings.Fields(knownKeys["cors"]), "AllowOrigins", "allowOrigin", "", "x.y", "x[0]", "\\u0000", "\\ud800", strings.Repeat("k", 70), "\\n", "\u00e9", `\"`)
	good = map[string][]string{
		"allowOrigins": {
			`["https://app.example.com"]`, `["https://*.example.com",{"exact":"https://a.test:1"}]`, `["*"]`, `["http://localhost:*"]`, `[{"regex":"https://pr-[0-9]+\\.example\\.com"}]`,
		},
		"allowMethods": {`["GET","PUT"]`, `["*"]`}, "allowHeaders": {`["X-A","authorization"]`, `["*","Authorization"]`}, "exposeHeaders": {`["X-B"]`, `["*"]`},
		"allowCredentials": {`true`, `false`}, "maxAge": {`0`, `7.2e3`, `86400`}, "allowNull": {`true`, `false`}, "allowPrivateNetwork": {`true`}, "timingAllowOrigin": {`false`, `true`},
		"preflightStatus": {`200`, `2.04e2`}, "onRefusedPreflight": {`"answer"`, `"deny"`, `"forward"`}, "onRefusedOrigin": {`"pass"`, `"deny"`}, "onMissingOrigin": {`"pass"`, `"deny"`},
		"upstreamHeaders": {`"keep"`, `"replace"`}, "presets": {`["grpc-web"]`}, "dangerously": {`{}`, `{"allowInsecureOrigins":true}`, `{"allowPublicSuffixWildcards":true,"allowInsecureOrigins":false}`},
	}
	odd = []string{
		`null`, `true`, `0`, `-1`, `1.5`, `1e999`, `-1e999`, `1e-999`, `9007199254740993`, `""`, `"x"`, `[]`, `{}`, `[null]`, `[[]]`, `[1]`, `[""]`, `["*","*"]`, `["*","x"]`, `["a b"]`, `["é"]`,
		`["https://a.test/"]`, `["https://a.test","https://a.test"]`, `[{"exact":"https://a.test"},"https://a.test"]`, `[{"exact":1}]`, `[{"exact":"https://a.test","exact":"https://b.test"}]`, `[{}]`,
		`[{"regex":".*"}]`, `[{"prefix":"https://"}]`, `[{"x":1}]`, `["\ud800"]`, `["\u0000"]`, `"\n"`, `{"a":{"b":[1,{"c":"` + strings.Repeat("long ", 50) + `"}]}}`, `["Cookie"]`, `["TRACE"]`, `["get","GET"]`, `["X-A","x-a"]`,
		`["set-cookie"]`, `["Access-Control-Allow-Origin"]`, `{"allowInsecureOrigins":1}`, `{"x":1}`, `"deny "`, `["grpc-web","grpc-web"]`, `"\u0064eny"`, "[\n\t\"\u2028\"\r]", `["` + strings.Repeat("\u00e9", 200) + `"]`,
		`["http://a.test"]`, `["https://*.com","https://*"]`, `01`, `.5`, `+1`, `NaN`, `tru`, `"\x"`, `'a'`, `[1,]`, `{"a":1,}`, `{a:1}`, "\"\x01\"", "\"\xff\"", `[`, `}`, ``,
	}
)

// What stands in rules.
var (
	goodRule = map[string][]string{
		"name": {`"a"`, `"b-1_2"`, `"c"`},
		"match": {
			`{"hosts":["api.example.com"]}`, `{"hosts":["*.example.com","[::1]"],"paths":[{"prefix":"/public"},{"exact":"/caf%C3%A9/"}]}`, `{"routes":["a route","\u00e9"]}`,
			`{"paths":[{"regex":"/v[0-9]+(/.*)?"},{"prefix":"/"}]}`, `{"hosts":["192.0.2.1"],"routes":["r"]}`,
		},
		"cors": {`null`, `{"allowOrigins":["https://rule.example.com"]}`, `[{"allowOrigins":["https://rule.example.com"]},{"allowOrigins":["*"],"onRefusedOrigin":"deny"}]`},
	}
	oddRule = []string{
		`"A"`, `"default"`, `""`, `{"hosts":[]}`, `{"hosts":["API.example.com","a:1","*","a*.b","https://a","a.","*.1.2.3.4","\u0000","a..b"]}`, `{"paths":["/a"]}`, `{"paths":[{"exact":"a"},{"prefix":"/a/"},{"exact":"/a//b"}]}`,
		`{"paths":[{"prefix":"/%61"},{"exact":"/a/../b"},{"exact":"/a?b"},{"prefix":"/*"},{"exact":"/é"},{"suffix":"/a"},{"exact":"/a","prefix":"/a"},{}]}`, `{"paths":[{"regex":"("},{"regex":"a"},{"regex":1}]}`,
		`{"routes":["",1,"a","a"]}`, `{"hosts":["a.test","a.test"],"paths":[{"exact":"/a"},{"exact":"/a"}]}`, `{"host":["a.test"]}`, `{"hosts":["a.test"],"hosts":["b.test"]}`, `{}`, `[]`, `null`, `[null]`, `[{}]`, `[[]]`,
		`[{"allowOrigins":["*"]},{"allowOrigins":["https://a.test"]}]`, `[{"allowOrigins":["https://*.a.test"]},{"allowOrigins":["https://b.a.test"],"allowNull":true},{"allowNull":true}]`,
		`[{"allowOrigins":["https://a.test"],"preflightStatus":200},{"allowOrigins":["https://b.test"],"preflightStatus":201}]`,
	}
)

// randomRules gives rules with few mistakes or none, but that some are unreachable.
func randomRules(r *rand.Rand) string {
	var rules []string
	for range 1 + r.IntN(3) {
		var parts []string
		for _, key := range []string{"name", "match", "cors"} {
			value := pick(r, goodRule[key])
			if r.IntN(12) == 0 {
				value = pick(r, append(oddRule, odd...))
			}
			if r.IntN(12) > 0 {
				parts = append(parts, `"`+key+`":`+value)
			}
		}
		if r.IntN(20) == 0 {
			parts = append(parts, `"`+pick(r, []string{"mode", "hosts", "", "isolation", "name"})+`":1`)
		}
		rules = append(rules, "{"+strings.Join(parts, ",")+"}")
	}
	return "[" + strings.Join(rules, ",") + "]"
}

func pick[E any](r *rand.Rand, from []E) E { return from[r.IntN(len(from))] }

// randomDocument gives a configuration with few mistakes or none.
func randomDocument(r *rand.Rand) string {
	var parts []string
	all := strings.Fields(knownKeys["cors"])
	mistakes := r.IntN(3)
	for range 1 + r.IntN(7) {
		key := pick(r, all)
		value := pick(r, append(good[key], `[]`)[:max(1, len(good[key]))])
		parts = append(parts, `"`+key+`":`+value)
	}
	for range mistakes {
		at := r.IntN(len(parts))
		key, _, _ := strings.Cut(parts[at], ":")
		if r.IntN(4) == 0 {
			key = `"` + pick(r, keys) + `"`
		}
		parts[at] = key + ":" + pick(r, odd)
	}
	if mistakes == 0 {
		slices.Sort(parts)
		parts = slices.CompactFunc(parts, func(a, b string) bool { return strings.Split(a, ":")[0] == strings.Split(b, ":")[0] })
		parts = slices.DeleteFunc(parts, func(p string) bool { return strings.HasPrefix(p, `"allowOriginsFrom"`) })
	}
	space := func() string { return pick(r, []string{"", "", " ", "\n\t"}) }
	block := "{" + strings.Join(parts, ","+space()) + "}"
	if r.IntN(8) == 0 {
		block = "[" + block + pick(r, []string{"", `,{"allowOrigins":["https://last.example"]}`, `,{"allowOrigins":["*"]},1`, ","}) + "]"
	}
	doc := "{" + space() + `"cors":` + space() + block + space() + "}"
	if r.IntN(4) == 0 {
		doc = doc[:len(doc)-1] + `,"rules":` + randomRules(r) + "}"
	}
	if r.IntN(8) == 0 {
		doc = doc[:len(doc)-1] + pick(r, []string{`,"log":{"refusalsPerMinute":5}`, `,"log":{"refusalsPerMinute":60001}`, `,"log":[]`, `,"cors":{}`, `,"mode":"off"`, `,"":0`, `,`}) + "}"
	}
	if r.IntN(10) == 0 {
		at := r.IntN(len(doc))
		doc = doc[:at] + pick(r, []string{"", "x", "\"", "{", "]", "\x00", "\xff", "\\", ",", "\ufeff"}) + doc[at+r.IntN(2):]
	}
	return doc
}

func TestParseAgreesWithEncodingJSONOnRandomDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	accepted := 0
	const n = 60_000
	for range n {
		if checkParse(t, []byte(randomDocument(r))) {
			accepted++
		}
	}
	if accepted < n/20 || accepted > n*19/20 {
		t.Errorf("%d of %d documents are accepted: the generator is lopsided", accepted, n)
	}
}

func TestParseKeepsNothingOfItsInput(t *testing.T) {
	data := []byte(`{"cors":{"allowOrigins":["https://app.example.com"],"allowHeaders":["X-Custom"]}}`)
	spec, _, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for i := range data {
		data[i] = 'x'
	}
	if got := spec.CORS[0].AllowOrigins.Exact[0] + " " + spec.CORS[0].AllowHeaders[0]; got != "https://app.example.com X-Custom" {
		t.Error(got)
	}
}

func FuzzParse(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 40 {
		f.Add([]byte(randomDocument(r)))
	}
	for _, value := range oddRule {
		f.Add([]byte(`{"cors":` + value + `}`))
		f.Add([]byte(`{"cors":{` + base + `},"rules":[{"name":"a","match":` + value + `}]}`))
	}
	for _, value := range odd {
		f.Add([]byte(`{"cors":{` + base + `,"allowHeaders":` + value + `}}`))
		f.Add([]byte(`{"cors":{"allowOrigins":` + value + `}}`))
		f.Add([]byte(value))
	}
	for _, s := range []string{
		`{"cors":{"allowOrigins":["https://a.test"],"c\u006frs":1}}`, `{"cors":{"allowOrigins":["https://a.test"],"allow\u004frigins":["https://b.test"]}}`, "\ufeff{}", "{}\x00", `{"cors":{"allowOrigins":["https://a.test"]}}{}`,
		`{"cors":{"allowOrigins":["https://a.test"]}} //`, `{"cors":` + strings.Repeat("[", 100) + `}`, `{"cors":{"maxAge":1e1,"allowNull":true}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { checkParse(t, data) })
}
