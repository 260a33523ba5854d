package headervalue

import (
	"strings"
	"testing"
)

const (
	// Hashes of the empty string.
	sha256 = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
	sha384 = "'sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb'"
	sha512 = "'sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=='"
)

// Policies as sites send them, and what the standard has examples of. Nothing is to be said of any.
var acceptedPolicies = []string{
	"default-src 'self'",
	"default-src 'none'",
	"default-src https:",
	"default-src *",
	"default-src 'self';",
	";default-src 'self' ; ; object-src 'none';;",
	"default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' https://cdn.example.com",
	"default-src 'self' *.example.com example.com:8443 https://*.example.net:* wss://live.example.org ws: wss: data: blob:",
	"DEFAULT-SRC 'SELF'; Script-Src 'Unsafe-Inline' HTTPS://CDN.EXAMPLE.COM/Lib/",
	"upgrade-insecure-requests",
	"upgrade-insecure-requests; default-src https: 'unsafe-inline' 'unsafe-eval'; object-src 'none'",
	"frame-ancestors 'self'",
	"frame-ancestors 'none'",
	"frame-ancestors 'self' https://partner.example https://*.partner.example:8443 http://localhost:*",
	"frame-ancestors https: http:",
	"script-src 'strict-dynamic' " + sha256 + " 'unsafe-inline' https:; object-src 'none'; base-uri 'none'",
	"script-src " + sha256 + " " + sha384 + " " + sha512 + " 'unsafe-hashes'",
	"script-src 'SHA256-47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU='",
	"style-src 'self' " + sha256 + " 'unsafe-hashes' 'report-sample'; style-src-elem 'self' https://fonts.example.com; style-src-attr 'unsafe-inline'",
	"script-src-elem 'self' 'report-sample'; script-src-attr 'none'",
	"script-src 'none' 'report-sample'; report-uri /csp",
	"script-src 'self' 'wasm-unsafe-eval' 'trusted-types-eval' 'report-sha256'; report-to csp",
	"script-src 'self' 'inline-speculation-rules'",
	"connect-src 'self' https://api.example.com wss://push.example.com 'unsafe-webtransport-hashes'",
	"img-src 'self' data: blob: https://*.cdn.example.com https://pixel.example.net/1x1.gif",
	"font-src 'self' data: https://fonts.example.com; style-src 'self' 'unsafe-inline' https://fonts.example.com",
	"media-src https://media.example.com/video/ mediastream: blob:",
	"object-src 'none'; base-uri 'self'; form-action 'self' https://login.example.com",
	"worker-src 'self' blob:; child-src 'self' blob:; manifest-src 'self'; frame-src https://player.example.com",
	"fenced-frame-src https:",
	"sandbox",
	"sandbox allow-scripts allow-same-origin allow-forms",
	"sandbox Allow-Downloads allow-modals allow-orientation-lock allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-presentation " +
		"allow-storage-access-by-user-activation allow-top-navigation allow-top-navigation-by-user-activation allow-top-navigation-to-custom-protocols",
	"require-trusted-types-for 'script'",
	"require-trusted-types-for 'script'; trusted-types",
	"require-trusted-types-for 'script'; trusted-types default dompurify lit-html angular#bundler a/b=c@d.e%f 'allow-duplicates'",
	"trusted-types 'none'",
	"trusted-types *",
	"webrtc 'block'",
	"webrtc 'Allow'",
	"treat-as-public-address",
	"default-src 'self'; report-uri https://reports.example.com/csp?app=shop&v=2#x /local relative ../up; report-to csp-endpoint",
	"default-src 'self'; report-uri https://example.com/%7Buser%7D/[x]",
	"default-src 'self' https://example.com/a;script-src 'self'",
	"default-src 'self' https://example.com/lib/v1.2.3/app~min_a-b.js https://example.com/(x)!$&'*+=:@/%C3%A4",
	"default-src app.example.com. *.example.com. 127.0.0.1 127.0.0.1:8080 localhost localhost:3000 a--b.example 0.0.0.0:0",
	"default-src *:* *:443 https://* http://*:8080 https://*:*/path/",
	"default-src custom-scheme: app+x.y: chrome-extension: chrome-extension://abcdefghijklmnop",
	"default-src xn--bcher-kva.example https://example.com:00443",
	"default-src https://example.com:65535/ https://example.com:1/a//b/",
	// A shop with a payment provider, analytics and fonts.
	"default-src 'self'; script-src 'self' https://js.pay.example https://www.tag.example 'unsafe-inline'; style-src 'self' 'unsafe-inline' https://fonts.example; " +
		"img-src 'self' data: https://*.tag.example https://images.shop.example; font-src 'self' https://fonts-static.example; connect-src 'self' " +
		"https://api.pay.example https://stats.tag.example; frame-src https://js.pay.example https://hooks.pay.example; object-src 'none'; base-uri 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; upgrade-insecure-requests",
	// A code forge.
	"default-src 'none'; base-uri 'self'; child-src forge.example/assets/worker/ gist.forge.example/assets/worker/; connect-src 'self' uploads.forge.example " +
		"www.status.example collector.forge.example raw.content.example api.forge.example wss://alive.forge.example; font-src assets.example; form-action 'self' " +
		"forge.example gist.forge.example; frame-ancestors 'none'; frame-src viewer.content.example; img-src 'self' data: blob: assets.example media.example " +
		"*.content.example; manifest-src 'self'; media-src forge.example user.content.example; script-src assets.example; style-src 'unsafe-inline' assets.example; " +
		"upgrade-insecure-requests; worker-src forge.example/assets/worker/",
	// A social network.
	"default-src * data: blob: 'self' wss://*.social.example:*; script-src *.social.example *.cdn.example 127.0.0.1:* blob: data: 'self' 'wasm-unsafe-eval' " +
		"'unsafe-inline' 'unsafe-eval'; style-src *.cdn.example data: blob: 'unsafe-inline' 'unsafe-eval' https://fonts.example; connect-src *.social.example " +
		"wss://*.social.example:* *.cdn.example localhost:* blob:; block-all-mixed-content; upgrade-insecure-requests",
	// A mail service.
	"script-src 'report-sample' 'unsafe-inline' 'unsafe-eval' https: http:; object-src 'none'; base-uri 'self'; report-uri /_/mail/cspreport; " +
		"require-trusted-types-for 'script'",
	// A newspaper.
	"default-src data: 'unsafe-inline' 'unsafe-eval' https:; script-src data: 'unsafe-inline' 'unsafe-eval' https: blob:; style-src data: 'unsafe-inline' https:; " +
		"img-src data: https: blob: android-webview-video-poster:; font-src data: https:; connect-src https: wss: blob:; media-src data: https: blob:; object-src https:; " +
		"child-src https: data: blob:; form-action https:; report-uri https://csp.paper.example",
	// A bank.
	"default-src 'self' https://*.bank.example; script-src 'self' " + sha384 + "; object-src 'none'; frame-ancestors 'self' https://*.bank.example; " +
		"form-action 'self' https://secure.bank.example; report-to bank-csp",
	// An API.
	"default-src 'none'; frame-ancestors 'none'; sandbox",
	// A wiki.
	"script-src 'unsafe-eval' blob: 'self' meta.wiki.example *.wiki.example 'unsafe-inline' login.wiki.example; default-src 'self' data: blob: upload.wiki.example " +
		"https://commons.wiki.example; style-src 'self' data: blob: upload.wiki.example 'unsafe-inline'; object-src 'none'; report-uri /w/api.php?action=cspreport&format=json&reportonly=1",
	// A video site.
	"base-uri 'self'; default-src 'self' https: blob:; connect-src 'self' https: wss: http://localhost:* blob: data:; media-src 'self' https: blob:; " +
		"frame-src 'self' https: mailto:; worker-src 'self' blob:; require-trusted-types-for 'script'; trusted-types player-policy default",
	// A page of an old browser game.
	"default-src 'self' filesystem: mediastream:; object-src 'self' https://plugins.game.example; sandbox allow-scripts allow-pointer-lock",
	// What documentation generators write.
	"default-src 'self'; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; img-src 'self' data: https://img.shields.example; frame-src 'none'",
}

