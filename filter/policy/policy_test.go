package policy

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"corsguard/filter/origin"
)

func patterns(t testing.TB, texts ...string) origin.List {
	t.Helper()
	var all origin.List
	for _, text := range texts {
		p, err := origin.ParsePattern(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		all.Add(&p)
	}
	return all
}

func compiled(t testing.TB, c CORS) *Policy {
	t.Helper()
	if c.PreflightStatus == 0 {
		c.PreflightStatus = 204
	}
	p, err := compile([]CORS{c})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// strict has a list of everything, credentials, and echoes nothing.
func strict(t testing.TB) *Policy {
	return compiled(t, CORS{
		AllowOrigins: patterns(t, "https://app.example.com", "https://*.example.org", "https://pr-*.preview.example.com", "http://localhost:*"), AllowCredentials: true,
		AllowMethods: []string{"GET", "PUT", "DELETE"}, AllowHeaders: []string{"X-Custom", "content-type"}, ExposeHeaders: []string{"X-Total"}, MaxAge: 600,
		AllowPrivateNetwork: true, TimingAllowOrigin: true,
	})
}

// echoing has `*` in its lists beside credentials.
func echoing(t testing.TB) *Policy {
	return compiled(t, CORS{AllowOrigins: patterns(t, "https://app.example.com"), AllowCredentials: true, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, MaxAge: MaxAgeUnset})
}

func open(t testing.TB) *Policy {
	return compiled(t, CORS{AllowOrigins: patterns(t, "*"), AllowMethods: []string{"*"}, AllowHeaders: []string{"*", "authorization"}, ExposeHeaders: []string{"*"}, TimingAllowOrigin: true})
}

func denying(t testing.TB) *Policy {
	return compiled(t, CORS{AllowOrigins: patterns(t, "https://app.example.com"), OnRefusedOrigin: Deny, OnMissingOrigin: Deny, OnRefusedPreflight: DenyPreflight})
}

func TestCompileRefusesImpossibleGrants(t *testing.T) {
	for _, c := range []struct {
		cors CORS
		want error
	}{
		{CORS{}, ErrNoOrigins},
		{CORS{AllowCredentials: true}, ErrNoOrigins},
		{CORS{AllowOrigins: patterns(t, "*"), AllowCredentials: true}, ErrAnyOriginWithCredentials},
		{CORS{AllowOrigins: patterns(t, "https://a", "https://*"), AllowCredentials: true}, ErrAnyOriginWithCredentials},
		{CORS{AllowOrigins: patterns(t, "capacitor://*"), AllowCredentials: true}, ErrAnyOriginWithCredentials},
		{CORS{AllowNull: true, AllowCredentials: true}, ErrNullWithCredentials},
		{CORS{AllowOrigins: patterns(t, "https://a"), AllowNull: true, AllowCredentials: true}, ErrNullWithCredentials},
		{CORS{AllowOrigins: patterns(t, "*", "https://a")}, ErrMixedAnyOrigin},
		{CORS{AllowOrigins: patterns(t, "https://a", "*")}, ErrMixedAnyOrigin},
	} {
		if p, err := compile([]CORS{c.cors}); !errors.Is(err, c.want) || p != nil {
			t.Errorf("%+v: %v, %v; want %v", c.cors, p, err, c.want)
		}
	}
	for _, c := range []CORS{{AllowNull: true}, {AllowOrigins: patterns(t, "*"), AllowNull: true}, {AllowOrigins: patterns(t, "https://*")}, {AllowOrigins: patterns(t, "https://a"), AllowCredentials: true}} {
		if _, err := compile([]CORS{c}); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// kindsOfRequests has a request for every branch of Decide that allocates nothing.
func kindsOfRequests() map[string]Request {
	const allowed, evil = "https://app.example.com", "https://app.example.com.evil.test"
	at := func(method, o string) Request {
		r := Request{Method: method, Scheme: "https", Authority: "api.example.test", Path: "/", Origins: 1, Origin: o}
		return r
	}
	preflight := func(o, method, headers string) Request {
		r := at("OPTIONS", o)
		r.RequestMethod, r.RequestHeaders = method, headers
		return r
	}
	repeated, private, star, none := at("GET", allowed), preflight(allowed, "PUT", ""), preflight(allowed, "PUT", ""), at("GET", "")
	repeated.Origins, private.RequestPrivateNetwork, star.Path, none.Origins = 2, "true", "*", 0
	noneAtAll, connect := Request{}, none
	connect.Method = "CONNECT"
	return map[string]Request{
		"no origin": none, "nothing at all": noneAtAll, "connect": connect,
		"exact": at("GET", allowed), "subdomain": at("GET", "https://a.b.example.org"), "in-label": at("POST", "https://pr-1.preview.example.com"), "port": at("GET", "http://localhost:3000"),
		"null": at("GET", "null"), "empty": at("GET", ""), "refused": at("GET", evil), "malformed": at("GET", allowed+"/"), "over-long": at("GET", string(make([]byte, 1<<16))),
		"repeated": repeated, "same origin": at("GET", "https://api.example.test"),
		"preflight": preflight(allowed, "PUT", "x-custom"), "preflight in any case": preflight(allowed, "PUT", "X-CUSTOM, Content-Type"), "preflight with empty elements": preflight(allowed, "GET", ",x-custom,,"),
		"preflight of another method": preflight(allowed, "PATCH", ""), "preflight of another header": preflight(allowed, "PUT", "x-other"), "preflight of no token": preflight(allowed, "P T", "x y"),
		"preflight with a long list": preflight(allowed, "PUT", string(make([]byte, 1<<16))), "refused preflight": preflight(evil, "PUT", "x-custom"), "private network": private,
		"preflight to its own origin": preflight("https://api.example.test", "PUT", ""), "options of the server": star,
	}
}

func TestDecideAllocatesNothing(t *testing.T) {
	for name, p := range map[string]*Policy{"strict": strict(t), "open": open(t), "denying": denying(t), "echoing": echoing(t)} {
		for kind, base := range kindsOfRequests() {
			if name == "echoing" && kind == "preflight with empty elements" {
				continue // the echo is rebuilt
			}
			var d Decision
			if n := testing.AllocsPerRun(50, func() {
				r := base
				d = p.Decide(&r)
			}); n != 0 {
				t.Errorf("%s policy, %s: %v allocations for %+v", name, kind, n, d)
			}
		}
	}
}

func TestTheEchoIsRebuiltInTwoAllocations(t *testing.T) {
	p := echoing(t)
	base := kindsOfRequests()["preflight"]
	base.RequestHeaders = "x-custom, authorization,, content-type"
	var d Decision
	if n := testing.AllocsPerRun(50, func() {
		r := base
		d = p.Decide(&r)
	}); n > 2 || d.AllowHeaders != "x-custom, content-type" {
		t.Errorf("%v allocations for %q", n, d.AllowHeaders)
	}
}

func TestEditsAndReplyAllocateNothingInReusedBuffers(t *testing.T) {
	responses := map[string][]Header{
		"plain":        {{":status", "200"}, {"content-type", "text/html"}},
		"vary":         {{":status", "200"}, {"vary", "Accept-Encoding"}},
		"cors":         {{"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}, {"vary", "Origin"}, {"timing-allow-origin", "*"}},
		"double cors":  {{"access-control-allow-origin", "*"}, {"access-control-allow-origin", "https://a"}, {"access-control-max-age", "5"}},
		"upgraded":     {{":status", "101"}},
		"long headers": {{"content-security-policy", string(make([]byte, 5000))}},
	}
	for name, p := range map[string]*Policy{"strict": strict(t), "open": open(t), "denying": denying(t)} {
		var edits []Edit
		var headers []Header
		var memo VaryMemo
		for kind, r := range kindsOfRequests() {
			d := p.Decide(&r)
			for shape, lines := range responses {
				if n := testing.AllocsPerRun(20, func() {
					var response Response
					for i := range lines {
						response.Add(lines[i][0], lines[i][1])
					}
					edits = p.Edits(&d, &response, false, &memo, edits[:0])
				}); n != 0 {
					t.Errorf("%s policy, %s, %s response: Edits allocates %v times", name, kind, shape, n)
				}
			}
			if n := testing.AllocsPerRun(20, func() { headers = p.Reply(&d, false, headers[:0]) }); n != 0 {
				t.Errorf("%s policy, %s: Reply allocates %v times", name, kind, n)
			}
		}
	}
}

func ExampleOutcome_IsPossible() {
	fmt.Println(OutcomeOf(Preflight, MethodNotAllowed).IsPossible(), OutcomeOf(NoOrigin, MethodNotAllowed).IsPossible())
	// Output: true false
}

func TestOutcomesSplitIntoWhatTheyWereMadeOf(t *testing.T) {
	seen := map[Outcome]bool{}
	for k := range numKinds {
		for r := range numReasons {
			o := OutcomeOf(k, r)
			if gotK, gotR := o.Split(); gotK != k || gotR != r || seen[o] || int(o) >= NumOutcomes {
				t.Errorf("%v %v: outcome %d splits into %v %v", k, r, o, gotK, gotR)
			}
			seen[o] = true
		}
	}
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestCompileTakesMemoryInProportionToTheLists(t *testing.T) {
	const n, perName = 3000, 1000
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("x-%06d", i)
	}
	c := CORS{AllowOrigins: patterns(t, "https://a"), AllowMethods: names, AllowHeaders: names, ExposeHeaders: names}
	if got := allocated(func() {
		if _, err := compile([]CORS{c}); err != nil {
			t.Fatal(err)
		}
	}); got > 3*n*perName {
		t.Errorf("%d names take %d bytes", 3*n, got)
	}
}

// A shared cache may hand out any response of such a policy to any page, so all that are forwarded are alike.
func TestAnyOriginPolicyGivesAllForwardedResponsesTheSameHeaders(t *testing.T) {
	p := compiled(t, CORS{AllowOrigins: patterns(t, "*"), OnRefusedPreflight: ForwardPreflight})
	target := Request{Method: "GET", Scheme: "https", Authority: "api.example.test.", Path: "/"}
	for name, value := range map[string]string{
		"another origin": "https://a.test", "null": "null", "malformed": "https://a.test/", "empty": "", "the request's own": "https://api.example.test.",
	} {
		for _, method := range []string{"GET", "OPTIONS"} {
			r := target
			r.Method, r.Origins, r.Origin = method, 1, value
			if d := p.Decide(&r); d.Status == 0 && (d.Grant != "*" || d.Vary != VaryNothing) {
				t.Errorf("%s, %s: %+v", method, name, d)
			}
		}
	}
	if d := p.Decide(&target); d.Grant != "*" || d.Vary != VaryNothing {
		t.Errorf("no origin: %+v", d)
	}
}
