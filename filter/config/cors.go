package config

import (
	"strconv"

	"github.com/tidwall/gjson"

	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// block is a cors block while it is read: the data, and where in the document it came from.
type block struct {
	policy.CORS
	path string
	// originsPath is that of the list of patterns; exactAt and patternAt tell where in it those of AllowOrigins stand.
	originsPath        string
	exactAt, patternAt []int32
	// exposeAny and null are the places of exposeHeaders' `*` and of allowNull, which credentials forbid.
	exposeAny, null                     *place
	shared                              [numShared]place // "" where it is not written
	unknownNull                         bool             // allowNull is there and no boolean
	insecureOK, publicSuffixOK          bool
	hasOrigins, hasOriginsFrom, grpcWeb bool
	source                              *policy.Source // nil without one, or with mistakes in it
}

type place struct{ path, raw string }

const (
	maxMaxAge = 86400
	// chromiumMaxAge is where Chromium caps Access-Control-Max-Age.
	chromiumMaxAge = 7200
)

// cors reads a cors block, or an array of them, one for each group of origins.
func (r *reader) cors(path string, v *gjson.Result) []policy.CORS {
	before := r.mistakes
	var blocks []*block
	read := func(path string, v *gjson.Result) {
		if b := r.block(path, v); b != nil {
			blocks = append(blocks, b)
		}
	}
	if v.IsArray() {
		r.list(path, v, func(i int, v *gjson.Result) { read(Element(path, i), v) })
	} else {
		read(path, v)
	}
	r.share(blocks)
	r.checkGroups(blocks)
	if r.mistakes > before {
		return nil
	}
	groups := make([]policy.CORS, len(blocks))
	for i, b := range blocks {
		groups[i] = b.CORS
	}
	return groups
}

// block reads one cors block. The keys are those of the Gateway API's HTTPCORSFilter and more.
func (r *reader) block(path string, v *gjson.Result) *block {
	b := &block{path: path, CORS: policy.CORS{MaxAge: policy.MaxAgeUnset, PreflightStatus: policy.DefaultPreflightStatus}}
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
			before := r.mistakes
			r.boolean(&b.AllowNull)(path, v)
			b.unknownNull = r.mistakes > before
			b.null = &place{path, v.Raw}
		}},
		{"allowPrivateNetwork", r.boolean(&b.AllowPrivateNetwork)},
		{"timingAllowOrigin", r.boolean(&b.TimingAllowOrigin)},
		{"preflightStatus", r.shareable(b, sharedPreflightStatus, r.integer(&b.PreflightStatus, 200, 299))},
		{"onRefusedPreflight", r.shareable(b, sharedRefusedPreflight,
			r.choice([]string{"answer", "deny", "forward"}, func(i int) { b.OnRefusedPreflight = policy.RefusedPreflight(i) }))},
		{"onRefusedOrigin", r.shareable(b, sharedRefusedOrigin,
			r.choice([]string{"pass", "deny"}, func(i int) { b.OnRefusedOrigin = policy.OnRefused(i) }))},
		{"onMissingOrigin", r.shareable(b, sharedMissingOrigin,
			r.choice([]string{"pass", "deny"}, func(i int) { b.OnMissingOrigin = policy.OnRefused(i) }))},
		{"upstreamHeaders", r.shareable(b, sharedUpstreamHeaders,
			r.choice([]string{"replace", "keep"}, func(i int) { b.UpstreamHeaders = policy.UpstreamHeaders(i) }))},
		{"allowOriginsFrom", func(path string, v *gjson.Result) { b.hasOriginsFrom = true; r.source(path, v, b) }},
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
	r.addSource(b)
	b.fillIn()
	return b
}

