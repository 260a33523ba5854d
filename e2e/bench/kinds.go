package main

import (
	"fmt"
	"slices"
	"strings"
)

// A kind is one sort of request that every subject gets, and what a subject that enforces the policy must answer.
type kind struct {
	name    string // as flags and the JSON file spell it
	title   string // as the table spells it
	request []byte // a whole HTTP/1.1 request without a body, sent as it is

	local   bool // whether an enforcing filter answers it without asking the upstream
	granted bool // whether an enforcing filter's answer carries Access-Control-Allow-Origin
}

// browserHeaders is what a browser sends along with a request of a page's script, and a proxy in front for it, the headers that CORS is about and
// host excepted. It came over https, so that Strict-Transport-Security is sent.
var browserHeaders = []string{
	"user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
	"accept: application/json, text/plain, */*",
	"accept-language: en-GB,en;q=0.9,de;q=0.8",
	"accept-encoding: gzip, deflate, br, zstd",
	"referer: https://app.example.com/",
	`sec-ch-ua: "Chromium";v="140", "Not=A?Brand";v="24"`,
	"sec-ch-ua-mobile: ?0",
	`sec-ch-ua-platform: "Linux"`,
	"sec-fetch-dest: empty",
	"sec-fetch-mode: cors",
	"x-forwarded-proto: https",
}

const (
	allowedOrigin  = "origin: https://app.example.com"
	wildcardOrigin = "origin: https://pr-42.preview.example.com"
	refusedOrigin  = "origin: https://app.example.com.evil.test"
	askedMethod    = "access-control-request-method: PUT"
	askedHeaders   = "access-control-request-headers: authorization,content-type"

	fromHere      = "sec-fetch-site: same-origin"
	fromSameSite  = "sec-fetch-site: same-site"
	fromElsewhere = "sec-fetch-site: cross-site"

	refusedKind = "refused"
)

// allKinds lists the kinds in the order of the table.
var allKinds = []kind{
	{name: "no-origin", title: "no Origin", request: request("GET", fromHere)},
	{name: "allowed", title: "allowed Origin", request: request("GET", fromSameSite, allowedOrigin), granted: true},
	{name: "wildcard", title: "Origin allowed by a wildcard", request: request("GET", fromSameSite, wildcardOrigin), granted: true},
	{name: refusedKind, title: "refused Origin", request: request("GET", fromElsewhere, refusedOrigin)},
	{name: "preflight-allowed", title: "preflight, allowed", local: true, granted: true,
		request: request("OPTIONS", fromSameSite, allowedOrigin, askedMethod, askedHeaders)},
	{name: "preflight-refused", title: "preflight, refused", local: true,
		request: request("OPTIONS", fromElsewhere, refusedOrigin, askedMethod, askedHeaders)},
}

// besideKinds are those that the subjects beside get: what they do depends on no more.
var besideKinds = []string{"no-origin", "allowed", refusedKind, "preflight-allowed"}

func request(method string, headers ...string) []byte {
	return requestTo("api.example.com", "/v1/items?page=2", method, headers...)
}

func requestTo(host, path, method string, headers ...string) []byte {
	lines := append([]string{method + " " + path + " HTTP/1.1", "host: " + host}, browserHeaders...)
	lines = append(lines, headers...)
	return []byte(strings.Join(lines, "\r\n") + "\r\n\r\n")
}

// pickKinds returns the kinds that a comma-separated list names, in the list's order; an empty list names all.
func pickKinds(list string) ([]kind, error) {
	if list == "" {
		return allKinds, nil
	}
	var picked []kind
	for name := range strings.SplitSeq(list, ",") {
		k, ok := findKind(allKinds, name)
		if !ok {
			return nil, fmt.Errorf("no request kind %q; there are %s", name, strings.Join(kindNames(allKinds), ", "))
		}
		picked = append(picked, k)
	}
	return picked, nil
}

// kindsOf returns those of the kinds that s gets.
func (s subject) kindsOf(kinds []kind) []kind {
	if !s.beside {
		return kinds
	}
	return slices.DeleteFunc(slices.Clone(kinds), func(k kind) bool { return !slices.Contains(besideKinds, k.name) })
}

func findKind(kinds []kind, name string) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func kindNames(kinds []kind) []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}
