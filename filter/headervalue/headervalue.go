// Package headervalue checks the values of security headers when a configuration is loaded. A browser ignores what it does not understand in such a header
// and says so to nobody but the developer who happens to look; a server sends the same value for years. So a value is refused here unless a browser would
// take all of it, and as what it looks like.
//
// The measure is the standard of each header. Refused, although browsers would take it:
//
//   - everywhere: tabs and line breaks as white space; values of more than 8192 bytes
//   - Content-Security-Policy: a comma, which begins a second policy; directives of extensions that are unknown here; a second directive of the same name,
//     which is ignored; the words self, none, unsafe-inline and the like without quotes, and names such as script-src among the sources, which are hosts to a
//     browser; a path with a query or a fragment, which are ignored; 'sha-256-…' for 'sha256-…' and paths with characters that RFC 3986 does not allow
//     there, which only some browsers take
//   - Strict-Transport-Security: directives other than the three, which are ignored; max-age of more than 2147483647; digits of it written with backslashes
//   - X-Content-Type-Options, X-Frame-Options, Referrer-Policy: names in another case than the standard's, and lists with empty elements
//   - Referrer-Policy: tokens that are unknown here, which are ignored, and those that stand in the list twice
//   - Permissions-Policy: a feature twice, of which the last counts; parameters other than report-to, values that are no origins, and paths of origins,
//     which are ignored
//   - X-XSS-Protection: everything but 0
package headervalue

import "strings"

// Finding is a mistake in a value or, with Warning, something that is allowed but unwise.
type Finding struct {
	_ [0]func() // not comparable: nothing compares findings, so nothing is linked for it

	Reason  string // reads behind the value: "is empty"
	Fix     string // what to write instead
	Warning bool
}

const (
	maxBytes = 8192
	// maxFindings bounds the findings of each kind, errors and warnings. There can be thousands in a value, and nobody reads them.
	maxFindings = 20
)

// checker collects what is found in a value.
type checker struct {
	list             []Finding
	errors, warnings int
	rest             string // of the value, or of a part of it, which is still to be read
	name, word       string // what is looked at: a word, and the name of what it stands in
	seen             uint64 // entries of the table that names are looked up in
}

// report adds what message says, which is "reason; fix" or "warning: reason; fix", with $ for the word at hand and % for the name of what it stands in. There
// is nothing to say where message is empty. Messages are one string, and reports have few callers, because of what a call costs in wasm.
//
//go:noinline
func (c *checker) report(message string) {
	if message == "" {
		return
	}
	reason, fix, _ := strings.Cut(message, "; ")
	reason, warning := strings.CutPrefix(reason, "warning: ")
	n := &c.errors
	if warning {
		n = &c.warnings
	}
	if *n++; *n <= maxFindings {
		c.list = append(c.list, Finding{Reason: c.text(reason), Fix: c.text(fix), Warning: warning})
	}
}

//go:noinline
func (c *checker) text(template string) string {
	i := strings.IndexAny(template, "$%")
	if i < 0 {
		return template
	}
	part := cut(c.name)
	if template[i] == '$' {
		if part = cut(c.word); part == "" || part[0] != '\'' && part[0] != '"' {
			part = `"` + part + `"`
		}
	}
	return template[:i] + part + c.text(template[i+1:])
}

// cut returns s, a part of a value, or its beginning and an ellipsis.
func cut(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}

// full reports whether there are so many mistakes that more would not be shown.
func (c *checker) full() bool { return c.errors >= maxFindings }

// isPlain reports whether value is a header value that every hop passes on as it is. It is asked first: what follows may take that for granted.
//
//go:noinline
func (c *checker) isPlain(value string) bool {
	m := ""
	switch {
	case value == "":
		m = "is empty; write a value, or leave the key out"
	case len(value) > maxBytes:
		m = "is longer than 8192 bytes; write a shorter value: proxies and servers refuse long headers"
	case strings.Trim(value, " ") != value:
		m = "begins or ends with a space; leave the space out"
	}
	for i := 0; i < len(value) && m == ""; i++ {
		switch b := value[i]; {
		case b == '\n' || b == '\r':
			m = "has a line break; write the value on one line"
		case b < ' ' || b == 0x7f:
			m = "has a control character; leave it out, and write spaces for tabs"
		case b > 0x7f:
			m = "has a character outside of ASCII; write hosts in their xn-- form, paths percent-encoded, and quotes as ' or \""
		}
	}
	c.report(m)
	return m == ""
}
