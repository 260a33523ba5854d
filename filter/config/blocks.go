package config

import (
	"github.com/tidwall/gjson"

	"corsguard/filter/policy"
)

// blocks is what stands beside cors, in the document or in a rule.
type blocks struct {
	isolation, securityHeaders []policy.SetHeader
	fetchMetadata              policy.FetchMetadata
	mode                       policy.Mode
	// Which of them are there, and where fetchMetadata is.
	hasIsolation, hasSecurityHeaders, hasFetchMetadata, hasMode bool
	fetchMetadataAt                                             place
}

// blockFields gives the keys of b. A rule may switch a block off by null.
func (r *reader) blockFields(b *blocks, inRule bool) []field {
	isNull := func(v *gjson.Result) bool { return inRule && v.Type == gjson.Null }
	return []field{
		{"mode", func(path string, v *gjson.Result) { b.hasMode = true; r.mode(path, v, &b.mode) }},
		{"isolation", func(path string, v *gjson.Result) {
			if b.hasIsolation = true; !isNull(v) {
				b.isolation = r.isolation(path, v)
			}
		}},
		{"securityHeaders", func(path string, v *gjson.Result) {
			if b.hasSecurityHeaders = true; !isNull(v) {
				b.securityHeaders = r.securityHeaders(path, v)
			}
		}},
		{"fetchMetadata", func(path string, v *gjson.Result) {
			if b.hasFetchMetadata = true; !isNull(v) {
				b.fetchMetadataAt = place{path, v.Raw}
				r.fetchMetadata(path, v, &b.fetchMetadata)
			}
		}},
	}
}

func (b *blocks) setAnything() bool {
	return len(b.isolation)+len(b.securityHeaders) > 0 || b.fetchMetadata.On
}

var (
	modeNames      = []string{"enforce", "shadow", "off"}
	otherwiseNames = modeNames[1:]
	modeKeys       = []string{"enforce", "otherwise"}
	fractionKeys   = []string{"numerator", "denominator"}
	denominators   = []string{"HUNDRED", "TEN_THOUSAND", "MILLION"}
	fetchModes     = []string{"enforce", "report"}
	fetchKeys      = []string{"mode", "allowSameSite", "allowUnsafeNavigations"}
)

// mode reads a mode: a string, or the share of requests for which the policy is enforced, as Envoy spells shares (FractionalPercent).
func (r *reader) mode(path string, v *gjson.Result, m *policy.Mode) {
	if v.Type == gjson.String {
		if i := r.oneOf(path, v, modeNames); i > 0 {
			*m = policy.Mode{Unenforced: policy.Million, Otherwise: policy.Otherwise(i - 1)}
		}
		return
	}
	if !v.IsObject() {
		r.fail(path, v.Raw, "must be a string or an object, is "+typeOf(v), `write "enforce", "shadow", "off" or {"enforce": {"numerator": 10}}`)
		return
	}
	hasShare := false
	r.keys(path, v, modeKeys, func(i int, path string, v *gjson.Result) {
		if i == 0 {
			hasShare = true
			m.Unenforced = policy.Million - r.fraction(path, v)
		} else if i := r.oneOf(path, v, otherwiseNames); i >= 0 {
			m.Otherwise = policy.Otherwise(i)
		}
	})
	if !hasShare {
		r.fail(path, v.Raw, "has no share", `add "enforce": {"numerator": 10}`)
	}
}

// fraction reads a share of requests, in millionths.
func (r *reader) fraction(path string, v *gjson.Result) uint32 {
	numerator, denominator, before := -1, 100, r.mistakes
	var at place
	isObject := r.keys(path, v, fractionKeys, func(i int, path string, v *gjson.Result) {
		if i == 0 {
			at, numerator = place{path, v.Raw}, 0
			r.integer(&numerator, 0, policy.Million)(path, v)
			return
		}
		for i := r.oneOf(path, v, denominators); i > 0; i-- {
			denominator *= 100
		}
	})
	switch {
	case !isObject || r.mistakes > before:
		return 0
	case numerator < 0:
		r.fail(path, v.Raw, "has no numerator", `add "numerator": 10`)
		return 0
	case numerator > denominator:
		r.failAt(at, "is more than the denominator", "write no more than that; it is HUNDRED where none is written")
		return 0
	}
	return uint32(numerator * (policy.Million / denominator))
}

func (r *reader) fetchMetadata(path string, v *gjson.Result, f *policy.FetchMetadata) {
	sameSite, unsafeNavigations := true, true
	r.keys(path, v, fetchKeys, func(i int, path string, v *gjson.Result) {
		switch i {
		case 0:
			f.Report = r.oneOf(path, v, fetchModes) == 1
		case 1:
			r.truth(path, v, &sameSite)
		case 2:
			r.truth(path, v, &unsafeNavigations)
		}
	})
	f.On, f.RefuseSameSite, f.RefuseUnsafeNavigations = true, !sameSite, !unsafeNavigations
}

// checkFetchMetadata warns where what cors says makes b's resource isolation policy more or less than it may seem.
func (r *reader) checkFetchMetadata(b *blocks, cors []policy.CORS) {
	if b.fetchMetadataAt.path == "" {
		return
	}
	switch {
	case len(cors) == 0:
		r.warnAt(b.fetchMetadataAt, "there is no cors policy beside it: what the upstream allows other sites by CORS is refused too", "add a cors policy, or leave out what other sites may call")
	case len(cors) == 1 && policy.IsAnyOrigin(&cors[0]):
		r.warnAt(b.fetchMetadataAt, "cors allows any origin, so nothing is refused", "leave it out, or list the origins")
	}
}
