package advice

import (
	"encoding/json"
	"reflect"

	"corsguard/filter/config"
	"corsguard/filter/origin"
)

// view is a policy as it is written, with paths. The plugin has taken it, so there are no other types than these.
type view struct {
	scope
	rules []scope
	log   *struct {
		RefusalsPerMinute *float64 `json:"refusalsPerMinute"`
	}
}

// scope is the blocks of the top level or of a rule. Blocks that are not there, or null, are nil or empty.
type scope struct {
	path     string // "" for the top level
	raw      map[string]json.RawMessage
	groups   []group
	security map[string]headerValue
	isolates map[string]headerValue
	fetch    map[string]any
	mode     any
}

// at returns the path of a block.
func (s *scope) at(block string) string { return config.Key(s.path, block) }

// has reports whether a block is there, null included.
func (s *scope) has(block string) bool { _, ok := s.raw[block]; return ok }

// group is one cors block.
type group struct {
	path     string
	keys     map[string]json.RawMessage
	patterns []origin.Pattern

	AllowMethods, AllowHeaders, ExposeHeaders        []string
	AllowCredentials, AllowNull, AllowPrivateNetwork bool
	MaxAge                                           *float64
	OnRefusedPreflight, OnRefusedOrigin              string
	UpstreamHeaders                                  string
	Presets                                          []string
	Dangerously                                      map[string]bool
}

// headerValue is what a key of isolation or securityHeaders says: text, where it is a string or an object with one, and value whatever it is.
type headerValue struct {
	text, path string
	ifAbsent   bool
}

func read(data []byte) (*view, error) {
	d := &view{}
	if err := d.read("", data); err != nil {
		return nil, err
	}
	if raw, ok := d.raw["log"]; ok {
		if err := json.Unmarshal(raw, &d.log); err != nil {
			return nil, err
		}
	}
	var rules []json.RawMessage
	if raw, ok := d.raw["rules"]; ok {
		if err := json.Unmarshal(raw, &rules); err != nil {
			return nil, err
		}
	}
	d.rules = make([]scope, len(rules))
	for i, raw := range rules {
		if err := d.rules[i].read(config.Element("rules", i), raw); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (s *scope) read(path string, data []byte) error {
	s.path = path
	if err := json.Unmarshal(data, &s.raw); err != nil {
		return err
	}
	if s.raw == nil {
		return errNoObject
	}
	var err error
	if s.groups, err = readGroups(s.at("cors"), s.raw["cors"]); err != nil {
		return err
	}
	if s.security, err = readHeaders(s.at("securityHeaders"), s.raw["securityHeaders"]); err != nil {
		return err
	}
	if s.isolates, err = readHeaders(s.at("isolation"), s.raw["isolation"]); err != nil {
		return err
	}
	if raw := s.raw["fetchMetadata"]; raw != nil {
		if err := json.Unmarshal(raw, &s.fetch); err != nil {
			return err
		}
	}
	if raw := s.raw["mode"]; raw != nil {
		return json.Unmarshal(raw, &s.mode)
	}
	return nil
}

func readGroups(path string, raw json.RawMessage) ([]group, error) {
	var list []json.RawMessage
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	isList := raw[0] == '['
	if !isList {
		list = []json.RawMessage{raw}
	} else if err := json.Unmarshal(raw, &list); err != nil {
		return nil, err
	}
	groups := make([]group, len(list))
	for i, raw := range list {
		g := &groups[i]
		if g.path = path; isList {
			g.path = config.Element(path, i)
		}
		if err := json.Unmarshal(raw, &g.keys); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, g); err != nil {
			return nil, err
		}
		if err := g.readPatterns(); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

func (g *group) readPatterns() error {
	raw := g.keys["allowOrigins"]
	if raw == nil {
		return nil
	}
	var list []any
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	g.patterns = make([]origin.Pattern, len(list))
	for i, v := range list {
		parse, text := origin.ParsePattern, ""
		switch v := v.(type) {
		case string:
			text = v
		case map[string]any:
			if text, _ = v["regex"].(string); text != "" {
				parse = origin.ParseRegex
			} else {
				text, _ = v["exact"].(string)
			}
		}
		p, err := parse(text)
		if err != nil {
			return err
		}
		g.patterns[i] = p
	}
	return nil
}

// at returns the path of a key.
func (g *group) at(key string) string { return config.Key(g.path, key) }

// pattern returns the path of a pattern.
func (g *group) pattern(i int) string { return config.Element(g.at("allowOrigins"), i) }

func readHeaders(path string, raw json.RawMessage) (map[string]headerValue, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var keys map[string]any
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil, err
	}
	headers := make(map[string]headerValue, len(keys))
	for key, v := range keys {
		h := headerValue{path: config.Key(path, key)}
		switch v := v.(type) {
		case string:
			h.text = v
		case map[string]any:
			if text, ok := v["value"].(string); ok {
				h.text, h.path = text, config.Key(h.path, "value")
			}
			h.ifAbsent, _ = v["ifAbsent"].(bool)
		}
		headers[key] = h
	}
	return headers, nil
}

// sameJSON reports whether two JSON texts say the same.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
