// Package headervalue checks the values of security headers when a configuration is loaded. A browser ignores what it does not understand in such a header,
// and says so to nobody but the developer who happens to look; a server sends the same value for years. So a value is refused here unless browsers take
// all of it, and as what it looks like.
//
// The measure is the standard of each header. Refused, although browsers would take it, or some of them:
//
//   - everywhere: tabs and line breaks as white space; values of more than 8192 bytes
//   - Content-Security-Policy: a comma, which begins a second policy; directives of extensions that are unknown here; a second directive of the same name,
//     which is ignored; the words self, none, unsafe-inline and the like without quotes, and names such as script-src among the sources, which are hosts to a
//     browser; hashes of a wrong length, and ports above 65535, which nothing matches; a path with a query or a fragment, which are ignored; paths with
//     characters that RFC 3986 does not allow there, and 'sha-256-…' for 'sha256-…'
//   - Strict-Transport-Security: directives other than the three, which are ignored; max-age of more than 2147483647; its digits escaped by backslashes
//   - X-Content-Type-Options, X-Frame-Options: other than the values of the standard in the standard's case, and the same twice
//   - Referrer-Policy: tokens that are unknown here, which are ignored; tokens in another case than the standard's, and twice
//   - Permissions-Policy: a feature that is known here twice, of which the last counts; parameters other than report-to, values that are no origins, and
//     paths behind origins, which are ignored; strings with escapes
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
	// MaxBytes bounds a value.
	MaxBytes = 8192
	// maxFindings bounds the findings of each kind, errors and warnings. There can be thousands in a value, and nobody reads them.
	maxFindings = 20
)

// checker collects what is found in a value.
type checker struct {
	list             []Finding
	errors, warnings int
	rest             string // of the value, or of a part of it, which is still to be read
	name, word       string // what is looked at: a word, and the name of what it stands in
	seen             uint64 // names of the list that known looks them up in
}

// read returns a checker for value, with nothing to read where value is not one that every hop passes on as it is.
//
//go:noinline
func read(value string) *checker {
	c := &checker{}
	m := ""
	switch {
	case value == "":
		m = "is empty; write a value, or leave the key out"
	case len(value) > MaxBytes:
		m = "is longer than 8192 bytes; write a shorter value: proxies and servers refuse long headers"
	case value[0] == ' ' || value[len(value)-1] == ' ':
		m = "begins or ends with a space; leave the space out"
	default:
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
	}
	if m == "" {
		c.rest = value
	}
	c.report(m)
	return c
}

// report adds what message says, which is "reason; fix" or "warning: reason; fix", with $ for the word at hand and % for the name of what it stands in. There
// is nothing to say where message is empty. Messages are one string, and reports have few callers, because of what calls cost in wasm.
//
//go:noinline
func (c *checker) report(message string) {
	if message == "" {
		return
	}
	reason, warning := strings.CutPrefix(message, "warning: ")
	n := &c.errors
	if warning {
		n = &c.warnings
	}
	if *n++; *n > maxFindings {
		return
	}
	i := strings.IndexByte(reason, ';')
	c.list = append(c.list, Finding{Reason: c.text(reason[:i]), Fix: c.text(reason[i+2:]), Warning: warning})
}

// text fills in a part of a message.
//
//go:noinline
func (c *checker) text(template string) string {
	i := indexAny(template, "$%")
	if i < 0 {
		return template
	}
	part := c.name
	if template[i] == '$' {
		part = c.word
	}
	const most = 64
	if len(part) > most {
		part = part[:most] + "…"
	}
	// Names stand without quotes, words bring them or are put between them.
	quote := `"`
	if template[i] == '%' || part != "" && (part[0] == '\'' || part[0] == '"') {
		quote = ""
	}
	return template[:i] + quote + part + quote + c.text(template[i+1:])
}
