package har_test

import (
	"strings"
	"testing"

	"corsguard/cmd/corsguard/internal/har"
)

const recorded = `{"log": {"version": "1.2", "entries": [
  {"request": {"method": "PUT", "url": "https://api.example.com/v1?a=b", "httpVersion": "h2", "cookies": [{"name": "s", "value": "1"}],
    "headers": [{"name": ":authority", "value": "api.example.com"}, {"name": "Origin", "value": "https://app.example.com"}]},
   "response": {"status": 204, "headers": [{"name": "vary", "value": "Origin"}], "cookies": []}},
  {"request": {"method": "GET", "url": "data:text/plain,x", "headers": []}, "response": {"status": 200, "headers": []}},
  {"request": {"method": "GET", "url": "http://api.example.com/", "headers": []}, "response": {"status": 0, "headers": []}}
]}}`

func TestReadTakesWhatWentOverHTTP(t *testing.T) {
	for name, text := range map[string]string{"plain": recorded, "with a byte order mark": "\ufeff" + recorded} {
		entries, err := har.Read([]byte(text))
		if err != nil || len(entries) != 2 {
			t.Fatalf("%s: %d entries: %v", name, len(entries), err)
		}
		e := entries[0]
		if e.Method != "PUT" || e.URL != "https://api.example.com/v1?a=b" || e.Status != 204 || !e.HasCookies {
			t.Errorf("%s: %+v", name, e)
		}
		if len(e.RequestHeaders) != 1 || e.RequestHeaders[0] != (har.Header{"Origin", "https://app.example.com"}) {
			t.Errorf("%s: request headers %q", name, e.RequestHeaders)
		}
		if len(e.ResponseHeaders) != 1 || e.ResponseHeaders[0] != (har.Header{"vary", "Origin"}) {
			t.Errorf("%s: response headers %q", name, e.ResponseHeaders)
		}
		if entries[1].Status != 0 || entries[1].HasCookies {
			t.Errorf("%s: %+v", name, entries[1])
		}
	}
}

func TestReadSaysWhatIsWrongAndWhere(t *testing.T) {
	for text, want := range map[string]string{
		``:                         "1:1: ",
		"{\n  \"log\": {,}}":       "2:11: ",
		`{}`:                       "it has no log",
		`[]`:                       "1:1: ",
		`{"log": {"entries": []}}`: "no request",
		`{"log": {"entries": 7}}`:  "1:21: log.entries cannot be a JSON number",
		`{"log": {"entries": [{"request": {"url": "data:,x"}}]}}`: "no request",
	} {
		if _, err := har.Read([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(recorded))
	f.Add([]byte(`{"log":{"entries":[{"request":{"headers":[{"name":1}]}}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := har.Read(data)
		if (err == nil) != (len(entries) > 0) {
			t.Errorf("%d entries, %v", len(entries), err)
		}
	})
}
