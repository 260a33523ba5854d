package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/policy"
)

// places are where a block may stand: documents with a hole for a key and its value, and what is before the key in paths.
var places = map[string]string{
	"":          `{"cors":{` + base + `},%s}`,
	"rules[0].": `{"cors":{` + base + `},"rules":[{"name":"own","match":{"hosts":["own.example.com"]},%s}]}`,
}

// blocksAt parses a key with its value at a place, and returns the blocks that stand there and the paths of the warnings.
func blocksAt(t *testing.T, place, text string) (policy.Rule, []string) {
	t.Helper()
	data := fmt.Sprintf(places[place], text)
	spec, warned, err := Parse([]byte(data))
	if err != nil {
		t.Errorf("%s: %v", data, err)
	}
	if checkParse(t, []byte(data)); len(spec.Rules) == 1 {
		return spec.Rules[0], pathsOf(warned)
	}
	return policy.Rule{Isolation: spec.Isolation, SecurityHeaders: spec.SecurityHeaders, FetchMetadata: spec.FetchMetadata, Mode: spec.Mode}, pathsOf(warned)
}

func pathsOf(problems []Problem) []string {
	var paths []string
	for i := range problems {
		paths = append(paths, problems[i].Path)
	}
	return paths
}

// prefixed returns paths, which are separated by spaces, behind prefix.
func prefixed(prefix, paths string) []string {
	var all []string
	for _, path := range strings.Fields(paths) {
		all = append(all, prefix+path)
	}
	return all
}

const endpoints = `"reportingEndpoints":{"r":"/r"}`

func TestIsolationBecomesHeaders(t *testing.T) {
	const coop, coep, dip, to = "cross-origin-opener-policy", "cross-origin-embedder-policy", "document-isolation-policy", `; report-to="r"`
	const endpointsLine = `reporting-endpoints: r="/r"`
	for _, test := range []struct {
		block    string
		want     []string
		warnings string
	}{
		{`"crossOriginOpenerPolicy":"unsafe-none"`, []string{coop + ": unsafe-none"}, ""},
		{`"crossOriginOpenerPolicy":"same-origin-allow-popups"`, []string{coop + ": same-origin-allow-popups"}, ""},
		{`"crossOriginOpenerPolicy":"same-origin"`, []string{coop + ": same-origin"}, ""},
		{`"crossOriginOpenerPolicy":"noopener-allow-popups"`, []string{coop + ": noopener-allow-popups"}, ""},
		{`"crossOriginOpenerPolicy":{"value":"same-origin"}`, []string{coop + ": same-origin"}, ""},
		{`"crossOriginOpenerPolicy":{"reportTo":"r","value":"same-origin"},` + endpoints, []string{coop + ": same-origin" + to, endpointsLine}, ""},
		{endpoints + `,"crossOriginOpenerPolicy":{"value":"same-origin","reportTo":"r"}`, []string{endpointsLine, coop + ": same-origin" + to}, ""},
		{`"crossOriginOpenerPolicyReportOnly":{"value":"noopener-allow-popups","reportTo":"r"},` + endpoints, []string{coop + "-report-only: noopener-allow-popups" + to, endpointsLine}, ""},
		{`"crossOriginOpenerPolicyReportOnly":"same-origin"`, []string{coop + "-report-only: same-origin"}, "isolation.crossOriginOpenerPolicyReportOnly"},
		{`"crossOriginEmbedderPolicyReportOnly":{"value":"require-corp"}`, []string{coep + "-report-only: require-corp"}, "isolation.crossOriginEmbedderPolicyReportOnly"},
		{`"crossOriginEmbedderPolicyReportOnly":{"value":"require-corp","reportTo":"r"},` + endpoints, []string{coep + "-report-only: require-corp" + to, endpointsLine}, ""},

		{`"crossOriginEmbedderPolicy":"unsafe-none"`, []string{coep + ": unsafe-none"}, ""},
		{`"crossOriginEmbedderPolicy":"require-corp"`, []string{coep + ": require-corp"}, "isolation.crossOriginEmbedderPolicy"},
		{`"crossOriginEmbedderPolicy":{"value":"credentialless"}`, []string{coep + ": credentialless"}, "isolation.crossOriginEmbedderPolicy.value"},
		{`"crossOriginEmbedderPolicy":"require-corp","crossOriginOpenerPolicy":"same-origin-allow-popups"`, []string{coep + ": require-corp", coop + ": same-origin-allow-popups"}, "isolation.crossOriginEmbedderPolicy"},
		{`"crossOriginEmbedderPolicy":"require-corp","documentIsolationPolicy":"none"`, []string{coep + ": require-corp", dip + ": none"}, "isolation.crossOriginEmbedderPolicy"},
		{`"crossOriginEmbedderPolicy":"credentialless","crossOriginOpenerPolicy":"same-origin"`, []string{coep + ": credentialless", coop + ": same-origin"}, ""},
		{`"crossOriginEmbedderPolicy":"require-corp","documentIsolationPolicy":"isolate-and-credentialless"`, []string{coep + ": require-corp", dip + ": isolate-and-credentialless"}, ""},
		{`"documentIsolationPolicy":{"value":"isolate-and-require-corp","reportTo":"r"},` + endpoints, []string{dip + ": isolate-and-require-corp" + to, endpointsLine}, ""},

		{`"crossOriginResourcePolicy":"same-origin"`, []string{"cross-origin-resource-policy: same-origin"}, ""},
		{`"crossOriginResourcePolicy":"same-site"`, []string{"cross-origin-resource-policy: same-site"}, ""},
		{`"crossOriginResourcePolicy":"cross-origin"`, []string{"cross-origin-resource-policy: cross-origin"}, ""},
		{`"originAgentCluster":true`, []string{"origin-agent-cluster: ?1"}, ""},
		{`"originAgentCluster":false`, []string{"origin-agent-cluster: ?0"}, ""},
		{`"reportingEndpoints":{"b":"https://r.example/a?x=%41&y='z'","*.-_9":"/","a":"http://localhost:3000/[x]"}`, []string{`reporting-endpoints: b="https://r.example/a?x=%41&y='z'", *.-_9="/", a="http://localhost:3000/[x]"`}, ""},

		{`"preset":"cross-origin-isolated"`, []string{coop + ": same-origin", coep + ": require-corp"}, ""},
		{`"preset":"cross-origin-isolated","crossOriginResourcePolicy":"same-site"`, []string{"cross-origin-resource-policy: same-site", coop + ": same-origin", coep + ": require-corp"}, ""},
		{`"crossOriginEmbedderPolicy":{"value":"credentialless","reportTo":"r"},` + endpoints + `,"preset":"cross-origin-isolated"`, []string{coep + ": credentialless" + to, endpointsLine, coop + ": same-origin"}, ""},
		{`"preset":"cross-origin-isolated","crossOriginOpenerPolicy":{"value":"same-origin","reportTo":"r"},` + endpoints, []string{coop + ": same-origin" + to, endpointsLine, coep + ": require-corp"}, ""},
		{`"cross\u004friginOpenerPolicy":"same\u002dorigin"`, []string{coop + ": same-origin"}, ""},
	} {
		for place := range places {
			got, warnings := blocksAt(t, place, `"isolation":{`+test.block+`}`)
			if lines := linesOf(got.Isolation); !slices.Equal(lines, test.want) || !slices.Equal(warnings, prefixed(place, test.warnings)) {
				t.Errorf("%sisolation: %s: %q, warnings at %q", place, test.block, lines, warnings)
			}
		}
	}
}

