package headervalue

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// What the package accepts, once more: as regular expressions, after the grammars of the standards, less what the package's comment lists.

var (
	schemePart = `[A-Za-z][A-Za-z0-9+.-]*`
	pathByte   = `(?:[A-Za-z0-9._~!$&'()*+=:@-]|%[0-9A-Fa-f]{2})`
	hostSource = `(?:` + schemePart + `://)?(?:\*|(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.?)(?::(?P<port>[0-9]+|\*))?(?P<path>(?:/(?:` + pathByte + `+(?:/` + pathByte + `*)*)?)?)`

	urlSource     = regexp.MustCompile(`^(?:` + schemePart + `:|` + hostSource + `)$`)
	keywordSource = regexp.MustCompile(`^(?i)'(?:self|none|unsafe-inline|unsafe-eval|strict-dynamic|unsafe-hashes|report-sample|unsafe-allow-redirects|wasm-unsafe-eval|` +
		`trusted-types-eval|report-sha256|report-sha384|report-sha512|unsafe-webtransport-hashes|inline-speculation-rules)'$`)
	nonceSource = regexp.MustCompile(`^'(?i:nonce)-[A-Za-z0-9+/_-]+={0,2}'$`)
	hashSource  = regexp.MustCompile(`^'(?:(?i:sha256)-[A-Za-z0-9+/_-]{43}|(?i:sha384)-[A-Za-z0-9+/_-]{64}|(?i:sha512)-[A-Za-z0-9+/_-]{86})={0,2}'$`)

	// Hosts to a browser, and mistakes here.
	likeKeyword = regexp.MustCompile(`^(?i)(?:(?:nonce|sha256|sha384|sha512)-.*|self|none|unsafe-(?:inline|eval|hashes|allow-redirects|webtransport-hashes)|` +
		`strict-dynamic|report-(?:sample|sha256|sha384|sha512)|wasm-unsafe-eval|trusted-types-eval|inline-speculation-rules)$`)
	likeDirective = regexp.MustCompile(`^(?i)(?:(?:default|script|style|img|font|media|object|connect|frame|child|worker|manifest|fenced-frame)-src|` +
		`(?:script|style)-src-(?:elem|attr)|base-uri|form-action|frame-ancestors|report-(?:to|uri)|upgrade-insecure-requests|block-all-mixed-content|` +
		`treat-as-public-address|require-trusted-types-for|trusted-types)$`)

	sandboxFlag = regexp.MustCompile(`^(?i)allow-(?:downloads|forms|modals|orientation-lock|pointer-lock|popups|popups-to-escape-sandbox|presentation|same-origin|scripts|` +
		`storage-access-by-user-activation|top-navigation|top-navigation-by-user-activation|top-navigation-to-custom-protocols)$`)
	otherValues = map[string]*regexp.Regexp{
		"upgrade-insecure-requests": regexp.MustCompile(`^$`),
		"block-all-mixed-content":   regexp.MustCompile(`^$`),
		"treat-as-public-address":   regexp.MustCompile(`^$`),
		"report-to":                 regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"),
		"report-uri":                regexp.MustCompile(`^(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+=-]|%[0-9A-Fa-f]{2})+(?: +(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+=-]|%[0-9A-Fa-f]{2})+)*$`),
		"require-trusted-types-for": regexp.MustCompile(`^'script'(?: +'script')*$`),
		"trusted-types":             regexp.MustCompile(`^(?:|'none'(?: +'none'){0,0}|(?:[A-Za-z0-9#=_/@.%-]+|\*|'allow-duplicates')(?: +(?:[A-Za-z0-9#=_/@.%-]+|\*|'allow-duplicates'))*)$`),
		"webrtc":                    regexp.MustCompile(`^(?i)'(?:allow|block)'$`),
	}
)

var plain = regexp.MustCompile(`^[!-~]([ -~]*[!-~])?$`)

func isPlain(value string) bool { return plain.MatchString(value) && len(value) <= 8192 }

// acceptsURLSource tells of a word without quotes.
func acceptsURLSource(word string) (parts map[string]string, ok bool) {
	match := urlSource.FindStringSubmatch(word)
	if match == nil || likeKeyword.MatchString(word) || likeDirective.MatchString(word) {
		return nil, false
	}
	parts = map[string]string{}
	for i, name := range urlSource.SubexpNames() {
		parts[name] = match[i]
	}
	if port := strings.TrimLeft(parts["port"], "0"); port != "" && port != "*" {
		if n, err := strconv.Atoi(port); err != nil || n > 65535 {
			return nil, false
		}
	}
	return parts, true
}

