package policy

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"corsguard/filter/fetch"
	"corsguard/filter/origin"
)

func pick[E any](r *rand.Rand, from []E) E { return from[r.IntN(len(from))] }

func some(r *rand.Rand, from []string) []string {
	var out []string
	for _, s := range from {
		if r.IntN(2) == 0 {
			out = append(out, s)
		}
	}
	return out
}

var (
	somePatterns = []string{
		"https://app.example.com", "https://*.example.com", "https://pr-*.preview.example.com", "http://localhost:*", "capacitor://localhost", "https://*.example.com:*",
		"https://[::1]:8443", "https://a.b*.c:8080", "https://xn--mnchen-3ya.de",
	}
	someOrigins = []string{
		"https://app.example.com", "https://a.b.example.com", "https://pr-1.preview.example.com", "http://localhost", "http://localhost:3000", "capacitor://localhost", "https://x.example.com:1",
		"https://[::1]:8443", "https://a.bc.c:8080", "https://xn--mnchen-3ya.de", "https://example.com", "https://evil.test", "https://app.example.com.evil.test", "null", "NULL", "", "*",
		"https://app.example.com/", "https://app.example.com,https://evil.test", "https://app.example.com\r\nx: y", "HTTPS://app.example.com", "https://api.example.test", "http://api.example.test",
		"https://api.example.test.", "https://\xff", "https://*.example.com", "https://pr-*.preview.example.com", "https://a~b.test", strings.Repeat("a", 400),
	}
	someMethods = []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "OPTIONS", "OPTIONS", "CONNECT", "get", "", "PATCH"}
	someAsked   = []string{"", "GET", "PUT", "PATCH", "put", "TRACE", "CONNECT", "GET,PUT", "P T", "\x00", "X-Y", "*", strings.Repeat("M", 300)}
	someLists   = []string{
		"", "x-custom", "X-CUSTOM", "x-custom,content-type", "x-custom, authorization", "Authorization", "a b", "x-custom;q=1", ",,x-custom", ",", strings.Repeat(",", 17), "*", "x-other\r\nset-cookie: a=b",
		strings.Repeat("x", 300), "x-custom,\xff", "cookie", "x-custom\t,\tx-other", "authorization,authorization",
	}
	someTargets = [][2]string{{"https", "api.example.test"}, {"http", "api.example.test"}, {"https", "API.example.test:443"}, {"https", "a~b.test"}, {"https", "api.example.test."}, {"", ""}}
)

// randomCORS gives a block that Compile may refuse.
func randomCORS(t *testing.T, r *rand.Rand) CORS {
	c := CORS{
		AllowOrigins: patterns(t, some(r, somePatterns)...), AllowNull: r.IntN(4) == 0, AllowCredentials: r.IntN(2) == 0,
		AllowMethods: append([]string{"GET"}, some(r, []string{"PUT", "PATCH"})...), AllowHeaders: some(r, []string{"X-Custom", "content-type", "Authorization"}),
		ExposeHeaders: some(r, []string{"X-Total"}), MaxAge: pick(r, []int{MaxAgeUnset, 0, 600}), PreflightStatus: pick(r, []int{200, 204}),
		AllowPrivateNetwork: r.IntN(2) == 0, TimingAllowOrigin: r.IntN(2) == 0, OnRefusedPreflight: RefusedPreflight(r.IntN(3)), OnRefusedOrigin: OnRefused(r.IntN(2)),
		OnMissingOrigin: OnRefused(r.IntN(2)), UpstreamHeaders: UpstreamHeaders(r.IntN(2)),
	}
	switch r.IntN(8) {
	case 0:
		c.AllowOrigins = patterns(t, "*")
	case 1:
		addPattern(t, &c.AllowOrigins, "https://*")
	case 2:
		addPattern(t, &c.AllowOrigins, "*")
	}
	if r.IntN(3) == 0 {
		c.AllowMethods = []string{"*"}
	}
	if r.IntN(3) == 0 {
		c.AllowHeaders = append([]string{"*"}, some(r, []string{"Authorization"})...)
	}
	return c
}

func randomRequest(r *rand.Rand) Request {
	target := pick(r, someTargets)
	q := Request{Method: pick(r, someMethods), Scheme: target[0], Authority: target[1], Path: pick(r, []string{"/", "/", "/", "*", ""})}
	if q.Origins = pick(r, []int{0, 1, 1, 1, 1, 1, 1, 2}); q.Origins > 0 {
		q.Origin = pick(r, someOrigins)
	}
	q.RequestMethod, q.RequestHeaders = pick(r, someAsked), pick(r, someLists)
	q.RequestPrivateNetwork = pick(r, []string{"", "true", "TRUE", "true,true"})
	return q
}

// lists reports whether a pattern of c matches the value, each asked alone.
func lists(c *CORS, value string) bool {
	if value == "null" {
		return c.AllowNull
	}
	for i := range c.AllowOrigins.Patterns {
		var one origin.Set
		one.Add(&c.AllowOrigins.Patterns[i], 0)
		if verdict, _ := one.Match(value); verdict == origin.Listed {
			return true
		}
	}
	return slices.Contains(c.AllowOrigins.Exact, value)
}

