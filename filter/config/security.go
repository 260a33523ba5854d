package config

import (
	"github.com/tidwall/gjson"

	"corsguard/filter/headervalue"
	"corsguard/filter/policy"
)

// securityKeys are the keys of the block, in the order of the headers.
var securityKeys = []string{
	"contentSecurityPolicy", "contentSecurityPolicyReportOnly", "strictTransportSecurity", "xContentTypeOptions", "xFrameOptions", "referrerPolicy", "permissionsPolicy", "xXssProtection",
}

var headerValueKeys = []string{"value", "ifAbsent"}

// checkValue checks the value of a security header.
func checkValue(name policy.HeaderName, value string) []headervalue.Finding {
	switch name {
	case policy.ContentSecurityPolicy, policy.ContentSecurityPolicyReportOnly:
		return headervalue.ContentSecurityPolicy(value, name == policy.ContentSecurityPolicyReportOnly)
	case policy.StrictTransportSecurity:
		return headervalue.StrictTransportSecurity(value)
	case policy.ContentTypeOptions:
		return headervalue.ContentTypeOptions(value)
	case policy.FrameOptions:
		return headervalue.FrameOptions(value)
	case policy.ReferrerPolicy:
		return headervalue.ReferrerPolicy(value)
	case policy.PermissionsPolicy:
		return headervalue.PermissionsPolicy(value)
	}
	return headervalue.XSSProtection(value)
}

// securityHeaders reads the block of that name: for each header its value, or an object of that and whether the upstream's is left in place.
func (r *reader) securityHeaders(path string, v *gjson.Result) []policy.SetHeader {
	var headers []policy.SetHeader
	before := r.mistakes
	isObject := r.keys(path, v, securityKeys, func(i int, path string, v *gjson.Result) {
		h := policy.SetHeader{Name: policy.ContentSecurityPolicy + policy.HeaderName(i)}
		if r.headerValue(path, v, &h) {
			headers = append(headers, h)
		}
	})
	if isObject && len(headers) == 0 && r.mistakes == before {
		r.fail(path, v.Raw, "sets nothing", `write {"xContentTypeOptions": "nosniff"}, or leave it out`)
	}
	return headers
}

// headerValue reads the value of h, and reports whether it is one.
func (r *reader) headerValue(path string, v *gjson.Result, h *policy.SetHeader) bool {
	before, hasValue := r.mistakes, false
	read := func(i int, path string, v *gjson.Result) {
		if i == 1 {
			r.truth(path, v, &h.IfAbsent)
			return
		}
		hasValue = true
		text, ok := r.text(path, v)
		if !ok {
			return
		}
		h.Value = text
		for _, f := range checkValue(h.Name, text) {
			if f.Warning {
				r.warn(path, v.Raw, f.Reason, f.Fix)
			} else {
				r.fail(path, v.Raw, f.Reason, f.Fix)
			}
		}
	}
	switch {
	case v.IsObject():
		if r.keys(path, v, headerValueKeys, read); !hasValue {
			r.fail(path, v.Raw, "has no value", `add "value": "…"`)
		}
	case v.Type == gjson.String:
		read(0, path, v)
	default:
		r.fail(path, v.Raw, "must be a string or an object, is "+typeOf(v), `write "…" or {"value": "…", "ifAbsent": true}`)
	}
	return r.mistakes == before
}
