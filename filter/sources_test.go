package filter

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestSlashesAreUnescapedInPlaceAndNothingElseIs(t *testing.T) {
	for text, want := range map[string]string{
		``: ``, `a`: `a`, `\`: `\`, `\/`: `/`, `\\`: `\\`, `\\/`: `\\/`, `\\\/`: `\\/`, `\/\/`: `//`, `/\`: `/\`, `\"\/`: `\"/`, `\u002f\/`: `\u002f/`,
		`["https:\/\/a.test","https:\/\/b.test\\"]`: `["https://a.test","https://b.test\\"]`,
	} {
		memory := []byte(text)
		if got := string(memory[:unescapeSlashes(memory)]); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// What JSON says of a text stays as it is.
func FuzzUnescapeSlashes(f *testing.F) {
	for _, seed := range []string{`"https:\/\/a.test"`, `"\\/"`, `"\\\/"`, `{"\/": ["\u005c/"]}`, `"\`, `\/`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		memory := []byte(text)
		got := memory[:unescapeSlashes(memory)]
		var before, after any
		errBefore, errAfter := json.Unmarshal([]byte(text), &before), json.Unmarshal(got, &after)
		if (errBefore == nil) != (errAfter == nil) || !reflect.DeepEqual(before, after) {
			t.Errorf("%q says %v (%v), and %q %v (%v)", text, before, errBefore, got, after, errAfter)
		}
	})
}
