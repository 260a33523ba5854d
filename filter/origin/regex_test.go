package origin

import (
	"strings"
	"testing"
	"time"
)

// acceptedRegexes holds expressions that are fine, with all sites that they admit.
var acceptedRegexes = []struct{ text, sites string }{
	{`https://.*\.example\.com`, "example.com"},
	{`https://pr-[0-9]+\.preview\.example\.com`, "example.com"},
	{`https://(app|admin)\.example\.com`, "example.com"},
	{`https://app\.example\.(com|org)`, "example.com example.org"},
	{`http://localhost(:[0-9]+)?`, "localhost"},
	{`https://app\.example\.(de|dk)`, "example.de example.dk"},
	{`https://app\.example\.com`, "example.com"},
	{`^https://app\.example\.com$`, "example.com"},
	{`\Ahttps://app\.example\.com\z`, "example.com"},
	{`https:\/\/app\.example\.com`, "example.com"},
	{`^https://([a-z0-9-]+\.)?example\.(me|app)$`, "example.app example.me"},
	{`^https://[a-zA-Z0-9-]+\.example\.dev$`, "example.dev"},
	{`^http://localhost:[0-9]+$`, "localhost"},
	{`^http://(localhost|127\.0\.0\.1)(:\d+)?$`, "127.0.0.1 localhost"},
	{`^http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$`, "127.0.0.1 [::1] localhost"},
	{`https://preview-[0-9]+\.example\.com`, "example.com"},
	{`https://deploy-preview-\d+--app\.preview\.example\.com`, "example.com"},
	{`^https://(?:www\.)?example\.co\.uk(?::8443)?$`, "example.co.uk"},
	{`https://(.+\.)?example\.com`, "example.com"},
	{`https://[^.]+\.example\.com`, "example.com"},
	{`https://[^/]+\.example\.com`, "example.com"},
	{`https://[\w.-]+\.example\.com(:[0-9]{2,5})?`, "example.com"},
	{`https://\S+-team\.preview\.example\.com`, "example.com"},
	{`https://(?P<tenant>[a-z0-9]([a-z0-9-]*[a-z0-9])?)\.example\.com`, "example.com"},
	{`https://((dev|qa|stage[1-3])\.)?app\.example\.(com|de|fr|it|es|nl|co\.uk)`, "example.co.uk example.com example.de example.es example.fr example.it example.nl"},
	{`https://(example|example-cdn|examplestatic)\.com`, "example-cdn.com example.com examplestatic.com"},
	{`https://(.*\.example\.com|.*\.example\.org|example\.net)`, "example.com example.net example.org"},
	{`https://(a|b|c|d|e|f)\.github\.io`, "a.github.io b.github.io c.github.io d.github.io e.github.io f.github.io"},
	{`https://[a-z-]+\.team\.github\.io`, "team.github.io"},
	{`https://deploy-preview-[12]--app\.netlify\.app`, "deploy-preview-1--app.netlify.app deploy-preview-2--app.netlify.app"},
	{`https://bucket\.s3\.amazonaws\.com`, "amazonaws.com bucket.s3.amazonaws.com"},
	{`https://.*\.bucket\.s3\.amazonaws\.com`, "amazonaws.com bucket.s3.amazonaws.com"},
	{`[hH][tT][tT][pP][sS]://[A-Za-z]+\.[eE]xample\.com`, "example.com"},
	{`https://[a-z]+\.www\.ck`, "www.ck"},
	{`https://www\.xn--mnchen-3ya\.de`, "xn--mnchen-3ya.de"},
	{`chrome-extension://abcdefghijklmnopabcdefghijklmnop`, "abcdefghijklmnopabcdefghijklmnop"},
	{`(capacitor|capacitor)://localhost`, "localhost"},
	{`http://10\.0\.0\.1(:80[0-9]{2})?`, "10.0.0.1"},
	{`http://10\.0\.0\.(1|2|3)`, "10.0.0.1 10.0.0.2 10.0.0.3"},
	{`https://intranet(:8443)?`, "intranet"},
	{`https://app\.example\.com:(443|8443)`, "example.com"},
	{`https://app\.example\.com:(0+|8443)`, "example.com"},
	{`https://app\.example\.com|http://[A-Z]+`, "example.com"},
	{`https://app\.example\.com|//.*`, "example.com"},
	{`https://app\.example\.com|https://[!/].*`, "example.com"},
	{`[^n].*@[a-z]+|https://app\.example\.com`, "example.com"},
}

