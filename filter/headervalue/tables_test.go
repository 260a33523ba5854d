package headervalue

import (
	"strings"
	"testing"
)

func TestListsAndTheirKindsAgree(t *testing.T) {
	names := strings.Fields(directives)
	if len(names) != len(directiveKinds) || len(names) > 64 || len(strings.Fields(features)) > 64 {
		t.Fatalf("%d directives, %d kinds, %d features", len(names), len(directiveKinds), len(strings.Fields(features)))
	}
	for i, name := range names {
		want := name == "base-uri" || name == "form-action" || name == "frame-ancestors" || strings.Contains(name, "-src")
		if kind := directiveKinds[i]; (kind < noValue) != want {
			t.Errorf("%s is of kind %x", name, kind)
		}
		if has := directiveKinds[i]&ofScripts != 0 && directiveKinds[i] < noValue; has != (name == "default-src" || strings.Contains(name, "script") || name == "worker-src" || name == "child-src") {
			t.Errorf("%s: scripts %v", name, has)
		}
		if has := directiveKinds[i]&ofStyles != 0 && directiveKinds[i] < noValue; has != (name == "default-src" || strings.Contains(name, "style")) {
			t.Errorf("%s: styles %v", name, has)
		}
	}
	for name, kind := range map[string]kind{
		"upgrade-insecure-requests": noValue, "treat-as-public-address": noValue, "block-all-mixed-content": obsolete, "sandbox": sandboxTokens,
		"trusted-types": policyNames, "require-trusted-types-for": sinkGroups, "webrtc": oneOfTwo, "report-to": reportName, "report-uri": reportURLs,
		"frame-ancestors": ofAncestors, "connect-src": ofURLs | ofConnections, "img-src": ofURLs,
	} {
		if got := directiveKinds[find(directives, name)]; got != kind {
			t.Errorf("%s is of kind %x, not %x", name, got, kind)
		}
	}
	if gone := strings.Fields(removed); len(gone) != len(instead) {
		t.Errorf("%d directives are gone, %d have something instead", len(gone), len(instead))
	}
	for _, name := range strings.Fields(removed) {
		if find(directives, name) >= 0 {
			t.Errorf("%s is there and gone", name)
		}
	}
	for _, name := range strings.Fields(notHosts) {
		if find(directives, name) >= 0 && strings.Contains(name, "-") {
			t.Errorf("%s is no plausible name of a host", name)
		}
	}

	words := strings.Fields(keywords)
	if len(words) != nonce || len(keywordKinds) != nonce+4 {
		t.Fatalf("%d keywords, %d kinds", len(words), len(keywordKinds))
	}
	if words[none] != "'none'" || words[reportSample] != "'report-sample'" || words[strictDynamic] != "'strict-dynamic'" {
		t.Errorf("%q %q %q", words[none], words[reportSample], words[strictDynamic])
	}
	for i, word := range words {
		if reports := i >= reportSample && i < strictDynamic; reports != strings.HasPrefix(word, "'report-") {
			t.Errorf("%s only reports: %v", word, reports)
		}
		bare := strings.Trim(word, "'")
		if k := findKeyword(bare); k != i {
			t.Errorf("%s is at %d, found at %d", word, i, k)
		}
	}
	for i, name := range []string{"nonce-x", "sha256-x", "SHA384-", "sha512-x-y"} {
		if k := findKeyword(name); k != nonce+i {
			t.Errorf("%s is found at %d", name, k)
		}
	}
	for _, name := range []string{"", "x", "nonce", "sha256", "sha1-x", "self-x", "self "} {
		if k := findKeyword(name); k >= 0 {
			t.Errorf("%q is found at %d", name, k)
		}
	}
}

func TestNearNamesAreFoundAndOthersAreNot(t *testing.T) {
	known := []string{"mode", "cors", "allowOrigins", "allowMethods", "isolation"}
	for name, want := range map[string]string{
		"mdoe": "", "mod": "mode", "Mode": "mode", "model": "mode", "mode": "mode", "moed": "", "corse": "cors", "CORS": "cors", "c": "", "": "", "xxxx": "",
		"allowOrigin": "allowOrigins", "alowMethods": "allowMethods", "allowHeaders": "", "isolations": "isolation", "isolatoin": "isolation",
		"allow_origins": "allowOrigins", "AllowMethod": "allowMethods", strings.Repeat("x", 10000): "",
	} {
		if got := Nearest(name, known); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("%q out of nothing", got)
	}
}