func TestSecurityHeadersBecomeHeaders(t *testing.T) {
	for _, test := range []struct {
		block string
		want  []string
	}{
		{`"contentSecurityPolicy":"default-src 'self'; frame-ancestors 'none'"`, []string{"content-security-policy: default-src 'self'; frame-ancestors 'none'"}},
		{`"contentSecurityPolicyReportOnly":"default-src 'self'; report-to r"`, []string{"content-security-policy-report-only: default-src 'self'; report-to r"}},
		{`"strictTransportSecurity":"max-age=31536000; includeSubDomains"`, []string{"strict-transport-security: max-age=31536000; includeSubDomains"}},
		{`"xContentTypeOptions":"nosniff"`, []string{"x-content-type-options: nosniff"}},
		{`"xFrameOptions":"DENY"`, []string{"x-frame-options: DENY"}},
		{`"xFrameOptions":"SAMEORIGIN"`, []string{"x-frame-options: SAMEORIGIN"}},
		{`"referrerPolicy":"no-referrer, strict-origin-when-cross-origin"`, []string{"referrer-policy: no-referrer, strict-origin-when-cross-origin"}},
		{`"permissionsPolicy":"camera=(), geolocation=(self \"https://maps.example.com\")"`, []string{`permissions-policy: camera=(), geolocation=(self "https://maps.example.com")`}},
		{`"xXssProtection":"0"`, []string{"x-xss-protection: 0"}},
		{`"xXssProtection":{"value":"0"}`, []string{"x-xss-protection: 0"}},
		{`"xXssProtection":{"value":"0","ifAbsent":false}`, []string{"x-xss-protection: 0"}},
		{`"xFrameOptions":{"ifAbsent":true,"value":"DENY"},"xContentTypeOptions":"nosniff"`, []string{"x-frame-options if absent: DENY", "x-content-type-options: nosniff"}},
	} {
		for place := range places {
			got, warnings := blocksAt(t, place, `"securityHeaders":{`+test.block+`}`)
			if lines := linesOf(got.SecurityHeaders); !slices.Equal(lines, test.want) || warnings != nil {
				t.Errorf("%ssecurityHeaders: %s: %q, warnings at %q", place, test.block, lines, warnings)
			}
		}
	}
}