func addPattern(t *testing.T, l *origin.List, text string) {
	t.Helper()
	one := patterns(t, text)
	l.Add(&one.Patterns[0])
}

func isAny(c *CORS) bool {
	return c.AllowOrigins.Len() == 1 && len(c.AllowOrigins.Patterns) == 1 && c.AllowOrigins.Patterns[0].Kind == origin.Any
}

// What does not come from the cors block is tested elsewhere.
func isOfRules(r Reason) bool {
	return r == CORSOff || r == PathAmbiguous || r == CrossSiteNotAllowed || r == SameSiteNotAllowed
}

func TestNothingIsGrantedThatThePolicyDoesNotGrant(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	reached := map[Outcome]int{}
	for range 3000 {
		c := randomCORS(t, r)
		p, err := compile([]CORS{c})
		if err != nil {
			continue
		}
		for range 60 {
			q := randomRequest(r)
			first := q
			d := p.Decide(&first)
			if again := p.Decide(&first); !reflect.DeepEqual(again, d) {
				t.Fatalf("decided twice: %+v, then %+v", d, again)
			}
			reached[d.Outcome()]++
			checkGrant(t, &c, &q, &d)
			if d.Status != 0 {
				checkReply(t, &c, &q, &d, p.Reply(&d, false, nil))
			} else {
				checkResponse(t, r, &c, p, &d)
			}
		}
	}
	for o := range Outcome(NumOutcomes) {
		if kind, reason := o.Split(); reached[o] > 0 && !o.IsPossible() {
			t.Errorf("%v %v happened, and is said to be impossible", kind, reason)
		} else if reached[o] == 0 && o.IsPossible() && reason != InternalError && !isOfRules(reason) && o.Verdict() != Shadowed {
			t.Errorf("%v %v did not happen: the generator does not reach it, or it is impossible", kind, reason)
		}
	}
}

func checkGrant(t *testing.T, c *CORS, q *Request, d *Decision) {
	t.Helper()
	fail := func(what string) { t.Helper(); t.Fatalf("%s: %+v for %+v under %+v", what, *d, *q, *c) }
	allowed := q.Origins == 1 && lists(c, q.Origin)
	switch {
	case d.Grant == "":
	case d.Grant == fetch.Wildcard:
		if !isAny(c) || c.AllowCredentials {
			fail("a star is granted")
		}
	case d.Grant != q.Origin || !allowed:
		fail("an origin is granted that no pattern matches")
	}
	byOrigin := d.Reason <= OriginMissing
	if d.Verdict() == Refused && byOrigin && d.Grant != "" && !(isAny(c) && d.Kind == Actual && d.Status == 0) {
		fail("a refused origin is granted something")
	}
	if allowed && d.Grant == "" {
		fail("an allowed origin is granted nothing")
	}
	if d.Kind == Actual && d.Status != 0 && (c.OnRefusedOrigin != Deny || d.Status != 403) || d.Kind == NoOrigin && d.Status != 0 && c.OnMissingOrigin != Deny {
		fail("a request is held back")
	}
	if (d.Kind == NoOrigin) != (q.Origins == 0) || d.Kind == Preflight && (q.Method != "OPTIONS" || q.RequestMethod == "" || q.Origin == "" || q.Path == "*") {
		fail("another kind")
	}
}

// checkReply checks a local reply: one line of each name, no byte in it that a client could have smuggled in, and everything that was asked for only
// where it is granted.
func checkReply(t *testing.T, c *CORS, q *Request, d *Decision, headers []Header) {
	t.Helper()
	seen := map[string]string{}
	for _, h := range headers {
		if _, dup := seen[h[0]]; dup || h[1] == "" || strings.ContainsFunc(h[1], func(r rune) bool { return (r < ' ' || r > '~') && r != '\t' }) {
			t.Fatalf("%q for %+v", headers, *q)
		}
		seen[h[0]] = h[1]
	}
	for _, name := range []string{fetch.HeaderAllowMethods, fetch.HeaderAllowHeaders} {
		for _, e := range strings.Split(seen[name], ",") {
			if seen[name] != "" && !fetch.IsToken(strings.Trim(e, " \t")) {
				t.Fatalf("%s: %q for %+v", name, seen[name], *q)
			}
		}
	}
	if d.Grant == "" && len(seen) != 1 || seen[fetch.HeaderVary] == "" {
		t.Fatalf("a refusal with %q", headers)
	}
	if seen[fetch.HeaderAllowCredentials] != "" && (!c.AllowCredentials || slices.Contains([]string{seen[fetch.HeaderAllowOrigin], seen[fetch.HeaderAllowMethods], seen[fetch.HeaderAllowHeaders]}, "*")) {
		// A method may be asked for whose name is a star.
		if seen[fetch.HeaderAllowOrigin] == "*" || q.RequestMethod != "*" && q.RequestHeaders != "*" {
			t.Fatalf("credentials with a star: %q", headers)
		}
	}
	auth := slices.ContainsFunc(strings.Split(seen[fetch.HeaderAllowHeaders], ","), func(e string) bool { return strings.EqualFold(strings.TrimSpace(e), "authorization") })
	if auth && !slices.ContainsFunc(c.AllowHeaders, func(n string) bool { return strings.EqualFold(n, "authorization") }) {
		t.Fatalf("authorization is granted: %q under %+v", headers, *c)
	}
	if slices.Contains([]string{"CONNECT", "TRACE", "TRACK"}, seen[fetch.HeaderAllowMethods]) {
		t.Fatalf("a forbidden method is granted: %q", headers)
	}
}

