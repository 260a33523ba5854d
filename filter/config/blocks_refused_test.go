package config

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// mistakes are values of blocks, and the paths of what is wrong with them, below the block; a dot is the block itself. 65 is a name that is one too long.
var mistakes = map[string]map[string]string{
	"isolation": {
		`{}`: ".", `[]`: ".", `"same-origin"`: ".", `5`: ".", `true`: ".", `{"x":1}`: "x",
		`{"crossOriginOpenerPolicy":"Same-Origin"}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":""}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":"same-site"}`: "crossOriginOpenerPolicy",
		`{"crossOriginOpenerPolicy":"same-origin "}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":null}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":true}`: "crossOriginOpenerPolicy",
		`{"crossOriginOpenerPolicy":["same-origin"]}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":{}}`: "crossOriginOpenerPolicy", `{"crossOriginOpenerPolicy":"require-corp"}`: "crossOriginOpenerPolicy",
		`{"crossOriginOpenerPolicy":{"value":null}}`: "crossOriginOpenerPolicy.value", `{"crossOriginOpenerPolicy":{"value":"x"}}`: "crossOriginOpenerPolicy.value",
		`{"crossOriginOpenerPolicy":{"value":"same-origin","ifAbsent":true}}`: "crossOriginOpenerPolicy.ifAbsent", `{"crossOriginOpenerPolicy":{"value":"same-origin","value":"same-origin"}}`: "crossOriginOpenerPolicy.value",
		`{"crossOriginOpenerPolicy":"same-origin","crossOriginOpenerPolicy":"same-origin"}`: "crossOriginOpenerPolicy",

		`{"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":"r"}}`: "crossOriginOpenerPolicy.reportTo", `{"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":"R"},` + endpoints + `}`: "crossOriginOpenerPolicy.reportTo",
		`{"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":""},` + endpoints + `}`: "crossOriginOpenerPolicy.reportTo", `{"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":5},` + endpoints + `}`: "crossOriginOpenerPolicy.reportTo",
		`{"crossOriginOpenerPolicy":{"reportTo":"x"},` + endpoints + `}`: "crossOriginOpenerPolicy crossOriginOpenerPolicy.reportTo", `{"documentIsolationPolicy":{"value":"none","reportTo":"x"}}`: "documentIsolationPolicy.reportTo",
		`{"crossOriginEmbedderPolicyReportOnly":{"value":"require-corp","reportTo":"x"},` + endpoints + `}`: "crossOriginEmbedderPolicyReportOnly.reportTo",

		`{"crossOriginEmbedderPolicy":"same-origin"}`: "crossOriginEmbedderPolicy", `{"crossOriginEmbedderPolicyReportOnly":"x"}`: "crossOriginEmbedderPolicyReportOnly", `{"documentIsolationPolicy":"isolate"}`: "documentIsolationPolicy",
		`{"crossOriginResourcePolicy":{"value":"same-origin"}}`: "crossOriginResourcePolicy", `{"crossOriginResourcePolicy":"none"}`: "crossOriginResourcePolicy",
		`{"originAgentCluster":"?1"}`: "originAgentCluster", `{"originAgentCluster":1}`: "originAgentCluster", `{"originAgentCluster":null}`: "originAgentCluster",

		`{"preset":"x"}`: "preset", `{"preset":["cross-origin-isolated"]}`: "preset", `{"preset":"cross-origin-isolated","crossOriginOpenerPolicy":"unsafe-none"}`: "crossOriginOpenerPolicy",
		`{"crossOriginOpenerPolicy":{"value":"same-origin-allow-popups"},"preset":"cross-origin-isolated"}`:                                           "crossOriginOpenerPolicy.value",
		`{"crossOriginEmbedderPolicy":"unsafe-none","preset":"cross-origin-isolated","crossOriginOpenerPolicy":"noopener-allow-popups"}`:              "crossOriginOpenerPolicy crossOriginEmbedderPolicy",
		`{"preset":"cross-origin-isolated","crossOriginEmbedderPolicy":{"value":"unsafe-none"},"documentIsolationPolicy":"isolate-and-require-corp"}`: "crossOriginEmbedderPolicy.value",

		`{"reportingEndpoints":{}}`: "reportingEndpoints", `{"reportingEndpoints":[]}`: "reportingEndpoints", `{"reportingEndpoints":"/r"}`: "reportingEndpoints", `{"reportingEndpoints":{"a":null,"b":{}}}`: "reportingEndpoints.a reportingEndpoints.b",
		`{"reportingEndpoints":{"a":"/x","b":"/","a":"/y"}}`: "reportingEndpoints.a", `{"reportingEndpoints":{"A":"/","1":"/","_a":"/","-":"/"}}`: "reportingEndpoints.A reportingEndpoints.1 reportingEndpoints._a reportingEndpoints.-",
		`{"reportingEndpoints":{"":"/","a,b":"/","a=":"/"}}`: `reportingEndpoints[""] reportingEndpoints.a,b reportingEndpoints.a=`, `{"reportingEndpoints":{"a.b":"/","a.B":"/"}}`: `reportingEndpoints["a.B"]`,
		`{"reportingEndpoints":{"` + longName + `":"/","` + longName + `a":"/"}}`: `reportingEndpoints["` + longName[:60] + `"…]`,
		`{"reportingEndpoints":{` + numbered(33, `"a%d":"/"`) + `}}`:              "reportingEndpoints",
	},
	"securityHeaders": {
		`{}`: ".", `[]`: ".", `"nosniff"`: ".", `{"xContentTypeOptions":null}`: "xContentTypeOptions", `{"xContentTypeOptions":true}`: "xContentTypeOptions", `{"xContentTypeOptions":["nosniff"]}`: "xContentTypeOptions",
		`{"xContentTypeOptions":{}}`: "xContentTypeOptions", `{"xContentTypeOptions":{"ifAbsent":true}}`: "xContentTypeOptions", `{"xContentTypeOptions":{"value":5}}`: "xContentTypeOptions.value",
		`{"xContentTypeOptions":{"value":"nosniff","ifAbsent":"true"}}`: "xContentTypeOptions.ifAbsent", `{"xContentTypeOptions":{"value":"nosniff","ifAbsent":null}}`: "xContentTypeOptions.ifAbsent",
		`{"xContentTypeOptions":{"value":"nosniff","reportTo":"r"}}`: "xContentTypeOptions.reportTo", `{"xContentTypeOptions":"nosniff","xContentTypeOptions":"nosniff"}`: "xContentTypeOptions",
		`{"xContentTypeOptions":{"value":"nosniff","value":"nosniff"}}`: "xContentTypeOptions.value", `{"xContentTypeOptions":"NoSniff","xFrameOptions":{"value":"ALLOWALL"}}`: "xContentTypeOptions xFrameOptions.value",
		`{"xFrameOptions":"ALLOW-FROM https://a.example.com"}`: "xFrameOptions", `{"xXssProtection":"1; mode=block"}`: "xXssProtection", `{"xXssProtection":0}`: "xXssProtection", `{"xXssProtection":""}`: "xXssProtection",
		`{"strictTransportSecurity":"includeSubDomains"}`: "strictTransportSecurity", `{"strictTransportSecurity":"max-age=1, preload"}`: "strictTransportSecurity", `{"strictTransportSecurity":{"value":"max-age=-1"}}`: "strictTransportSecurity.value",
		`{"referrerPolicy":"none"}`: "referrerPolicy", `{"permissionsPolicy":"camera 'none'"}`: "permissionsPolicy", `{"permissionsPolicy":"camera=(),"}`: "permissionsPolicy",
		`{"contentSecurityPolicy":"default-src self"}`: "contentSecurityPolicy", `{"contentSecurityPolicy":"script-scr 'self'"}`: "contentSecurityPolicy", `{"contentSecurityPolicy":{"value":"img-src a, b"}}`: "contentSecurityPolicy.value",
		`{"contentSecurityPolicyReportOnly":"default-src 'self';, report-to r"}`: "contentSecurityPolicyReportOnly", `{"contentSecurityPolicy":" img-src *"}`: "contentSecurityPolicy", `{"contentSecurityPolicy":"img-src * "}`: "contentSecurityPolicy",
		`{"preset":"cross-origin-isolated"}`: "preset", `{"crossOriginOpenerPolicy":"same-origin","xFrameOptions":"DENY"}`: "crossOriginOpenerPolicy",
	},
	"fetchMetadata": {
		`[]`: ".", `true`: ".", `"enforce"`: ".", `{"mode":"shadow"}`: "mode", `{"mode":"off"}`: "mode", `{"mode":null}`: "mode", `{"mode":{"enforce":{"numerator":5}}}`: "mode", `{"mode":"enforce","mode":"enforce"}`: "mode",
		`{"allowSameSite":"false"}`: "allowSameSite", `{"allowSameSite":0,"allowUnsafeNavigations":null}`: "allowSameSite allowUnsafeNavigations", `{"allowNavigations":true}`: "allowNavigations",
	},
	"mode": {
		`null`: ".", `true`: ".", `10`: ".", `[]`: ".", `""`: ".", `"Shadow"`: ".", `"report"`: ".", `{}`: ".", `{"otherwise":"off"}`: ".", `{"enforce":{"numerator":5},"enforce":{"numerator":5}}`: "enforce", `{"shadow":{"numerator":5}}`: "shadow .",
		`{"enforce":{}}`: "enforce", `{"enforce":10}`: "enforce", `{"enforce":null}`: "enforce", `{"enforce":{"denominator":"MILLION"}}`: "enforce", `{"enforce":{"numerator":"10"}}`: "enforce.numerator", `{"enforce":{"numerator":null}}`: "enforce.numerator",
		`{"enforce":{"numerator":-1}}`: "enforce.numerator", `{"enforce":{"numerator":1.5}}`: "enforce.numerator", `{"enforce":{"numerator":101}}`: "enforce.numerator", `{"enforce":{"denominator":"HUNDRED","numerator":101}}`: "enforce.numerator",
		`{"enforce":{"numerator":10001,"denominator":"TEN_THOUSAND"}}`: "enforce.numerator", `{"enforce":{"numerator":1000001,"denominator":"MILLION"}}`: "enforce.numerator", `{"enforce":{"numerator":1e999}}`: "enforce.numerator",
		`{"enforce":{"numerator":5,"denominator":"hundred"}}`: "enforce.denominator", `{"enforce":{"numerator":5,"denominator":100}}`: "enforce.denominator", `{"enforce":{"numerator":5,"per":"HUNDRED"}}`: "enforce.per",
		`{"enforce":{"numerator":5},"otherwise":"enforce"}`: "otherwise", `{"enforce":{"numerator":5},"otherwise":null}`: "otherwise", `{"enforce":{"numerator":500},"otherwise":"x"}`: "enforce.numerator otherwise",
	},
}

