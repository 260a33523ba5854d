package browser_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestConsoleOfFirefox holds, in a real Firefox, what the command foretells of browsers.
func TestConsoleOfFirefox(t *testing.T) {
	t.Parallel()
	server := startScripted(t, readConsoleCases(t))
	browser := startFirefox(t)
	at := ""
	for n, c := range server.cases {
		t.Run(c.Name, func(t *testing.T) {
			f := browser.in(t)
			if key := fmt.Sprint(c.Request.Null, c.Request.Embedder); key != at {
				f.load(c.page())
				at = key
			}
			var got outcome
			if err := json.Unmarshal(f.eval(c.ask(server.url(n))), &got); err != nil {
				t.Fatal(err)
			}
			server.check(t, n, "Firefox", got)
			var said []string
			server.checkConsole(t, n, append([]string{c.Firefox}, c.FirefoxMore...), func() []string {
				said = append(said, f.console(server.base(n))...)
				return slices.Clone(said)
			})
		})
	}
}

// console returns what the console says of URLs that begin so, since it was last asked. It is asked for what it says of policies: of types, of fonts and of elements
// that did not load it has more to say.
func (f *firefox) console(base string) []string {
	f.t.Helper()
	var about []string
	for _, text := range f.messages() {
		if strings.Contains(text, base) && (strings.HasPrefix(text, "Cross-Origin Request ") || strings.HasPrefix(text, "The resource at ")) {
			about = append(about, text)
		}
	}
	return about
}
