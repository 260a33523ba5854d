package origin

import (
	"math/rand"
	"regexp"
	"strings"
	"testing"
)

func wholeMatch(t *testing.T, text, s string) bool {
	t.Helper()
	return regexp.MustCompile(`\A(?:` + text + `)\z`).MatchString(s)
}

// checkPromise checks what an accepted expression promises for s: where it matches, and s is well-formed, s has the pattern's scheme, and its host is one
// of the sites that are written out or lies under such a one, which is a registrable domain then. It reports whether s is such a match.
func checkPromise(t *testing.T, p *Pattern, sites map[string]bool, s string) bool {
	t.Helper()
	o, ok := Parse(s)
	if !ok || !p.Regex.Match(s) {
		return false
	}
	if o.Scheme != p.Scheme {
		t.Errorf("%s admits %s: another scheme than %s", p, s, p.Scheme)
	}
	if o.Scheme == "http" && !IsLoopback(o.Host) && !p.AdmitsInsecure() {
		t.Errorf("%s admits %s, and claims to admit no insecure origin", p, s)
	}
	if sites[o.Host] {
		return true
	}
	for host := o.Host; ; {
		_, rest, ok := strings.Cut(host, ".")
		if !ok {
			t.Errorf("%s admits %s, of none of its sites %v", p, s, sites)
			return true
		}
		if sites[rest] && !isPublicSuffix(rest) && !isNumericHost(rest) {
			return true
		}
		host = rest
	}
}

// hostile returns variants of an origin that others could have.
func hostile(s string, o *Origin, sites map[string]bool) []string {
	tail := s[len(o.Scheme)+len("://")+len(o.Host):]
	var all []string
	for _, scheme := range []string{"http", "https", "xhttps", "httpsx", "ftp", "ws", "wss", "chrome-extension", "h", o.Scheme + "s", "x" + o.Scheme} {
		all = append(all, scheme+"://"+o.Host+tail, scheme+"://"+o.Host)
	}
	hosts := []string{o.Host + ".evil.test", o.Host + "evil.test", o.Host + "-evil", o.Host + "x", "evil.test", "x", "x.test"}
	for site := range sites {
		left := strings.TrimSuffix(o.Host, site)
		for _, put := range []string{"evil", "x", "evil-", "-", "a1", "evil.", "a.b."} {
			hosts = append(hosts, put+site, left+put+site, strings.TrimSuffix(left, ".")+put+site)
		}
		if !strings.HasSuffix(o.Host, site) {
			continue
		}
		for at := max(len(left)-1, 0); at < len(o.Host); at++ {
			for _, c := range "abekosxz159-." {
				hosts = append(hosts, o.Host[:at]+string(c)+o.Host[at+1:], o.Host[:at]+string(c)+o.Host[at:])
			}
			hosts = append(hosts, o.Host[:at]+o.Host[at+1:], o.Host[:at]+"evil"+o.Host[at:], o.Host[at:], "evil"+o.Host[at:])
		}
	}
	for _, host := range hosts {
		all = append(all, o.Scheme+"://"+host+tail, o.Scheme+"://"+host, o.Scheme+"://"+host+":8443")
	}
	return all
}

// checkRegex parses text, and if it is accepted looks for origins that break its promise: samples, their variants, variants of matching ones among those, and short
// hosts. It reports whether it is accepted.
func checkRegex(t *testing.T, text string, rng *rand.Rand) bool {
	t.Helper()
	p, err := ParseRegex(text)
	if err != nil {
		if e := err.(*PatternError); e.Reason == "" || e.Fix == "" {
			t.Errorf("%s: %#v", text, e)
		}
		return false
	}
	sites := sitesOf(&p)
	if len(sites) == 0 || len(sites) > maxSites || p.Regex.Match("null") {
		t.Errorf("%s: sites %v", text, sites)
	}
	var matching []string
	for _, s := range p.Regex.Samples(200) {
		if checkPromise(t, &p, sites, s) {
			matching = append(matching, s)
		}
	}
	for n := 0; n < 12 && len(matching) > 0; n++ {
		s := matching[rng.Intn(len(matching))]
		o, _ := Parse(s)
		for _, variant := range hostile(s, &o, sites) {
			if checkPromise(t, &p, sites, variant) && variant != s && rng.Intn(4) == 0 {
				matching = append(matching, variant)
			}
		}
	}
	for n := 0; n < 300; n++ {
		host := make([]byte, 1+rng.Intn(9))
		for i := range host {
			host[i] = "ab.c-om1"[rng.Intn(8)]
		}
		checkPromise(t, &p, sites, p.Scheme+"://"+string(host))
		for site := range sites {
			checkPromise(t, &p, sites, p.Scheme+"://"+string(host)+site)
			break
		}
	}
	return true
}

