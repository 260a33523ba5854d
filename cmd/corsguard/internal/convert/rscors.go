package convert

import "strings"

// Options of github.com/rs/cors 1.11 (cors.go, utils.go). Without AllowedOrigins, or with * among them, any origin is answered with *, as it is, so that browsers
// refuse it with credentials. Another * stands for any characters, the first one of an origin; origins are compared in lower case. Without AllowedMethods these are GET,
// POST and HEAD; other methods get no answer, GET and POST included, and * is no wildcard there. Without AllowedHeaders these are Accept, Content-Type and
// X-Requested-With. A negative MaxAge is sent as 0, and 0 is not sent.

var rsCORSKeys = []string{
	"AllowedOrigins", "AllowedMethods", "AllowedHeaders", "ExposedHeaders", "MaxAge", "AllowCredentials", "AllowPrivateNetwork", "OptionsPassthrough",
	"OptionsSuccessStatus", "Debug",
}

// isRSCORS takes keys as Go's JSON writes them; in another style they may be Spring's too.
func isRSCORS(n *node) bool {
	switch {
	case n.get("apiVersion", "kind") != nil:
		return false
	case isGoStyle(n):
		return true
	}
	return n.fold("optionsPassthrough") != nil || n.fold("allowedOrigins") != nil && n.fold("allowedOriginPatterns") == nil
}

func isGoStyle(n *node) bool {
	return n.get("AllowedOrigins", "AllowedMethods", "AllowedHeaders", "OptionsPassthrough", "OptionsSuccessStatus", "AllowPrivateNetwork") != nil
}

func (c *converter) rsCORS(docs []*node) {
	c.each(docs, func(n *node) *settings {
		c.unknownFold(n, rsCORSKeys...)
		s := &settings{at: n, starSent: true, checksMethods: true, credentials: n.fold("AllowCredentials").isTrue(), privateNetwork: n.fold("AllowPrivateNetwork").isTrue()}
		c.rsCORSOrigins(s, n)
		if s.methods = listNames(n.fold("AllowedMethods"), noStar, false); len(s.methods.names) == 0 {
			s.methods = fixed(n, "GET", "POST", "HEAD")
		}
		if s.headers = listNames(n.fold("AllowedHeaders"), echoStar, false); len(s.headers.names) == 0 && s.headers.star == noStar {
			s.headers = fixed(n, "accept", "content-type", "x-requested-with")
		}
		s.expose = listNames(n.fold("ExposedHeaders"), sentStar, true)
		if age, at := c.seconds(n.fold("MaxAge")); age != nil && *age != 0 {
			age := max(0, *age)
			s.maxAge, s.maxAgeAt = &age, at
		}
		if status, at := c.seconds(n.fold("OptionsSuccessStatus")); status != nil {
			s.status, s.statusAt = *status, at
		}
		if n.fold("OptionsPassthrough").isTrue() {
			c.lost(n.fold("OptionsPassthrough"), "preflights of allowed origins are answered here; those of refused origins go on to the service", "")
			s.refusedPreflight = "forward"
		}
		return s
	})
}

func (c *converter) rsCORSOrigins(s *settings, n *node) {
	list := n.fold("AllowedOrigins")
	if len(list.list()) == 0 {
		if list != nil && !list.is(listNode) && !list.is(nullNode) {
			c.invalid(list, "AllowedOrigins must be a list", "")
			return
		}
		s.origins = []originEntry{{anyOrigin, "*", n}}
		return
	}
	for _, item := range list.items {
		text := strings.ToLower(item.str())
		if text == "*" {
			s.origins = []originEntry{{anyOrigin, "*", item}}
			return
		}
		e := originEntry{exactOrigin, text, item}
		if strings.Count(text, "*") == 1 {
			e.kind = globOrigin
		}
		s.origins = append(s.origins, e) // of several wildcards all but the first are compared to the letter, so nothing matches
	}
}