func TestMistakesInBlocksAreRefusedWhereTheyStand(t *testing.T) {
	for key, values := range mistakes {
		for value, below := range values {
			for place, document := range places {
				data := fmt.Sprintf(document, `"`+key+`":`+value)
				var want []string
				for _, path := range strings.Fields(below) {
					want = append(want, strings.TrimSuffix(place+key+"."+strings.TrimPrefix(path, "."), "."))
				}
				checkParse(t, []byte(data))
				if got := slices.Compact(errorPaths(t, data)); !slices.Equal(got, want) {
					t.Errorf("%s%s: %s: errors at %q, want %q", place, key, value, got, want)
				}
			}
		}
	}
}

func TestReportsGoToURLsThatBrowsersSendThemTo(t *testing.T) {
	for url, isEndpoint := range map[string]bool{
		"https://r.example": true, "https://r.example/": true, "https://r.example:8443/a/b?c=d/e": true, "https://r.example?x": true, "HTTPS://R.Example/": true, "https://192.0.2.1/": true, "https://[2001:db8::1]:8443/r": true,
		"/": true, "/r": true, "/r//s": true, "/r?x=https://a.example/": true, "/" + strings.Repeat("a", 2047): true,
		"http://localhost": true, "http://localhost:3000/r": true, "http://x.localhost/r": true, "http://127.0.0.1:9/": true, "http://127.9.9.9/": true, "http://[::1]:3000/": true,

		"": false, "r": false, "./r": false, "?r": false, "//r.example/": false, "r.example": false, "https:": false, "https://": false, "https:///r": false, "https:/r.example": false, "https://?": false, "https://r.example:0/": false, "https://r.example:65536/": false,
		"http://r.example/": false, "http://localhost.example/": false, "http://192.0.2.1/": false, "http://127.0.0.1.example/": false, "http://[::2]/": false, "http://127.1/": false, "ws://localhost/": false, "wss://r.example/": false, "ftp://r.example/": false, "data:,x": false, "javascript://r.example/": false,
		"https://user@r.example/": false, "https://user:password@r.example/": false, "https://r.example/#x": false, "/#": false, "https://r..example/": false, "https://*.example/": false, "https://r.example/ ": false, " https://r.example/": false,
		"/a b": false, `/"`: false, `/\`: false, `\r`: false, "/<": false, "/>": false, "/\u00e9": false, "https://\u00e9.example/": false, "/\n": false, "/\r\nset-cookie: a": false, "/\x00": false, "/\x7f": false, "/\t": false, "/" + strings.Repeat("a", 2048): false,
		`https://r.example/", x="https://evil.example`: false, "https://r.example\\@evil.example/": false,
	} {
		for place, document := range places {
			data := fmt.Sprintf(document, `"isolation":{"reportingEndpoints":{"a":`+asJSON(t, url)+`}}`)
			want := []string{place + "isolation.reportingEndpoints.a"}
			if isEndpoint {
				want = nil
			}
			if got := errorPaths(t, data); !slices.Equal(got, want) {
				t.Errorf("%q is an endpoint: %v, errors at %q", url, !isEndpoint, got)
			}
		}
	}
}