// These are among the above to look real, and do have a finding.
var findingsIn = map[string]string{
	"block-all-mixed-content":        "obsolete",
	"https://example.com/(x)!$&'*+=": "no wildcard",
}

func TestPoliciesOfSitesAreAccepted(t *testing.T) {
	if len(acceptedPolicies) < 60 {
		t.Errorf("only %d policies", len(acceptedPolicies))
	}
	for _, value := range acceptedPolicies {
		var want []string
		for part, reason := range findingsIn {
			if strings.Contains(value, part) {
				want = append(want, reason)
			}
		}
		found := ContentSecurityPolicy(value, false)
		if len(found) != len(want) {
			t.Errorf("%q: %+v, want %q", value, found, want)
		}
		for _, f := range found {
			known := false
			for _, reason := range want {
				known = known || strings.Contains(f.Reason, reason)
			}
			if !known {
				t.Errorf("%q: %+v", value, f)
			}
		}
	}
}

func TestAPolicyThatOnlyReportsMaySayTheSame(t *testing.T) {
	for _, value := range acceptedPolicies {
		quiet := errorsOf(ContentSecurityPolicy(value, false))
		if reporting := errorsOf(ContentSecurityPolicy(value, true)); len(quiet) != len(reporting) {
			t.Errorf("%q: %+v, %+v", value, quiet, reporting)
		}
	}
}

