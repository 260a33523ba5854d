package convert

import (
	"strconv"
	"strings"
)

// Options of the npm package cors, 2.8 (its README, lib/index.js). Not set, origin is *, sent as it is; methods GET,HEAD,PUT,PATCH,POST,DELETE; the request headers
// that a preflight asks for are answered as they are. A string for origin is sent whatever the request's origin is, which grants to that origin alone; an array and an
// expression are compared with it; true answers every origin. No method is refused: browsers see to that.

var expressKeys = []string{"origin", "methods", "allowedHeaders", "headers", "exposedHeaders", "credentials", "maxAge", "preflightContinue", "optionsSuccessStatus"}

const expressMethods = "GET,HEAD,PUT,PATCH,POST,DELETE"

func isExpress(n *node) bool {
	n = expressOptions(n)
	return n.is(objectNode) && n.get("apiVersion", "kind") == nil && n.get("origin", "optionsSuccessStatus", "preflightContinue") != nil
}

// expressOptions returns the options of n, which may be below a key cors.
func expressOptions(n *node) *node {
	if inner := n.get("cors"); inner.is(objectNode) && len(n.keys) == 1 {
		return inner
	}
	return n
}

func (c *converter) express(docs []*node) {
	c.each(docs, func(doc *node) *settings {
		n := expressOptions(doc)
		c.unknown(n, expressKeys...)
		s := &settings{at: n, credentials: n.get("credentials").isTrue()}
		c.expressOrigins(s, n)
		s.methods = eitherNames(n.get("methods"), expressMethods, n)
		if headers := n.get("allowedHeaders", "headers"); headers.is(nullNode) || headers == nil {
			s.headers = names{at: n, star: echoStar}
		} else {
			s.headers = eitherNames(headers, "", n)
		}
		s.expose = eitherNames(n.get("exposedHeaders"), "", n)
		s.maxAge, s.maxAgeAt = c.seconds(n.get("maxAge"))
		if status, at := c.seconds(n.get("optionsSuccessStatus")); status != nil {
			s.status, s.statusAt = *status, at
		}
		if n.get("preflightContinue").isTrue() {
			c.lost(n.get("preflightContinue"), "preflights of allowed origins are answered here; those of refused origins go on to the service", "")
			s.refusedPreflight = "forward"
		}
		return s
	})
}

// each converts documents of which each is one policy for all requests.
func (c *converter) each(docs []*node, read func(*node) *settings) {
	for _, doc := range docs {
		if !doc.is(objectNode) {
			c.invalid(doc, "must be an object, is "+kindNames[doc.kind], "")
			continue
		}
		if s := read(doc); s != nil {
			c.finish(doc, "", []scope{{name: "all", at: doc, grant: c.grantOf(s)}})
		}
	}
}

func (c *converter) expressOrigins(s *settings, n *node) {
	o := n.get("origin")
	switch {
	case o == nil:
		s.starSent = true
		s.origins = []originEntry{{anyOrigin, "*", n}}
	case o.is(boolNode):
		if o.isTrue() {
			s.origins = []originEntry{{anyOrigin, "*", o}}
		}
	case o.is(textNode) && o.text == "*":
		s.starSent = true
		s.origins = []originEntry{{anyOrigin, "*", o}}
	case o.is(listNode):
		for _, item := range o.items {
			c.expressOrigin(s, item)
		}
	default:
		c.expressOrigin(s, o)
	}
}

// expressOrigin adds an element. In a list, * is compared to the letter, and so are strings that look like expressions.
func (c *converter) expressOrigin(s *settings, n *node) {
	if n.is(boolNode) { // isOriginAllowed returns !!allowedOrigin of what is neither a string nor an array nor an expression
		if n.isTrue() {
			s.origins = append(s.origins, originEntry{anyOrigin, "*", n})
		}
		return
	}
	if expression := n.get("regex", "source", "$regex"); expression.is(textNode) {
		c.unknown(n, "regex", "source", "$regex", "flags")
		s.origins = append(s.origins, originEntry{searchOrigin, expression.text, expression})
		return
	}
	switch text := n.str(); {
	case !n.is(textNode):
		c.add(programmed, n, "an origin that is neither a string nor an expression is left out", `write a string, or {"regex": "^https://…$"}`)
	case len(text) > 1 && text[0] == '/' && strings.LastIndexByte(text, '/') > 0:
		c.add(programmed, n, strconv.Quote(text)+" looks like an expression, and is a string in JSON; it is left out", `write {"regex": "^https://…$"}, and convert again`)
	default:
		s.origins = append(s.origins, originEntry{exactOrigin, text, n})
	}
}

// eitherNames reads a list of names, or a string with commas; fallback is what holds where there is neither.
func eitherNames(n *node, fallback string, at *node) names {
	switch {
	case n.is(listNode):
		return listNames(n, sentStar, true)
	case n.is(textNode):
		return splitNames(n, sentStar)
	case fallback == "":
		return names{at: at}
	}
	return fixed(at, strings.Split(fallback, ",")...)
}

// seconds reads a whole number, which may stand in a string.
func (c *converter) seconds(n *node) (*int64, *node) {
	if n == nil || n.is(nullNode) {
		return nil, nil
	}
	v, err := strconv.ParseInt(strings.TrimSpace(n.text), 10, 64)
	if n.kind != numberNode && n.kind != textNode || err != nil {
		if n.kind != textNode || strings.TrimSpace(n.text) != "" {
			c.lost(n, strconv.Quote(n.text)+" is no whole number; it is left out", "write a number of seconds")
		}
		return nil, nil
	}
	return &v, n
}