func TestFetchMetadataAndModesAreRead(t *testing.T) {
	metadata := func(m policy.FetchMetadata) policy.Rule { return policy.Rule{FetchMetadata: m} }
	mode := func(unenforced uint32, otherwise policy.Otherwise) policy.Rule {
		return policy.Rule{Mode: policy.Mode{Unenforced: unenforced, Otherwise: otherwise}}
	}
	for text, want := range map[string]policy.Rule{
		`"fetchMetadata":{}`:                                                                metadata(policy.FetchMetadata{On: true}),
		`"fetchMetadata":{"mode":"enforce"}`:                                                metadata(policy.FetchMetadata{On: true}),
		`"fetchMetadata":{"mode":"report"}`:                                                 metadata(policy.FetchMetadata{On: true, Report: true}),
		`"fetchMetadata":{"allowSameSite":true,"allowUnsafeNavigations":true}`:              metadata(policy.FetchMetadata{On: true}),
		`"fetchMetadata":{"allowSameSite":false}`:                                           metadata(policy.FetchMetadata{On: true, RefuseSameSite: true}),
		`"fetchMetadata":{"mode":"report","allowUnsafeNavigations":false}`:                  metadata(policy.FetchMetadata{On: true, Report: true, RefuseUnsafeNavigations: true}),
		`"mode":"enforce"`:                                                                  mode(0, policy.Shadow),
		`"mode":"shadow"`:                                                                   mode(policy.Million, policy.Shadow),
		`"mode":"off"`:                                                                      mode(policy.Million, policy.Off),
		`"mode":{"enforce":{"numerator":0}}`:                                                mode(policy.Million, policy.Shadow),
		`"mode":{"enforce":{"numerator":10}}`:                                               mode(900_000, policy.Shadow),
		`"mode":{"enforce":{"numerator":10.0},"otherwise":"shadow"}`:                        mode(900_000, policy.Shadow),
		`"mode":{"otherwise":"off","enforce":{"denominator":"HUNDRED","numerator":1e1}}`:    mode(900_000, policy.Off),
		`"mode":{"enforce":{"numerator":100}}`:                                              mode(0, policy.Shadow),
		`"mode":{"enforce":{"numerator":100,"denominator":"TEN_THOUSAND"}}`:                 mode(990_000, policy.Shadow),
		`"mode":{"enforce":{"numerator":10000,"denominator":"TEN_THOUSAND"}}`:               mode(0, policy.Shadow),
		`"mode":{"enforce":{"numerator":1,"denominator":"MILLION"},"otherwise":"off"}`:      mode(999_999, policy.Off),
		`"mode":{"enforce":{"denominator":"MILLION","numerator":1e6},"otherwise":"shadow"}`: mode(0, policy.Shadow),
	} {
		for place := range places {
			got, warnings := blocksAt(t, place, text)
			if got.FetchMetadata != want.FetchMetadata || got.Mode != want.Mode || warnings != nil {
				t.Errorf("%s%s: %+v, %+v, warnings at %q", place, text, got.FetchMetadata, got.Mode, warnings)
			}
		}
	}
}

