package explain_test

import (
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/har"
)

func TestArchivesMayHoldWhatNoBrowserSends(t *testing.T) {
	p := newPolicy(t, `{"cors": {"allowOrigins": ["https://app.example.com"]}}`)
	preflight := func(method, headers string) *har.Entry {
		return &har.Entry{Method: "OPTIONS", URL: api, RequestHeaders: []har.Header{{"Origin", app}, {"Access-Control-Request-Method", method}, {"Access-Control-Request-Headers", headers}}}
	}
	for name, test := range map[string]struct {
		entry *har.Entry
		want  string // of the change
	}{
		"two origins":        {&har.Entry{Method: "GET", URL: api, RequestHeaders: []har.Header{{"Origin", app}, {"origin", app}}}, `"https://app.example.com, https://app.example.com" is no origin`},
		"a forbidden method": {preflight("TRACE", ""), "pages cannot send TRACE"},
		"a forbidden header": {preflight("GET", "x-a,cookie"), `pages cannot set "cookie"`},
		"a URL with a password": {&har.Entry{Method: "GET", URL: "https://user:secret@api.example.com/%zz#x", RequestHeaders: []har.Header{{"Origin", evil}}},
			`add "https://evil.test" to allowOrigins`},
		"no URL": {&har.Entry{Method: "GET", URL: "https://", RequestHeaders: []har.Header{{"Origin", evil}}}, `add "https://evil.test" to allowOrigins`},
	} {
		r := p.ExplainEntry(test.entry, "")
		if len(r.Changes) == 0 || !strings.Contains(r.Changes[0].Text, test.want) || strings.Contains(r.Request.URL, "secret") {
			t.Errorf("%s: %+v, %+v", name, r.Changes, r.Request)
		}
	}
}