var upstreamLines = []Header{
	{"access-control-allow-origin", "*"}, {"access-control-allow-origin", "https://evil.test"}, {"access-control-allow-credentials", "true"}, {"access-control-allow-local-network", "true"},
	{"timing-allow-origin", "*"}, {"vary", "Accept"}, {"vary", "origin"}, {"vary", "*"}, {"content-type", "a/b"}, {"access-control-max-age", "5"}, {"x-access-control-allow-origin", "*"},
	{"access-control-", "x"}, {"access-control", "x"}, {"vari", "x"},
}

func checkResponse(t *testing.T, r *rand.Rand, c *CORS, p *Policy, d *Decision) {
	t.Helper()
	lines := []Header{{":status", pick(r, []string{"200", "500", "304"})}}
	for r.IntN(4) > 0 {
		lines = append(lines, pick(r, upstreamLines))
	}
	var response Response
	for _, h := range lines {
		response.Add(h[0], h[1])
	}
	after := slices.Clone(lines)
	for _, e := range p.Edits(d, &response, false, &VaryMemo{}, nil) {
		i := slices.IndexFunc(after, func(h Header) bool { return h[0] == e.Name })
		switch e.Op {
		case AddHeader:
			if i >= 0 {
				t.Fatalf("%+v is added beside another line: %q", e, after)
			}
			after = append(after, Header{e.Name, e.Value})
		case ReplaceHeader:
			if i < 0 {
				t.Fatalf("%+v replaces nothing: %q", e, after)
			}
			after[i][1] = e.Value
		case RemoveHeader:
			if i < 0 {
				t.Fatalf("%+v removes nothing: %q", e, after)
			}
			after = slices.DeleteFunc(after, func(h Header) bool { return h[0] == e.Name })
		}
	}
	has := func(lines []Header, prefix string) bool {
		return slices.ContainsFunc(lines, func(h Header) bool { return strings.HasPrefix(h[0], prefix) })
	}
	keep := c.UpstreamHeaders == Keep
	want := map[string]string{}
	if d.Grant != "" && !(keep && has(lines, namespace)) {
		want[fetch.HeaderAllowOrigin], want[fetch.HeaderExposeHeaders] = d.Grant, strings.Join(c.ExposeHeaders, ", ")
		if c.AllowCredentials {
			want[fetch.HeaderAllowCredentials] = "true"
		}
	}
	if d.Grant != "" && c.TimingAllowOrigin && !(keep && has(lines, fetch.HeaderTimingAllowOrigin)) {
		want[fetch.HeaderTimingAllowOrigin] = d.Grant
	}
	if keep {
		for i, h := range lines {
			if strings.HasPrefix(h[0], namespace) || h[0] == fetch.HeaderTimingAllowOrigin {
				want[h[0]+strconv.Itoa(i)] = h[1]
			}
		}
	}
	got := map[string]string{}
	for i, h := range after {
		switch {
		case keep && i < len(lines) && slices.Contains(lines, h) && (strings.HasPrefix(h[0], namespace) || h[0] == fetch.HeaderTimingAllowOrigin):
			got[h[0]+strconv.Itoa(i)] = h[1]
		case strings.HasPrefix(h[0], namespace), h[0] == fetch.HeaderTimingAllowOrigin:
			if _, dup := got[h[0]]; dup {
				t.Fatalf("twice in %q", after)
			}
			got[h[0]] = h[1]
		}
	}
	for name, value := range want {
		if value != "" && !keep && got[name] != value {
			t.Fatalf("%q after %+v under %+v: want %q", after, *d, *c, want)
		}
	}
	if !keep {
		for name := range got {
			if want[name] == "" {
				t.Fatalf("%q after %+v under %+v: want %q", after, *d, *c, want)
			}
		}
	} else if n := len(got); n != countSet(want) {
		t.Fatalf("%q after %q, %+v, keep: want %q", after, lines, *d, want)
	}
	varied := ""
	for _, h := range after {
		if h[0] == fetch.HeaderVary {
			varied += "," + h[1]
		}
	}
	if _, changed := fetch.MergeVary(varied, varyElements[d.Vary]); changed {
		t.Fatalf("vary %q after %+v", varied, *d)
	}
}

func countSet(m map[string]string) int {
	n := 0
	for _, v := range m {
		if v != "" {
			n++
		}
	}
	return n
}
