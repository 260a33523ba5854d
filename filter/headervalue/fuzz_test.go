package headervalue

import (
	"math/rand"
	"strings"
	"testing"
)

// assertWellFormed checks what holds for the findings of any value.
func assertWellFormed(t *testing.T, value string, found []Finding) (accepted bool) {
	t.Helper()
	accepted = true
	for _, f := range found {
		accepted = accepted && f.Warning
		for _, text := range []string{f.Reason, f.Fix} {
			if text == "" || len(text) > 400 || strings.HasSuffix(text, ".") || text[0] < 'a' || text[0] > 'z' || strings.Trim(text, " ") != text {
				t.Errorf("%q: text %q", value, text)
			}
			for _, r := range text {
				if (r < ' ' || r > '~') && r != '…' {
					t.Errorf("%q: text %q", value, text)
				}
			}
		}
	}
	if len(found) > 2*maxFindings {
		t.Errorf("%q: %d findings", value, len(found))
	}
	if accepted && !isPlain(value) {
		t.Errorf("%q is accepted", value)
	}
	return accepted
}

// agrees checks that a function and its reference accept the same. It reports whether they accept value.
func agrees(t *testing.T, check string, reference func(string) bool, value string) bool {
	t.Helper()
	found := checks[check](value)
	accepted := assertWellFormed(t, value, found)
	if want := reference(value); accepted != want {
		t.Errorf("%s %q: accepted %v, want %v: %+v", check, value, accepted, want, found)
	}
	return accepted
}

// writer writes random values, many of which are accepted.
type writer struct{ *rand.Rand }

func (w writer) pick(list ...string) string { return list[w.Intn(len(list))] }

// mostly returns one of good, and one of bad now and then.
func (w writer) mostly(good, bad []string) string {
	if w.Intn(40) == 0 {
		return w.pick(bad...)
	}
	return w.pick(good...)
}

func (w writer) mangled(value string) string {
	if w.Intn(3) > 0 || value == "" {
		return value
	}
	const bytes = "',;:/.*-=\"()% \\?#@[]{}<>|^`~+_aZ09\t\n\x00\x7f\x80é"
	at := w.Intn(len(value))
	c := string(bytes[w.Intn(len(bytes))])
	switch w.Intn(3) {
	case 0:
		return value[:at] + value[at+1:]
	case 1:
		return value[:at] + c + value[at:]
	}
	return value[:at] + c + value[at+1:]
}

func (w writer) source() string {
	switch w.Intn(4) {
	case 0:
		words := strings.Fields(keywords)
		return w.mostly(append(words, sha256, sha384, sha512, "'nonce-abc'", "'SELF'", "'Nonce-x+/_-=='"),
			[]string{"self", "none", "nonce-a", "sha256-x", "'sefl'", "''", "'sha256-x'", "'nonce-'", "'nonce-a==='", "\"self\"", "'self", "script-src", "sandbox", "'none'"})
	case 1:
		return w.mostly([]string{"https:", "data:", "x+y.z-1:", "WSS:"}, []string{":", "1x:", "https", "data", "https://", "h_t:"})
	}
	return w.mostly([]string{"", "", "https://", "ws://", "a-b+c.d://"}, []string{"https:/", "//", "://", "1://", "https:"}) +
		w.mostly([]string{"*", "*.example.com", "example.com", "localhost", "a.b-c.1", "127.0.0.1", "example.com.", "EXAMPLE", "data", "blob"}, []string{"", ".", "*.", "**", "a..b", "*a", "a_b", "[::1]", "a@b", "é"}) +
		w.mostly([]string{"", "", "", ":443", ":*", ":00080", ":65535", ":0"}, []string{":", ":x", ":65536", ":-1", ":9999999999999999999999"}) +
		w.mostly([]string{"", "", "", "/", "/a", "/a/", "/a//b", "/%41~!$&'()*+=:@", "/*"}, []string{"//", "/%", "/%4", "/%zz", "/<", "/a?b", "?", "#", "/\"", "/{}"})
}

func (w writer) list(n int, element func() string) string {
	text := ""
	for i := w.Intn(n); i >= 0; i-- {
		text += w.pick(" ", " ", "  ") + element()
	}
	return text
}

func (w writer) policy() string {
	text := ""
	for n := w.Intn(4); n >= 0; n-- {
		name := w.mostly(strings.Fields(directives), append(strings.Fields(removed), "scrpt-src", "x", "default_src", "default-src:"))
		if w.Intn(10) == 0 {
			name = strings.ToUpper(name)
		}
		text += name
		switch i := find(directives, name); {
		case i >= 0 && directiveKinds[i] < noValue:
			if w.Intn(4) == 0 {
				text += w.pick(" 'none'", " 'none' 'report-sample'", " 'none' 'NONE'", "")
			} else {
				text += w.list(4, w.source)
			}
		case i >= 0 && directiveKinds[i] > obsolete:
			kind := directiveKinds[i]
			words := append(strings.Fields(valueRules[kind-noValue].words), "name")
			if kind == reportURLs {
				words = []string{"/csp?a=b#c", "https://a.example/[x]%20", "x"}
			}
			text += w.list(1+w.Intn(2), func() string { return w.mostly(words, []string{"'x'", "a/b", "%zz", "<", "'none'", "\"", "(", "x=y"}) })
		case w.Intn(20) == 0:
			text += " x"
		}
		text += w.pick(";", "; ", " ;", ";; ")
	}
	return w.mangled(strings.TrimRight(text, " "))
}

