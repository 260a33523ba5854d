package policy

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// randomPlan gives headers of a block of isolation and one of security, and the names that stand in either.
func randomPlan(r *rand.Rand) (isolation, security []SetHeader) {
	for _, n := range r.Perm(NumHeaderNames) {
		h := SetHeader{Name: HeaderName(n), Value: pick(r, []string{"a", "b", "same-origin", "a b; c=\"d\""})}
		switch {
		case r.IntN(3) == 0:
		case h.Name < ContentSecurityPolicy:
			isolation = append(isolation, h)
		default:
			h.IfAbsent = r.IntN(3) == 0
			security = append(security, h)
		}
	}
	return isolation, security
}

// randomLines gives the header lines of a response, of which several may have one name, in the order in which they come.
func randomLines(r *rand.Rand, names []HeaderName) []Header {
	lines := []Header{{":status", pick(r, []string{"200", "204", "302", "304", "500"})}, {"content-type", "text/html"}, {"x-content-type", "x"}, {"cross-origin-resource-policy-", "x"}, {"x-frame-option", "x"}}
	for r.IntN(8) > 0 {
		lines = append(lines, Header{pick(r, names).String(), pick(r, []string{"a", "b", "", "same-origin", "a, b", "A"})})
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

var allHeaderNames = func() (names []HeaderName) {
	for n := range HeaderName(NumHeaderNames) {
		names = append(names, n)
	}
	return names
}()

// wantedLines is the reference: what of the lines of one name is left on a response, by what a configuration says of it.
func wantedLines(h *SetHeader, there []string, secure bool) []string {
	if h == nil || h.IfAbsent && len(there) > 0 {
		return there
	}
	if h.Name == StrictTransportSecurity && !secure {
		return nil
	}
	return []string{h.Value}
}

// edited does edits as a host does them, and fails where one does not do what it says.
func edited(t *testing.T, lines []Header, edits []Edit) []Header {
	t.Helper()
	lines = slices.Clone(lines)
	for _, e := range edits {
		has := func(h Header) bool { return h[0] == e.Name }
		n := len(valuesOf(lines, e.Name))
		if (e.Op == AddHeader) != (n == 0) || e.Op == ReplaceHeader && n != 1 {
			t.Fatalf("%+v on %d lines of the name: %q", e, n, lines)
		}
		switch e.Op {
		case AddHeader:
			lines = append(lines, Header{e.Name, e.Value})
		case ReplaceHeader:
			lines[slices.IndexFunc(lines, has)][1] = e.Value
		case RemoveHeader:
			lines = slices.DeleteFunc(lines, has)
		}
	}
	return lines
}

func valuesOf(lines []Header, name string) []string {
	var values []string
	for _, h := range lines {
		if h[0] == name {
			values = append(values, h[1])
		}
	}
	return values
}

func responseOf(p *Policy, lines []Header) *Response {
	var r Response
	p.Expect(&r)
	for _, h := range lines {
		r.Add(h[0], h[1])
	}
	return &r
}

func policyOf(t *testing.T, s *Spec) *Policy {
	t.Helper()
	rules, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	_, p := rules.Default()
	return p
}

// checkPlan applies the edits of a policy without a cors block to a response.
func checkPlan(t *testing.T, s *Spec, lines []Header, secure bool) {
	t.Helper()
	p := policyOf(t, s)
	q := Request{Method: "GET"}
	d := p.Decide(&q)
	edits := p.Edits(&d, responseOf(p, lines), secure, &VaryMemo{}, nil)
	after := edited(t, lines, edits)
	for _, n := range allHeaderNames {
		var set *SetHeader
		for _, block := range [][]SetHeader{s.Isolation, s.SecurityHeaders} {
			for i := range block {
				if block[i].Name == n {
					set = &block[i]
				}
			}
		}
		if got, want := valuesOf(after, n.String()), wantedLines(set, valuesOf(lines, n.String()), secure); !slices.Equal(got, want) {
			t.Fatalf("%s: %q, want %q; %q became %q", n, got, want, lines, after)
		}
	}
	others := func(h Header) bool {
		return slices.ContainsFunc(allHeaderNames, func(n HeaderName) bool { return n.String() == h[0] })
	}
	if before, after := slices.DeleteFunc(slices.Clone(lines), others), slices.DeleteFunc(slices.Clone(after), others); !slices.Equal(before, after) {
		t.Fatalf("other headers: %q became %q", before, after)
	}
	if again := p.Edits(&d, responseOf(p, after), secure, &VaryMemo{}, nil); len(again) > 0 {
		t.Fatalf("a response that is as it should be is changed: %+v", again)
	}
}

func TestAHeaderOfAPolicyGoesOutOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for range 20_000 {
		var s Spec
		s.Isolation, s.SecurityHeaders = randomPlan(r)
		checkPlan(t, &s, randomLines(r, allHeaderNames), r.IntN(2) == 0)
	}
}

func FuzzHeaderPlan(f *testing.F) {
	f.Add("cross-origin-resource-policy\nx\nx-frame-options\ny\nx-frame-options\nz", uint32(1<<ResourcePolicy|1<<FrameOptions|1<<StrictTransportSecurity), uint32(1<<FrameOptions), true)
	f.Add("strict-transport-security\nmax-age=1", uint32(1<<StrictTransportSecurity), uint32(0), false)
	f.Fuzz(func(t *testing.T, text string, set, ifAbsent uint32, secure bool) {
		var s Spec
		for _, n := range allHeaderNames {
			switch {
			case set>>n&1 == 0:
			case n < ContentSecurityPolicy:
				s.Isolation = append(s.Isolation, SetHeader{Name: n, Value: "v"})
			default:
				s.SecurityHeaders = append(s.SecurityHeaders, SetHeader{Name: n, Value: "v", IfAbsent: ifAbsent>>n&1 == 1})
			}
		}
		lines := []Header{{":status", "200"}}
		parts := strings.Split(text, "\n")
		for i := 0; i+1 < len(parts); i += 2 {
			if parts[i] != ":status" {
				lines = append(lines, Header{parts[i], parts[i+1]})
			}
		}
		checkPlan(t, &s, lines, secure)
	})
}

// What a route adds to responses stands on the filter's own reply too, before what the filter sent.
func TestADenialKeepsTheHeadersOfItsPolicy(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	for range 5000 {
		s := Spec{CORS: oneOrigin(t, "https://app.example.com")}
		s.CORS[0].OnRefusedOrigin = Deny
		s.Isolation, s.SecurityHeaders = randomPlan(r)
		p, secure := policyOf(t, &s), r.IntN(2) == 0
		d := p.Decide(&Request{Method: "GET", Origins: 1, Origin: "https://evil.test"})
		sent := p.Reply(&d, secure, nil)
		lines := append(randomLines(r, allHeaderNames), sent...)
		if r.IntN(2) == 0 {
			lines = append(lines, pick(r, upstreamLines[:5]))
		}
		after := edited(t, lines, p.Restore(&d, responseOf(p, sent), responseOf(p, lines), secure, &VaryMemo{}, nil))
		for _, h := range slices.Concat(s.Isolation, s.SecurityHeaders) {
			switch got := valuesOf(after, h.Name.String()); {
			case h.Name == StrictTransportSecurity && !secure:
				if len(got) > 0 && !h.IfAbsent {
					t.Fatalf("%s: %q over http", h.Name, got)
				}
			case len(got) != 1, !h.IfAbsent && got[0] != h.Value:
				t.Fatalf("%+v: %q; sent %q, with others %q", h, got, sent, lines)
			}
		}
		for _, h := range after {
			if strings.HasPrefix(h[0], namespace) || h[0] == "timing-allow-origin" {
				t.Fatalf("a denial with %q", h)
			}
		}
	}
}

// The order in which a configuration names headers says nothing.
func TestPlansOfTheSameHeadersAreAlike(t *testing.T) {
	a, b := SetHeader{Name: ResourcePolicy, Value: "same-origin"}, SetHeader{Name: OriginAgentCluster, Value: "?1"}
	c, d := SetHeader{Name: FrameOptions, Value: "DENY"}, SetHeader{Name: FrameOptions, Value: "DENY", IfAbsent: true}
	for _, test := range []struct {
		p, q  []SetHeader
		alike bool
	}{
		{nil, nil, true}, {[]SetHeader{a, b}, []SetHeader{b, a}, true}, {[]SetHeader{a, b, c}, []SetHeader{c, b, a}, true},
		{[]SetHeader{a}, nil, false}, {[]SetHeader{a}, []SetHeader{a, b}, false}, {[]SetHeader{c}, []SetHeader{d}, false}, {[]SetHeader{a}, []SetHeader{b}, false},
	} {
		if got := newHeaderPlan(test.p, nil).equal(newHeaderPlan(test.q, nil)); got != test.alike {
			t.Errorf("%+v and %+v: %v", test.p, test.q, got)
		}
	}
}

// isolated is the reference of a resource isolation policy: the steps as they are told to those who write one by hand. It reports whether the request is let through.
func isolated(f *FetchMetadata, r *Request) bool {
	// From no page.
	if r.Method == "CONNECT" || r.Method == "OPTIONS" && r.Path == "*" {
		return true
	}
	// From a browser that sends no metadata, from the user, or from the site itself.
	trusted := map[string]bool{"cross-site": false, "same-site": !f.RefuseSameSite}
	if ok, known := trusted[r.FetchSite]; ok || !known {
		return true
	}
	// A link that is followed, or a frame.
	simple := map[string]bool{"GET": true, "HEAD": true}[r.Method]
	plugin := map[string]bool{"object": true, "embed": true}[r.FetchDest]
	return r.FetchMode == "navigate" && !plugin && (simple || !f.RefuseUnsafeNavigations)
}

var (
	someSites = []string{"", "cross-site", "same-site", "same-origin", "none", "Cross-Site", "cross-site,cross-site", "cross-site;x", " cross-site", "x"}
	someModes = []string{"", "navigate", "no-cors", "cors", "same-origin", "websocket", "Navigate", "navigate,navigate", "nested-navigate"}
	someDests = []string{"", "document", "iframe", "frame", "object", "embed", "image", "script", "empty", "worker", "Object", "object,embed", "webidentity"}
)

func TestFetchMetadataIsJudgedByTheSteps(t *testing.T) {
	for bits := range 4 {
		f := FetchMetadata{On: true, RefuseSameSite: bits&1 != 0, RefuseUnsafeNavigations: bits&2 != 0}
		for _, site := range someSites {
			for _, mode := range someModes {
				for _, dest := range someDests {
					for _, method := range []string{"GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT", "get", "", "DELETE"} {
						for _, path := range []string{"/", "*"} {
							r := Request{Method: method, Path: path, FetchSite: site, FetchMode: mode, FetchDest: dest}
							reason, refused := f.judge(&r)
							if refused == isolated(&f, &r) || refused && reason != map[string]Reason{"cross-site": CrossSiteNotAllowed, "same-site": SameSiteNotAllowed}[site] {
								t.Fatalf("%+v, %+v: refused %v, %v", f, r, refused, reason)
							}
							if refused && !f.mayRefuse(site) {
								t.Fatalf("%+v, %+v is refused, which the site alone rules out", f, r)
							}
						}
					}
				}
			}
		}
	}
}

// withMetadata gives a random request the headers of Fetch Metadata.
func withMetadata(r *rand.Rand) Request {
	q := randomRequest(r)
	q.FetchSite, q.FetchMode, q.FetchDest = pick(r, someSites), pick(r, someModes), pick(r, someDests)
	return q
}

// A resource isolation policy changes nothing about what CORS allows, denies or answers, and what it reports is what it would refuse.
func TestFetchMetadataOnlyRefusesWhatCORSLeavesOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	refused := 0
	for range 3000 {
		spec := Spec{CORS: []CORS{randomCORS(t, r)}, FetchMetadata: FetchMetadata{On: true, RefuseSameSite: r.IntN(2) == 0, RefuseUnsafeNavigations: r.IntN(2) == 0}}
		if r.IntN(4) == 0 {
			spec.CORS = nil
		}
		if _, err := Compile(&spec); err != nil {
			continue
		}
		p := policyOf(t, &spec)
		spec.FetchMetadata.Report = true
		reporting := policyOf(t, &spec)
		f := spec.FetchMetadata
		spec.FetchMetadata = FetchMetadata{}
		without := policyOf(t, &spec)
		for range 40 {
			q := withMetadata(r)
			ask := func(p *Policy) Decision { r := q; return p.Decide(&r) }
			plain, enforced, reported := ask(without), ask(p), ask(reporting)
			isAny := len(spec.CORS) == 1 && IsAnyOrigin(&spec.CORS[0])
			open := plain.Status == 0 && plain.Kind != Preflight && !isAny && (plain.Reason == NothingAsked || plain.Reason == CORSOff || plain.Verdict() == Refused)
			refuses := open && !isolated(&f, &q)
			switch {
			case refuses:
				refused++
				if enforced.Status != 403 || enforced.Grant != "" || enforced.Kind != plain.Kind || enforced.Reason != CrossSiteNotAllowed && enforced.Reason != SameSiteNotAllowed || !reported.Reports || reported.Reported != enforced.Reason {
					t.Fatalf("%+v: %+v, reported %+v", q, enforced, reported)
				}
			case enforced.Reports, reported.Reports, enforced.Status != plain.Status, enforced.Reason != plain.Reason, enforced.Grant != plain.Grant:
				t.Fatalf("%+v: %+v, without %+v, reporting %+v", q, enforced, plain, reported)
			}
			if reported.Status != plain.Status || reported.Reason != plain.Reason || reported.Grant != plain.Grant || reported.Vary != plain.Vary {
				t.Fatalf("%+v: reporting changes %+v to %+v", q, plain, reported)
			}
		}
	}
	if refused < 1000 {
		t.Errorf("only %d requests were refused", refused)
	}
}

