package main_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// Tables that say what matches, and the configurations for several environments.

func compile(t *testing.T, text string) (policy.Spec, *policy.Rules) {
	t.Helper()
	spec, _, err := config.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	rules, err := policy.Compile(&spec)
	if err != nil {
		t.Fatal(err)
	}
	return spec, rules
}

// decide decides a GET request.
func decide(rules *policy.Rules, host, path, origin string) (rule string, d policy.Decision) {
	i, p := rules.Pick(&policy.Target{Authority: host, Path: path})
	return rules.Name(i), p.Decide(&policy.Request{Method: "GET", Authority: host, Path: path, Origins: 1, Origin: origin})
}

// table returns the cells of the table with a head, row by row.
func table(t *testing.T, text, head string) [][]string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+head+"\n")
	rest, _, _ = strings.Cut(rest, "\n\n")
	var rows [][]string
	for _, row := range strings.Split(rest, "\n")[1:] {
		cells := strings.Split(strings.TrimPrefix(row, "| "), " |")
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], `\|`, "|")
		}
		rows = append(rows, cells)
	}
	if !found || len(rows) == 0 {
		t.Fatalf("there is no table %s", head)
	}
	return rows
}

var inBackticks = regexp.MustCompile("`([^`]+)`")

func quoted(cell string) []string {
	var all []string
	for _, m := range inBackticks.FindAllStringSubmatch(cell, -1) {
		all = append(all, m[1])
	}
	return all
}

// asJSON returns what a table shows as JSON: strings stand there without quotes.
func asJSON(t *testing.T, text string) string {
	t.Helper()
	if strings.HasPrefix(text, "{") {
		return text
	}
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(quoted)
}

func TestPatternsHostsAndPathsMatchAsTheTablesSay(t *testing.T) {
	const rule = `{"rules": [{"name": "rule", "match": {%q: [%s]}, "cors": {"allowOrigins": ["*"]}}]}`
	for _, test := range []struct {
		page, head string
		rows       int
		matches    func(shown, what string) bool
	}{
		{"README.md", "| pattern | matches | does not match |", 8, nil},
		{"docs/configuration.md", "| pattern | matches | does not match |", 15, nil},
		{"docs/configuration.md", "| host | matches | does not match |", 4, func(shown, what string) bool {
			_, rules := compile(t, fmt.Sprintf(rule, "hosts", asJSON(t, shown)))
			name, _ := decide(rules, what, "/", "https://app.example.com")
			return name == "rule"
		}},
		{"docs/configuration.md", "| path | matches | does not match |", 4, func(shown, what string) bool {
			_, rules := compile(t, fmt.Sprintf(rule, "paths", asJSON(t, shown)))
			name, _ := decide(rules, "api.example.com", what, "https://app.example.com")
			return name == "rule"
		}},
	} {
		matches := test.matches
		if matches == nil {
			matches = func(shown, what string) bool {
				_, rules := compile(t, `{"cors": {"allowOrigins": [`+asJSON(t, shown)+`]}}`)
				_, d := decide(rules, "api.example.com", "/", what)
				return d.Verdict() == policy.Allowed
			}
		}
		rows := table(t, read(t, test.page), test.head)
		if len(rows) < test.rows {
			t.Errorf("%s: %d rows of %s", test.page, len(rows), test.head)
		}
		for _, cells := range rows {
			shown := quoted(cells[0])[0]
			for i, want := range []bool{true, false} {
				for _, what := range quoted(cells[1+i]) {
					if matches(shown, what) != want {
						t.Errorf("%s: %s matches %s: %v", test.page, shown, what, !want)
					}
				}
			}
		}
	}
}

func TestPathsAreReadAsTheReferenceSays(t *testing.T) {
	_, section, _ := strings.Cut(read(t, "docs/configuration.md"), "\n#### Two readings of a path\n")
	_, rules := compile(t, blocks(t, section)[0].text)
	rows := table(t, section, "| path | canonical | outcome for `https://app.example.com` |")
	reasons := map[string]int{}
	for _, cells := range rows {
		path, canonical, want := quoted(cells[0])[0], quoted(cells[1])[0], quoted(cells[2])
		withoutQuery, _, _ := strings.Cut(path, "?")
		if got, _ := policy.CanonicalPath(withoutQuery); got != canonical {
			t.Errorf("%s: the canonical form is %s, not %s", path, got, canonical)
		}
		rule, d := decide(rules, "api.example.com", path, "https://app.example.com")
		if got := []string{rule, d.Reason.String()}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		reasons[d.Reason.String()]++
	}
	if len(reasons) != 3 {
		t.Errorf("outcomes: %v", reasons)
	}
}