func asJSON(t *testing.T, s string) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Whoever writes the name of a header, or of a key of another block, is told what there is.
func TestUnknownKeysInBlocksGetASuggestion(t *testing.T) {
	for _, test := range []struct{ text, path, want string }{
		{`"Mode":"off"`, "Mode", `did you mean "mode"?`},
		{`"isolations":{}`, "isolations", `did you mean "isolation"?`},
		{`"fetchMetaData":{}`, "fetchMetaData", `did you mean "fetchMetadata"?`},
		{`"securityHeader":{}`, "securityHeader", `did you mean "securityHeaders"?`},
		{`"headers":{}`, "headers", `"mode", "isolation", "securityHeaders" or "fetchMetadata"`},
		{`"isolation":{"crossOriginOpenerPolice":1}`, "isolation.crossOriginOpenerPolice", `did you mean "crossOriginOpenerPolicy"?`},
		{`"isolation":{"crossOriginResourcesPolicy":1}`, "isolation.crossOriginResourcesPolicy", `did you mean "crossOriginResourcePolicy"?`},
		{`"isolation":{"coop":1}`, "isolation.coop", `"crossOriginOpenerPolicy"`},
		{`"isolation":{"presets":["cross-origin-isolated"]}`, "isolation.presets", `did you mean "preset"?`},
		{`"isolation":{"crossOriginOpenerPolicy":{"value":"same-origin","report-to":"r"}}`, "isolation.crossOriginOpenerPolicy.report-to", `did you mean "reportTo"?`},
		{`"securityHeaders":{"hsts":1}`, "securityHeaders.hsts", `"strictTransportSecurity"`},
		{`"securityHeaders":{"contentTypeOptions":1}`, "securityHeaders.contentTypeOptions", `did you mean "xContentTypeOptions"?`},
		{`"securityHeaders":{"xFrameOptions":{"value":"DENY","ifabsent":true}}`, "securityHeaders.xFrameOptions.ifabsent", `did you mean "ifAbsent"?`},
		{`"fetchMetadata":{"allowSamesite":1}`, "fetchMetadata.allowSamesite", `did you mean "allowSameSite"?`},
		{`"mode":{"enforced":1}`, "mode.enforced", `did you mean "enforce"?`},
		{`"mode":{"enforce":{"numerator":1,"percent":1}}`, "mode.enforce.percent", `"numerator" or "denominator"`},
	} {
		for place, document := range places {
			p := problemAt([]byte(fmt.Sprintf(document, test.text)), place+test.path)
			if p == nil || p.Reason != "unknown key" || !strings.Contains(p.Fix, test.want) {
				t.Errorf("%s%s: %+v", place, test.path, p)
			}
		}
	}
}