func FuzzFetchMetadata(f *testing.F) {
	f.Add("GET", "/", "cross-site", "no-cors", "image", uint8(0))
	f.Add("POST", "/", "same-site", "navigate", "object", uint8(3))
	f.Fuzz(func(t *testing.T, method, path, site, mode, dest string, bits uint8) {
		m := FetchMetadata{On: true, RefuseSameSite: bits&1 != 0, RefuseUnsafeNavigations: bits&2 != 0, Report: bits&4 != 0}
		r := Request{Method: method, Path: path, FetchSite: site, FetchMode: mode, FetchDest: dest}
		d := policyOf(t, &Spec{FetchMetadata: m}).Decide(&r)
		if refused := d.Status == 403 || d.Reports; refused == isolated(&m, &r) || m.Report && d.Status != 0 || !m.Report && d.Reports {
			t.Errorf("%+v, %+v: %+v", m, r, d)
		}
	})
}

func TestAnEffectIsDrawnAsTheModeHasIt(t *testing.T) {
	for _, unenforced := range []uint32{0, 1, 2, 500_000, Million - 1, Million} {
		for _, otherwise := range []Otherwise{Shadow, Off} {
			p := policyOf(t, &Spec{CORS: oneOrigin(t, "https://app.example.com"), Mode: Mode{unenforced, otherwise}})
			enforced := uint32(0)
			for random := range uint32(Million) {
				switch p.Effect(func() uint32 { return random }) {
				case Enforced:
					enforced++
				case ShadowOnly:
					if otherwise != Shadow {
						t.Fatal("shadowed where it is to be off")
					}
				case NoEffect:
					if otherwise != Off {
						t.Fatal("off where it is to be shadowed")
					}
				}
			}
			if enforced != Million-unenforced {
				t.Errorf("%d: %d are enforced", unenforced, enforced)
			}
		}
	}
}

