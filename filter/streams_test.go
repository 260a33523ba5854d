package filter

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"corsguard/filter/policy"
)

const strictConfig = `{"cors":{"allowOrigins":["https://app.example.com","https://*.example.org"],"allowCredentials":true,"onRefusedOrigin":"deny"},"log":{"refusalsPerMinute":2}}`

func request(lines ...policy.Header) []policy.Header {
	return append([]policy.Header{{":method", "GET"}, {":scheme", "https"}, {":authority", "api.example.test"}, {":path", "/"}}, lines...)
}

func find(headers []policy.Header, name string) string {
	for _, h := range headers {
		if h[0] == name {
			return h[1]
		}
	}
	return ""
}

// Envoy joins the lines that a client repeats only where it knows the header; the filter must not depend on it.
func TestRepeatedOriginLinesAreRefusedHoweverTheHostGivesThem(t *testing.T) {
	const good, evil = "https://app.example.com", "https://evil.test"
	for _, lines := range [][]policy.Header{
		{{"origin", good}, {"origin", evil}}, {{"origin", evil}, {"origin", good}}, {{"origin", good}, {"origin", good}}, {{"origin", good}, {"origin", ""}}, {{"origin", ""}, {"origin", good}}, {{"origin", good + "," + evil}},
	} {
		t.Run(fmt.Sprintf("%q", lines), func(t *testing.T) {
			e := startEmulator(t, []byte(strictConfig))
			for _, ask := range [][]policy.Header{nil, {{"access-control-request-method", "GET"}}} {
				headers := request(append(lines, ask...)...)
				if ask != nil {
					headers[0][1] = "OPTIONS"
				}
				if got := e.send(t, headers, nil); find(got.headers, "access-control-allow-origin") != "" || got.forwarded {
					t.Errorf("%+v", got)
				}
			}
			e.Tick()
			for name, n := range e.counted(compile(t, []byte(strictConfig))) {
				if !strings.Contains(name, ".reason.origin_malformed") {
					t.Errorf("%s is %d", name, n)
				}
			}
		})
	}
}

// Streams overlap: requests come in before the responses of others, and what one was granted is not what another is.
func TestGrantsStayWithTheirStreams(t *testing.T) {
	e := startEmulator(t, []byte(`{"cors":{"allowOrigins":["https://*.example.org"]}}`))
	const n = 300
	origins := make([]string, n)
	streams := make([]uint32, n)
	for round := range 3 {
		for i := range n {
			origins[i] = "https://" + strings.Repeat("a", 1+(i*7+round)%50) + itoa(100+i) + ".example.org"
			if i%5 == 4 {
				origins[i] = "https://evil" + itoa(100+i) + ".test"
			}
			streams[i] = e.InitializeHttpContext()
			e.stream = streams[i]
			e.CallOnRequestHeaders(e.stream, request(policy.Header{"origin", origins[i]}), true)
		}
		for k := range n {
			i := (k*77 + round) % n
			e.stream = streams[i]
			e.CallOnResponseHeaders(e.stream, []policy.Header{{":status", "200"}}, true)
			want := origins[i]
			if i%5 == 4 {
				want = ""
			}
			if got := find(e.GetCurrentResponseHeaders(e.stream), "access-control-allow-origin"); got != want {
				t.Fatalf("stream of %q is granted %q", origins[i], got)
			}
			e.CompleteHttpContext(e.stream)
		}
	}
}

func TestRefusalsAreLoggedUpToTheBound(t *testing.T) {
	e := startEmulator(t, []byte(strictConfig))
	for range 5 {
		e.send(t, request(policy.Header{"origin", "https://evil.test"}), nil)
		e.send(t, request(policy.Header{"origin", "https://app.example.com"}), []policy.Header{{":status", "200"}})
	}
	want := `corsguard: refused actual: origin_not_allowed rule=default origin="https://evil.test" method="GET" host="api.example.test" path="/"`
	if got := e.GetWarnLogs(); len(got) != 2 || got[0] != want || got[1] != want {
		t.Errorf("logged %q, want %q twice", got, want)
	}
}

