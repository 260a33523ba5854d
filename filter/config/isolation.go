package config

import (
	"strings"

	"github.com/tidwall/gjson"

	"corsguard/filter/fetch"
	"corsguard/filter/headervalue"
	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// The values that the HTML and Fetch standards give the headers, and the proposal of Document-Isolation-Policy.
var (
	openerPolicies   = []string{sameOrigin, "same-origin-allow-popups", "noopener-allow-popups", unsafeNone}
	embedderPolicies = []string{requireCORP, "credentialless", unsafeNone}
	resourcePolicies = []string{sameOrigin, "same-site", "cross-origin"}
	documentPolicies = []string{"isolate-and-require-corp", "isolate-and-credentialless", "none"}
	isolationPresets = []string{"cross-origin-isolated"}
	reportingKeys    = []string{"value", "reportTo"}
)

const (
	sameOrigin  = "same-origin"
	requireCORP = "require-corp"
	unsafeNone  = "unsafe-none"
)

// Bounds of reportingEndpoints.
const (
	maxEndpoints     = 32
	maxEndpointName  = 64
	maxEndpointBytes = 2048
)

// isolationBlock is an isolation block while it is read.
type isolationBlock struct {
	headers   []policy.SetHeader
	endpoints []string
	values    [policy.NumHeaderNames]string // of the headers that take one of a few values
	at        [policy.NumHeaderNames]place  // where the value stands
	reportTo  []reference
	preset    bool
}

// reference is the name of an endpoint, where it is used.
type reference struct {
	place
	name string
}

// isolationKeys are the keys of the block. The first ones name headers, in the order of isolationHeaders.
var isolationKeys = []string{
	"crossOriginOpenerPolicy", "crossOriginOpenerPolicyReportOnly", "crossOriginEmbedderPolicy", "crossOriginEmbedderPolicyReportOnly", "documentIsolationPolicy",
	"crossOriginResourcePolicy", "originAgentCluster", "reportingEndpoints", "preset",
}

const (
	resourcePolicyKey = iota + len(isolationHeaders)
	agentClusterKey
	endpointsKey
	presetKey
)

// isolationHeaders are those that report, and their values.
var isolationHeaders = [...]struct {
	name   policy.HeaderName
	values []string
}{
	{policy.OpenerPolicy, openerPolicies}, {policy.OpenerPolicyReportOnly, openerPolicies},
	{policy.EmbedderPolicy, embedderPolicies}, {policy.EmbedderPolicyReportOnly, embedderPolicies},
	{policy.DocumentIsolationPolicy, documentPolicies},
}

func (r *reader) isolation(path string, v *gjson.Result) []policy.SetHeader {
	b := &isolationBlock{}
	before := r.mistakes
	isObject := r.keys(path, v, isolationKeys, func(i int, path string, v *gjson.Result) {
		switch i {
		default:
			r.reportingPolicy(path, v, b, isolationHeaders[i].name, isolationHeaders[i].values)
		case resourcePolicyKey:
			if i := r.oneOf(path, v, resourcePolicies); i >= 0 {
				b.set(policy.ResourcePolicy, resourcePolicies[i])
			}
		case agentClusterKey:
			on := false
			r.truth(path, v, &on)
			value := "?0"
			if on {
				value = "?1"
			}
			b.set(policy.OriginAgentCluster, value)
		case endpointsKey:
			r.endpoints(path, v, b)
		case presetKey:
			b.preset = r.oneOf(path, v, isolationPresets) == 0
		}
	})
	if !isObject {
		return nil
	}
	r.checkReferences(b)
	r.checkIsolation(b)
	if len(b.headers) == 0 && r.mistakes == before {
		r.fail(path, v.Raw, "sets nothing", `write {"crossOriginResourcePolicy": "same-origin"}, or leave it out`)
	}
	return b.headers
}

func (b *isolationBlock) set(name policy.HeaderName, value string) {
	b.headers = append(b.headers, policy.SetHeader{Name: name, Value: value})
}

// reportingPolicy reads a policy that reports: its value, or an object of that and the endpoint that it reports to.
func (r *reader) reportingPolicy(path string, v *gjson.Result, b *isolationBlock, name policy.HeaderName, values []string) {
	value, endpoint, hasValue := "", "", false
	read := func(i int, path string, v *gjson.Result) {
		if i == 1 {
			if text, ok := r.text(path, v); ok {
				endpoint = `; report-to="` + text + `"`
				b.reportTo = append(b.reportTo, reference{place{path, v.Raw}, text})
			}
			return
		}
		b.at[name], hasValue = place{path, v.Raw}, true
		if i := r.oneOf(path, v, values); i >= 0 {
			value = values[i]
		}
	}
	switch {
	case v.IsObject():
		r.keys(path, v, reportingKeys, read)
	case v.Type == gjson.String:
		read(0, path, v)
	default:
		r.fail(path, v.Raw, "must be a string or an object, is "+typeOf(v), `write "`+values[0]+`" or {"value": "`+values[0]+`", "reportTo": "…"}`)
		return
	}
	if !hasValue {
		r.fail(path, v.Raw, "has no value", `add "value": "`+values[0]+`"`)
	}
	b.values[name] = value
	if endpoint == "" && (name == policy.OpenerPolicyReportOnly || name == policy.EmbedderPolicyReportOnly) {
		r.warn(path, v.Raw, "reports to nobody", `write {"value": …, "reportTo": …}`)
	}
	b.set(name, value+endpoint)
}

// endpoints reads the endpoints that reports go to (Reporting API, section 3.2).
func (r *reader) endpoints(path string, v *gjson.Result, b *isolationBlock) {
	if !v.IsObject() {
		r.fail(path, v.Raw, "must be an object, is "+typeOf(v), `write {"default": "https://reports.example.com/"}`)
		return
	}
	list := ""
	v.ForEach(func(key, value gjson.Result) bool {
		at := Key(path, key.Str)
		switch {
		case !isEndpointName(key.Str):
			r.fail(at, value.Raw, "is no name of an endpoint", "write at most 64 of a-z, 0-9, _, -, . and *, and begin with a letter or *")
		case indexOf(b.endpoints, key.Str) >= 0:
			r.fail(at, value.Raw, "duplicate key", "write it once")
		}
		if url, ok := r.text(at, &value); ok {
			if reason := checkEndpoint(url); reason != "" {
				r.fail(at, value.Raw, reason, `write "https://reports.example.com/…", or a path such as "/reports"`)
			}
			if list != "" {
				list += ", "
			}
			list += key.Str + `="` + url + `"`
		}
		b.endpoints = append(b.endpoints, key.Str)
		return len(b.endpoints) <= maxEndpoints
	})
	switch n := len(b.endpoints); {
	case n == 0:
		r.fail(path, v.Raw, "must not be empty", "name an endpoint, or leave the key out")
	case n > maxEndpoints:
		r.fail(path, "", "has more than 32 endpoints", "write fewer")
	case len(list) > headervalue.MaxBytes:
		r.fail(path, "", "makes a header of more than 8192 bytes", "write fewer endpoints, or shorter ones")
	}
	b.set(policy.ReportingEndpoints, list)
}

// isEndpointName reports whether s is a key of a structured dictionary (RFC 8941, section 3.1.2), and not too long.
func isEndpointName(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		isFirst := c >= 'a' && c <= 'z' || c == '*'
		if !isFirst && (i == 0 || (c < '0' || c > '9') && c != '_' && c != '-' && c != '.') {
			return false
		}
	}
	return s != "" && len(s) <= maxEndpointName
}

