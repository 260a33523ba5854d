package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

var anySource = policy.Source{MaxBytes: 1 << 20}

// readFetched reads text step by step.
func readFetched(text string, source policy.Source, step int) (*policy.Fetched, error) {
	d := NewDocument(text, &source)
	for !d.Step(step) {
	}
	return d.Result()
}

// lists reports whether a document lets an origin in, by a policy that has nothing else.
func lists(t testing.TB, f *policy.Fetched, authority, from string) bool {
	t.Helper()
	spec, _, err := Parse([]byte(`{"cors": {"allowOriginsFrom": {"cluster": "origins", "path": "/"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := policy.Compile(&spec)
	if err != nil {
		t.Fatal(err)
	}
	_, p := rules.Default()
	d := p.Decide(&policy.Request{Method: "GET", Scheme: "https", Authority: authority, Path: "/", Origins: 1, Origin: from, InForce: []*policy.Fetched{f}})
	return d.Grant != ""
}

func TestADocumentListsOrigins(t *testing.T) {
	for _, test := range []struct {
		text, authority, from string
		want                  bool
	}{
		{`{"allowOrigins": ["https://a.test"]}`, "any.example", "https://a.test", true},
		{"\r\n\t {\"allowOrigins\" :[ \"https://a.test\"\t,\"https://b.test\" ] } \n", "", "https://b.test", true},
		{`{"allowOrigins": []}`, "any.example", "https://a.test", false},
		{`{"allowOrigins": ["https://\u0061.test"]}`, "any.example", "https://a.test", true},
		{`{"allowOrigins": ["https://*.a.test"]}`, "any.example", "https://x.y.a.test", true},
		{`{"allowOrigins": ["https://*.a.test"]}`, "any.example", "https://a.test", false},
		{`{"allowOrigins": [{"exact": "https://a.test"}, {"regex": "https://(b|c)\\.test"}]}`, "any.example", "https://c.test", true},
		{`{"allowOrigins": ["http://localhost:*"]}`, "any.example", "http://localhost:3000", true},
		{`{"allowOrigins": ["https://*"]}`, "any.example", "https://whatever.test", true},
		{`{"allowOrigins": ["https://a.test"]}`, "any.example", "null", false},
		{`{"hosts": {}}`, "any.example", "https://a.test", false},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}, "y.example": {"allowOrigins": []}}}`, "x.example", "https://a.test", true},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}, "y.example": {"allowOrigins": []}}}`, "X.example.:8443", "https://a.test", true},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}, "y.example": {"allowOrigins": []}}}`, "y.example", "https://a.test", false},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}}}`, "sub.x.example", "https://a.test", false},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}}}`, "", "https://a.test", false},
		{`{"hosts": {"x.example": {"allowOrigins": ["https://*.a.test"]}, "y.example": {"allowOrigins": ["https://*.b.test"]}}}`, "y.example", "https://x.a.test", false},
	} {
		for _, step := range []int{1, 3, 1000} {
			f, err := readFetched(test.text, anySource, step)
			if err != nil {
				t.Errorf("%s: %v", test.text, err)
			} else if got := lists(t, f, test.authority, test.from); got != test.want {
				t.Errorf("%s: %s at %q: %v", test.text, test.from, test.authority, got)
			}
		}
	}
}

