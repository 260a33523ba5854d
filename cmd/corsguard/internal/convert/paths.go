package convert

import (
	"fmt"
	"regexp"
	"strings"
)

// pathMatch is what a source's path became: everything, where there is no doc.
type pathMatch struct {
	doc []pathDoc
	// lost says why it cannot be said; doc is more than that then.
	lost, fix string
}

var everyPath = pathMatch{}

// exactPath matches one path.
func (c *converter) exactPath(text string) pathMatch {
	if c.takesPath(pathDoc{Exact: text}) {
		return pathMatch{doc: []pathDoc{{Exact: text}}}
	}
	return c.regexPath(text, regexp.QuoteMeta(text))
}

// segmentPrefix matches a path and what is below it.
func (c *converter) segmentPrefix(text string) pathMatch {
	trimmed := strings.TrimRight(text, "/")
	if trimmed == "" {
		return everyPath
	}
	if c.takesPath(pathDoc{Prefix: trimmed}) {
		return pathMatch{doc: []pathDoc{{Prefix: trimmed}}}
	}
	return c.regexPath(text, regexp.QuoteMeta(trimmed)+"(/.*)?")
}

// stringPrefix matches whatever begins with text, in the middle of a segment too.
func (c *converter) stringPrefix(text string) pathMatch {
	if text == "" || text == "/" {
		return everyPath
	}
	return c.regexPath(text, regexp.QuoteMeta(text)+".*")
}

// foldedPath matches text in any case; with prefix, whatever begins with it.
func (c *converter) foldedPath(text string, prefix bool) pathMatch {
	if prefix && (text == "" || text == "/") {
		return everyPath
	}
	expression := "(?i)" + regexp.QuoteMeta(text)
	if prefix {
		expression += ".*"
	}
	return c.regexPath(text, expression)
}

// regexPath matches the expression, whole.
func (c *converter) regexPath(shown, expression string) pathMatch {
	doc := pathDoc{Regex: expression}
	if c.takesPath(doc) {
		return pathMatch{doc: []pathDoc{doc}}
	}
	reason, fix := "it cannot be said", "write a rule by hand"
	if p := c.problem(pathDocument(doc)); p != nil {
		reason, fix = p.Reason, p.Fix
	}
	m := pathMatch{lost: fmt.Sprintf("the path %q: %s", shown, reason), fix: fix}
	if above := literalPrefix(expression); c.takesPath(pathDoc{Prefix: above}) {
		m.doc = []pathDoc{{Prefix: above}}
	}
	return m
}

// literalPrefix returns a path that all that expression matches is at or below, "" where there is none but the root.
func literalPrefix(expression string) string {
	text := strings.TrimPrefix(expression, "^")
	if hasTopLevelChoice(text) {
		return ""
	}
	end := strings.IndexFunc(text, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '/' && r != '-' && r != '_'
	})
	if end < 0 {
		end = len(text)
	} else if end > 0 && strings.IndexByte("?*+{", text[end]) >= 0 {
		end-- // a repeat of the character before
	}
	return strings.TrimRight(text[:max(0, strings.LastIndexByte(text[:end], '/'))], "/")
}

func (c *converter) takesPath(p pathDoc) bool { return c.problem(pathDocument(p)) == nil }

// pathDocument is a configuration that is accepted where its path is.
func pathDocument(p pathDoc) document {
	return document{Rules: []ruleDoc{{Name: "a", Match: matchDoc{Paths: []pathDoc{p}}, CORS: corsBlock{AllowOrigins: someOrigin}}}}
}

// with returns s for paths.
func (s scope) with(p pathMatch) scope {
	s.paths = p.doc
	if p.lost != "" {
		s.lost, s.lostFix = p.lost, p.fix
	}
	return s
}
