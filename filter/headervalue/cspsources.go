package headervalue

// keywords are the keyword-sources of CSP 3, and the one that speculation rules add. The one without meaning was for a directive that is gone.
const keywords = "'self' 'none' " +
	"'unsafe-inline' 'unsafe-hashes' 'unsafe-eval' 'report-sample' " +
	"'report-sha256' 'report-sha384' 'report-sha512' " +
	"'strict-dynamic' 'wasm-unsafe-eval' 'trusted-types-eval' 'inline-speculation-rules' " +
	"'unsafe-webtransport-hashes' 'unsafe-allow-redirects'"

// keywordKinds are the kinds of the lists where keywords do something, one by one, and then of nonces and hashes.
var keywordKinds = [...]kind{
	ofURLs | ofAncestors, ofURLs | ofAncestors,
	ofScripts | ofStyles, ofScripts | ofStyles, ofScripts | ofStyles, ofScripts | ofStyles,
	ofScripts, ofScripts, ofScripts,
	ofScripts, ofScripts, ofScripts, ofScripts,
	ofConnections, 0,
	ofScripts | ofStyles, ofScripts | ofStyles, ofScripts | ofStyles, ofScripts | ofStyles,
}

// Places in keywords, and behind them.
const (
	none          = 1
	reportSample  = 5  // the first of those that only report
	strictDynamic = 9  // and the first behind them
	nonce         = 15 // the hashes follow, the shortest first
)

// findKeyword returns the place of the keyword that s, without quotes, is or begins with, or -1.
//
//go:noinline
func findKeyword(s string) int {
	name, _, ok := split(s, '-')
	if k := find("nonce sha256 sha384 sha512", name); ok && k >= 0 {
		return nonce + k
	}
	return find(keywords, "'"+s+"'")
}

// sources checks a serialized-source-list (CSP 3, section 2.3.1) of that kind.
func (c *checker) sources(of kind) {
	n, others, seen := 0, false, 0 // seen are keywords; nonces and hashes count as one
	for c.next(' ') {
		n++
		bare := trim(c.word, `'"`)
		k := -1
		switch {
		case c.word[0] != '\'' && c.word[0] != '"':
			c.source(of)
		case c.word != "'"+bare+"'":
			c.report("has $ in %, whose quotes are wrong; write 'self' and the like in single quotes, without spaces in them, and hosts without")
		default:
			if k = findKeyword(bare); k >= 0 {
				seen |= 1 << min(k, nonce)
				c.report(quoted(of, k, bare))
			} else {
				c.unknown(keywords, "has $ in %, which there is not; write keywords and hashes in quotes, hosts and schemes without")
			}
		}
		others = others || k != none && (k < reportSample || k >= strictDynamic)
	}
	m := ""
	switch {
	case n == 0:
		m = "warning: has % without sources, which means 'none'; write 'none'"
	case seen>>none&1 != 0 && others:
		m = noneBesideOthers
	case seen>>strictDynamic&1 != 0 && seen>>nonce&1 == 0 && of&ofElements != 0:
		m = "warning: has 'strict-dynamic' in % without a hash, so that no script of the page runs; add the hashes of the scripts that load the others"
	}
	c.report(m)
}

// quoted tells what is wrong with bare, in quotes in a list of that kind, which is or begins with keyword k.
func quoted(of kind, k int, bare string) string {
	_, text, _ := split(bare, '-')
	digits := trimRight(text, "=")
	padding, bytes := len(text)-len(digits), 16+16*(k-nonce)
	switch {
	case keywordKinds[k]&of == 0 && of == ofAncestors:
		return "has $ in %, which takes hosts, schemes and 'self' alone; leave it out"
	case k >= nonce && (digits == "" || span(digits, "+/-_") < len(digits) || padding > 2):
		return "has $ in %, which is no base64; write letters, digits, + and /, and = at the end"
	case k > nonce && len(digits) != (bytes*8+5)/6:
		return "has $ in %, which is no such hash, since it has another length; write all of its base64"
	case keywordKinds[k]&of == 0:
		return "warning: has $ in %, where it does nothing; leave it out"
	case k == nonce:
		return "warning: has a nonce in % that is the same in every response, and so protects nothing; write hashes, or let the application send the header"
	case k > nonce && padding != (3-bytes%3)%3:
		return "warning: has $ in %, with a wrong number of =, so that some browsers never find it equal; write all of its base64"
	}
	return ""
}