// randomMode gives a mode, one of a few.
func randomMode(r *rand.Rand) Mode {
	return pick(r, []Mode{{}, {}, {Million, Shadow}, {Million, Off}, {900_000, Shadow}, {100_000, Off}, {500_000, Shadow}})
}

// ruleBlocks gives a rule, or the defaults, random blocks.
func ruleBlocks(t *testing.T, r *rand.Rand, rule *Rule) {
	if rule.OwnCORS = r.IntN(3) > 0; rule.OwnCORS && r.IntN(4) > 0 {
		rule.CORS = []CORS{randomCORS(t, r)}
		if _, err := compile(rule.CORS); err != nil {
			rule.CORS = oneOrigin(t, "https://app.example.com")
		}
	}
	plans := [][]SetHeader{nil, {{Name: ResourcePolicy, Value: "same-origin"}}, {{Name: ResourcePolicy, Value: "cross-origin"}}}
	if rule.OwnIsolation = r.IntN(4) == 0; rule.OwnIsolation {
		rule.Isolation = pick(r, plans)
	}
	if rule.OwnFetchMetadata = r.IntN(4) == 0; rule.OwnFetchMetadata {
		rule.FetchMetadata = pick(r, []FetchMetadata{{}, {On: true}, {On: true, Report: true}, {On: true, RefuseSameSite: true}})
	}
	if rule.OwnMode = r.IntN(3) == 0; rule.OwnMode {
		rule.Mode = randomMode(r)
	}
}