// regexGrammar writes expressions for origins as people do, with the mistakes that they make.
type regexGrammar struct{ *rand.Rand }

func (g regexGrammar) pick(list ...string) string { return list[g.Intn(len(list))] }

func (g regexGrammar) origin() string {
	text := g.pick("https", "https", "https", "https", "http", "https?", "(http|https)", "[a-z]+", ".*", "capacitor") + g.pick("://", "://", "://", `:\/\/`, ":/?/")
	text += g.left()
	for n := g.Intn(3); n >= 0; n-- {
		text += g.label()
		text += g.pick(`\.`, `\.`, `\.`, `\.`, `\.`, ".", "[.]", "[.-]", `(\.|-)`, "", `\.?`, `(\.b)*\.`)
	}
	return text + g.pick("com", "com", "com", "(com|org)", "c[ao]m", `co\.uk`, "b", `github\.io`, "[a-z]+", "co?m", "com?", "(com)+", "1", "localhost", `s3\.amazonaws\.com`, `amazonaws\.com`) + g.pick("", "", "", "", "(:[0-9]+)?", ":.*", "(:80|:81)", ".*", "/?", "[a-z]?", `(\.a)?`, "(:1)?b?")
}

func (g regexGrammar) left() string {
	return g.pick("", "", `.*\.`, `(.*\.)?`, `[a-z]+\.`, `([a-z-]+\.)*`, `(app|admin)\.`, `.+`, "[^.]+", `(a|b\.)`, `(a|[bc]\.)*`, `\w+[.]`, `pr-\d+\.`, `(x\.?)*`, `[.a]*`, `.`)
}

func (g regexGrammar) label() string {
	return g.pick("a", "b", "ab", "example", "(a|b)", "[ab]", "[abc]", "[a-d]", "a?b", "a+", "(ab)*", "(ab|cd|b)", "a{1,3}", "[ab]{2}", "(a|b|c|d)", `(a\.b|c)`, `(c|.b)`, "x-?", "s3", "^a", "a$")
}

func generateRegex(seed int64) string {
	g := regexGrammar{rand.New(rand.NewSource(seed))}
	text := g.origin()
	for g.Intn(4) == 0 {
		text += "|" + g.origin()
	}
	return text
}

func TestAcceptedRegexesAdmitOnlyTheirSites(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, c := range acceptedRegexes {
		if !checkRegex(t, c.text, rng) {
			t.Errorf("%s is refused", c.text)
		}
	}
	n, taken := 1500, 0
	if testing.Short() {
		n = 300
	}
	for seed := 0; seed < n && !t.Failed(); seed++ {
		if checkRegex(t, generateRegex(int64(seed)), rng) {
			taken++
		}
	}
	if taken < n/100 || taken > n/2 {
		t.Errorf("%d of %d are accepted: the grammar is lopsided", taken, n)
	}
}

// A walk over all short hosts knows no cleverness: it finds what the other one must have found.
func TestTheSitesAreThoseThatAllShortHostsHave(t *testing.T) {
	const alphabet = "ab.-"
	var hosts []string
	for last := []string{""}; len(last[0]) < 6; {
		var next []string
		for _, s := range last {
			for i := range alphabet {
				next = append(next, s+alphabet[i:i+1])
			}
		}
		hosts, last = append(hosts, next...), next
	}
	g := regexGrammar{rand.New(rand.NewSource(2))}
	accepted := 0
	for n := 0; n < 1500 && !t.Failed(); n++ {
		text := "https://"
		for k := 1 + g.Intn(6); k > 0; k-- {
			text += g.pick("a", "b", `\.`, ".", "-", "(a|b)", `(\.|a)`, "[a-]", `(a\.)?`, `(b|\.)?`, "a*", `[ab.]*`, `(ab?\.)+`, `(\.|b|-)`, `(a|b\.a)`, `.*\.`)
		}
		p, err := ParseRegex(text)
		if err != nil {
			continue
		}
		accepted++
		sites := sitesOf(&p)
		for _, host := range hosts {
			checkPromise(t, &p, sites, "https://"+host)
		}
	}
	if accepted < 25 {
		t.Errorf("only %d expressions are accepted", accepted)
	}
}

func FuzzParseRegex(f *testing.F) {
	for i, c := range acceptedRegexes {
		f.Add(c.text, int64(i))
	}
	for i, c := range refusedRegexes {
		f.Add(c.text, int64(i))
	}
	f.Fuzz(func(t *testing.T, text string, seed int64) {
		rng := rand.New(rand.NewSource(seed))
		checkRegex(t, text, rng)
		checkRegex(t, generateRegex(seed), rng)
	})
}
