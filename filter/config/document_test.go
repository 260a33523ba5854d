package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

var anySource = policy.Source{MaxBytes: 1 << 20}

// readFetched reads text step by step.
func readFetched(text string, source policy.Source, step int) (*policy.Fetched, error) {
	d := NewDocument(text, &source, Room(len(text)))
	for !d.Step(step) {
	}
	return d.Result()
}

// lists reports whether a document lets an origin in, by a policy that has nothing else.
func lists(t testing.TB, f *policy.Fetched, authority, from string) bool {
	t.Helper()
	return decider(t)(f, authority, from)
}

// decider returns lists with the policy made already.
func decider(t testing.TB) func(f *policy.Fetched, authority, from string) bool {
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
	return func(f *policy.Fetched, authority, from string) bool {
		d := p.Decide(&policy.Request{Method: "GET", Scheme: "https", Authority: authority, Path: "/", Origins: 1, Origin: from, InForce: []*policy.Fetched{f}})
		return d.Grant != ""
	}
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
		{`{"hosts": {"x.example": []}}`, anySource, `$.hosts["x.example"]: has a value of the wrong type`},
		{`{"hosts": {"x.example": {"allowOrigins": 1}}}`, anySource, `$.hosts["x.example"].allowOrigins: has a value of the wrong type`},
		{`{"hosts": {"w.example": {"allowOrigins": []}, "x.example": {"allowOrigins": ["https://a.test", "https://A.test"]}}}`, anySource, `$.hosts["x.example"].allowOrigins[1]:`},
		{`{"hosts": {"x.example": {"allowOrigins": [{"exact": "https://A.test"}]}}}`, anySource, `$.hosts["x.example"].allowOrigins[0]`},
		{`{"hosts": {"x.example": {}}}`, anySource, `$.hosts["x.example"]: {}: has no allowOrigins`},
		{`{"hosts": {"x.example": {"allowOrigins": [], "more": 1}}}`, anySource, "stands beside another key"},
		{`{"hosts": {"x.example": {"hosts": {}}}}`, anySource, `$.hosts["x.example"].hosts: unknown key`},
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

// turns makes documents by chance, of all forms, small and large, right and wrong.
type turns struct{ *rand.Rand }

var (
	turnHosts    = []string{"x.example", "y.example", "z.example", "other.example"}
	turnPatterns = []string{
		`"https://%s.test"`, `"https://%s.test:8443"`, `"https://*.%s.test"`, `"https://pr-*.%s.test"`, `"https://a.*-%s.test"`, `"https://%s.test:*"`,
		`{"regex": "https://(w|v)\\.%s\\.test"}`, `{"exact": "http://%s.test"}`, `"%s://*"`, `"https://*.%s.test:8443"`,
	}
	turnOrigins = []string{
		"https://%s.test", "https://%s.test:8443", "https://x.y.%s.test", "https://pr-7.%s.test", "https://a.b-%s.test", "https://%s.test:1", "https://w.%s.test", "http://%s.test", "%s://any",
		"https://x.%s.test:8443",
	}
	turnNames = strings.Split("ab ac ad ae af ag ah", " ")
)

func (r turns) list() string {
	var all []string
	seen := map[string]bool{}
	for range r.IntN([]int{3, 10, 200}[r.IntN(3)]) {
		if text := fmt.Sprintf(turnPatterns[r.IntN(len(turnPatterns))], turnNames[r.IntN(len(turnNames))]); !seen[text] {
			seen[text] = true
			all = append(all, text)
		}
	}
	for i := range r.IntN(2) * r.IntN(300) {
		all = append(all, fmt.Sprintf(`"https://*.n%d.test"`, i))
	}
	if r.IntN(6) == 0 {
		all = append(all, `"https://Mistake.test"`)
	}
	return `{"allowOrigins": [` + strings.Join(all, ", ") + `]}`
}

func (r turns) document() string {
	if r.IntN(2) == 0 {
		return r.list()
	}
	var all []string
	for _, host := range turnHosts[:r.IntN(len(turnHosts))] {
		all = append(all, fmt.Sprintf("%q: %s", host, r.list()))
	}
	return `{"hosts": {` + strings.Join(all, ", ") + `}}`
}

// The plugin reads documents in turn into the memory of those before, text included. Nothing of these may be left.
func TestADocumentReadInTheMemoryOfAnotherIsAsNew(t *testing.T) {
	r := turns{rand.New(rand.NewPCG(1, 2))}
	listed := decider(t)
	memory := make([]byte, 1<<16)
	used := Room(0)
	granted := 0
	for range 400 {
		text := r.document()
		fresh, freshErr := readFetched(text, anySource, 1<<20)
		shared := memory[:copy(memory, text)]
		d := NewDocument(unsafe.String(&shared[0], len(shared)), &anySource, used)
		if steps := r.IntN(40); steps < 10 { // given up on the way
			d.Step(steps)
			continue
		}
		for !d.Step(7) {
		}
		got, err := d.Result()
		if fmt.Sprint(err) != fmt.Sprint(freshErr) {
			t.Fatalf("%s: %v, and %v when new", text, err, freshErr)
		}
		if err != nil {
			continue
		}
		for _, host := range turnHosts {
			for _, name := range turnNames {
				for _, form := range turnOrigins {
					from := fmt.Sprintf(form, name)
					want := listed(fresh, host, from)
					if want {
						granted++
					}
					if listed(got, host, from) != want {
						t.Fatalf("%s from %s: %v when new: %s", host, from, want, text)
					}
				}
			}
		}
	}
	if granted < 1000 {
		t.Errorf("only %d grants", granted)
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