func randomSpec(t *testing.T, r *rand.Rand) *Spec {
	var defaults Rule
	ruleBlocks(t, r, &defaults)
	s := &Spec{CORS: defaults.CORS, Isolation: defaults.Isolation, FetchMetadata: defaults.FetchMetadata, Mode: defaults.Mode, Rules: randomRules(t, r)}
	for i := range s.Rules {
		ruleBlocks(t, r, &s.Rules[i])
	}
	return s
}

// enforced is the share of requests, in millionths, for which p is enforced; decided that of those about which it says anything.
func (p *Policy) enforced() uint32 { return Million - p.mode.Unenforced }

func (p *Policy) decided() uint32 {
	if p.mode.Otherwise == Shadow {
		return Million
	}
	return p.enforced()
}

// readings gives some of the ways in which services read a path, first as it came.
func readings(came string) []string {
	all := []string{came}
	if !strings.HasPrefix(came, "/") {
		return all
	}
	clean := func(s string) string {
		cleaned := path.Clean(s)
		if strings.HasSuffix(s, "/") && cleaned != "/" {
			cleaned += "/"
		}
		return cleaned
	}
	canonical, _ := CanonicalPath(came)
	all = append(all, canonical, clean(canonical), clean(came), clean(regexp.MustCompile(`;[^/]*`).ReplaceAllString(came, "")))
	if decoded, err := url.PathUnescape(came); err == nil {
		encoded, _ := CanonicalPath(clean(decoded))
		all = append(all, encoded)
	}
	if before, _, cut := strings.Cut(canonical, "%3F"); cut {
		all = append(all, before)
	}
	return all
}