func TestRegexesThatWriteTheirSitesOutAreAccepted(t *testing.T) {
	for _, c := range acceptedRegexes {
		p, err := ParseRegex(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if p.Kind != Regex || p.String() != c.text || p.Regex.String() != c.text || p.Port != AnyPort || p.SpansPublicSuffix() {
			t.Errorf("%s: %+v", c.text, p)
		}
		sites := sitesOf(&p)
		for _, want := range strings.Fields(c.sites) {
			if !sites[want] {
				t.Errorf("%s: lacks the site %s", c.text, want)
			}
			delete(sites, want)
		}
		if len(sites) > 0 {
			t.Errorf("%s: further sites %v", c.text, sites)
		}
	}
}

// sitesOf returns the sites that the walk finds.
func sitesOf(p *Pattern) map[string]bool {
	w := newSiteWalk(p.Regex)
	if w.run() != nil {
		return nil
	}
	sites := map[string]bool{}
	for _, site := range w.sites {
		sites[site] = true
	}
	return sites
}

// refusedRegexes holds expressions with what they are told to admit too, or a part of the reason.
var refusedRegexes = []struct{ text, reason string }{
	{`https://app\.example\.com[0-9]*`, "also admits https://app.example.com0"}, {`https://app\.example\.com(:8443|\.evil\.test)?`, "also admits https://app.example.com.evil.test"},
	{`.*`, "also admits null"}, {`null|https://app\.example\.com`, "also admits null"}, {`(https://app\.example\.com)?(null)?`, "also admits null"}, {`\w+|https://app\.example\.com`, "also admits null"},
	{`https://.*example\.com`, "also admits https://evilexample.com"}, {`https://(.*)?example\.com`, "also admits https://evilexample.com"}, {`https://[a-z.]+example\.com`, "also admits https://evilexample.com"},
	{`https://\S*example\.com`, "also admits https://evilexample.com"}, {`https://[^/]*example\.com`, "also admits https://evilexample.com"}, {`https://([a-z]+-)?example\.com`, "also admits https://evil-example.com"},
	{`https://[a-z-]*\.?example\.com`, "also admits https://evilexample.com"}, {`https://([a-z]+[.-])?example\.com`, "also admits https://x-example.com"}, {`https://(app)?(\.|-)example\.com`, "also admits https://-example.com"},
	{`https://app.example\.com`, "also admits https://appxexample.com"}, {`https://app\.example.com`, "also admits https://app.examplexcom"}, {`https://app.example.com`, "also admits https://appxexamplexcom"},
	{`https://.*.example\.com`, "also admits https://evilexample.com"}, {`https://.*\.example.com`, "also admits https://x.examplexcom"}, {`https://app\.example\.co.uk`, "also admits https://app.example.coxuk"}, {`https://app[.x]example\.com`, "also admits https://appxexample.com"},
	{`https://*.*.example.com/*`, "also admits https://examplexcom"}, {`https://*.example.com`, "also admits https://examplexcom"},
	{`http://127.0.0.1:[0-9]+`, "also admits http://127x0x0x1:8"}, {`http://localhost.*`, "also admits http://localhost.evil.test"}, {`http://local.ost`, "also admits http://localxost"},
	{`https://.*`, "also admits https://x.evil.test"}, {`https://[^/]+`, "also admits https://x.evil.test"}, {`^https?://.+$`, "also admits"}, {`https://.+:[0-9]+`, "also admits https://x.evil.test:8"},
	{`https://app\.example\.com.*`, "also admits https://app.example.com.evil.test"}, {`https://app\.example\.com[a-z.]*`, "also admits https://app.example.com.evil.test"}, {`https://app\.example\.com(\.[a-z]+)?`, "also admits https://app.example.com.evil"},
	{`https://app\.example\.com[a-z]{4}`, "also admits https://app.example.comevil"}, {`https://app\.example\.com(:.*)?[a-z]*`, "also admits https://app.example.comevil"}, {`https://app\.example\.[a-z]+`, "also admits https://app.example.evil"}, {`https://app\.example\.[a-z]{2,3}`, "also admits https://app.example.xx"},
	{`https://[a-z]+\.com`, "also admits https://evil.com"}, {`https://.*\.com`, "also admits https://evil.com"}, {`https://[a-z]+\.co\.uk`, "also admits https://evil.co.uk"}, {`https://.*\.vercel\.app`, "also admits https://evil.vercel.app"},
	{`https://[a-z]+\.github\.io`, "also admits https://evil.github.io"}, {`https://app\.[a-z]+\.vercel\.app`, "also admits https://app.evil.vercel.app"}, {`https://deploy-preview-\d+--app\.netlify\.app`, "also admits https://deploy-preview-0--app.netlify.app"},
	{`https://app-[a-z0-9-]+-team\.vercel\.app`, "also admits https://app-evil-team.vercel.app"}, {`https://.*\.s3\.amazonaws\.com`, "also admits https://evil.s3.amazonaws.com"},
	{`https://.*\.amazonaws\.com`, "also admits https://"}, {`https://.*\.(s3|s3-website-[a-z0-9-]+)\.amazonaws\.com`, "also admits https://"}, {`https://.*\.[s-v]3\.amazonaws\.com`, "also admits https://"},
	{`https://[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com`, "also admits https://"},
	{`https://(app\.example\.com|[a-z.]+:(.[^1][^2][^9][^4]|.[^6][^5][^4][^2]|.[^4][^0][^3][^9]|.[^2][^9][^6][^0]|.[^6][^0][^0][^1]|.[^2][^4][^0][^3]|.[^9][^2][^5][^3]|.[^7][^3][^5][^5]|.[^5][^6][^1][^8]|.[^4][^5][^3][^8]))`, "ways through the port"},
	{`https://(app|.*\.s3)\.amazonaws\.com`, "also admits https://evil.s3.amazonaws.com"},
	{`https://[a-z]+\.foo\.ck`, "also admits https://evil.foo.ck"}, {`https://.*\.compute\.amazonaws\.com`, "also admits https://evil.compute.amazonaws.com"}, {`http://[a-z]+\.localhost(:\d+)?`, "also admits http://evil.localhost"},
	{`https://example[0-9]\.com`, "also admits https://example0.com"}, {`https://ex[a-d]mple\.com`, "also admits https://exbmple.com"}, {`https://ex[^/]mple\.com`, "also admits https://exxmple.com"}, {`https://app\.[a-z]xample\.com`, "also admits https://app.xxample.com"},
	{`https://exa+mple\.com`, "also admits https://exaaample.com"}, {`https://(foo|bar)+\.com`, "also admits https://"}, {`https://[ab]+\.com`, "also admits https://"}, {`https://[ab]{8}\.com`, "more than 100 sites, such as "}, {`https://(a\.)*com`, "also admits"}, {`https://((foo|bar)-?){3,9}\.com`, "more than 100 sites, such as "},
	{`http://192\.168\.1\.[0-9]+`, "also admits http://192.168.1.0"}, {`http://10\.[0-9]+\.0\.1`, "also admits http://10.0.0.1"}, {`http://\d+\.\d+\.\d+\.\d+`, "also admits"}, {`https://[0-9.]+`, "leaves open how"},
	{`http://\[[0-9a-f:]+\]`, "leaves open what stands before ]"}, {`http://\[::[1-9]\]`, "also admits http://[::1]"},
	{`https?://app\.example\.com`, "also admits http://app.example.com"}, {`http://app\.example\.com|https://app\.example\.com`, "also admits http://app.example.com"}, {`[a-z]+://app\.example\.com`, "also admits"}, {`(.*://)?app\.example\.com`, "also admits"},
	{`https://a\.example\.com|http://localhost`, "several schemes"}, {`^(https?://localhost(:\d+)?|https://example\.com)$`, "also admits http://localhost"}, {`[ab]{60}://localhost`, "several schemes"}, {`(http|[ab]{60}s)://localhost`, "also admits http://localhost"}, {`[a-z]{60}://` + strings.Repeat(`[ab]`, 60), "several schemes"}, {`(s?http)+://localhost`, "also admits"}, {`x?https://app\.example\.com`, "also admits xhttps://app.example.com"}, {`https://example\.com|chrome-extension://[a-p]{32}`, "also admits"},
	{`(?i)https://app\.example\.com`, "also admits HTTPS://APP.EXAMPLE.COM"}, {`https://app\.example\.com/?`, "also admits https://app.example.com/"}, {`https://app\.example\.com(:\d+)?/?`, "also admits https://app.example.com/"}, {`https://app\.example\.com(/.*)?`, "also admits https://app.example.com/"},
	{`https://app\.example\.com(:[0-9]+/?)?`, "/"}, {`https://localhost:.*`, "/"}, {`https://app\.example\.com\s*`, "white space"}, {`https://app\.example\.com ?`, "white space"}, {`https://app\.example\.com\n?`, "white space"}, {`https://app\.example\.com\W?`, "also admits https://app.example.com/"},
	{``, "matches no origin"}, {`app\.example\.com`, "matches no origin"}, {`https://`, "matches no origin"}, {`https://app\.example\.com/`, "matches no origin"}, {`https://app\.example\.com:443`, "matches no origin"}, {`https://app\.example\.com:[0-9]{6}`, "matches no origin"}, {`https://app\.example\.com:99999`, "matches no origin"},
	{`https://APP\.example\.com`, "matches no origin"}, {`https://u@app\.example\.com`, "matches no origin"}, {`https://app\.\.example\.com`, "matches no origin"}, {` https://app\.example\.com`, "matches no origin"}, {`x^https://app\.example\.com`, "matches no origin"}, {`https://app\.example\.com$x`, "matches no origin"}, {`https://\*\.example\.com`, "matches no origin"}, {`https://1\.2\.3`, "matches no origin"}, {`https://[[:^ascii:]]\.example\.com`, "matches no origin"}, {`file:///.*`, "matches no origin"},
	{`https://[a-z]{64}\.com`, "leaves open what stands before .com"}, {`https://(app`, "not closed"}, {`https://\bapp`, "word boundary"},
}

func TestRegexesThatLeaveTheirSiteOpenAreRefused(t *testing.T) {
	for _, c := range refusedRegexes {
		p, err := ParseRegex(c.text)
		if err == nil {
			t.Errorf("%s is accepted: %v", c.text, sitesOf(&p))
			continue
		}
		e, ok := err.(*PatternError)
		if !ok || !strings.Contains(e.Reason, c.reason) || e.Fix == "" {
			t.Errorf("%s: %v, want %s", c.text, err, c.reason)
			continue
		}
		if admitted, ok := strings.CutPrefix(e.Reason, "also admits "); ok && !strings.Contains(admitted, " ") && !wholeMatch(t, c.text, admitted) {
			t.Errorf("%s does not match %s", c.text, admitted)
		}
	}
}

func TestInsecureOriginsOfPatternsAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"*": true, "http://*": true, "http://a.test": true, "http://*.a.test": true, "http://a-*.a.test:*": true, "http://192.168.0.1": true, "https://*": false, "https://a.test": false, "capacitor://localhost": false,
		"http://localhost:*": false, "http://*.localhost": false, "http://127.0.0.1": false, "http://[::1]:*": false,
	} {
		if p, err := ParsePattern(text); err != nil || p.AdmitsInsecure() != want {
			t.Errorf("%s: %v, %v", text, p.AdmitsInsecure(), err)
		}
	}
	for text, want := range map[string]bool{
		`http://[a-z]+\.example\.com`: true, `http://192\.168\.0\.1:[0-9]+`: true, `http://(localhost|app\.example\.com)`: true, `http://(app\.example\.com|localhost)`: true, `http://(127\.0\.0\.1|10\.0\.0\.1)`: true,
		`https://[a-z]+\.example\.com`: false, `http://(localhost|127\.0\.0\.1|\[::1\]|a\.localhost)(:\d+)?`: false, `capacitor://localhost`: false,
	} {
		if p, err := ParseRegex(text); err != nil || p.AdmitsInsecure() != want {
			t.Errorf("%s: %v, %v", text, p.AdmitsInsecure(), err)
		}
	}
}

