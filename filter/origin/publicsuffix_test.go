package origin

import (
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

// isSuffixByXNet applies the list that x/net carries. Like the table, it takes a name of which every child is a suffix for one.
func isSuffixByXNet(host string) bool {
	suffix, _ := publicsuffix.PublicSuffix(host)
	child, _ := publicsuffix.PublicSuffix("corsguard-no-such-name." + host)
	return suffix == host || child != suffix && strings.HasSuffix(child, "."+host)
}

// suffixNames are names on both sides of the border, of every kind of rule: plain, wildcard, exception, private, and none.
var suffixNames = strings.Fields(`
	com net org edu gov mil int info biz name pro aero coop museum io dev app page cloud online shop xyz site test example invalid localhost internal local corp home lan arpa onion
	uk co.uk org.uk ac.uk gov.uk nhs.uk police.uk sch.uk me.uk ltd.uk plc.uk jp co.jp ac.jp ne.jp tokyo.jp kawasaki.jp city.kawasaki.jp kobe.jp city.kobe.jp yokohama.jp kyoto.jp
	au com.au net.au edu.au nsw.edu.au nz co.nz br com.br blog.br gov.br sp.gov.br in co.in gov.in za co.za kr co.kr seoul.kr cn com.cn edu.cn tw com.tw hk com.hk sg com.sg my com.my
	tr com.tr k12.tr mx com.mx ar com.ar gob.ar pl com.pl waw.pl it edu.it milano.it fr asso.fr gouv.fr de com.de ru com.ru spb.ru ua kiev.ua kyiv.ua us ca.us k12.ca.us pvt.k12.ma.us
	ck co.ck www.ck er com.er fk co.fk mm com.mm np com.np bd com.bd kh com.kh jm com.jm ye com.ye pg com.pg
	no oslo.no gs.oslo.no se pp.se fi aland.fi is ch gov.it va sm mc ad li at co.at ac.at eu.org al.eu.org
	xn--p1ai xn--fiqs8s xn--55qx5d.cn xn--io0a7i.cn xn--j1amh xn--90ae xn--3e0b707e xn--mgberp4a5d4ar
	github.io githubusercontent.com gitlab.io bitbucket.io netlify.app vercel.app now.sh pages.dev workers.dev fly.dev onrender.com herokuapp.com firebaseapp.com web.app appspot.com a.run.app run.app
	blogspot.com wordpress.com tumblr.com azurewebsites.net cloudapp.net cloudfront.net s3.amazonaws.com amazonaws.com compute.amazonaws.com us-east-1.compute.amazonaws.com elb.amazonaws.com
	s3-website-us-east-1.amazonaws.com us-east-1.elasticbeanstalk.com elasticbeanstalk.com execute-api.us-east-1.amazonaws.com lambda-url.us-east-1.on.aws on.aws dyndns.org duckdns.org no-ip.org ddns.net
	ngrok.io ngrok.app ngrok-free.app trycloudflare.com glitch.me repl.co replit.dev codesandbox.io stackblitz.io surge.sh bubbleapps.io webflow.io myshopify.com wixsite.com squarespace.com weebly.com
	readthedocs.io gitpod.io github.dev githubpreview.dev hf.space streamlit.app deno.dev edgecompute.app fastly.net fastlylb.net global.ssl.fastly.net b.ssl.fastly.net map.fastly.net cdn77.org r.cdn77.net
	google.com mail.google.com example.com www.example.com a.b.example.com example.co.uk www.example.co.uk foo.kawasaki.jp bar.foo.kawasaki.jp foo.ck a.foo.ck a.www.ck a.github.io b.a.github.io bbc.co.uk
	a.compute.amazonaws.com b.a.compute.amazonaws.com foo.er bar.foo.er x.test x.localhost x.internal a.b.c.d.e.f ab-c.d.test
`)

// since are names whose state has changed from x/net's list, of February 2026, to that of the table, of October 2026.
var since = map[string]bool{"surge.sh": true}

func TestPublicSuffixesAgreeWithXNet(t *testing.T) {
	suffixes := 0
	for _, host := range suffixNames {
		got, want := isPublicSuffix(host), isSuffixByXNet(host)
		if got != (want != since[host]) {
			t.Errorf("isPublicSuffix(%q) = %v, x/net says %v", host, got, want)
		}
		if got {
			suffixes++
		}
	}
	if suffixes < 150 || len(suffixNames)-suffixes < 30 {
		t.Errorf("%d of %d names are suffixes: the list is lopsided", suffixes, len(suffixNames))
	}
}

func TestThePublicSuffixTableIsSortedAndWhole(t *testing.T) {
	all := unpackPSL()
	if len(all) != pslRules || pslRules < 9000 {
		t.Fatalf("%d hashes, %d rules", len(all), pslRules)
	}
	for i := 1; i < len(all); i++ {
		if all[i-1] >= all[i] {
			t.Fatalf("hash %d is %#x after %#x", i, all[i], all[i-1])
		}
	}
}

func TestWildcardsThatSpanSitesAreKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"https://*.com": true, "https://*.co.uk": true, "https://*.github.io": true, "https://*a.example": true, "https://a-*.com": true, "https://x.a-*.com:*": true, "https://*.internal": true,
		"https://*.localhost": true, "http://*.localhost:*": true, "https://*.compute.amazonaws.com": true, "https://*.amazonaws.com": true, "https://*.eu-west-1.amazonaws.com": true, "https://s*.amazonaws.com": false, "https://*.bucket.s3.amazonaws.com": false, "https://*.foo.ck": true, "https://*.xn--p1ai": true,
		"https://*.example.com": false, "https://a*.example.co.uk": false, "https://*.www.ck": false, "https://*.city.kawasaki.jp": false, "https://*.a.github.io": false,
		"https://com": false, "https://co.uk:*": false, "https://*": false, "*": false,
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := p.SpansPublicSuffix(); got != want {
			t.Errorf("%q spans a public suffix: %v", text, got)
		}
	}
}