func acceptsPolicy(value string) bool {
	if !isPlain(value) || strings.Contains(value, ",") {
		return false
	}
	seen := map[string]bool{}
	for _, directive := range strings.Split(value, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		name := strings.ToLower(words[0])
		if seen[name] || !acceptsDirective(name, words[1:]) {
			return false
		}
		seen[name] = true
	}
	return len(seen) > 0
}

func acceptsDirective(name string, words []string) bool {
	if re := otherValues[name]; re != nil {
		return re.MatchString(strings.Join(words, " "))
	}
	if name == "sandbox" {
		return !slices.ContainsFunc(words, func(w string) bool { return !sandboxFlag.MatchString(w) })
	}
	if !likeDirective.MatchString(name) {
		return false
	}
	none, others := false, false
	for _, word := range words {
		_, isURL := acceptsURLSource(word)
		lower := strings.ToLower(word)
		switch {
		case lower == "'none'":
			none = true
			continue
		case isURL || lower == "'self'":
		case name == "frame-ancestors":
			return false
		case !keywordSource.MatchString(word) && !nonceSource.MatchString(word) && !hashSource.MatchString(word):
			return false
		case strings.HasPrefix(lower, "'report-"):
			continue
		}
		others = true
	}
	return !none || !others
}

var hstsDirective = regexp.MustCompile(`^(?i)(?:(max-age) *= *([0-9]+|"[0-9]+")|(includesubdomains)|(preload))$`)

func acceptsHSTS(value string) bool {
	if !isPlain(value) {
		return false
	}
	seen := map[string]bool{}
	for _, directive := range strings.Split(value, ";") {
		if directive = strings.Trim(directive, " "); directive == "" {
			continue
		}
		m := hstsDirective.FindStringSubmatch(directive)
		if m == nil {
			return false
		}
		name := strings.ToLower(m[1] + m[3] + m[4])
		if digits := strings.TrimLeft(strings.Trim(m[2], `"`), "0"); digits != "" {
			if n, err := strconv.ParseInt(digits, 10, 64); err != nil || n > 2147483647 {
				return false
			}
		}
		if seen[name] {
			return false
		}
		seen[name] = true
	}
	return seen["max-age"]
}

func acceptsReferrerPolicy(value string) bool {
	all := []string{"no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url"}
	seen := map[string]bool{}
	for _, token := range strings.Split(value, ",") {
		if token = strings.Trim(token, " "); token == "" {
			continue
		}
		if seen[token] || !slices.Contains(all, token) {
			return false
		}
		seen[token] = true
	}
	return len(seen) > 0 && isPlain(value)
}

var (
	members = regexp.MustCompile(strings.NewReplacer("ITEM", `(?:\*|self|"[^"\\]*")`, "TOKEN", "[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*").Replace(
		`^([a-z*][a-z0-9_.*-]*)=(?:(ITEM)|\( *((?:ITEM(?: +ITEM)*)?) *\))(?:; *report-to=(?:TOKEN|"[^"\\]*"))*$`))
	texts = regexp.MustCompile(`"[^"\\]*"`)
)

func acceptsPermissions(value string) bool {
	if !isPlain(value) || strings.HasSuffix(value, ",") {
		return false
	}
	seen := map[string]bool{}
	for first := true; first || value != ""; first = false {
		// Up to the next comma outside of quotes.
		end, inside := 0, false
		for ; end < len(value) && (inside || value[end] != ','); end++ {
			inside = inside != (value[end] == '"')
		}
		text := value[:end]
		value = strings.TrimPrefix(value[end:], ",")
		if !first {
			text = strings.TrimLeft(text, " ")
		}
		m := members.FindStringSubmatch(strings.TrimRight(text, " "))
		if m == nil || seen[m[1]] && slices.Contains(strings.Fields(features), m[1]) {
			return false
		}
		seen[m[1]] = true
		for _, text := range texts.FindAllString(m[2]+m[3], -1) {
			parts, ok := acceptsURLSource(strings.Trim(text, `"`))
			if !ok || parts["path"] != "" && parts["path"] != "/" {
				return false
			}
		}
	}
	return true
}
