package filter

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// withMode returns the configuration with one mode, and none in its rules. No mode is none.
func withMode(t testing.TB, text json.RawMessage, mode string) []byte {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	delete(doc, "mode")
	if mode != "" {
		doc["mode"] = json.RawMessage(mode)
	}
	if doc["rules"] != nil {
		var rules []map[string]json.RawMessage
		if err := json.Unmarshal(doc["rules"], &rules); err != nil {
			t.Fatal(err)
		}
		for _, rule := range rules {
			delete(rule, "mode")
		}
		doc["rules"] = marshal(t, rules)
	}
	return marshal(t, doc)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What a policy does is counted in shadow mode too, and nothing of it happens; switched off, it is not even counted.
func TestAPolicyThatIsNotEnforcedChangesNothing(t *testing.T) {
	for _, c := range corpusCases(t) {
		response, status := c.response()
		want := map[string]uint64{}
		t.Run(c.Name, func(t *testing.T) {
			enforced := withMode(t, c.Config, "")
			e := startEmulator(t, enforced)
			e.sendTo(t, c.Request.Route, c.lines(), slices.Clone(response), status)
			e.Tick()
			for name, n := range e.counted(compile(t, enforced)) {
				want[strings.Replace(name, ".decision.refused.", ".decision.shadowed.", 1)] += n
			}
		})
		for mode, want := range map[string]map[string]uint64{`"shadow"`: want, `"off"`: {}, `{"enforce":{"numerator":0},"otherwise":"off"}`: {}} {
			t.Run(c.Name+" "+mode, func(t *testing.T) {
				text := withMode(t, c.Config, mode)
				e := startEmulator(t, text)
				got := e.sendTo(t, c.Request.Route, c.lines(), slices.Clone(response), status)
				if !got.forwarded || !slices.Equal(got.headers, response) {
					t.Errorf("forwarded %v, headers %q, want %q", got.forwarded, got.headers, response)
				}
				e.Tick()
				if counted := e.counted(compile(t, text)); fmt.Sprint(counted) != fmt.Sprint(want) {
					t.Errorf("counted %v, want %v", counted, want)
				}
				if mode != `"shadow"` && len(e.GetWarnLogs()) > len(warningsOf(t, text)) {
					t.Errorf("logged %q", e.GetWarnLogs())
				}
			})
		}
	}
}

func warningsOf(t testing.TB, text []byte) []config.Problem {
	t.Helper()
	_, warnings, err := config.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return warnings
}

// A response follows what was drawn for its request, however many streams overlap, and whatever the stream before it in the same memory was.
func TestAResponseHasTheEffectOfItsRequest(t *testing.T) {
	const text = `{"cors":{"allowOrigins":["https://app.example.com"],"onRefusedOrigin":"deny"},"isolation":{"crossOriginResourcePolicy":"same-site"},
		"securityHeaders":{"strictTransportSecurity":"max-age=600"},"fetchMetadata":{},"mode":{"enforce":{"numerator":50},"otherwise":%q},"log":{"refusalsPerMinute":0}}`
	upstream := []policy.Header{{":status", "200"}, {"access-control-allow-origin", "*"}, {"cross-origin-resource-policy", "cross-origin"}, {"strict-transport-security", "max-age=1"}}
	enforced := []policy.Header{
		{"access-control-allow-origin", "https://app.example.com"}, {"cross-origin-resource-policy", "same-site"}, {"strict-transport-security", "max-age=600"},
		{"vary", "Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"},
	}
	for _, otherwise := range []string{"shadow", "off"} {
		t.Run(otherwise, func(t *testing.T) {
			e := startEmulator(t, []byte(fmt.Sprintf(text, otherwise)))
			denied, granted, left := 0, 0, 0
			const n, rounds = 100, 20
			for range rounds {
				var streams []uint32
				for i := range n {
					id := e.InitializeHttpContext()
					e.stream = id
					e.CallOnRequestHeaders(id, request(policy.Header{"origin", []string{"https://app.example.com", "https://evil.test"}[i%2]}), true)
					if e.GetSentLocalResponse(id) != nil {
						denied++
						e.CompleteHttpContext(id)
						continue
					}
					streams = append(streams, id)
				}
				for _, id := range streams {
					e.stream = id
					e.CallOnResponseHeaders(id, slices.Clone(upstream), true)
					switch got := e.GetCurrentResponseHeaders(id); {
					case slices.Equal(got, upstream):
						left++
					case slices.Equal(owned(got), enforced):
						granted++
					default:
						t.Fatalf("neither enforced nor left alone: %q", got)
					}
					e.CompleteHttpContext(id)
				}
			}
			const all = n * rounds
			for what, got := range map[string]int{"denied": denied, "granted": granted, "left alone": left / 2} {
				if got < all/4*8/10 || got > all/4*12/10 {
					t.Errorf("%s: %d of %d requests", what, got, all)
				}
			}
		})
	}
}

// scratchEmulator gives all results of header calls in one piece of memory, as the binding to a real host does: what an earlier call gave is gone.
type scratchEmulator struct {
	*emulator
	scratch [1 << 14]byte
}

func (e *scratchEmulator) take(status sdk.Status, data **byte, size *int) sdk.Status {
	if status != sdk.StatusOK || *data == nil || *size > len(e.scratch) {
		return status
	}
	result := append([]byte(nil), unsafe.Slice(*data, *size)...)
	for i := range e.scratch {
		e.scratch[i] = '!'
	}
	copy(e.scratch[:], result)
	*data = &e.scratch[0]
	return status
}

func (e *scratchEmulator) ProxyGetHeaderMapValue(m sdk.MapType, key *byte, keySize int, value **byte, size *int) sdk.Status {
	return e.take(e.emulator.ProxyGetHeaderMapValue(m, key, keySize, value, size), value, size)
}

func (e *scratchEmulator) ProxyGetHeaderMapPairs(m sdk.MapType, data **byte, size *int) sdk.Status {
	return e.take(e.emulator.ProxyGetHeaderMapPairs(m, data, size), data, size)
}

// withBlocks adds to a configuration what asks for the scheme, and for where requests come from.
func withBlocks(t testing.TB, text json.RawMessage) []byte {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	doc["securityHeaders"] = json.RawMessage(`{"strictTransportSecurity":"max-age=600"}`)
	doc["fetchMetadata"] = json.RawMessage(`{}`)
	return marshal(t, doc)
}

// What one read of headers gave is not used after another, whatever of the usual headers is missing.
func TestNothingOfARequestOutlivesItsRead(t *testing.T) {
	cases := corpusCases(t)
	r := rand.New(rand.NewPCG(9, 9))
	for range 150 {
		text := withBlocks(t, pick(r, cases).Config)
		t.Run("", func(t *testing.T) {
			e, rules := startEmulator(t, text), compile(t, text)
			currentHost = &scratchEmulator{emulator: e}
			for range 40 {
				c := recombined(r, cases)
				isProto := func(h policy.Header) bool { return strings.EqualFold(h[0], "x-forwarded-proto") }
				c.Request.Headers = slices.DeleteFunc(slices.Clone(c.Request.Headers), isProto)
				lines, scheme := c.lines(), or(c.Request.Scheme, "http")
				if r.IntN(2) == 0 {
					// The reference can't lack a scheme: one that is none of the web's is as good.
					scheme = "none"
					lines = slices.DeleteFunc(lines, func(h policy.Header) bool { return h[0] == ":scheme" })
				}
				switch proto := pick(r, []string{"", "http", "https", "wss", strings.Repeat("https://evil.test ", 20)}); {
				case policy.IsWebScheme(proto):
					scheme = proto
					fallthrough
				case proto != "":
					lines = append(lines, policy.Header{"x-forwarded-proto", proto})
				}
				c.Request.Scheme = scheme
				want, _ := c.outcomeOnPolicy(rules)
				response, status := c.response()
				got := e.sendTo(t, c.Request.Route, lines, response, status)
				if got.forwarded != want.forwarded || got.status != want.status || !slices.Equal(owned(got.headers), owned(want.headers)) {
					t.Fatalf("%s\n%q:\n got %+v\nwant %+v", text, lines, got, want)
				}
			}
		})
	}
}

// Of several Sec-Fetch-Site lines one counts, and the same one whether it is asked for alone or read with all headers.
func TestTheFirstSecFetchLineCountsHoweverARequestIsRead(t *testing.T) {
	const text = `{"cors":{"allowOrigins":["https://app.example.com"]},"fetchMetadata":{}%s}`
	requests := [][]string{{"", "cross-site"}, {"cross-site", "same-origin"}, {"same-origin", "cross-site"}, {"cross-site", "cross-site"}, {"cross-site"}, {""}}
	var forwarded [2][]bool
	for i, rules := range []string{"", `,"rules":[{"name":"other","match":{"hosts":["other.test"]},"cors":null}]`} {
		t.Run(rules, func(t *testing.T) {
			e := startEmulator(t, []byte(fmt.Sprintf(text, rules)))
			currentHost = &firstLineEmulator{e}
			for _, lines := range requests {
				headers := request()
				for _, line := range lines {
					headers = append(headers, policy.Header{"sec-fetch-site", line})
				}
				got := e.send(t, headers, []policy.Header{{":status", "200"}})
				if forwarded[i] = append(forwarded[i], got.forwarded); lines[0] != "" && got.forwarded != (lines[0] == "same-origin") {
					t.Errorf("%q: forwarded %v", lines, got.forwarded)
				}
			}
		})
	}
	if !slices.Equal(forwarded[0], forwarded[1]) {
		t.Errorf("of %q are forwarded %v where the header is asked for, and %v where all are read", requests, forwarded[0], forwarded[1])
	}
}

// firstLineEmulator gives the first line of a header for its value, as Envoy does.
type firstLineEmulator struct{ *emulator }

func (e *firstLineEmulator) ProxyGetHeaderMapValue(m sdk.MapType, key *byte, keySize int, value **byte, size *int) sdk.Status {
	for _, h := range e.headers(m) {
		if h[0] == unsafe.String(key, keySize) {
			line := append(make([]byte, 0, 1), h[1]...)
			*value, *size = unsafe.SliceData(line), len(line)
			return sdk.StatusOK
		}
	}
	const notFound = sdk.Status(1)
	return notFound
}

// Envoy puts what a route adds to responses before what the filter sent.
func TestWhatARouteAddsToADenialDoublesNothing(t *testing.T) {
	const text = `{"cors":{"allowOrigins":["https://app.example.com"],"onRefusedOrigin":"deny"},
		"isolation":{"crossOriginOpenerPolicy":"same-origin","crossOriginResourcePolicy":"same-origin","originAgentCluster":true},
		"securityHeaders":{"xContentTypeOptions":"nosniff","xFrameOptions":{"value":"DENY","ifAbsent":true},"referrerPolicy":{"value":"no-referrer","ifAbsent":true},"strictTransportSecurity":"max-age=600"}}`
	values := func(headers []policy.Header, name string) (all []string) {
		for _, h := range headers {
			if h[0] == name {
				all = append(all, h[1])
			}
		}
		return all
	}
	for n := policy.OpenerPolicy; n <= policy.XSSProtection; n++ {
		for _, scheme := range []string{"http", "https"} {
			t.Run(n.String()+" "+scheme, func(t *testing.T) {
				e := startEmulator(t, []byte(text))
				e.stream = e.InitializeHttpContext()
				headers := request(policy.Header{"origin", "https://evil.test"})
				headers[1][1] = scheme
				e.CallOnRequestHeaders(e.stream, headers, true)
				reply := e.GetSentLocalResponse(e.stream)
				if reply == nil {
					t.Fatal("no local reply")
				}
				var sent []policy.Header
				for _, h := range reply.Headers {
					sent = append(sent, policy.Header{strings.Clone(h[0]), strings.Clone(h[1])})
				}
				e.CallOnResponseHeaders(e.stream, append([]policy.Header{{":status", "403"}, {n.String(), "x"}}, sent...), true)
				got := e.GetCurrentResponseHeaders(e.stream)
				for other := policy.OpenerPolicy; other <= policy.XSSProtection; other++ {
					want := values(sent, other.String())
					switch {
					case other != n:
					case n == policy.FrameOptions || n == policy.ReferrerPolicy: // the policy leaves those of others
						if have := values(got, n.String()); len(have) != 1 {
							t.Errorf("%v: %q, want one line", other, have)
						}
						continue
					case want == nil && n != policy.StrictTransportSecurity:
						want = []string{"x"}
					}
					if have := values(got, other.String()); !slices.Equal(have, want) {
						t.Errorf("%v: %q, want %q", other, have, want)
					}
				}
				e.CompleteHttpContext(e.stream)
			})
		}
	}
}

// A request that is refused and goes on, and that the resource isolation policy reports, is told of twice in counters and logs, and once in access logs.
func TestARefusedRequestThatIsReportedTooIsToldOfTwice(t *testing.T) {
	const text = `{"cors":{"allowOrigins":["https://app.example.com"]},"fetchMetadata":{"mode":"report"},"mode":%q}`
	for mode, decision := range map[string]string{"enforce": "refused", "shadow": "shadowed"} {
		t.Run(mode, func(t *testing.T) {
			config := []byte(fmt.Sprintf(text, mode))
			e := startEmulator(t, config)
			got := e.send(t, request(policy.Header{"origin", "https://evil.test"}, policy.Header{"sec-fetch-site", "cross-site"}), []policy.Header{{":status", "200"}})
			if !got.forwarded {
				t.Errorf("%+v", got)
			}
			e.Tick()
			want := map[string]uint64{counterName("default", "actual", decision, "origin_not_allowed"): 1, counterName("default", "actual", "shadowed", "cross_site_not_allowed"): 1}
			if counted := e.counted(compile(t, config)); fmt.Sprint(counted) != fmt.Sprint(want) {
				t.Errorf("counted %v, want %v", counted, want)
			}
			logged := e.GetWarnLogs()
			if len(logged) != 2 || !strings.HasPrefix(logged[0], "corsguard: "+decision+" actual: origin_not_allowed ") || !strings.HasPrefix(logged[1], "corsguard: shadowed actual: cross_site_not_allowed ") {
				t.Errorf("logged %q", logged)
			}
			if state, err := e.GetProperty([]string{"corsguard"}); err != nil || string(state) != "decision="+decision+" kind=actual reason=origin_not_allowed rule=default" {
				t.Errorf("state %q, %v", state, err)
			}
		})
	}
}

// blockTexts are blocks with a hole for a string.
var blockTexts = []string{
	`{"isolation":{"crossOriginOpenerPolicy":"%s"}}`,
	`{"isolation":{"crossOriginEmbedderPolicy":{"value":"%s"}}}`,
	`{"isolation":{"crossOriginResourcePolicy":"%s"}}`,
	`{"isolation":{"documentIsolationPolicy":{"value":"none","reportTo":"%s"},"reportingEndpoints":{"%[1]s":"/r"}}}`,
	`{"isolation":{"reportingEndpoints":{"%s":"/r"}}}`,
	`{"isolation":{"reportingEndpoints":{"r":"%s"}}}`,
	`{"isolation":{"reportingEndpoints":{"r":"/%s"}}}`,
	`{"isolation":{"reportingEndpoints":{"r":"https://r.example/%s"}}}`,
	`{"isolation":{"reportingEndpoints":{"r":"https://%s/"}}}`,
	`{"securityHeaders":{"contentSecurityPolicy":"default-src 'self'%s"}}`,
	`{"securityHeaders":{"contentSecurityPolicy":"report-uri /%s"}}`,
	`{"securityHeaders":{"contentSecurityPolicyReportOnly":"default-src 'self'; report-to %s"}}`,
	`{"securityHeaders":{"strictTransportSecurity":"max-age=600%s"}}`,
	`{"securityHeaders":{"xContentTypeOptions":"%s"}}`,
	`{"securityHeaders":{"xFrameOptions":{"value":"%s","ifAbsent":true}}}`,
	`{"securityHeaders":{"referrerPolicy":"no-referrer%s"}}`,
	`{"securityHeaders":{"permissionsPolicy":"camera=(self \"https://a.example%s\")"}}`,
	`{"securityHeaders":{"permissionsPolicy":"camera=()%s"}}`,
	`{"securityHeaders":{"xXssProtection":"%s"}}`,
	`{"rules":[{"name":"a","match":{"routes":["a"]},"securityHeaders":{"contentSecurityPolicy":"img-src %s"}}]}`,
}

// endpointList is a value of Reporting-Endpoints: a dictionary of strings.
var endpointList = regexp.MustCompile(`^[a-z*][a-z0-9_.*-]{0,63}="[!#-;=?-[\]-~]*"(, [a-z*][a-z0-9_.*-]{0,63}="[!#-;=?-[\]-~]*")*$`)

// checkHeaders checks that what is accepted can go out as it is: one line of printable ASCII, without spaces at its ends, and each name once.
func checkHeaders(t *testing.T, text []byte, blocks ...[]policy.SetHeader) {
	t.Helper()
	seen := map[policy.HeaderName]bool{}
	for _, h := range slices.Concat(blocks...) {
		if seen[h.Name] || !isPrintable(h.Value) || h.Value == "" || h.Value != strings.TrimSpace(h.Value) {
			t.Fatalf("%q sets %v: %q", text, h.Name, h.Value)
		}
		seen[h.Name] = true
		switch {
		case h.Name == policy.ReportingEndpoints:
			if !endpointList.MatchString(h.Value) {
				t.Fatalf("%q: %v: %q", text, h.Name, h.Value)
			}
		case h.Name < policy.ReportingEndpoints:
			if value, endpoint, ok := strings.Cut(h.Value, `; report-to="`); strings.Trim(value, "abcdefghijklmnopqrstuvwxyz-?01") != "" || ok && !endpointList.MatchString(strings.TrimSuffix(endpoint, `"`)+`=""`) {
				t.Fatalf("%q: %v: %q", text, h.Name, h.Value)
			}
		}
	}
}

// checkBlocks parses a configuration and checks what it sets. It reports whether it is accepted.
func checkBlocks(t *testing.T, text []byte) bool {
	t.Helper()
	spec, warnings, err := config.Parse(text)
	problems, _ := err.(config.Error)
	if err != nil && len(problems) == 0 {
		t.Fatalf("%q: an error without problems", text)
	}
	for _, list := range [][]config.Problem{problems, warnings} {
		for i := range list {
			p := &list[i]
			if p.Path == "" || p.Reason == "" || p.Fix == "" || !utf8.ValidString(p.String()) || strings.ContainsFunc(p.String(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q: %q", text, p)
			}
		}
	}
	if err != nil {
		return false
	}
	checkHeaders(t, text, spec.Isolation, spec.SecurityHeaders)
	for i := range spec.Rules {
		checkHeaders(t, text, spec.Rules[i].Isolation, spec.Rules[i].SecurityHeaders)
	}
	if _, err := policy.Compile(&spec); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return true
}

func TestNoCharacterOfAConfigurationBreaksOutOfItsHeader(t *testing.T) {
	var all []rune
	for c := range rune(0x300) {
		all = append(all, c)
	}
	all = append(all, 0x2028, 0x2029, 0x202e, 0x200b, 0x2011, 0xa0, 0x3000, 0xfeff, 0xfffd, 0xff1b, 0x1f600)
	accepted := 0
	for _, template := range blockTexts {
		for _, c := range all {
			for _, spelled := range []string{string(marshalString(t, string(c))), fmt.Sprintf(`\u%04x`, c&0xffff)} {
				if c > 0xffff && strings.HasPrefix(spelled, `\u`) {
					continue
				}
				for _, value := range []string{spelled, "a" + spelled, spelled + "a", "a" + spelled + "a", "same-origin" + spelled, "r" + spelled + ": x"} {
					text := []byte(fmt.Sprintf(template, value))
					if !checkBlocks(t, text) {
						continue
					}
					if accepted++; c < ' ' || c > '~' {
						t.Errorf("accepted: %q", text)
					}
				}
			}
		}
		for c := 0x80; c < 0x100; c++ {
			if text := []byte(fmt.Sprintf(template, "a"+string([]byte{byte(c)}))); checkBlocks(t, text) {
				t.Errorf("accepted, though no UTF-8: %q", text)
			}
		}
	}
	if accepted < 500 {
		t.Errorf("only %d configurations were accepted", accepted)
	}
}

// marshalString returns s as it stands between the quotes of a JSON string.
func marshalString(t testing.TB, s string) []byte {
	t.Helper()
	quoted := marshal(t, s)
	return quoted[1 : len(quoted)-1]
}

func FuzzBlocks(f *testing.F) {
	for _, template := range blockTexts {
		f.Add([]byte(fmt.Sprintf(template, "a")))
	}
	for _, c := range corpusCases(f) {
		f.Add([]byte(c.Config))
	}
	for _, r := range corpusRefusals(f) {
		if r.Config != nil {
			f.Add([]byte(r.Config))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { checkBlocks(t, text) })
}
