package filter

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/policy"
)

// withLog returns the configuration with another bound on the refusal log.
func withLog(t testing.TB, config json.RawMessage, bound string) []byte {
	t.Helper()
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(config, &parts); err != nil {
		t.Fatal(err)
	}
	parts["log"] = json.RawMessage(`{"refusalsPerMinute":` + bound + `}`)
	data, err := json.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func pick[E any](r *rand.Rand, from []E) E { return from[r.IntN(len(from))] }

// recombined gives a case made of the parts of others: what has to fit together in a request then does by chance.
func recombined(r *rand.Rand, cases []corpusCase) corpusCase {
	c := cases[r.IntN(len(cases))]
	other := &cases[r.IntN(len(cases))]
	switch r.IntN(10) {
	case 8:
		c.Request.Route, c.Request.Path, c.Request.Authority = other.Request.Route, other.Request.Path, other.Request.Authority
	case 9:
		c.Request.Headers = append(slices.Clone(c.Request.Headers), policy.Header{"sec-fetch-site", pick(r, []string{"cross-site", "same-site", "same-origin", "x"})},
			policy.Header{"sec-fetch-mode", pick(r, []string{"navigate", "no-cors"})}, policy.Header{"sec-fetch-dest", pick(r, []string{"document", "embed"})})
	case 0:
		c.Request.Method = other.Request.Method
	case 1:
		c.Request.Authority, c.Request.Scheme = other.Request.Authority, other.Request.Scheme
	case 2:
		c.Request.Path = other.Request.Path
	case 3:
		c.Request.Headers = slices.Concat(c.Request.Headers, other.Request.Headers)
	case 4:
		c.Request.Headers = other.Request.Headers
	case 5:
		c.Upstream.Headers = slices.Concat(c.Upstream.Headers, other.Upstream.Headers)
	case 6:
		c.Upstream = other.Upstream
	case 7:
		c.Request.Method = pick(r, []string{"OPTIONS", "CONNECT", "GET", ""})
		c.Request.Headers = append(slices.Clone(c.Request.Headers), policy.Header{"origin", pick(r, []string{
			"", "null", "http://api.example.test", "https://API.example.test", "https://app.example.com", "http://api.example.test:80", strings.Repeat("https://a.", 400),
		})})
	}
	return c
}

// outcomeOnPolicy is what the pure policy makes of a case, and the counters that it goes to.
func (c *corpusCase) outcomeOnPolicy(rules *policy.Rules) (outcome, map[string]uint64) {
	r := c.requestOf()
	headers, status := c.response()
	untouched := outcome{true, status, headers}
	rule, p := rules.Pick(c.target())
	effect := p.Effect(func() uint32 { panic("the corpus has no fractions") })
	if effect == policy.NoEffect {
		return untouched, nil
	}
	d := p.Decide(&r)
	secure := r.Scheme == "https"
	counted := map[string]uint64{}
	count := func(o policy.Outcome) {
		kind, reason := o.Split()
		counted[counterName(rules.Name(rule), kind.String(), o.Verdict().String(), reason.String())]++
	}
	o := d.Outcome()
	if effect == policy.ShadowOnly {
		o = o.Shadow()
	}
	count(o)
	if d.Reports {
		count(policy.OutcomeOf(d.Kind, d.Reported).Shadow())
	}
	switch {
	case effect == policy.ShadowOnly:
		return untouched, counted
	case d.Status != 0:
		return outcome{status: d.Status, headers: p.Reply(&d, secure, nil)}, counted
	}
	var response policy.Response
	p.Expect(&response)
	for _, h := range headers {
		response.Add(h[0], h[1])
	}
	return outcome{true, status, apply(slices.Clone(headers), p.Edits(&d, &response, secure, &policy.VaryMemo{}, nil))}, counted
}

// TestTheFilterDoesWhatThePolicySays sends recombined cases through the filter, which reads of a request only what it thinks it needs, and through the
// policy, which is given all of it; with a log that takes every refusal, and one that takes none: what is logged decides how much is read.
func TestTheFilterDoesWhatThePolicySays(t *testing.T) {
	cases := corpusCases(t)
	var configs []json.RawMessage
	for _, c := range cases {
		if !slices.ContainsFunc(configs, func(have json.RawMessage) bool { return bytes.Equal(have, c.Config) }) {
			configs = append(configs, c.Config)
		}
	}
	r := rand.New(rand.NewPCG(8, 8))
	for _, config := range configs {
		for _, bound := range []string{"0", "1", "60000"} {
			t.Run("", func(t *testing.T) {
				e := startEmulator(t, withLog(t, config, bound))
				rules := compile(t, config)
				want := map[string]uint64{}
				for range 60 {
					c := recombined(r, cases)
					expected, counted := c.outcomeOnPolicy(rules)
					response, status := c.response()
					got := e.sendTo(t, c.Request.Route, c.lines(), response, status)
					if got.forwarded != expected.forwarded || got.status != expected.status || !slices.Equal(owned(got.headers), owned(expected.headers)) {
						t.Fatalf("%s\n%q\n%q:\n got %+v\nwant %+v", config, c.lines(), response, got, expected)
					}
					for name, n := range counted {
						want[name] += n
					}
				}
				e.Tick()
				for name, n := range e.counted(rules) {
					if want[name] != n {
						t.Fatalf("%s is %d, want %d", name, n, want[name])
					}
					delete(want, name)
				}
				if len(want) > 0 {
					t.Fatalf("not counted: %v", want)
				}
			})
		}
	}
}

// A route's response_headers_to_add counts for local replies too.
func TestALocalReplyIsPutBackAsItWasSent(t *testing.T) {
	for _, c := range corpusCases(t) {
		if c.Want.Forwarded {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			e := startEmulator(t, c.Config)
			for _, added := range [][]policy.Header{
				{{"access-control-allow-origin", "*"}}, {{"access-control-allow-origin", "https://evil.test"}, {"access-control-allow-credentials", "true"}}, {{"vary", "Accept"}}, {{"x", "y"}},
				{{"timing-allow-origin", "*"}, {"access-control-allow-local-network", "true"}},
			} {
				e.stream = e.InitializeHttpContext()
				e.setRoute(t, c.Request.Route)
				e.CallOnRequestHeaders(e.stream, c.lines(), true)
				reply := e.GetSentLocalResponse(e.stream)
				if reply == nil {
					t.Fatal("no local reply")
				}
				headers := append([]policy.Header{{":status", itoa(int(reply.StatusCode))}}, reply.Headers...)
				e.CallOnResponseHeaders(e.stream, append(headers, added...), true)
				got := owned(e.GetCurrentResponseHeaders(e.stream))
				for i := range got {
					if got[i][0] == "vary" {
						got[i][1] = strings.TrimSuffix(strings.TrimPrefix(got[i][1], "Accept, "), ", Accept")
					}
				}
				if want := owned(reply.Headers); !slices.Equal(got, want) {
					t.Errorf("%q is added: %q, want %q", added, got, want)
				}
				e.CompleteHttpContext(e.stream)
			}
		})
	}
}