func TestTheBoundHoldsAcrossTheFirstTicks(t *testing.T) {
	e := startEmulator(t, []byte(strictConfig))
	for range 4 {
		for range 3 {
			e.send(t, request(policy.Header{"origin", "https://evil.test"}), nil)
		}
		e.Tick()
	}
	n := 0
	for _, line := range e.GetWarnLogs() {
		if strings.HasPrefix(line, "corsguard: refused ") {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d refusals are logged within a second, the bound is 2 in a minute: %q", n, e.GetWarnLogs())
	}
}

func TestNoRefusalIsLoggedWhereTheBoundIsZero(t *testing.T) {
	e := startEmulator(t, []byte(strings.Replace(strictConfig, `"refusalsPerMinute":2`, `"refusalsPerMinute":0`, 1)))
	for range 3 {
		e.send(t, request(policy.Header{"origin", "https://evil.test"}), nil)
		e.Tick()
	}
	if got := e.GetWarnLogs(); len(got) != 0 {
		t.Errorf("logged %q", got)
	}
}

func TestARefusalIsLoggedAsOneSafeLine(t *testing.T) {
	e := startEmulator(t, []byte(strings.Replace(strictConfig, `"refusalsPerMinute":2`, `"refusalsPerMinute":60000`, 1)))
	hostile := []string{
		"https://evil.test\r\ncorsguard: forged", "\x1b[2J", `" origin="https://app.example.com`, strings.Repeat("a", 5000), "\u2028\u202e", "\xff\xfe", "\x00", `\`, "https://evil.test?token=secret",
	}
	sent := 0
	for _, s := range hostile {
		headers := request(policy.Header{"origin", s})
		headers[0][1], headers[2][1], headers[3][1] = s, s, "/x?secret="+s
		for _, ask := range []string{"", s} {
			if ask != "" {
				headers[0][1] = "OPTIONS"
				headers = append(headers, policy.Header{"access-control-request-method", s}, policy.Header{"access-control-request-headers", s})
			}
			e.send(t, headers, nil)
			sent++
		}
		headers[4][1] = "https://app.example.com"
		e.send(t, headers, nil)
		sent++
	}
	logged := e.GetWarnLogs()
	if len(logged) != sent {
		t.Errorf("%d lines for %d refusals", len(logged), sent)
	}
	for _, line := range logged {
		if strings.ContainsFunc(strings.ReplaceAll(line, "…", ""), func(r rune) bool { return r < ' ' || r > '~' }) || len(line) > 4*5*maxLogged || strings.Contains(line, "secret") {
			t.Errorf("logged %q", line)
		}
		// Outside of its quotes a line is the same whatever the client sent.
		bare := regexp.MustCompile(`"[^"]*"…?`).ReplaceAllString(line, "")
		if !regexp.MustCompile(`^corsguard: refused (actual|preflight): [a-z_]+ rule=default origin= method= host= path=( asked=)?$`).MatchString(bare) {
			t.Errorf("logged %q", line)
		}
	}
}

func TestSuppressedRefusalsAreCountedOnceAMinute(t *testing.T) {
	e := startEmulator(t, []byte(strictConfig))
	var l refusalLog
	const second = int64(1e9)
	l.tick(100 * second)
	l.logged = 2
	l.suppressed[policy.OriginMalformed], l.suppressed[policy.OriginNotAllowed] = 2, 5
	l.tick(130 * second)
	if l.logged != 2 || len(e.GetWarnLogs()) != 0 {
		t.Errorf("the minute ends after 30 seconds: %+v, %q", l, e.GetWarnLogs())
	}
	l.tick(160 * second)
	if got := e.GetWarnLogs(); len(got) != 1 || got[0] != "corsguard: 7 more refusals in the last minute were not logged: origin_not_allowed 5, origin_malformed 2" ||
		l.logged != 0 || l.suppressed != [policy.NumReasons]int{} {
		t.Errorf("after a minute: %+v, %q", l, got)
	}
	l.logged = 1
	l.tick(300 * second)
	l.suppressed[policy.OriginMissing] = 3 // the bound is zero
	l.tick(400 * second)
	if got := e.GetWarnLogs(); len(got) != 1 {
		t.Errorf("logged %q", got[1:])
	}
}

func TestSanitizedLeavesQueriesOutAndCuts(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, "/a?b=c": `"/a"`, "?": `""`, "a\nb": `"a\x0ab"`, strings.Repeat("x", maxLogged): `"` + strings.Repeat("x", maxLogged) + `"`,
		strings.Repeat("x", maxLogged+1): `"` + strings.Repeat("x", maxLogged) + `"…`, strings.Repeat("x", maxLogged) + "?" + "y": `"` + strings.Repeat("x", maxLogged) + `"`,
	} {
		if got := sanitized(s); got != want {
			t.Errorf("sanitized(%q) = %s", s, got)
		}
	}
}
