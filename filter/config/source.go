package config

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"corsguard/filter/policy"
)

// Bounds of a source. Times are in milliseconds.
const (
	minInterval, defaultInterval, maxInterval = 1_000, 60_000, 86_400_000
	minTimeout, defaultTimeout, maxTimeout    = 10, 5_000, 60_000
	defaultDocument                           = 1 << 20
	maxSourceText                             = 1024
)

// source reads an allowOriginsFrom block.
func (r *reader) source(path string, v *gjson.Result, b *block) {
	s := policy.Source{Interval: defaultInterval, MaxBytes: defaultDocument}
	before := r.mistakes
	isObject := r.keys(path, v, []string{"cluster", "authority", "path", "interval", "timeout", "maxBytes"}, func(i int, path string, v *gjson.Result) {
		switch i {
		case 0:
			r.word(path, v, &s.Cluster, "the name of an Envoy cluster")
		case 1:
			r.word(path, v, &s.Authority, "a host, and perhaps a port")
			if strings.ContainsAny(s.Authority, "/@?#\\") {
				r.fail(path, v.Raw, "is no authority", `write "origins.internal:8080"`)
			}
		case 2:
			r.word(path, v, &s.Path, "a path, such as /origins")
			if s.Path != "" && (s.Path[0] != '/' || strings.IndexByte(s.Path, '#') >= 0) {
				r.fail(path, v.Raw, "is no path", `write "/origins"`)
			}
		case 3:
			r.duration(path, v, &s.Interval, minInterval, maxInterval)
		case 4:
			r.duration(path, v, &s.Timeout, minTimeout, maxTimeout)
		default:
			r.integer(&s.MaxBytes, 1, MaxBytes)(path, v)
		}
	})
	if !isObject || r.mistakes > before {
		return
	}
	if s.Cluster == "" {
		r.fail(path, v.Raw, "names no cluster", `add "cluster": "origins"`)
	}
	if s.Path == "" {
		r.fail(path, v.Raw, "names no path", `add "path": "/origins"`)
	}
	if s.Timeout == 0 {
		s.Timeout = min(defaultTimeout, s.Interval)
	}
	if s.Timeout > s.Interval {
		r.fail(path, v.Raw, "waits longer than the interval", "write a timeout that is no longer than the interval")
	}
	if s.Authority == "" {
		s.Authority = s.Cluster
	}
	b.source = &s
}

// addSource gives b the number of its source. Groups that want the same of the same endpoint share one.
func (r *reader) addSource(b *block) {
	if b.source == nil {
		return
	}
	if policy.IsAnyOrigin(&b.CORS) {
		r.fail(b.path+".allowOriginsFrom", "", "stands beside any origin, to which it adds nothing", "leave one of them out")
	}
	b.source.Credentials, b.source.InsecureOK, b.source.PublicSuffixOK = b.AllowCredentials, b.insecureOK, b.publicSuffixOK
	for i := range r.sources {
		if r.sources[i] == *b.source {
			b.Source = i + 1
			return
		}
	}
	r.sources = append(r.sources, *b.source)
	b.Source = len(r.sources)
	if b.Source == maxSources+1 {
		r.fail(b.path+".allowOriginsFrom", "", "is one source too many: a configuration has at most "+strconv.Itoa(maxSources), "have one endpoint answer for several hosts")
	}
}

// maxSources bounds the endpoints that each interval is asked.
const maxSources = 16

// word reads a string without blanks.
func (r *reader) word(path string, v *gjson.Result, into *string, what string) {
	s, ok := r.text(path, v)
	if !ok {
		return
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			ok = false
		}
	}
	if !ok || s == "" || len(s) > maxSourceText {
		r.fail(path, v.Raw, "is empty, longer than "+strconv.Itoa(maxSourceText)+" bytes, or has blanks or other bytes that may not be there", "write "+what)
		return
	}
	*into = s
}

// duration reads a time as the Gateway API writes it (GEP-2257): numbers with the units h, m, s and ms, one after the other.
func (r *reader) duration(path string, v *gjson.Result, into *int, low, high int) {
	s, ok := r.text(path, v)
	if !ok {
		return
	}
	if ms, ok := milliseconds(s); ok && ms >= low && ms <= high {
		*into = ms
		return
	}
	r.fail(path, v.Raw, "is no time from "+shownTime(low)+" to "+shownTime(high), `write "30s", "1m30s" or "500ms"`)
}

func milliseconds(s string) (ms int, ok bool) {
	const maxDigits, maxParts = 5, 4
	for parts := 0; s != ""; parts++ {
		digits := 0
		for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
			digits++
		}
		if digits == 0 || digits > maxDigits || parts == maxParts {
			return 0, false
		}
		n, _ := strconv.Atoi(s[:digits])
		var unit int
		switch s = s[digits:]; {
		case strings.HasPrefix(s, "ms"):
			unit, s = 1, s[2:]
		case strings.HasPrefix(s, "s"):
			unit, s = 1_000, s[1:]
		case strings.HasPrefix(s, "m"):
			unit, s = 60_000, s[1:]
		case strings.HasPrefix(s, "h"):
			unit, s = 3_600_000, s[1:]
		default:
			return 0, false
		}
		ms += n * unit
		ok = true
	}
	return ms, ok
}

func shownTime(ms int) string {
	if ms >= 1_000 {
		return strconv.Itoa(ms/1_000) + "s"
	}
	return strconv.Itoa(ms) + "ms"
}
