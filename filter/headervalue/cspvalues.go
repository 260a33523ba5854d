package headervalue

import "corsguard/filter/fetch"

// sandboxFlags are the tokens of HTML's sandbox attribute.
var sandboxFlags = [...]string{
	"allow-downloads", "allow-forms", "allow-modals", "allow-orientation-lock", "allow-pointer-lock", "allow-popups", "allow-popups-to-escape-sandbox",
	"allow-presentation", "allow-same-origin", "allow-scripts", "allow-storage-access-by-user-activation", "allow-top-navigation",
	"allow-top-navigation-by-user-activation", "allow-top-navigation-to-custom-protocols",
}

const noneBesideOthers = "has 'none' beside others in %, where browsers ignore it; write 'none' alone, or leave it out"

// values checks the values of a directive that has no sources.
func (c *checker) values(kind kind) {
	n, none := 0, false
	for !c.full() && c.next(' ') {
		n++
		ok, m := true, ""
		switch kind {
		case noValue:
			ok, m = false, "has a value for %, which takes none; write the name alone"
		case sandboxTokens:
			if find(sandboxFlags[:], c.word) < 0 {
				c.unknown(sandboxFlags[:], "", "has $ in %, which is no token of it; write tokens such as allow-scripts")
			}
		case reportName:
			ok, m = n == 1 && fetch.IsToken(c.word), "has $ in %, which takes the name of one endpoint; write URLs into report-uri"
		case reportURLs:
			ok, m = isPath(c.word, "?#[]"), "has $ in %, which is no URL; write URLs, percent-encoded"
		case sinkGroups:
			ok, m = c.word == "'script'", "has $ in %, which takes 'script' alone; write 'script'"
		case policyNames:
			// Here, the case of keywords counts.
			keyword := c.word == "'none'"
			none = none || keyword
			ok = keyword || c.word == "*" || c.word == "'allow-duplicates'" || span(c.word, "-#=_/@.%") == len(c.word)
			m = "has $ in %, which is no name of a policy; write letters, digits, - and _, or *, 'none' or 'allow-duplicates'"
		case allowOrBlock:
			ok = n == 1 && (fetch.EqualFold(c.word, "'allow'") || fetch.EqualFold(c.word, "'block'"))
			m = "has $ in %, which takes one of two values; write 'allow' or 'block'"
		}
		if !ok {
			c.report(m)
		}
	}
	switch {
	case n == 0 && kind != noValue && kind != sandboxTokens && kind != policyNames:
		c.report("has % without a value; write one, or leave it out")
	case none && n > 1:
		c.report(noneBesideOthers)
	}
}
