package headervalue

import "strings"

// keywords are the keyword-sources of CSP 3, and the one that speculation rules add; behind them, how nonces and hashes begin.
var keywords = [...]string{
	"self",
	"none",
	"unsafe-inline",
	"unsafe-eval",
	"strict-dynamic",
	"unsafe-hashes",
	"wasm-unsafe-eval",
	"trusted-types-eval",
	"inline-speculation-rules",
	"unsafe-webtransport-hashes",
	"unsafe-allow-redirects",
	"report-sample",
	"report-sha256",
	"report-sha384",
	"report-sha512",
	"nonce",
	"sha256",
	"sha384",
	"sha512",
}

// keywordKinds are the kinds of the lists where keywords do something, one by one. unsafe-allow-redirects was for a directive that is gone.
var keywordKinds = [len(keywords)]kind{
	ofURLs | ofAncestors,
	ofURLs | ofAncestors,
	ofScripts | ofStyles,
	ofScripts,
	ofScripts,
	ofScripts | ofStyles,
	ofScripts,
	ofScripts,
	ofScripts,
	ofConnections,
	0,
	ofScripts | ofStyles,
	ofScripts,
	ofScripts,
	ofScripts,
	ofScripts | ofStyles,
	ofScripts | ofStyles,
	ofScripts | ofStyles,
	ofScripts | ofStyles,
}

// Places in keywords.
const (
	none           = 1
	strictDynamic  = 4
	firstReporting = 11
	nonce          = 15
)

// findKeyword returns the index of the keyword that s, without quotes, is or begins with, or -1.
func findKeyword(s string) int {
	name, _, ok := strings.Cut(s, "-")
	if k := find(keywords[nonce:], name); ok && k >= 0 {
		return nonce + k
	}
	return find(keywords[:nonce], s)
}

// sources checks a serialized-source-list (CSP 3, section 2.3.1).
func (c *checker) sources(kind kind) {
	n, others, seen := 0, false, 0 // seen are keywords; nonces and hashes count as one
	for !c.full() && c.next(' ') {
		n++
		bare := strings.Trim(c.word, `'"`)
		k := -1
		switch {
		case bare == c.word:
			c.source(kind)
		case c.word != "'"+bare+"'":
			c.report("has $ in %, whose quotes are wrong; write 'self' and the like in single quotes, without spaces in them, and hosts without")
		case strings.IndexAny(bare, ".:*") >= 0:
			c.report("has $ in %, with quotes, which hosts and schemes do not have; write it without")
		default:
			if k = findKeyword(bare); k >= 0 {
				seen |= 1 << min(k, nonce)
				c.report(quoted(kind, k, bare))
			} else {
				c.unknown(keywords[:nonce], "'", "has $ in %, which there is not; write a keyword such as 'self', a hash such as 'sha256-…', or a host without quotes")
			}
		}
		others = others || k != none && (k < firstReporting || k >= nonce)
	}
	m := ""
	switch {
	case n == 0:
		m = "warning: has % without sources, which means 'none'; write 'none'"
	case seen>>none&1 != 0 && others:
		m = noneBesideOthers
	case seen>>strictDynamic&1 != 0 && seen>>nonce&1 == 0 && kind&ofElements != 0:
		m = "warning: has 'strict-dynamic' in % without a hash, so that no script of the page runs; add the hashes of the scripts that load the others"
	}
	c.report(m)
}

// quoted tells what is wrong with bare, in quotes, which is or begins with keyword k.
func quoted(kind kind, k int, bare string) string {
	_, text, _ := strings.Cut(bare, "-")
	digits := strings.TrimRight(text, "=")
	padding, bytes := len(text)-len(digits), 16+16*(k-nonce)
	switch {
	case keywordKinds[k]&kind == 0 && kind == ofAncestors:
		return "has $ in %, which takes hosts, schemes and 'self' alone; leave it out"
	case keywordKinds[k]&kind == 0:
		return "warning: has $ in %, where it does nothing; leave it out"
	case k < nonce:
	case digits == "" || span(digits, "+/-_") < len(digits) || padding > 2:
		return "has $ in %, which is no base64; write letters, digits, + and /, and = at the end"
	case k == nonce:
		return "warning: has a nonce in % that is the same in every response, and so protects nothing; write hashes, or let the application send the header"
	case len(digits) != (bytes*8+5)/6:
		return "has $ in %, which is no such hash, since it has another length; write all of its base64"
	case padding != (3-bytes%3)%3:
		return "warning: has $ in %, with a wrong number of =, so that some browsers never find it equal; write all of its base64"
	}
	return ""
}
