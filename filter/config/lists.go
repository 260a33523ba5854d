package config

import (
	"github.com/tidwall/gjson"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// tokens reads a list of tokens. check refuses what is a token and does not belong there; key tells which are the same.
func (r *reader) tokens(path string, v *gjson.Result, what string, key func(string) string, check func(path string, v *gjson.Result) bool) []string {
	var all []string
	seen := map[string]bool{}
	star := place{}
	others := 0
	r.list(path, v, func(i int, v *gjson.Result) {
		path := Element(path, i)
		s, ok := r.text(path, v)
		switch {
		case !ok:
			return
		case !fetch.IsToken(s):
			r.fail(path, v.Raw, "is no "+what+": it has a character that none may have, or is empty", "write a name of letters, digits and hyphens")
		case len(s) > policy.MaxName:
			r.fail(path, v.Raw, "is longer than 256 bytes", "write a shorter name")
		case seen[key(s)]:
			r.fail(path, v.Raw, "stands in the list already", "write it once")
		case !check(path, v):
		default:
			all = append(all, s)
		}
		seen[key(s)] = true
		switch {
		case s == fetch.Wildcard:
			star = place{path, v.Raw}
		case what != requestHeaderName || key(s) != fetch.HeaderAuthorization:
			others++
		}
	})
	if star.path != "" && others > 0 {
		r.fail(star.path, star.raw, "stands beside others, which it makes meaningless", `write ["*"] alone, or leave it out`)
	}
	return all
}

const (
	methodName         = "method"
	requestHeaderName  = "request header name"
	responseHeaderName = "response header name"
)

func asIs(s string) string { return s }

func (r *reader) methods(path string, v *gjson.Result) []string {
	return r.tokens(path, v, methodName, asIs, func(path string, v *gjson.Result) bool {
		if fetch.IsForbiddenMethod(v.Str) {
			r.fail(path, v.Raw, "browsers forbid this method", "leave it out")
			return false
		}
		if sent := fetch.NormalizeMethod(v.Str); sent != v.Str {
			r.warn(path, v.Raw, "browsers send this method in upper case, and methods are case-sensitive", `write "`+sent+`", once`)
		} else if hasLowerCase(v.Str) {
			r.warn(path, v.Raw, "methods are case-sensitive: this is not the upper-case one", "write it as pages send it")
		}
		return true
	})
}

func hasLowerCase(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 'a' && s[i] <= 'z' {
			return true
		}
	}
	return false
}

func (r *reader) requestHeaders(path string, v *gjson.Result) []string {
	return r.tokens(path, v, requestHeaderName, fetch.Lower, func(path string, v *gjson.Result) bool {
		switch {
		case fetch.IsForbiddenRequestHeader(v.Str):
			r.fail(path, v.Raw, "browsers do not let pages set this header", "leave it out; cookies are governed by allowCredentials")
		case fetch.IsResponseHeader(v.Str):
			r.fail(path, v.Raw, "is a response header of CORS", "leave it out: it is sent where it belongs")
		default:
			return true
		}
		return false
	})
}

func (r *reader) exposeHeaders(path string, v *gjson.Result, b *block) {
	b.ExposeHeaders = r.tokens(path, v, responseHeaderName, fetch.Lower, func(path string, v *gjson.Result) bool {
		if fetch.IsForbiddenResponseHeader(v.Str) {
			r.fail(path, v.Raw, "browsers never show this header to pages", "leave it out")
			return false
		}
		if v.Str == fetch.Wildcard {
			b.exposeAny = &place{path, v.Raw}
		}
		return true
	})
}

func (r *reader) presets(path string, v *gjson.Result, b *block) {
	const grpcWeb = "grpc-web"
	r.list(path, v, func(i int, v *gjson.Result) {
		path := Element(path, i)
		s, ok := r.text(path, v)
		switch {
		case !ok:
		case s != grpcWeb:
			r.fail(path, v.Raw, "is no preset", `write "`+grpcWeb+`"`)
		case b.grpcWeb:
			r.fail(path, v.Raw, "stands in the list already", "write it once")
		default:
			b.grpcWeb = true
		}
	})
}

// fillIn puts in the defaults and what presets add.
func (b *block) fillIn() {
	if b.AllowMethods == nil {
		b.AllowMethods = []string{"GET", "HEAD", "POST"}
	}
	if !b.grpcWeb {
		return
	}
	b.AllowMethods = withMissing(b.AllowMethods, "POST")
	b.AllowHeaders = withMissing(b.AllowHeaders, "x-grpc-web", "x-user-agent", "grpc-timeout", "content-type")
	b.ExposeHeaders = withMissing(b.ExposeHeaders, "grpc-status", "grpc-message", "grpc-status-details-bin")
}

// withMissing returns list and those of names that it lacks; `*` lacks none.
func withMissing(list []string, names ...string) []string {
	for _, n := range names {
		found := false
		for _, have := range list {
			found = found || have == fetch.Wildcard || fetch.EqualFold(have, n)
		}
		if !found {
			list = append(list, n)
		}
	}
	return list
}