func errorsOf(found []Finding) (errors []Finding) {
	for _, f := range found {
		if !f.Warning {
			errors = append(errors, f)
		}
	}
	return errors
}

func TestValuesOfOtherHeadersAreAccepted(t *testing.T) {
	for check, values := range map[string][]string{
		"hsts": {
			"max-age=31536000", "max-age=0", "max-age=0; includeSubDomains", "max-age=63072000; includeSubDomains; preload", "MAX-AGE=1;INCLUDESUBDOMAINS",
			`max-age="31536000"`, `max-age = "0" ; includeSubDomains ;`, "includeSubDomains;max-age=300", ";; max-age=2147483647 ;;", "max-age=0031536000;preload;includeSubDomains",
		},
		"nosniff": {"nosniff"},
		"frame":   {"DENY", "SAMEORIGIN"},
		"referrer": {
			"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin",
			"no-referrer, strict-origin-when-cross-origin", "origin,same-origin ,strict-origin", "same-origin,", ", origin",
		},
		"permissions": {
			"camera=()", "camera=( )", "camera=*", "camera=(*)", "camera=self", "camera=(self)", `camera=(self "https://a.example")`, `camera="https://a.example"`,
			`camera=( self  "https://a.example"   "https://*.b.example:8443" )`, `geolocation=(), microphone=(),camera=() ,  usb=(self)`,
			`fullscreen=(self "https://video.example/"), autoplay=*`, `camera=();report-to=endpoint`, "camera=();report-to=A", "camera=();report-to=Z9", `camera=(self);report-to="end point", microphone=*; report-to=m`,
			"interest-cohort=()", "x-new-feature=()", "*=()", "a_b.c*-9=()", `camera=("https:")`, `camera=("https://*")`, `camera=(self "https://a.example:*")`,
			"accelerometer=(), autoplay=(), camera=(), cross-origin-isolated=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), " +
				"keyboard-map=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), " +
				"sync-xhr=(), usb=(), web-share=(), xr-spatial-tracking=(), clipboard-read=(), clipboard-write=(), gamepad=(), speaker-selection=()",
		},
		"xss": {"0"},
	} {
		for _, value := range values {
			if found := checks[check](value); len(found) > 0 {
				t.Errorf("%s %q: %+v", check, value, found)
			}
		}
	}
}

// checks are the functions of the package, by short names.
var checks = map[string]func(string) []Finding{
	"csp":         func(value string) []Finding { return ContentSecurityPolicy(value, false) },
	"csp-report":  func(value string) []Finding { return ContentSecurityPolicy(value, true) },
	"hsts":        StrictTransportSecurity,
	"nosniff":     ContentTypeOptions,
	"frame":       FrameOptions,
	"referrer":    ReferrerPolicy,
	"permissions": PermissionsPolicy,
	"xss":         XSSProtection,
}

// Names of features that browsers have or had, and that the list of the package may lack. None of them is to be taken for a mistake.
const moreFeatures = "all-screens-capture aria-notify autofill captured-surface-control ch-device-memory ch-downlink ch-dpr ch-e" + "ct ch-prefers-color-scheme " +
	"ch-prefers-reduced-motion ch-prefers-reduced-transparency ch-rtt ch-save-data ch-ua ch-ua-arch ch-ua-bitness ch-ua-form-factors ch-ua-full-version " +
	"ch-ua-full-version-list ch-ua-high-entropy-values ch-ua-mobile ch-ua-model ch-ua-platform ch-ua-platform-version ch-ua-wow64 ch-viewport-height " +
	"ch-viewport-width ch-width controlled-frame conversion-measurement deferred-fetch deferred-fetch-minimal device-attributes digital-credentials-create " +
	"digital-credentials-get direct-sockets direct-sockets-private document-write execution-while-not-rendered execution-while-out-of-viewport " +
	"fenced-unpartitioned-storage-read focus-without-user-activation font-display-late-swap layout-animations lazyload legacy-image-formats local-network " +
	"loopback-network manual-text media-playback-while-not-visible mediasession monetization navigation-override on-device-speech-recognition oversized-images " +
	"popins private-aggregation record-ad-auction-events shared-autofill smart-card sub-apps sync-script tools trust-token-redemption unoptimized-images " +
	"unsized-media usb-unrestricted vertical-scroll vr web-app-installation web-printing webauthn window-placement xr"

func TestNoFeatureOfABrowserIsTakenForAMistake(t *testing.T) {
	for _, name := range strings.Fields(features + " " + moreFeatures) {
		if found := PermissionsPolicy(name + "=()"); len(found) > 0 {
			t.Errorf("%s: %+v", name, found)
		}
	}
}
