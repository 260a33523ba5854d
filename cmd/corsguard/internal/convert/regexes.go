package convert

import (
	"fmt"
	"regexp"
	"strings"
)

// regex converts an expression for the whole origin. Its language stays as it is, or becomes smaller.
func (c *converter) regex(e *originEntry, text string) []pattern {
	bare := unanchored(text)
	if c.matchesStar(bare) {
		return []pattern{{any: true, text: "*"}}
	}
	const both = "https?://"
	if rest, ok := strings.CutPrefix(bare, both); ok && !hasTopLevelChoice(rest) {
		return append(c.regexOf(e, text, "https://"+rest), c.regexOf(e, text, "http://"+rest)...)
	}
	return c.regexOf(e, text, bare)
}

func (c *converter) regexOf(e *originEntry, shown, text string) []pattern {
	if scheme, rest, ok := strings.Cut(text, "://"); ok && (rest == ".*" || rest == ".+") && c.accepts(scheme+"://*") {
		return []pattern{{text: scheme + "://*"}}
	}
	problem := c.refusal(pattern{text: text, regex: true}, false)
	if problem == nil {
		return []pattern{{text: text, regex: true}}
	}
	if lower, ok := strings.CutPrefix(text, "(?i)"); ok && c.refusal(pattern{text: lower, regex: true}, false) == nil {
		return []pattern{{text: lower, regex: true}} // origins have no upper case
	}
	if plain, ok := asPattern(text); ok {
		before := len(c.findings)
		kept := c.glob(&originEntry{globOrigin, plain, e.at})
		if len(kept) > 0 {
			if len(c.findings) == before {
				c.add(regexRefused, e.at, fmt.Sprintf("the expression %q %s; only %s is kept", shown, problem.Reason, plain), problem.Fix)
			}
			return kept
		}
		c.takeBack(before)
	}
	c.add(regexRefused, e.at, fmt.Sprintf("the expression %q is left out: it %s", shown, problem.Reason), problem.Fix)
	return nil
}

// matchesStar reports whether text matches the string *, which in Envoy's filter makes it match whatever there is; of other products, only what matches everything counts.
func (c *converter) matchesStar(text string) bool {
	if text == ".*" || text == ".+" {
		return true
	}
	if c.product != "envoy" && c.product != "istio" {
		return false
	}
	re, err := regexp.Compile("^(?:" + text + ")$")
	return err == nil && re.MatchString("*")
}

// unanchored returns text without the anchors around it, where they hold for all of it.
func unanchored(text string) string {
	if hasTopLevelChoice(text) {
		return text
	}
	text = strings.TrimPrefix(text, "^")
	if endsAnchored(text) {
		text = text[:len(text)-1]
	}
	return text
}

// endsAnchored reports whether text ends with a $ that is an anchor.
func endsAnchored(text string) bool {
	if !strings.HasSuffix(text, "$") {
		return false
	}
	before := strings.TrimSuffix(text, "$")
	return (len(before)-len(strings.TrimRight(before, `\`)))%2 == 0
}

// hasTopLevelChoice reports whether text may have a | outside of all groups.
func hasTopLevelChoice(text string) bool {
	depth, class := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth <= 0:
			return true
		}
	}
	return false
}

// asPattern returns the pattern that an expression of characters, dots and .* was meant to be, each * for any characters. It matches nothing that the expression does
// not.
func asPattern(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case strings.HasPrefix(text[i:], ".*"):
			b.WriteByte('*')
			i++
		case c == '\\' && i+1 < len(text) && strings.IndexByte("./-", text[i+1]) >= 0:
			b.WriteByte(text[i+1])
			i++
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(".:/-", c) >= 0:
			b.WriteByte(c)
		default:
			return "", false
		}
	}
	s := b.String()
	return s, !strings.HasSuffix(s, ":*")
}
