package headervalue

import "corsguard/filter/fetch"

// valueRules are, for each kind from noValue on, the words that such a directive may have, and what is to say of others.
var valueRules = [...]struct{ words, message string }{
	{"", "has a value for %, which takes none; write the name alone"}, // noValue
	{"", "has a value for %, which takes none; write the name alone"}, // obsolete
	// sandboxTokens, which are those of HTML's sandbox attribute
	{"allow-downloads allow-forms allow-modals allow-orientation-lock allow-pointer-lock allow-popups allow-popups-to-escape-sandbox allow-presentation " +
		"allow-same-origin allow-scripts allow-storage-access-by-user-activation allow-top-navigation allow-top-navigation-by-user-activation " +
		"allow-top-navigation-to-custom-protocols", "has $ in %, which is no token of it; write tokens such as allow-scripts"},
	policyNames - noValue: {"* 'none' 'allow-duplicates'", "has $ in %, which is no name of a policy; write letters, digits, - and _, or *, 'none' or 'allow-duplicates'"},
	sinkGroups - noValue:  {"'script'", "has $ in %, which takes one value; write 'script'"},
	oneOfTwo - noValue:    {"'allow' 'block'", "has $ in %, which takes one of two values; write 'allow' or 'block'"},
	reportName - noValue:  {"", "has $ in %, which takes the name of one endpoint; write URLs into report-uri"},
	reportURLs - noValue:  {"", "has $ in %, which is no URL; write URLs, percent-encoded"},
}

const noneBesideOthers = "has 'none' beside others in %, where browsers ignore it; write 'none' alone, or leave it out"

// values checks the values of a directive of that kind, which has no sources.
func (c *checker) values(of kind) {
	rule := &valueRules[of-noValue]
	n, none := 0, false
	for c.next(' ') {
		n++
		i := find(rule.words, c.word)
		ok := i >= 0
		switch of {
		case policyNames:
			none = none || i == 1
			ok = ok && isLower(c.word) || span(c.word, "-#=_/@.%") == len(c.word)
		case sinkGroups:
			ok = c.word == rule.words
		case reportName:
			ok = n == 1 && fetch.IsToken(c.word)
		case oneOfTwo:
			ok = ok && n == 1
		case reportURLs:
			ok = isPath(c.word, "?#[]")
		}
		switch {
		case ok:
		case i < 0:
			c.unknown(rule.words, rule.message)
		default:
			c.report(rule.message)
		}
	}
	m := ""
	switch {
	case n == 0 && of > policyNames:
		m = "has % without a value; write one, or leave it out"
	case none && n > 1:
		m = noneBesideOthers
	}
	c.report(m)
}
