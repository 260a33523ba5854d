package convert

// settings are a source's CORS settings in terms that all products share, the product's defaults filled in.
type settings struct {
	at *node

	origins []originEntry
	// starSent: any origin is answered by a literal *, so that browsers refuse it with credentials in the source too.
	starSent    bool
	credentials bool

	methods, headers, expose names
	// checksMethods: the source refuses actual requests of methods that are not listed, those that browsers always allow included.
	checksMethods bool

	maxAge         *int64 // seconds, nil where none is sent
	maxAgeAt       *node
	privateNetwork bool
	status         int64 // of a preflight's answer, 0 where nothing was said
	statusAt       *node
	// refusedPreflight and refusedOrigin are values of Corsguard's keys, "" for the defaults.
	refusedPreflight, refusedOrigin string

	mode any // a value of the key mode, nil for what holds without it
}

// originKind is how a source compares origins.
type originKind uint8

const (
	anyOrigin      originKind = iota
	exactOrigin               // byte for byte
	globOrigin                // each * stands for any characters, none included
	labelOrigin               // a * stands for the letters, digits and hyphens of one label
	prefixOrigin              // what the origin begins with
	suffixOrigin              // what it ends with
	containsOrigin            // what is in it
	regexOrigin               // an expression for the whole origin
	searchOrigin              // an expression for a part of it, unless it has anchors
	patternOrigin             // a pattern that means the same in Corsguard
	anyHostOrigin             // any host of a scheme, at its default port
)

// originEntry is one origin of a source.
type originEntry struct {
	kind originKind
	text string
	at   *node
}

// star is what a * among names means in a source.
type star uint8

const (
	noStar   star = iota // nothing: it is a name
	echoStar             // what the preflight asks for is answered
	sentStar             // it is sent as it is
)

// names is a list of methods or headers.
type names struct {
	at    *node
	star  star
	names []named
}

type named struct {
	text string
	at   *node
}

// corsBlock is a cors block, its keys in the reference's order.
type corsBlock struct {
	AllowOrigins        []any    `json:"allowOrigins,omitempty"`
	AllowMethods        []string `json:"allowMethods,omitempty"`
	AllowHeaders        []string `json:"allowHeaders,omitempty"`
	ExposeHeaders       []string `json:"exposeHeaders,omitempty"`
	AllowCredentials    bool     `json:"allowCredentials,omitempty"`
	MaxAge              *int64   `json:"maxAge,omitempty"`
	AllowNull           bool     `json:"allowNull,omitempty"`
	AllowPrivateNetwork bool     `json:"allowPrivateNetwork,omitempty"`
	PreflightStatus     int64    `json:"preflightStatus,omitempty"`
	OnRefusedPreflight  string   `json:"onRefusedPreflight,omitempty"`
	OnRefusedOrigin     string   `json:"onRefusedOrigin,omitempty"`
}

// grant is what settings became: the groups of a cors block, and a mode. A nil grant, or one without groups, grants nothing.
type grant struct {
	groups []corsBlock
	mode   any
}

// value returns the value of the key cors.
func (g *grant) value() any {
	switch {
	case g == nil || len(g.groups) == 0:
		return nil
	case len(g.groups) == 1:
		return g.groups[0]
	}
	return g.groups
}

// key returns a text that is the same for equal grants alone.
func (g *grant) key() string {
	if g == nil || len(g.groups) == 0 {
		return ""
	}
	return string(marshal([]any{g.groups, g.mode}))
}

// grantOf converts s. It returns nil where nothing is left.
func (c *converter) grantOf(s *settings) *grant {
	if s.checksMethods && !c.mayListSafelisted(&s.methods) {
		return nil
	}
	with, without := c.splitOrigins(s)
	g := &grant{mode: s.mode}
	if len(with) > 0 {
		g.groups = append(g.groups, c.block(s, with, true))
	}
	if len(without) > 0 {
		g.groups = append(g.groups, c.block(s, without, false))
	}
	if len(g.groups) == 0 {
		return nil
	}
	first := &g.groups[0]
	first.PreflightStatus = c.preflightStatus(s)
	first.OnRefusedPreflight, first.OnRefusedOrigin = s.refusedPreflight, s.refusedOrigin
	c.dropCovered(g)
	return g
}