// What a rule does not write is the default's; null is none, and for a mode nothing that there is.
func TestARuleHasEachBlockOrTheDefault(t *testing.T) {
	spec, _, err := Parse([]byte(`{"mode":"shadow","isolation":{"originAgentCluster":true},"securityHeaders":{"xXssProtection":"0"},"fetchMetadata":{},"cors":{` + base + `},"rules":[
		{"name":"none","match":{"routes":["a"]},"isolation":null,"securityHeaders":null,"fetchMetadata":null},
		{"name":"same","match":{"routes":["b"]}},
		{"name":"own","match":{"routes":["c"]},"mode":"enforce","isolation":{"originAgentCluster":false},"securityHeaders":{"xFrameOptions":"DENY"},"fetchMetadata":{"mode":"report"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	none, same, own := &spec.Rules[0], &spec.Rules[1], &spec.Rules[2]
	if !none.OwnIsolation || !none.OwnSecurityHeaders || !none.OwnFetchMetadata || none.OwnMode || none.Isolation != nil || none.SecurityHeaders != nil || none.FetchMetadata.On {
		t.Errorf("none: %+v", none)
	}
	if same.OwnIsolation || same.OwnSecurityHeaders || same.OwnFetchMetadata || same.OwnMode {
		t.Errorf("same: %+v", same)
	}
	if !own.OwnMode || own.Mode != (policy.Mode{}) || !own.FetchMetadata.Report || linesOf(own.Isolation)[0] != "origin-agent-cluster: ?0" || linesOf(own.SecurityHeaders)[0] != "x-frame-options: DENY" {
		t.Errorf("own: %+v", own)
	}
	for _, key := range []string{"mode", "isolation", "securityHeaders", "fetchMetadata"} {
		for place, document := range places {
			paths := errorPaths(t, fmt.Sprintf(document, `"`+key+`":null`))
			if isRefused := place == "" || key == "mode"; isRefused != slices.Equal(paths, []string{place + key}) || !isRefused && paths != nil {
				t.Errorf("%s%s: null: errors at %q", place, key, paths)
			}
		}
	}
}

func TestWhatSetsNothingConfiguresNothing(t *testing.T) {
	const rule = `"rules":[{"name":"a","match":{"hosts":["a.example.com"]}%s}]`
	for text, isSomething := range map[string]bool{
		`{}`: false, `{"mode":"off"}`: false, `{"mode":"enforce","log":{}}`: false, `{` + fmt.Sprintf(rule, "") + `}`: false, `{"mode":"shadow",` + fmt.Sprintf(rule, `,"mode":"enforce","cors":null`) + `}`: false,
		`{` + fmt.Sprintf(rule, `,"isolation":null,"securityHeaders":null,"fetchMetadata":null`) + `}`: false,

		`{"isolation":{"originAgentCluster":false}}`: true, `{"securityHeaders":{"xXssProtection":"0"}}`: true, `{"fetchMetadata":{}}`: true, `{"mode":"off","cors":{` + base + `}}`: true,
		`{` + fmt.Sprintf(rule, `,"isolation":{"originAgentCluster":true}`) + `}`: true, `{` + fmt.Sprintf(rule, `,"fetchMetadata":{"mode":"report"}`) + `}`: true,
		`{` + fmt.Sprintf(rule, `,"securityHeaders":{"xXssProtection":"0"},"cors":null`) + `}`: true,
	} {
		if paths := errorPaths(t, text); (paths == nil) != isSomething || !isSomething && !slices.Equal(paths, []string{"$"}) {
			t.Errorf("%s: errors at %q", text, paths)
		}
	}
}

// Beside a policy that allows any origin it refuses nothing, and without one it refuses what the upstream allows.
func TestFetchMetadataIsWarnedOfWhereItDoesNotFitCORS(t *testing.T) {
	const rule, all, one = `{"name":"a","match":{"hosts":["a.example.com"]}%s}`, `{"allowOrigins":["*"]}`, `{` + base + `}`
	for text, want := range map[string]string{
		`{"cors":` + one + `,"fetchMetadata":{}}`: "", `{"cors":[` + one + `,` + all + `],"fetchMetadata":{}}`: "",
		`{"fetchMetadata":{}}`: "fetchMetadata", `{"cors":` + all + `,"fetchMetadata":{}}`: "fetchMetadata", `{"fetchMetadata":{"mode":"report"},"cors":[` + all + `]}`: "fetchMetadata",
		`{"fetchMetadata":{},"rules":[` + fmt.Sprintf(rule, `,"cors":`+one) + `]}`:                                          "fetchMetadata",
		`{"cors":` + all + `,"rules":[` + fmt.Sprintf(rule, `,"fetchMetadata":{}`) + `]}`:                                   "rules[0].fetchMetadata",
		`{"cors":` + all + `,"rules":[` + fmt.Sprintf(rule, `,"fetchMetadata":{},"cors":`+one) + `]}`:                       "",
		`{"cors":` + one + `,"rules":[` + fmt.Sprintf(rule, `,"fetchMetadata":{},"cors":null`) + `]}`:                       "rules[0].fetchMetadata",
		`{"cors":` + one + `,"fetchMetadata":{},"rules":[` + fmt.Sprintf(rule, `,"cors":null`) + `]}`:                       "", // a usual exception
		`{"cors":` + all + `,"fetchMetadata":{},"rules":[` + fmt.Sprintf(rule, `,"fetchMetadata":{"mode":"report"}`) + `]}`: "fetchMetadata rules[0].fetchMetadata",
	} {
		_, warned, err := Parse([]byte(text))
		if got := pathsOf(warned); err != nil || !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: warnings at %q, %v", text, got, err)
		}
	}
}