func TestADocumentWithAMistakeIsRefusedWhole(t *testing.T) {
	credentials := policy.Source{MaxBytes: 1 << 20, Credentials: true}
	for _, test := range []struct {
		text   string
		source policy.Source
		want   string
	}{
		{``, anySource, "is not a JSON object"},
		{`  `, anySource, "is not a JSON object"},
		{`[]`, anySource, "is not a JSON object"},
		{`null`, anySource, "is not a JSON object"},
		{`{}`, anySource, "must have one of allowOrigins and hosts"},
		{`{"allowOrigins": []`, anySource, "not valid JSON"},
		{`{"allowOrigins": []}}`, anySource, "not valid JSON"},
		{`{"allowOrigins": []} x`, anySource, "not valid JSON"},
		{`{"allowOrigins": ["https://a.test",]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [,"https://a.test"]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": ["https://a.test" "https://b.test"]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": ["https://a.test]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": ['https://a.test']}`, anySource, "not valid JSON"},
		{`{"allowOrigins" ["https://a.test"]}`, anySource, "not valid JSON"},
		{`{allowOrigins: []}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [1]}`, anySource, "must be a string or an object, is a number"},
		{`{"allowOrigins": [null ,"https://a.test"]}`, anySource, "must be a string or an object, is null"},
		{`{"allowOrigins": [nul]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [tru e]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [01]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [1`, anySource, "not valid JSON"},
		{`{1: []}`, anySource, "not valid JSON"},
		{"{\"allowOrigins\": [\"https://\xff.test\"]}", anySource, "not valid JSON"},
		{"\ufeff{\"allowOrigins\": []}", anySource, "is not a JSON object"},
		{`{"allowOrigins": {}}`, anySource, "has a value of the wrong type"},
		{`{"allowOrigins": null}`, anySource, "has a value of the wrong type"},
		{`{"hosts": []}`, anySource, "has a value of the wrong type"},
		{`{"hosts": {"x.example": []}}`, anySource, "has a value of the wrong type"},
		{`{"hosts": {"x.example": {}}}`, anySource, "has no allowOrigins"},
		{`{"hosts": {"x.example": {"allowOrigins": [], "more": 1}}}`, anySource, "stands beside another key"},
		{`{"hosts": {"x.example": {"hosts": {}}}}`, anySource, "unknown key"},
		{`{"origins": []}`, anySource, "unknown key"},
		{`{"allowOrigins": [], "hosts": {}}`, anySource, "stands beside another key"},
		{`{"allowOrigins": [], "allowOrigins": []}`, anySource, "stands beside another key"},
		{`{"hosts": {"x.example": {"allowOrigins": []}, "x.example": {"allowOrigins": []}}}`, anySource, "duplicate key"},
		{`{"hosts": {"*.example": {"allowOrigins": []}}}`, anySource, "stands for many hosts"},
		{`{"hosts": {"x.example:443": {"allowOrigins": []}}}`, anySource, `hosts["x.example:443"]`},
		{`{"hosts": {"": {"allowOrigins": []}}}`, anySource, `hosts[""]`},
		{`{"allowOrigins": ["*"]}`, anySource, "any origin is not to be had"},
		{`{"allowOrigins": ["null"]}`, anySource, "allowOrigins[0]"},
		{`{"allowOrigins": ["https://a.test", "https://A.test"]}`, anySource, "$.allowOrigins[1]"},
		{`{"allowOrigins": ["https://a.test", "https://a.test"]}`, anySource, "stands in the list already"},
		{`{"allowOrigins": ["https://a.test/"]}`, anySource, "$.allowOrigins[0]"},
		{`{"allowOrigins": [{"prefix": "https://a.test"}]}`, anySource, "a prefix also admits"},
		{`{"allowOrigins": [["https://a.test"]]}`, anySource, "must be a string or an object"},
		{`{"allowOrigins": ["` + strings.Repeat("a", 5000) + `"]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": [` + strings.Repeat("[", 3000) + strings.Repeat("]", 3000) + `]}`, anySource, "not valid JSON"},
		{`{"allowOrigins": ["https://a.test"]}`, policy.Source{MaxBytes: 10}, "is longer than 10 bytes"},
		{`{"allowOrigins": ["http://a.test"]}`, credentials, "an http origin with credentials"},
		{`{"allowOrigins": ["https://*"]}`, credentials, "any host with credentials"},
		{`{"allowOrigins": ["https://*.com"]}`, credentials, "public suffix"},
	} {
		for _, step := range []int{1, 1000} {
			f, err := readFetched(test.text, test.source, step)
			if err == nil || f != nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%.100s: %v, want %q", test.text, err, test.want)
			}
		}
	}
	overridden := policy.Source{MaxBytes: 1 << 20, Credentials: true, InsecureOK: true, PublicSuffixOK: true}
	if _, err := readFetched(`{"allowOrigins": ["http://a.test", "https://*.com"]}`, overridden, 1); err != nil {
		t.Error(err)
	}
}

// What encoding/json makes of a document that is read: the same origins, and nothing that it would not take.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		`{"allowOrigins": ["https://a.test", "https://*.b.test", {"exact": "https://c.test"}]}`, `{"hosts": {"x.example": {"allowOrigins": ["https://a.test"]}}}`,
		`{"allowOrigins": []} `, `{"hosts": {}}`, `{"allowOrigins":["https://a.test\u0000"]}`, "{\"allowOrigins\":[\"\\ud800\"]}", `{"allowOrigins":["https://a.test"],}`, `{"\u0061llowOrigins":[]}`, `{"0\`,
	} {
		f.Add(seed, true)
		f.Add(seed, false)
	}
	f.Fuzz(func(t *testing.T, text string, credentials bool) {
		source := policy.Source{MaxBytes: 4096, Credentials: credentials}
		whole, err := readFetched(text, source, 1<<20)
		stepwise, stepErr := readFetched(text, source, 1)
		if fmt.Sprint(err) != fmt.Sprint(stepErr) {
			t.Fatalf("%v and %v", err, stepErr)
		}
		if err != nil {
			return
		}
		type list struct{ AllowOrigins []json.RawMessage }
		var doc struct {
			list
			Hosts map[string]list
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&doc); err != nil {
			t.Fatalf("encoding/json: %v", err)
		}
		check := func(host string, l list) {
			for _, raw := range l.AllowOrigins {
				var exact string
				if json.Unmarshal(raw, &exact) != nil {
					continue
				}
				p, err := origin.ParsePattern(exact)
				if err != nil {
					t.Fatalf("%q was taken: %v", exact, err)
				}
				if p.IsLiteral() && (!lists(t, whole, host, exact) || !lists(t, stepwise, host, exact)) {
					t.Fatalf("%q is not listed for %q", exact, host)
				}
			}
		}
		check("any.example", doc.list)
		for host, l := range doc.Hosts {
			check(host, l)
		}
		if lists(t, whole, "any.example", "https://never.listed.invalid") && !strings.Contains(text, "https://*") && !strings.Contains(text, "invalid") && !strings.Contains(text, "regex") && !strings.Contains(text, `\u`) {
			t.Fatal("what nobody listed is listed")
		}
	})
}

func TestDurationsAreThoseOfTheGatewayAPI(t *testing.T) {
	for text, want := range map[string]int{"30s": 30_000, "1m30s": 90_000, "500ms": 500, "1h": 3_600_000, "1h2m3s4ms": 3_723_004, "00s": 0, "99999s": 99_999_000} {
		if got, ok := milliseconds(text); !ok || got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "30", "s", "1.5s", "-1s", "+1s", "1 s", "1S", "100000s", "1h1m1s1ms1s", "1d", "1us", "10s ", "１s"} {
		if got, ok := milliseconds(text); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}
