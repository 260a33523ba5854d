// Package scale makes the configurations with which scale is measured: many rules, many origins. They are the same each time.
package scale

import (
	"encoding/json"
	"fmt"
)

// Config is a configuration, and the request that it takes longest to decide where it is searched in order: that of its last rule or last origin.
type Config struct {
	Name string // as flags and benchmarks spell it
	JSON []byte

	Host, Path       string
	Allowed, Refused string // origins
}

// Minimal returns what the other configurations are compared with: a policy of one origin.
func Minimal() Config { return config("minimal", object{"cors": exact(1)}, 0) }

// All returns the configurations, each series from small to large.
func All() []Config {
	var all []Config
	for _, series := range []struct {
		name  string
		sizes []int
		doc   func(n int) object
	}{
		{"rules-by-host", []int{1, 10, 1_000}, byHost},
		{"rules-by-path", []int{1, 10, 1_000}, byPath},
		{"origins", []int{10, 10_000, 100_000}, func(n int) object { return object{"cors": exact(n)} }},
		{"wildcards", []int{10, 10_000, 100_000}, func(n int) object { return object{"cors": wildcards(n)} }},
	} {
		for _, n := range series.sizes {
			all = append(all, config(fmt.Sprintf("%s-%d", series.name, n), series.doc(n), n-1))
		}
	}
	return all
}

type object = map[string]any

// config returns a configuration whose last rule or origin is the one of that number.
func config(name string, doc object, last int) Config {
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err) // plain strings and numbers always marshal
	}
	return Config{Name: name, JSON: text, Host: host(last), Path: prefix(last) + "/items?page=2", Allowed: origin(last), Refused: origin(last) + ".evil.test"}
}

func host(i int) string { return fmt.Sprintf("api-%06d.example.com", i) }

func prefix(i int) string { return fmt.Sprintf("/service-%06d", i) }

func origin(i int) string { return "https://app." + tenant(i) }

// tenant returns one of a series of names none of which the plugin's table of public suffixes, which holds hashes, takes for a suffix.
func tenant(i int) string { return fmt.Sprintf("store-%06d.example.net", i) }

// cors returns a policy as it is usual, for these origins.
func cors(origins ...string) object {
	return object{
		"allowOrigins":     origins,
		"allowMethods":     []string{"GET", "HEAD", "POST", "PUT", "DELETE"},
		"allowHeaders":     []string{"authorization", "content-type"},
		"allowCredentials": true,
		"maxAge":           7200,
	}
}

func exact(n int) object { return cors(numbered(n, origin)...) }

func wildcards(n int) object {
	return cors(numbered(n, func(i int) string { return "https://*." + tenant(i) })...)
}

// byHost returns a rule with a policy of its own for each of n hosts.
func byHost(n int) object {
	return rules(n, func(i int) object { return object{"hosts": []string{host(i)}} })
}

// byPath returns the same for n path prefixes on one host, the one of the last number.
func byPath(n int) object {
	return rules(n, func(i int) object {
		return object{"hosts": []string{host(n - 1)}, "paths": []object{{"prefix": prefix(i)}}}
	})
}

func rules(n int, match func(i int) object) object {
	return object{
		"cors": exact(1),
		"rules": numbered(n, func(i int) object {
			return object{"name": fmt.Sprintf("rule-%06d", i), "match": match(i), "cors": cors(origin(i))}
		}),
	}
}

func numbered[T any](n int, element func(i int) T) []T {
	all := make([]T, n)
	for i := range all {
		all[i] = element(i)
	}
	return all
}