// checkEndpoint tells why browsers would send no reports to url.
func checkEndpoint(url string) string {
	if len(url) > maxEndpointBytes {
		return "is longer than 2048 bytes"
	}
	for i := 0; i < len(url); i++ {
		switch c := url[i]; {
		case c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '<' || c == '>':
			return "has a character that must be percent-encoded in a URL"
		case c == '#':
			return "has a fragment, which is never sent"
		}
	}
	if strings.HasPrefix(url, "/") {
		if strings.HasPrefix(url, "//") {
			return "has no scheme"
		}
		return ""
	}
	scheme, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	host, _, _ = strings.Cut(host, "?")
	if scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	o, ok := origin.Parse(fetch.Lower(scheme + "://" + host))
	switch {
	case !ok:
		return "is no URL that browsers send reports to"
	case o.Scheme != "https" && (o.Scheme != "http" || !origin.IsLoopback(o.Host)):
		return "is no https URL: browsers send no reports to others"
	}
	return ""
}

func (r *reader) checkReferences(b *isolationBlock) {
	for _, reference := range b.reportTo {
		if indexOf(b.endpoints, reference.name) < 0 {
			r.failAt(reference.place, "is no name of reportingEndpoints", "name the endpoint there")
		}
	}
}

// checkIsolation fills in what the preset stands for, and checks what stands in several keys.
func (r *reader) checkIsolation(b *isolationBlock) {
	opener, embedder := &b.values[policy.OpenerPolicy], &b.values[policy.EmbedderPolicy]
	if b.preset {
		const fix = "leave it out, or the preset"
		switch *opener {
		case "":
			*opener = sameOrigin
			b.set(policy.OpenerPolicy, sameOrigin)
		case sameOrigin:
		default:
			r.failAt(b.at[policy.OpenerPolicy], "contradicts the preset, which needs same-origin", fix)
		}
		switch *embedder {
		case "":
			*embedder = requireCORP
			b.set(policy.EmbedderPolicy, requireCORP)
		case unsafeNone:
			r.failAt(b.at[policy.EmbedderPolicy], "contradicts the preset, which needs require-corp or credentialless", fix)
		}
	}
	isolates := *embedder != "" && *embedder != unsafeNone
	document := b.values[policy.DocumentIsolationPolicy]
	if isolates && *opener != sameOrigin && (document == "" || document == "none") {
		r.warnAt(b.at[policy.EmbedderPolicy], "makes no page crossOriginIsolated without a crossOriginOpenerPolicy of same-origin", `add it, or write {"preset": "cross-origin-isolated"}`)
	}
}