// A path that some service reads as belonging to another rule must not gain by it: whatever any of the policies in question would have done, is done.
func TestAnAmbiguousPathGainsNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 9))
	ambiguous, denials := 0, 0
	for range 2500 {
		s := randomSpec(t, r)
		rules, err := Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			target := Target{Authority: pick(r, someAuthorities), Path: randomPath(r), Route: pick(r, someRoutes)}
			rule, p := rules.Pick(&target)
			var candidates []*Policy
			for _, reading := range readings(withoutQuery(target.Path)) {
				first := firstOf(s.Rules, hostOf(target.Authority), reading, target.Route)
				if candidates = append(candidates, rules.at(first).policy); first != rule && (len(candidates) == 1 || !p.closed) {
					t.Fatalf("%+v, which can be read as %q: rule %s, want %s", target, reading, rules.Name(rule), rules.Name(first))
				}
			}
			if !p.closed {
				continue
			}
			ambiguous++
			describe := func(p *Policy) string {
				return fmt.Sprintf("{off %v, mixed %v, %v %v %v, plan %+v, %+v, %+v}", p.off, p.mixed, p.onRefusedPreflight, p.onRefusedOrigin, p.onMissingOrigin, p.plan, p.fetchMetadata, p.mode)
			}
			explain := func() string {
				text := fmt.Sprintf("%+v gets %s; candidates", target, describe(p))
				for _, c := range candidates {
					text += " " + describe(c)
				}
				return text
			}
			q := withMetadata(r)
			q.Path = target.Path
			ask := func(p *Policy) Decision { r := q; return p.Decide(&r) }
			got := ask(p)
			if got.Grant != "" {
				t.Fatalf("%+v is granted %+v: %s", q, got, explain())
			}
			if got.Status == 403 {
				denials++
			}
			page := got.Kind != Preflight && got.Reason != SameOrigin && q.Method != "CONNECT" && !q.isAsterisk()
			for _, c := range candidates {
				if p.enforced() < c.enforced() || p.decided() < c.decided() {
					t.Fatalf("enforced less than a candidate: %s", explain())
				}
				differs := !p.plan.equal(c.plan) || p.fetchMetadata != c.fetchMetadata
				if differs && page && got.Status != 403 {
					t.Fatalf("%+v passes with other headers than a candidate's: %+v: %s", q, got, explain())
				}
				// A request that a candidate denies whatever its Origin is.
				denies := c.enforced() > 0 && ask(c).Status == 403
				allowedByOrigin := got.Reason == SameOrigin || got.Verdict() == Allowed && got.Kind != NoOrigin
				if denies && got.Status != 403 && !allowedByOrigin {
					t.Fatalf("%+v passes as %+v, and a candidate denies it as %+v: %s", q, got, ask(c), explain())
				}
				if !c.off && p.off {
					t.Fatalf("CORS headers of the upstream stay: %s", explain())
				}
			}
		}
	}
	if ambiguous < 3000 || denials < 1000 {
		t.Errorf("only %d paths were ambiguous, and %d requests denied", ambiguous, denials)
	}
}