// The time is a multiple of the budget, for machines that are slow: without the bounds these take minutes.
func TestTheWorkOfLookingForHostileOriginsIsBounded(t *testing.T) {
	for _, text := range []string{
		`https://[a-z]{1,230}`, `https://.{200}\.com`, `https://[a-z.]{240}\.com`, `https://(a|b|ab|c){9}.*\.[ab]{6}\.com`, `https://([a-z]?){230}\.com`, `https://((a|b)?c?){60}\.com`, `https://` + strings.Repeat(`(ab|cd|ef)`, 30) + `\.com`, `[a-z]{60}://` + strings.Repeat(`[ab]`, 60), `[ab]{60}://localhost`,
		`https://(` + strings.Repeat(`.*|`, 60) + `)\.example\.com`, `https://` + strings.Repeat(`(.*\.)?`, 40) + `example\.com`, `https://` + strings.Repeat(`[ab]?`, 90) + `\.example\.com`, `https://example\.com` + strings.Repeat(`(:\d*)?`, 50),
	} {
		var err error
		best := time.Hour
		for try := 0; try < 5 && best > time.Second; try++ { // a machine may stall
			start := time.Now()
			_, err = ParseRegex(text)
			best = min(best, time.Since(start))
		}
		if best > time.Second {
			t.Errorf("%s: %v, %v", text, best, err)
		}
	}
	for _, c := range acceptedRegexes {
		if n := testing.AllocsPerRun(1, func() {
			if _, err := ParseRegex(c.text); err != nil {
				t.Error(err)
			}
		}); n > 6000 {
			t.Errorf("%s: %v allocations", c.text, n)
		}
	}
}
