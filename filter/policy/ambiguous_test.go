package policy

import "testing"

// Each of these is decided as for the strict rule by some service, or is not what any page sends.
func TestPathsThatSomeServiceReadsOtherwiseGrantNothing(t *testing.T) {
	lax := []CORS{{AllowOrigins: patterns(t, "*"), PreflightStatus: 204, MaxAge: MaxAgeUnset}}
	strict := oneOrigin(t, "https://app.example.com")
	strict[0].OnRefusedOrigin, strict[0].OnMissingOrigin, strict[0].OnRefusedPreflight = Deny, Deny, DenyPreflight
	for _, c := range []struct {
		strict string
		paths  []string
	}{
		{"|regex /projects/[^/]+/variables(/.*)?", []string{
			"/projects/g%2Fp/%76ariables", "/projects/g%2fp/variables;x", "/projects//g%2Fp/variables", "/projects/g%252Fp/variables", `/projects/g%5Cp//variables`, "/projects/g%2Fp/variables/%2e",
		}},
		{"|prefix /admin", []string{
			"//admin", "/;x/admin", "/%2Fadmin", "/%61dmin", "/admin%3Fx", "/admin%23x", "/admin%00x", "/x/..%2fadmin", "/%u0061dmin", "/x/..%u002fadmin", "/x/..%c0%afadmin", `/\admin`, "/admin;x", "/a%64min;x",
		}},
		{"|exact /admin", []string{"/admin%3fx", "/admin%2523x", "//admin", "/admin;x"}},
	} {
		for _, strictFirst := range []bool{true, false} {
			rules := []Rule{{Name: "rule", Match: match(t, c.strict), OwnCORS: true, CORS: strict}}
			spec := &Spec{CORS: lax, Rules: rules}
			if !strictFirst { // and the other way round: the strict policy is the default
				spec = &Spec{CORS: strict, Rules: []Rule{{Name: "rule", Match: rules[0].Match, OwnCORS: true, CORS: lax}}}
			}
			compiled, err := Compile(spec)
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range c.paths {
				rule, p := compiled.Pick(&Target{Path: path})
				if !p.closed {
					t.Errorf("%s, %s, strict first %v: rule %s decides", c.strict, path, strictFirst, compiled.Name(rule))
					continue
				}
				// What the strict policy keeps from the upstream stays there, whichever rule the path as it came belongs to.
				for _, q := range []Request{
					{Method: "GET", Path: path, Origins: 1, Origin: "https://evil.test"}, {Method: "GET", Path: path},
					{Method: "OPTIONS", Path: path, Origins: 1, Origin: "https://evil.test", RequestMethod: "PUT"},
				} {
					if d := p.Decide(&q); d.Status != 403 || d.Grant != "" {
						t.Errorf("%s, %s, strict first %v: %+v gets %+v", c.strict, path, strictFirst, q, d)
					}
				}
			}
		}
	}
}

func TestPathsThatEverybodyReadsAlikeAreDecided(t *testing.T) {
	rules := compileRules(t, rulesOf(t, "|prefix /admin,regex /projects/[^/]+/variables(/.*)?"))
	for path, want := range map[string]string{
		"/admin/x%20y": "r0", "/admin/caf%C3%A9": "r0", "/admin/x%2Fy": "r0", "/admin/c%23/x": "r0", "/x//y": "default", "/x;y": "default", "/x%7Ey": "default", "/.well-known/x": "default", "/projects/p/variables": "r0",
		"/projects/p%20q/variables": "r0", "/x%25y": "default", "/admin/%3F": "r0",
	} {
		if rule, p := rules.Pick(&Target{Path: path}); p.closed || rules.Name(rule) != want {
			t.Errorf("%s: %s, closed %v", path, rules.Name(rule), p.closed)
		}
	}
}