const (
	development = "development"
	staging     = "staging"
	production  = "production"
)

// shopPaths are paths of the shop, one for each rule, and the rule.
var shopPaths = map[string]string{"/": policy.DefaultRule, "/payments/7": "payments", "/feed": "feed", "/webhooks/bank": "webhooks"}

func environment(t *testing.T, name string) (policy.Spec, *policy.Rules) {
	t.Helper()
	return compile(t, read(t, "docs/environments/"+name+".json"))
}

func isGranted(rules *policy.Rules, path, origin string) bool {
	_, d := decide(rules, "api.example.com", path, origin)
	return d.Grant != ""
}

func TestEnvironmentsHaveTheSameRulesMethodsAndHeaders(t *testing.T) {
	files, err := os.ReadDir("docs/environments")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v: %v", files, err)
	}
	// What may differ is taken out, and the rest compared.
	common := func(name string) policy.Spec {
		spec, _ := environment(t, name)
		groups := slices.Clone(spec.CORS)
		for i := range spec.Rules {
			groups = append(groups, spec.Rules[i].CORS...)
			spec.Rules[i].CORS = nil
		}
		spec.CORS = nil
		for _, g := range groups {
			spec.CORS = append(spec.CORS, policy.CORS{
				AllowMethods: g.AllowMethods, AllowHeaders: g.AllowHeaders, ExposeHeaders: g.ExposeHeaders, AllowCredentials: g.AllowCredentials,
			})
		}
		spec.Log = policy.Log{}
		return spec
	}
	want := common(production)
	for _, name := range []string{development, staging, production} {
		if mistakes, warnings := said(read(t, "docs/environments/"+name+".json")); mistakes+warnings != "" {
			t.Errorf("%s:\n%s%s", name, mistakes, warnings)
		}
		if got := common(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, production: %+v", name, got, want)
		}
	}
	shown := []string{}
	for _, cells := range table(t, read(t, "docs/environments.md"), "| rule | for | policy |") {
		shown = append(shown, quoted(cells[0])[0])
	}
	rules := []string{}
	for i := range want.Rules {
		rules = append(rules, want.Rules[i].Name)
	}
	if rules = append(rules, policy.DefaultRule); !slices.Equal(shown, rules) {
		t.Errorf("the page has the rules %q, the files %q", shown, rules)
	}
}

// The rows of the page's table that are numbers or words of the configuration.
func TestEnvironmentsDifferAsThePageSays(t *testing.T) {
	rows := map[string][]string{}
	for _, cells := range table(t, read(t, "docs/environments.md"), "| | development | staging | production |") {
		rows[strings.Trim(cells[0], "` ")] = cells[1:]
	}
	for i, name := range []string{development, staging, production} {
		spec, _ := environment(t, name)
		groups := slices.Clone(spec.CORS)
		for j := range spec.Rules {
			groups = append(groups, spec.Rules[j].CORS...)
		}
		for j := range groups {
			g := &groups[j]
			denies := g.OnRefusedOrigin == policy.Deny && g.OnRefusedPreflight == policy.DenyPreflight
			passes := g.OnRefusedOrigin == policy.Pass && g.OnRefusedPreflight == policy.AnswerPreflight
			if !strings.HasPrefix(rows["maxAge"][i]+" ", fmt.Sprintf(" %d", g.MaxAge)) || denies == passes || denies != strings.Contains(rows["refused requests"][i], "403") {
				t.Errorf("%s, block %d: maxAge %d, denies %v; the page says %q, %q", name, j, g.MaxAge, denies, rows["maxAge"][i], rows["refused requests"][i])
			}
		}
		if got := fmt.Sprintf(" %d", spec.Log.RefusalsPerMinute); strings.TrimSuffix(rows["refusalsPerMinute"][i], " |") != got {
			t.Errorf("%s:%s refusals per minute; the page says%s", name, got, rows["refusalsPerMinute"][i])
		}
	}
}

