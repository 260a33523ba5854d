package convert

import (
	"strconv"
	"strings"
)

// methodList returns the value of allowMethods, nil for the default: none beside those that are always allowed.
func (c *converter) methodList(list *names, credentials bool) []string {
	if list.star == echoStar || list.star == sentStar && !credentials {
		return []string{"*"}
	}
	if list.star == sentStar {
		c.add(literalStar, list.at, "* among the methods is sent as it is, so with credentials it allows no method; it is left out", "list the methods that pages may use")
	}
	return c.keepNames(list, func(name string) corsBlock { return corsBlock{AllowOrigins: someOrigin, AllowMethods: []string{name}} })
}

// headerList returns the value of allowHeaders. What a source answers as asked includes authorization, which Corsguard's * does not.
func (c *converter) headerList(list *names, credentials bool) []string {
	const authorization = "authorization"
	switch {
	case list.star == echoStar:
		return []string{"*", authorization}
	case list.star == sentStar && !credentials:
		for _, n := range list.names {
			if strings.EqualFold(n.text, authorization) {
				return []string{"*", authorization}
			}
		}
		return []string{"*"}
	case list.star == sentStar:
		c.add(literalStar, list.at, "* among the request headers is sent as it is, so with credentials it allows no header; it is left out", "list the headers that pages may send")
	}
	return c.keepNames(list, func(name string) corsBlock { return corsBlock{AllowOrigins: someOrigin, AllowHeaders: []string{name}} })
}

// exposeList returns the value of exposeHeaders.
func (c *converter) exposeList(list *names, credentials bool) []string {
	if list.star != noStar && !credentials {
		return []string{"*"}
	}
	if list.star != noStar {
		c.add(exposeStar, list.at, "* among the exposed headers is left out, since credentials are allowed", "list the response headers that pages may read")
	}
	return c.keepNames(list, func(name string) corsBlock { return corsBlock{AllowOrigins: someOrigin, ExposeHeaders: []string{name}} })
}

var someOrigin = []any{"https://a.test"}

// keepNames returns the names that the plugin accepts, once each. For methods case counts, for headers it does not.
func (c *converter) keepNames(list *names, alone func(string) corsBlock) []string {
	var kept []string
	seen := map[string]bool{}
	for _, n := range list.names {
		b := alone(n.text)
		if p := c.problem(document{CORS: b}); p != nil || n.text == "*" {
			reason := "is no name"
			if p != nil {
				reason = p.Reason
			}
			c.add(nameLeftOut, n.at, strconv.Quote(n.text)+" is left out: "+reason, "")
			continue
		}
		key := n.text
		if b.AllowMethods == nil {
			key = strings.ToLower(key)
		}
		if !seen[key] {
			seen[key] = true
			kept = append(kept, n.text)
		}
	}
	return kept
}

// splitNames reads a list that is written with commas in one string.
func splitNames(n *node, meaning star) names {
	if !n.is(textNode) {
		return names{at: n}
	}
	return namesOf(n, strings.Split(n.text, ","), meaning, false)
}

// listNames reads a list. alone: a * has its meaning only where it stands alone; among others it is sent as it is.
func listNames(n *node, meaning star, alone bool) names {
	list := names{at: n}
	items := n.list()
	for _, item := range items {
		part := namesOf(item, []string{item.str()}, meaning, alone && len(items) > 1)
		list.names = append(list.names, part.names...)
		list.star = max(list.star, part.star)
	}
	return list
}

func namesOf(n *node, texts []string, meaning star, among bool) names {
	list := names{at: n}
	for _, t := range texts {
		t = strings.TrimSpace(t)
		switch {
		case t == "*" && meaning != noStar:
			list.star = meaning
			if among || len(texts) > 1 {
				list.star = sentStar
			}
		case t != "":
			list.names = append(list.names, named{t, n})
		}
	}
	return list
}

// fixed returns a list of a product's defaults.
func fixed(at *node, texts ...string) names {
	list := names{at: at}
	for _, t := range texts {
		list.names = append(list.names, named{t, at})
	}
	return list
}