// texts of blocks, with a hole for a string, and where it is wrong.
var holes = map[string]string{
	`"mode":%s`: "mode", `"mode":{"enforce":{"numerator":1,"denominator":%s}}`: "mode.enforce.denominator", `"mode":{"enforce":{"numerator":1},"otherwise":%s}`: "mode.otherwise",
	`"isolation":{"preset":%s}`: "isolation.preset", `"isolation":{"crossOriginOpenerPolicy":%s}`: "isolation.crossOriginOpenerPolicy", `"isolation":{"crossOriginResourcePolicy":%s}`: "isolation.crossOriginResourcePolicy",
	`"isolation":{"documentIsolationPolicy":{"value":%s}}`: "isolation.documentIsolationPolicy.value", `"isolation":{` + endpoints + `,"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":%s}}`: "isolation.crossOriginOpenerPolicy.reportTo",
	`"isolation":{"reportingEndpoints":{"a":%s}}`: "isolation.reportingEndpoints.a", `"fetchMetadata":{"mode":%s}`: "fetchMetadata.mode",
	`"securityHeaders":{"contentSecurityPolicy":%s}`: "securityHeaders.contentSecurityPolicy", `"securityHeaders":{"contentSecurityPolicyReportOnly":{"value":%s}}`: "securityHeaders.contentSecurityPolicyReportOnly.value",
	`"securityHeaders":{"strictTransportSecurity":%s}`: "securityHeaders.strictTransportSecurity", `"securityHeaders":{"xContentTypeOptions":%s}`: "securityHeaders.xContentTypeOptions",
	`"securityHeaders":{"xFrameOptions":%s}`: "securityHeaders.xFrameOptions", `"securityHeaders":{"referrerPolicy":%s}`: "securityHeaders.referrerPolicy",
	`"securityHeaders":{"permissionsPolicy":%s}`: "securityHeaders.permissionsPolicy", `"securityHeaders":{"xXssProtection":%s}`: "securityHeaders.xXssProtection",
}