// Where all rules have the same blocks, there is nothing that an ambiguous path could gain, and no more is denied for it than the policy itself denies.
func TestAnAmbiguousPathBetweenLikePoliciesIsDecidedByThem(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 9))
	for range 500 {
		s := randomSpec(t, r)
		for i := range s.Rules {
			s.Rules[i] = Rule{Name: s.Rules[i].Name, Match: s.Rules[i].Match}
		}
		rules, err := Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		_, own := rules.Default()
		for range 20 {
			if _, p := rules.Pick(&Target{Authority: pick(r, someAuthorities), Path: randomPath(r)}); p.closed &&
				(p.mixed || p.mode != own.mode || p.onRefusedOrigin != own.onRefusedOrigin || p.onMissingOrigin != own.onMissingOrigin || p.off != own.off || !p.plan.equal(own.plan)) {
				t.Fatalf("%+v, of %+v", p, own)
			}
		}
	}
}

// What is counted must be possible: counters are made from what a policy may have.
func TestAPolicyHasOnlyOutcomesThatItMayHave(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 9))
	bySite := map[Outcome]bool{}
	for range 2000 {
		p := policyOf(t, randomSpec(t, r))
		for range 30 {
			q := withMetadata(r)
			for _, random := range []uint32{0, Million / 2, Million - 1} {
				effect := p.Effect(func() uint32 { return random })
				if effect == NoEffect {
					continue
				}
				again := q
				d := p.Decide(&again)
				outcomes := []Outcome{d.Outcome()}
				if effect == ShadowOnly {
					outcomes[0] = outcomes[0].Shadow()
				}
				if d.Reports {
					outcomes = append(outcomes, OutcomeOf(d.Kind, d.Reported).Shadow())
				}
				for _, o := range outcomes {
					if !p.MayHave(o) {
						kind, reason := o.Split()
						t.Fatalf("%v %v %v, which is said to be impossible: %+v of %+v", kind, o.Verdict(), reason, q, p)
					}
					bySite[o] = true
				}
			}
		}
	}
	for _, kind := range []Kind{NoOrigin, Actual} {
		for _, reason := range []Reason{CrossSiteNotAllowed, SameSiteNotAllowed} {
			if o := OutcomeOf(kind, reason); !bySite[o] || !bySite[o.Shadow()] {
				t.Errorf("%v %v was not reached", kind, reason)
			}
		}
	}
}