// mayListSafelisted reports whether a source that refuses what it does not list, lists what Corsguard always allows. HEAD shows less than GET does.
func (c *converter) mayListSafelisted(list *names) bool {
	if list.star == echoStar {
		return true
	}
	lists := func(method string) bool {
		for _, m := range list.names {
			if m.text == method {
				return true
			}
		}
		return false
	}
	for _, method := range []string{"GET", "POST"} {
		if !lists(method) {
			c.add(methodsTooWide, list.at, "the methods do not include "+method+", which the source refuses then, and Corsguard cannot: nothing is granted here",
				"if pages may use "+method+" too, add it to the source's methods and convert again; otherwise let the service refuse it and write the policy by hand")
			return false
		}
	}
	return true
}

// block makes a group for patterns.
func (c *converter) block(s *settings, patterns []pattern, credentials bool) corsBlock {
	b := corsBlock{
		AllowMethods:        c.methodList(&s.methods, credentials),
		AllowHeaders:        c.headerList(&s.headers, credentials),
		ExposeHeaders:       c.exposeList(&s.expose, credentials),
		AllowCredentials:    credentials,
		MaxAge:              c.maxAge(s),
		AllowPrivateNetwork: s.privateNetwork,
	}
	for _, p := range patterns {
		switch {
		case p.any:
			b.AllowOrigins, b.AllowNull = []any{"*"}, false
			return b
		case p.null:
			b.AllowNull = true
		default:
			b.AllowOrigins = append(b.AllowOrigins, p.value())
		}
	}
	return b
}

const mostMaxAge = 86400

func (c *converter) maxAge(s *settings) *int64 {
	if s.maxAge == nil {
		return nil
	}
	at := s.maxAgeAt
	if at == nil {
		at = s.at
	}
	switch age := *s.maxAge; {
	case age < 0:
		c.add(maxAgeChanged, at, "a negative time is no value that browsers take, so it is left out; they remember the answer for 5 seconds then", "write 0 to have nothing remembered")
		return nil
	case age > mostMaxAge:
		most := int64(mostMaxAge)
		c.add(maxAgeChanged, at, "more than 86400 seconds: 86400 is written, which is the most that any browser takes", "")
		return &most
	}
	return s.maxAge
}

func (c *converter) preflightStatus(s *settings) int64 {
	const success, nextClass, usual = 200, 300, 204
	switch {
	case s.status == 0 || s.status == usual:
		return 0
	case s.status < success || s.status >= nextClass:
		c.add(settingLost, s.statusAt, "browsers take no status but 200 to 299 for a preflight's answer: 204 is sent", "")
		return 0
	}
	return s.status
}

// dropCovered takes those patterns out of the second group that the first takes already: the plugin refuses what never wins.
func (c *converter) dropCovered(g *grant) {
	if len(g.groups) < 2 {
		return
	}
	second := &g.groups[1]
	var kept []any
	for _, p := range second.AllowOrigins {
		first := corsBlock{AllowOrigins: g.groups[0].AllowOrigins}
		if c.problem(document{CORS: []corsBlock{first, {AllowOrigins: []any{p}}}}) == nil {
			kept = append(kept, p)
		}
	}
	if second.AllowOrigins = kept; len(kept) == 0 && !second.AllowNull {
		g.groups = g.groups[:1]
	}
}

// lost adds a finding that a setting was not kept.
func (c *converter) lost(n *node, message, fix string) { c.add(settingLost, n, message, fix) }

// invalid adds a finding that the source is invalid.
func (c *converter) invalid(n *node, message, fix string) { c.add(invalidSource, n, message, fix) }
