package browser

import (
	"strings"

	"corsguard/filter/fetch"
)

// Answer is the head of a response.
type Answer struct {
	Status  int      `json:"status"`
	Headers []Header `json:"headers"`
	// HTTP1 tells that the response came without HTTP/2 or HTTP/3, in which Firefox sees headers apart that it otherwise gets combined.
	HTTP1 bool `json:"http1,omitempty"`
}

// get returns the values of a header, combined, and whether there are any.
func (a *Answer) get(name string) (string, bool) {
	values := a.values(name)
	return strings.Join(values, ", "), values != nil
}

func (a *Answer) values(name string) []string {
	var values []string
	for _, h := range a.Headers {
		if fetch.EqualFold(h.Name, name) {
			values = append(values, normalizeValue(h.Value))
		}
	}
	return values
}

// list returns the tokens of a header that is a comma-separated list of them. Where an element is none, that one is returned as bad, and no tokens.
func (a *Answer) list(name string) (tokens []string, bad string) {
	value, _ := a.get(name)
	for _, element := range strings.Split(value, ",") {
		switch element = fetch.TrimOWS(element); {
		case element == "":
		case !fetch.IsToken(element):
			return nil, element
		default:
			tokens = append(tokens, element)
		}
	}
	return tokens, ""
}

// isRedirect reports whether the answer is a redirect that a browser follows, and where to.
func (a *Answer) isRedirect() (location string, ok bool) {
	switch a.Status {
	case 301, 302, 303, 307, 308:
		return a.get("location")
	}
	return "", false
}

func (a *Answer) isOK() bool { return a.Status >= 200 && a.Status <= 299 }