// No value may break out of its header, nor a message out of its line. (That lines are lines is in checkParse.)
func TestHostileTextsInBlocksAreRefused(t *testing.T) {
	hostile := []string{`"\u0000"`, `"\u000a"`, `"same-origin\r\nset-cookie: a=b"`, `"max-age=1\u000d"`, `"0\u0000"`, `"nosniff\u007f"`, `"DENY\t"`, `"img-src\u0009*"`, `"default-src 'self'\u0085"`, `"\u00a0enforce"`, `"camera=()\ud800"`, `"\u202e"`}
	for _, unit := range []string{"a", "\\u0000", "\\n", "é", "; ", ", ", "'self' ", "img-src ", `\"`, "camera=()", "max-age=1;", "/", "https://"} {
		hostile = append(hostile, `"`+strings.Repeat(unit, 10_000)+`"`)
	}
	for text, path := range holes {
		for _, value := range hostile {
			for place, document := range places {
				data := []byte(fmt.Sprintf(document, fmt.Sprintf(text, value)))
				if checkParse(t, data) || problemAt(data, place+path) == nil {
					_, _, err := Parse(data)
					t.Errorf("%s%s: %.60s: %.300v", place, path, value, err)
				}
			}
		}
	}
}

func TestHostileNamesInBlocksAreRefused(t *testing.T) {
	for _, name := range []string{`\u0000`, `\n`, `a\r\nb: c`, `a\"`, `=\"/\", b`, `\ud800`, `\u007f`, strings.Repeat("a", 10_000), strings.Repeat(`\u0001`, 10_000), strings.Repeat("é", 10_000)} {
		for _, text := range []string{`"isolation":{"reportingEndpoints":{"%s":"/"}}`, `"isolation":{"%s":1}`, `"securityHeaders":{"%s":"0"}`, `"fetchMetadata":{"%s":true}`, `"mode":{"%s":1}`, `"%s":{}`} {
			for _, document := range places {
				if data := fmt.Sprintf(document, fmt.Sprintf(text, name)); checkParse(t, []byte(data)) {
					t.Errorf("%.200s is accepted", data)
				}
			}
		}
	}
}

func TestBlocksAreNotDeep(t *testing.T) {
	for key := range mistakes {
		for place, document := range places {
			nested := func(n int) string {
				return fmt.Sprintf(document, `"`+key+`":`+strings.Repeat(`[`, n)+strings.Repeat(`]`, n))
			}
			if got := errorPaths(t, nested(MaxDepth-3)); !slices.Equal(got, []string{place + key}) {
				t.Errorf("%s%s: errors at %q", place, key, got)
			}
			if got := errorPaths(t, nested(MaxDepth)); !slices.Equal(got, []string{"$"}) {
				t.Errorf("%s%s, too deep: errors at %q", place, key, got)
			}
		}
	}
}

func TestMistakesInAllBlocksAreReportedAtOnce(t *testing.T) {
	got := errorPaths(t, `{"mode":"on","isolation":{"originAgentCluster":1,"crossOriginOpenerPolicy":"x"},"securityHeaders":{"xFrameOptions":"x","xXssProtection":"1"},"fetchMetadata":{"mode":1},"cors":{"maxAge":-1},"rules":[
		{"name":"a","match":{"hosts":["a.example.com"]},"fetchMetadata":[],"securityHeaders":{},"isolation":{},"mode":{}}]}`)
	want := []string{
		"mode", "isolation.originAgentCluster", "isolation.crossOriginOpenerPolicy", "securityHeaders.xFrameOptions", "securityHeaders.xXssProtection", "fetchMetadata.mode", "cors.maxAge", "cors",
		"rules[0].fetchMetadata", "rules[0].securityHeaders", "rules[0].isolation", "rules[0].mode",
	}
	if !slices.Equal(got, want) {
		t.Errorf("errors at %q", got)
	}
}
