package config

import (
	"strconv"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"corsguard/filter/policy"
)

// Bounds of a configuration document.
const (
	MaxBytes = 16 << 20
	MaxDepth = 64
)

const wholeDocument = "$"

// defaultRefusalsPerMinute bounds the refusal log where the configuration does not.
const defaultRefusalsPerMinute = 60

// Parse reads a plugin configuration. The error, if there is one, is of type Error and holds every mistake, up to a bound; the Spec is then not to be used. Warnings
// are what is allowed but unwise. Parse keeps nothing of data.
func Parse(data []byte) (policy.Spec, []Problem, error) {
	if p := checkDocument(data); p != nil {
		return policy.Spec{}, nil, Error{*p}
	}
	r := &reader{}
	spec := policy.Spec{Log: policy.Log{RefusalsPerMinute: defaultRefusalsPerMinute}}
	parsed := gjson.ParseBytes(data)
	doc := &parsed
	if !doc.IsObject() {
		r.fail(wholeDocument, doc.Raw, "must be an object, is "+typeOf(doc), `write {"cors": {…}}`)
		return policy.Spec{}, nil, r.errs
	}
	var b blocks
	var rules *ruleSet
	r.object("", doc, append([]field{
		{"cors", func(path string, v *gjson.Result) { spec.CORS = r.cors(path, v) }},
		{"log", func(path string, v *gjson.Result) { r.log(path, v, &spec.Log) }},
		{"rules", func(path string, v *gjson.Result) { rules = r.rules(path, v) }},
	}, r.blockFields(&b, false)...))
	spec.Sources = r.sources
	spec.Isolation, spec.SecurityHeaders, spec.FetchMetadata, spec.Mode = b.isolation, b.securityHeaders, b.fetchMetadata, b.mode
	r.checkFetchMetadata(&b, spec.CORS)
	if rules != nil {
		spec.Rules = rules.rules
		for i := range rules.rules {
			cors := spec.CORS
			if rule := &rules.rules[i]; rule.OwnCORS {
				cors = rule.CORS
			}
			r.checkFetchMetadata(&rules.blocks[i], cors)
		}
	}
	if r.mistakes == 0 && !configuresAnything(&spec, &b, rules) {
		r.fail(wholeDocument, "", "configures nothing", `write {"cors": {"allowOrigins": […]}}`)
	}
	if r.mistakes > 0 {
		return policy.Spec{}, nil, Error(more(r.errs, r.mistakes))
	}
	return spec, more(r.warns, r.unwise), nil
}

func configuresAnything(spec *policy.Spec, b *blocks, rules *ruleSet) bool {
	if rules != nil {
		for i := range rules.rules {
			if len(rules.rules[i].CORS) > 0 || rules.blocks[i].setAnything() {
				return true
			}
		}
	}
	return len(spec.CORS) > 0 || b.setAnything()
}

func (r *reader) log(path string, v *gjson.Result, log *policy.Log) {
	const most = 60000
	r.object(path, v, []field{{"refusalsPerMinute", r.integer(&log.RefusalsPerMinute, 0, most)}})
}

// checkDocument refuses what is no JSON text (RFC 8259), and what would cost too much to find that out.
func checkDocument(data []byte) *Problem {
	problem := func(reason, fix string) *Problem { return &Problem{Path: wholeDocument, Reason: reason, Fix: fix} }
	switch {
	case isBlank(data):
		return problem("there is no configuration", `write {"cors": {"allowOrigins": […]}}`)
	case len(data) > MaxBytes:
		return problem("is longer than "+strconv.Itoa(MaxBytes)+" bytes", "write fewer patterns, with wildcards")
	case !utf8.Valid(data):
		return problem("is not valid UTF-8", "write UTF-8 without a byte order mark, in Envoy as a google.protobuf.StringValue")
	case depth(data) > MaxDepth:
		return problem("is nested more than "+strconv.Itoa(MaxDepth)+" levels deep", "write what the reference shows")
	case !gjson.ValidBytes(data):
		return problem("is not valid JSON", "check commas, quotes and brackets; there must be one value and nothing behind it, in Envoy as a google.protobuf.StringValue")
	}
	return nil
}

func isBlank(data []byte) bool {
	for _, c := range data {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// depth returns how deep brackets nest outside of strings. It is taken before the JSON is known to be valid: the validator recurses.
func depth(data []byte) int {
	deepest, at, inString := 0, 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			at++
			deepest = max(deepest, at)
		case c == '}' || c == ']':
			at--
		}
	}
	return deepest
}
