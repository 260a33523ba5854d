package config

import (
	"github.com/tidwall/gjson"

	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// block is a cors block while it is read: the data, and where in the document it came from.
type block struct {
	policy.CORS
	path     string
	patterns []located
	// exposeAny and null are the places of exposeHeaders' `*` and of allowNull, which credentials forbid.
	exposeAny, null                     *place
	unknownNull                         bool // allowNull is there and no boolean
	insecureOK, publicSuffixOK          bool
	hasOrigins, hasOriginsFrom, grpcWeb bool
}

type place struct{ path, raw string }

type located struct {
	origin.Pattern
	place
}

const (
	defaultPreflightStatus = 204
	maxMaxAge              = 86400
	// chromiumMaxAge is where Chromium caps Access-Control-Max-Age.
	chromiumMaxAge = 7200
)

// cors reads a cors block. The keys are those of the Gateway API's HTTPCORSFilter and more.
func (r *reader) cors(path string, v *gjson.Result) *policy.CORS {
	if v.IsArray() {
		r.fail(path, v.Raw, "an array of policies is not supported by this version", "write one object")
		return nil
	}
	b := &block{path: path, CORS: policy.CORS{MaxAge: policy.MaxAgeUnset, PreflightStatus: defaultPreflightStatus}}
	before := len(r.errs)
	isObject := r.object(path, v, []field{
		{"allowOrigins", func(path string, v *gjson.Result) { r.origins(path, v, b) }},
		{"allowMethods", func(path string, v *gjson.Result) { b.AllowMethods = r.methods(path, v) }},
		{"allowHeaders", func(path string, v *gjson.Result) { b.AllowHeaders = r.requestHeaders(path, v) }},
		{"exposeHeaders", func(path string, v *gjson.Result) { r.exposeHeaders(path, v, b) }},
		{"allowCredentials", r.boolean(&b.AllowCredentials)},
		{"maxAge", func(path string, v *gjson.Result) {
			r.integer(&b.MaxAge, 0, maxMaxAge)(path, v)
			if b.MaxAge > chromiumMaxAge {
				r.warn(path, v.Raw, "Chromium takes no more than 7200 seconds", "write 7200 or less")
			}
		}},
		{"allowNull", func(path string, v *gjson.Result) {
			mistakes := len(r.errs)
			r.boolean(&b.AllowNull)(path, v)
			b.unknownNull = len(r.errs) > mistakes
			b.null = &place{path, v.Raw}
		}},
		{"allowPrivateNetwork", r.boolean(&b.AllowPrivateNetwork)},
		{"timingAllowOrigin", r.boolean(&b.TimingAllowOrigin)},
		{"preflightStatus", r.integer(&b.PreflightStatus, 200, 299)},
		{"onRefusedPreflight", r.choice([]string{"answer", "deny", "forward"}, func(i int) { b.OnRefusedPreflight = policy.RefusedPreflight(i) })},
		{"onRefusedOrigin", r.choice([]string{"pass", "deny"}, func(i int) { b.OnRefusedOrigin = policy.OnRefused(i) })},
		{"onMissingOrigin", r.choice([]string{"pass", "deny"}, func(i int) { b.OnMissingOrigin = policy.OnRefused(i) })},
		{"upstreamHeaders", r.choice([]string{"replace", "keep"}, func(i int) { b.UpstreamHeaders = policy.UpstreamHeaders(i) })},
		{"allowOriginsFrom", func(path string, v *gjson.Result) { b.hasOriginsFrom = true; r.unsupported(path, v) }},
		{"presets", func(path string, v *gjson.Result) { r.presets(path, v, b) }},
		{"dangerously", func(path string, v *gjson.Result) {
			r.object(path, v, []field{
				{"allowInsecureOrigins", r.boolean(&b.insecureOK)},
				{"allowPublicSuffixWildcards", r.boolean(&b.publicSuffixOK)},
			})
		}},
	})
	if !isObject {
		return nil
	}
	if !b.hasOrigins && !b.AllowNull && !b.unknownNull && !b.hasOriginsFrom {
		r.fail(path, v.Raw, "allows no origin", `add "allowOrigins": ["https://app.example.com"]`)
	}
	r.checkCredentials(b)
	r.checkOrigins(b)
	b.fillIn()
	if len(r.errs) > before {
		return nil
	}
	return &b.CORS
}

// origins reads a list of origin patterns.
func (r *reader) origins(path string, v *gjson.Result, b *block) {
	b.hasOrigins = true
	seen := map[string]bool{}
	n := 0
	r.list(path, v, func(path string, _ int, v *gjson.Result) {
		n++
		p, ok := r.pattern(path, v)
		switch {
		case !ok:
		case seen[p.String()]:
			r.fail(path, v.Raw, "stands in the list already", "write it once")
		default:
			seen[p.String()] = true
			b.patterns = append(b.patterns, located{p, place{path, v.Raw}})
			b.AllowOrigins = append(b.AllowOrigins, p)
		}
	})
	if n > 1 {
		for i := range b.patterns {
			p := &b.patterns[i]
			if p.Kind == origin.Any {
				r.fail(p.path, p.raw, "stands beside other patterns, which it makes meaningless", `write ["*"] alone, or leave it out`)
			}
		}
	}
}

// pattern reads a pattern: a string, or an object as Istio and Envoy spell string matches.
func (r *reader) pattern(path string, v *gjson.Result) (origin.Pattern, bool) {
	parse, value := origin.ParsePattern, v
	if v.IsObject() {
		key, inner, ok := r.matcher(path, v)
		if !ok {
			return origin.Pattern{}, false
		}
		if key == "regex" {
			r.fail(path, v.Raw, "regex patterns are not supported by this version", "write patterns with wildcards, such as https://*.example.com")
			return origin.Pattern{}, false
		}
		parse, value = origin.ParseExact, inner
	}
	if value.Type != gjson.String {
		r.fail(path, v.Raw, "must be a string, is "+typeOf(value), `write "https://app.example.com"`)
		return origin.Pattern{}, false
	}
	p, err := parse(value.Str)
	if err != nil {
		pe, ok := err.(*origin.PatternError)
		if !ok {
			pe = &origin.PatternError{Reason: err.Error(), Fix: "write an origin such as https://app.example.com"}
		}
		r.fail(path, v.Raw, pe.Reason, pe.Fix)
		return origin.Pattern{}, false
	}
	return p, true
}

// matcher reads the object form of a pattern: one key, exact or regex.
func (r *reader) matcher(path string, v *gjson.Result) (key string, inner *gjson.Result, ok bool) {
	const write = `write {"exact": "https://app.example.com"} or a pattern such as "https://*.example.com"`
	keys := 0
	v.ForEach(func(k, value gjson.Result) bool {
		keys++
		key, inner = k.Str, &value
		return true
	})
	switch {
	case keys != 1:
		r.fail(path, v.Raw, "must have one key", write)
	case key == "prefix":
		r.fail(path, v.Raw, "a prefix also admits other hosts: https://example.com admits https://example.com.evil.test", write)
	case key == "suffix", key == "contains":
		r.fail(path, v.Raw, "a "+key+" also admits other hosts: example.com admits https://evilexample.com", write)
	case key != "exact" && key != "regex":
		r.fail(path, v.Raw, "unknown kind of pattern", write)
	default:
		return key, inner, true
	}
	return "", inner, false
}