func TestEachEnvironmentAdmitsItsOwn(t *testing.T) {
	for origin, only := range map[string]string{
		"http://localhost": development, "http://localhost:3000": development, "https://shop.dev.example.com": development,
		"https://pr-7.preview.example.com": staging, "https://shop.staging.example.com": staging,
		"https://shop.example.com": production,
	} {
		for _, name := range []string{development, staging, production} {
			_, rules := environment(t, name)
			for path, rule := range shopPaths {
				if got, _ := decide(rules, "api.example.com", path, origin); got != rule {
					t.Errorf("%s: %s belongs to %s, not to %s", name, path, got, rule)
				}
				// Payments are the checkout's; webhooks are nobody's.
				if rule == "webhooks" || rule == "payments" && strings.HasPrefix(origin, "https://shop.") {
					if isGranted(rules, path, origin) {
						t.Errorf("%s: %s is granted %s", name, origin, path)
					}
					continue
				}
				if isGranted(rules, path, origin) != (name == only) {
					t.Errorf("%s: %s is granted %s: %v", name, origin, path, name != only)
				}
			}
		}
	}
}

func TestProductionAdmitsNothingThatIsNotItsOwn(t *testing.T) {
	_, rules := environment(t, production)
	own := []string{"https://shop.example.com", "https://account.example.com", "https://checkout.example.com", "https://www.partner.example.org"}
	hostile := []string{
		"", "null", "NULL", "*", "https://", "https://*", "file://", "http://localhost", "http://localhost:3000", "https://localhost", "http://127.0.0.1",
		"https://pr-7.preview.example.com", "https://preview.example.com", "https://example.com", "https://www.example.com", "https://shop.staging.example.com",
		"https://shop.dev.example.com", "https://checkout.staging.example.com", "https://staging.partner.example.org", "https://partner.example.org",
	}
	for _, o := range own {
		granted := false
		for path := range shopPaths {
			granted = granted || isGranted(rules, path, o)
		}
		if !granted {
			t.Errorf("%s is granted nothing", o)
		}
		host := strings.TrimPrefix(o, "https://")
		hostile = append(hostile,
			"http://"+host, "ws://"+host, "//"+host, host, o+"/", o+"/x", o+".", o+":443", o+":8443", o+"?", o+"#", o+" ", " "+o, o+"\n", o+"\x00", o+","+o, o+" "+o,
			strings.ToUpper(o), "https://"+strings.ToUpper(host), "https://x"+host, "https://x."+host, "https://x-"+host, "https://user@"+host, o+".evil.test", o+"evil.test",
			"https://evil.test#"+host, "https://evil.test/"+host, "https://"+strings.ReplaceAll(host, ".", "x"), "https://"+strings.Replace(host, ".", "-", 1), o+"m",
		)
	}
	for _, o := range hostile {
		for path, rule := range shopPaths {
			_, d := decide(rules, "api.example.com", path, o)
			if d.Grant != "" {
				t.Errorf("%q is granted %s", o, path)
			}
			if rule != "webhooks" && d.Status != 403 {
				t.Errorf("%q is not denied %s", o, path)
			}
		}
	}
}

func TestTheNumberOfSeriesIsThatOfThePossibleOutcomes(t *testing.T) {
	of := map[policy.Verdict]int{}
	for o := range policy.Outcome(policy.NumOutcomes) {
		if o.IsPossible() {
			of[o.Verdict()]++
		}
	}
	allowed, refused, shadowed := of[policy.Allowed], of[policy.Refused], of[policy.Shadowed]
	page := read(t, "docs/operations.md")
	for _, want := range []string{
		fmt.Sprintf("At most %d for each rule", allowed+refused+shadowed),
		fmt.Sprintf("(%d allowed, %d refused, %d shadowed)", allowed, refused, shadowed),
	} {
		if !strings.Contains(page, want) {
			t.Errorf("docs/operations.md does not say %q", want)
		}
	}
}
