package origin

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A set that was reset matches what a new one does: nothing of the patterns that it had before is left, whatever they were.
func TestASetThatWasResetIsAsNew(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	forms := []string{
		"https://%s.test", "https://%s.test:8443", "https://*.%s.test", "https://*.%s.test:8443", "http://*.%s.test:*", "https://pr-*.%s.test", "https://a.*-%s.test",
		"https://%s.test:*", "%s://*", "*",
	}
	origins := []string{
		"https://%s.test", "https://%s.test:8443", "https://x.y.%s.test", "https://x.%s.test:8443", "http://x.%s.test:1", "https://pr-7.%s.test", "https://a.b-%s.test",
		"https://%s.test:1", "%s://any", "https://v.%s.test",
	}
	names := []string{"ab", "ac", "ad"}
	var used Set
	listed := 0
	for range 2000 {
		var fresh Set
		used.Reset()
		if used.Len() > 1 { // the root
			t.Fatalf("%d parts are left", used.Len())
		}
		for group := range int32(r.IntN(4)) {
			for range r.IntN(5) {
				var p Pattern
				var err error
				if name := names[r.IntN(len(names))]; r.IntN(8) == 0 {
					p, err = ParseRegex(fmt.Sprintf(`https://(v|w)\.%s\.test`, name))
				} else if form := forms[r.IntN(len(forms))]; form == "*" {
					p, err = ParsePattern(form)
				} else {
					p, err = ParsePattern(fmt.Sprintf(form, name))
				}
				if err != nil {
					t.Fatal(err)
				}
				fresh.Add(&p, group)
				used.Add(&p, group)
			}
		}
		for _, form := range origins {
			for _, name := range names {
				from := fmt.Sprintf(form, name)
				want, wantGroup := fresh.Match(from)
				if got, group := used.Match(from); got != want || group != wantGroup {
					t.Fatalf("%s: %v of group %d, and %v of group %d when new", from, got, group, want, wantGroup)
				}
				if want == Listed {
					listed++
				}
			}
		}
	}
	if listed < 1000 {
		t.Errorf("only %d were listed", listed)
	}
}
