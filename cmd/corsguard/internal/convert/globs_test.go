package convert

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// reference is how a product compares an origin with a pattern, as its documentation or source says.
type reference struct {
	from    string
	source  func(patterns []string) any
	matches func(pattern, origin string) bool
}

func dotStar(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
}

var references = []reference{
	{
		"envoy-gateway", func(p []string) any { return map[string]any{"allowOrigins": p, "allowCredentials": true} },
		func(pattern, origin string) bool {
			if !strings.Contains(pattern, "*") {
				return pattern == origin
			}
			re, err := regexp.Compile("^(?:" + strings.ReplaceAll(strings.ReplaceAll(pattern, ".", `\.`), "*", ".*") + ")$")
			return err == nil && (re.MatchString(origin) || re.MatchString("*"))
		},
	},
	{
		"rs-cors", func(p []string) any { return map[string]any{"AllowedOrigins": p} },
		func(pattern, origin string) bool {
			pattern = strings.ToLower(pattern)
			before, after, ok := strings.Cut(pattern, "*")
			if !ok || pattern == "*" {
				return pattern == origin || pattern == "*"
			}
			return len(origin) >= len(before)+len(after) && strings.HasPrefix(origin, before) && strings.HasSuffix(origin, after)
		},
	},
	{
		"spring", func(p []string) any {
			return map[string]any{"allowedOriginPatterns": p, "allowedMethods": []string{"GET", "HEAD", "POST"}, "allowCredentials": true}
		},
		func(pattern, origin string) bool {
			pattern = strings.TrimSuffix(pattern, "/")
			before, ports, ok := strings.Cut(pattern, ":[")
			if !ok || !strings.HasSuffix(ports, "]") {
				return dotStar(pattern).MatchString(origin)
			}
			ports = strings.TrimSuffix(ports, "]")
			tail := ":(" + strings.ReplaceAll(ports, ",", "|") + ")$"
			if ports == "*" {
				tail = `(:\d+)?$`
			}
			return regexp.MustCompile(strings.TrimSuffix(dotStar(before).String(), "$") + tail).MatchString(origin)
		},
	},
	{
		"ingress-nginx", func(p []string) any {
			return map[string]any{"kind": "Ingress", "metadata": map[string]any{"annotations": map[string]any{
				nginxPrefix + "enable-cors": "true", nginxPrefix + "cors-allow-origin": strings.Join(p, ", "),
			}}, "spec": map[string]any{"defaultBackend": map[string]any{}}}
		},
		func(pattern, origin string) bool {
			return pattern == "*" || regexp.MustCompile(strings.Replace("(?i)"+regexp.QuoteMeta(pattern)+"$", `\*`, `[A-Za-z0-9\-]+`, 1)).MatchString(origin)
		},
	},
	{
		"kong", func(p []string) any {
			return map[string]any{"name": "cors", "config": map[string]any{"origins": append([]string{"https://never.test"}, p...), "credentials": true}}
		},
		func(pattern, origin string) bool {
			if pattern == "*" {
				return true
			}
			if kongPlain.MatchString(pattern) {
				return withoutDefaultPort(pattern) == origin
			}
			if !strings.HasSuffix(pattern, "$") {
				pattern += "$"
			}
			if !strings.Contains(pattern, ":") {
				_, rest, _ := strings.Cut(origin, "://")
				origin, _, _ = strings.Cut(rest, ":")
			}
			re, err := regexp.Compile(`^(?:` + strings.TrimPrefix(pattern, "^") + ")")
			return err == nil && re.MatchString(origin)
		},
	},
	{
		"traefik", func(p []string) any {
			return map[string]any{"accessControlAllowOriginListRegex": p, "accessControlAllowCredentials": true}
		},
		func(pattern, origin string) bool {
			re, err := regexp.Compile(pattern)
			return err == nil && re.MatchString(origin)
		},
	},
}

var globPatterns = []string{
	"https://*.example.com", "https://*example.com", "https://example.com*", "https://app*", "https://*", "http://*", "*", "*.example.com", "*example.com", "https://a.*.example.com",
	"https://pr-*.preview.example.net", "http://localhost:*", "https://*.example.com:*", "https://*.example.com:8443", "https://app.example.com", "https://app.example.com/", "https://App.Example.com",
	"null", "https://*.github.io", "http*://*.example.com", "https://*.*.example.com", "https://example.com:443", "https://*.example.com:[8443,9443]", "http://localhost:[*]", "https://example.com:[*]",
	"*://localhost", "https://*:8443", "^https://app\\.example\\.com$", "^https://(app|a\\.b)\\.example\\.com$", "https://app\\.example\\.com", "^https://app\\.example\\.com|null$", ".*", ".*\\.example\\.com",
	"^https://.*example\\.com$", "example.com", "^https://app\\.example\\.com\\$", "https://.*\\.example\\.com",
}

// TestNeverGrantsMoreThanOtherProducts asks about origins alone; what browsers refuse of the source's answers is counted as granted there.
func TestNeverGrantsMoreThanOtherProducts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, ref := range references {
		granted := 0
		for range 400 {
			var patterns []string
			for range 1 + r.IntN(3) {
				patterns = append(patterns, pickOf(r, globPatterns))
			}
			text, err := json.Marshal(ref.source(patterns))
			if err != nil {
				t.Fatal(err)
			}
			result, err := Convert([]Input{{"source", text}}, ref.from)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if len(result.Configurations) == 0 {
				continue
			}
			c := compile(t, result.Configurations[0].JSON)
			for _, origin := range append(nativeOrigins, "https://never.test", "http://localhost:8080", "https://a.example.com:9443") {
				for _, credentials := range []bool{false, true} {
					a := page(origin, "GET", "", credentials)
					if !c.permits(&a) {
						continue
					}
					granted++
					allowed := origin == "https://never.test" && ref.from == "kong"
					for _, p := range patterns {
						allowed = allowed || ref.matches(p, origin)
					}
					if !allowed {
						t.Fatalf("%s: %+v is permitted\n%s\n%s", ref.from, a, text, result.Configurations[0].JSON)
					}
				}
			}
		}
		if granted < 200 {
			t.Errorf("%s: %d grants are too few to mean anything", ref.from, granted)
		}
	}
}