// origins reads a list of origin patterns. There may be very many: nothing is kept of an exact one but its text and place.
func (r *reader) origins(path string, v *gjson.Result, b *block) {
	b.hasOrigins, b.originsPath = true, path
	seen := make(map[string]struct{}, elementsHint(v))
	n := 0
	r.list(path, v, func(i int, v *gjson.Result) {
		n++
		p, ok := r.pattern(path, i, v)
		if !ok {
			return
		}
		key := p.String()
		if p.Kind == origin.Regex {
			key = "regex " + key
		}
		if _, dup := seen[key]; dup {
			r.fail(Element(path, i), v.Raw, "stands in the list already", "write it once")
			return
		}
		seen[key] = struct{}{}
		if p.IsLiteral() {
			b.exactAt = append(b.exactAt, int32(i))
		} else {
			b.patternAt = append(b.patternAt, int32(i))
		}
		b.AllowOrigins.Add(&p)
	})
	if n > 1 {
		for i := range b.AllowOrigins.Patterns {
			if p := &b.AllowOrigins.Patterns[i]; p.Kind == origin.Any {
				r.failAt(b.patternPlace(i), "stands beside other patterns, which it makes meaningless", `write ["*"] alone, or leave it out`)
			}
		}
	}
}

// elementsHint guesses how many elements the list v has.
func elementsHint(v *gjson.Result) int {
	const most = 1 << 20
	return min(len(v.Raw)/len(`"https://app.example.com",`), most)
}

// exactPlace and patternPlace return the place of an exact pattern, and of another one.
func (b *block) exactPlace(i int) place {
	return place{Element(b.originsPath, int(b.exactAt[i])), `"` + b.AllowOrigins.Exact[i] + `"`}
}

func (b *block) patternPlace(i int) place {
	p := &b.AllowOrigins.Patterns[i]
	raw := `"` + p.String() + `"`
	if p.Kind == origin.Regex {
		raw = `{"regex": ` + raw + `}`
	}
	return place{Element(b.originsPath, int(b.patternAt[i])), raw}
}

// pattern reads element i of a list: a pattern, which is a string, or an object as Istio and Envoy spell string matches.
func (r *reader) pattern(list string, i int, v *gjson.Result) (origin.Pattern, bool) {
	parse, value := origin.ParsePattern, v
	if v.IsObject() {
		key, inner, ok := r.matcher(Element(list, i), v)
		if !ok {
			return origin.Pattern{}, false
		}
		parse, value = origin.ParseExact, inner
		if key == "regex" {
			parse = origin.ParseRegex
			if !r.countRegex(Element(list, i), v) {
				return origin.Pattern{}, false
			}
		}
	}
	if value.Type != gjson.String {
		r.fail(Element(list, i), v.Raw, "must be a string or an object, is "+typeOf(value), `write "https://app.example.com"`)
		return origin.Pattern{}, false
	}
	p, err := parse(value.Str)
	if err != nil {
		r.refuse(Element(list, i), v, err)
		return origin.Pattern{}, false
	}
	return p, true
}

// refuse reports why something is no pattern: err, which is of type *origin.PatternError.
func (r *reader) refuse(path string, v *gjson.Result, err error) {
	e := err.(*origin.PatternError)
	r.fail(path, v.Raw, e.Reason, e.Fix)
}

// maxRegexes bounds the regular expressions of a configuration: a request may be compared with all of them.
const maxRegexes = 64

func (r *reader) countRegex(path string, v *gjson.Result) bool {
	r.regexes++
	if r.regexes == maxRegexes+1 {
		r.fail(path, v.Raw, "is one regular expression too many: a configuration has at most "+strconv.Itoa(maxRegexes), "write patterns with wildcards")
	}
	return r.regexes <= maxRegexes
}

// matcher reads the object form of a pattern: one key, exact or regex.
func (r *reader) matcher(path string, v *gjson.Result) (kind string, value *gjson.Result, ok bool) {
	const write = `write {"exact": "https://app.example.com"}, {"regex": "https://(app|admin)\\.example\\.com"} or a pattern such as "https://*.example.com"`
	keys, key, inner := onlyKey(v)
	switch {
	case keys != 1:
		r.fail(path, v.Raw, "must have one key", write)
	case key == "prefix":
		r.fail(path, v.Raw, "a prefix also admits other hosts: https://example.com admits https://example.com.evil.test", write)
	case key == "suffix", key == "contains":
		r.fail(path, v.Raw, "a "+key+" also admits other hosts: example.com admits https://evilexample.com", write)
	case key != "exact" && key != "regex":
		r.fail(path, v.Raw, "unknown kind of pattern", write)
	case inner.Type != gjson.String:
		r.fail(path, v.Raw, "must have a string, has "+typeOf(inner), write)
	default:
		return key, inner, true
	}
	return "", inner, false
}