func (w writer) permissions() string {
	text := ""
	for n := w.Intn(4); n >= 0; n-- {
		text += w.mostly([]string{"camera", "geolocation", "usb", "sync-xhr", "x.y_z*1", "*"}, []string{"", "Camera", "1a", "-", "a:b", "camera "}) +
			w.mostly([]string{"="}, []string{"", " =", "= ", "=="})
		item := func() string {
			switch w.Intn(4) {
			case 0:
				return "self"
			case 1:
				return w.mostly([]string{"*"}, []string{"none", "src", "'self'", "https://a.example", "1", "?1", "\"", "(", "\"a\\\"b\"", "self,"})
			}
			return `"` + w.mostly([]string{"https://a.example", "https://*.a.example:8443", "https://a.example/", "a.example", "https:"}, []string{"", "self", "https://a.example/x", w.source(), w.source()}) + `"`
		}
		if w.Intn(3) == 0 {
			text += item()
		} else {
			text += "(" + strings.TrimLeft(w.list(3, item), w.pick("", " ")) + w.pick(")", ")", " )", w.mostly([]string{")"}, []string{"", "))"}))
		}
		text += w.mostly([]string{"", "", "", ";report-to=a", `; report-to="x y"`, ";report-to=*a:/;report-to=b"}, []string{";", ";report-to", ";report-to=", ";report-to=1", ";report-to='a", "; usb=()", ";a=b", " ;report-to=a"})
		text += w.mostly([]string{","}, []string{";", "", " ", ",,"}) + w.pick("", " ", "  ")
	}
	return w.mangled(strings.TrimRight(text, ", "))
}

func (w writer) hsts() string {
	text := w.mostly([]string{"max-age=31536000", "max-age=0", `Max-Age = "63072000"`, "max-age=2147483647"}, []string{"", "max-age", "max-age=x", "max-age=2147483648", `max-age="`, `max-age=""`})
	for n := w.Intn(3); n > 0; n-- {
		text += w.mostly([]string{";", "; ", " ; ", ";;"}, []string{",", " ", ""}) +
			w.mostly([]string{"includeSubDomains", "preload", "includesubdomains", "PRELOAD", ""}, []string{"includeSubDomain", "preload=1", "includeSubDomains=", "max-age=1", "x"})
	}
	return w.mangled(strings.Trim(text, " "))
}

func (w writer) referrerPolicy() string {
	text := ""
	for n := w.Intn(3); n >= 0; n-- {
		text += w.mostly(strings.Fields(referrerPolicies), []string{"", "none", "No-Referrer", "origin origin", "x"}) + w.pick(",", ", ", " , ")
	}
	return w.mangled(strings.TrimRight(text, w.pick(" ", ", ")))
}

// random are, for each function with a reference, the reference and what writes values.
var random = map[string]struct {
	reference func(string) bool
	write     func(writer) string
}{
	"csp":         {acceptsPolicy, writer.policy},
	"csp-report":  {acceptsPolicy, writer.policy},
	"permissions": {acceptsPermissions, writer.permissions},
	"hsts":        {acceptsHSTS, writer.hsts},
	"referrer":    {acceptsReferrerPolicy, writer.referrerPolicy},
	"nosniff":     {func(value string) bool { return value == "nosniff" }, func(w writer) string { return w.mangled("nosniff") }},
	"frame": {func(value string) bool { return value == "DENY" || value == "SAMEORIGIN" }, func(w writer) string {
		return w.mangled(w.pick("DENY", "SAMEORIGIN", "ALLOW-FROM https://a.example", "deny"))
	}},
	"xss": {func(value string) bool { return value == "0" }, func(w writer) string { return w.mangled(w.pick("0", "0", "1", "1; mode=block")) }},
}

func TestRandomValuesAreAcceptedWhereTheReferenceAcceptsThem(t *testing.T) {
	n := 4000
	if testing.Short() {
		n = 2000
	}
	for check, r := range random {
		accepted := 0
		for seed := 0; seed < n && !t.Failed(); seed++ {
			if agrees(t, check, r.reference, r.write(writer{rand.New(rand.NewSource(int64(seed)))})) {
				accepted++
			}
		}
		if !t.Failed() && (accepted < n/10 || accepted > n*9/10) {
			t.Errorf("%s: %d of %d are accepted: what is written is lopsided", check, accepted, n)
		}
	}
}

func fuzz(f *testing.F, check string) {
	for _, r := range refusedPolicies {
		f.Add(r.value, int64(len(r.value)))
	}
	for i, value := range acceptedPolicies {
		f.Add(value, int64(i))
	}
	for i, value := range []string{"", " ", "max-age=31536000; includeSubDomains; preload", "nosniff", "DENY", "ALLOW-FROM x", "no-referrer, origin", "1; mode=block",
		`camera=(self "https://a.example");report-to=x, usb=*`, "geolocation 'none'", "a\r\nb", "a\x00", "é", strings.Repeat("(", 9000)} {
		f.Add(value, int64(i))
	}
	r := random[check]
	f.Fuzz(func(t *testing.T, value string, seed int64) {
		agrees(t, check, r.reference, value)
		agrees(t, check, r.reference, r.write(writer{rand.New(rand.NewSource(seed))}))
	})
}

func FuzzContentSecurityPolicy(f *testing.F)           { fuzz(f, "csp") }
func FuzzContentSecurityPolicyReportOnly(f *testing.F) { fuzz(f, "csp-report") }
func FuzzPermissionsPolicy(f *testing.F)               { fuzz(f, "permissions") }
func FuzzStrictTransportSecurity(f *testing.F)         { fuzz(f, "hsts") }
func FuzzReferrerPolicy(f *testing.F)                  { fuzz(f, "referrer") }
func FuzzContentTypeOptions(f *testing.F)              { fuzz(f, "nosniff") }
func FuzzFrameOptions(f *testing.F)                    { fuzz(f, "frame") }
func FuzzXSSProtection(f *testing.F)                   { fuzz(f, "xss") }