func TestAPolicyThatReportsRefusesNothingBySite(t *testing.T) {
	p := policyOf(t, &Spec{FetchMetadata: FetchMetadata{On: true, Report: true}})
	if o := OutcomeOf(NoOrigin, CrossSiteNotAllowed); p.MayHave(o) || !p.MayHave(o.Shadow()) {
		t.Errorf("may refuse %v, may shadow %v", p.MayHave(o), p.MayHave(o.Shadow()))
	}
}

func TestOutcomesAreToldApart(t *testing.T) {
	seen := map[Outcome]string{}
	for k := range numKinds {
		for r := range numReasons {
			o := OutcomeOf(k, r)
			if gotKind, gotReason := o.Split(); gotKind != k || gotReason != r || o.Verdict() != r.Verdict() {
				t.Errorf("%v %v comes back as %v %v %v", k, r, gotKind, gotReason, o.Verdict())
			}
			all := []Outcome{o}
			if r.Verdict() == Refused {
				s := o.Shadow()
				if gotKind, gotReason := s.Split(); gotKind != k || gotReason != r || s.Verdict() != Shadowed || s.Shadow() != s {
					t.Errorf("the shadow of %v %v comes back as %v %v %v", k, r, gotKind, gotReason, s.Verdict())
				}
				all = append(all, s)
			} else if o.Shadow() != o {
				t.Errorf("%v %v is allowed, and has a shadow", k, r)
			}
			for _, o := range all {
				if have := seen[o]; have != "" || int(o) >= NumOutcomes {
					t.Errorf("%v %v is %d, as is %s", k, r, o, have)
				}
				seen[o] = fmt.Sprint(k, r, o.Verdict())
			}
		}
	}
}

// The memo of Vary is shared by all policies of a VM.
func TestAMemoOfVaryKnowsWhatItIsFor(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 9))
	var memo VaryMemo
	buf := make([]byte, 0, 64)
	for range 20_000 {
		// The memory of the value is written to again, as a host does.
		buf = append(buf[:0], pick(r, []string{"Accept", "origin", "*", "Origin, Sec-Fetch-Dest", "sec-fetch-site,Accept", "", "Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site"})...)
		value, on := string(buf), pick(r, []VaryOn{VaryOrigin, VaryPreflight, VaryFetchMetadata, VaryOriginAndFetchMetadata})
		got, changed := memo.merge(unsafe.String(unsafe.SliceData(buf), len(buf)), on)
		want, wantChanged := (&VaryMemo{}).merge(value, on)
		if got != want || changed != wantChanged {
			t.Fatalf("%q, %d: %q, %v, want %q, %v", value, on, got, changed, want, wantChanged)
		}
		for i := range buf {
			buf[i] = 'x'
		}
	}
}
