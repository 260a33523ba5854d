package convert

import (
	"bytes"
	"encoding/json"
	"errors"

	"corsguard/filter/config"
)

// document is a Corsguard configuration, its keys in the reference's order.
type document struct {
	Mode  any       `json:"mode,omitempty"`
	CORS  any       `json:"cors,omitempty"`
	Rules []ruleDoc `json:"rules,omitempty"`
}

type ruleDoc struct {
	Name  string   `json:"name"`
	Match matchDoc `json:"match"`
	Mode  any      `json:"mode,omitempty"`
	CORS  any      `json:"cors"` // null switches it off
}

type matchDoc struct {
	Hosts  []string  `json:"hosts,omitempty"`
	Paths  []pathDoc `json:"paths,omitempty"`
	Routes []string  `json:"routes,omitempty"`
}

// pathDoc has one key.
type pathDoc struct {
	Exact  string `json:"exact,omitempty"`
	Prefix string `json:"prefix,omitempty"`
	Regex  string `json:"regex,omitempty"`
}

type regexDoc struct {
	Regex string `json:"regex"`
}

// marshal returns v as JSON, without escapes for HTML.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // no value here has a part that JSON cannot say
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// pretty returns v as JSON for people.
func pretty(v any) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, marshal(v), "", "  "); err != nil {
		return nil
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// problem returns the first reason for which the plugin refuses d, nil where it accepts it.
func (c *converter) problem(d document) *config.Problem {
	if problems := c.problems(marshal(d)); len(problems) > 0 {
		return &problems[0]
	}
	return nil
}

// problems asks the plugin's own parser, once for each text.
func (c *converter) problems(text []byte) config.Error {
	if problems, ok := c.checked[string(text)]; ok {
		return problems
	}
	var problems config.Error
	if _, _, err := config.Parse(text); err != nil && !errors.As(err, &problems) {
		problems = config.Error{{Path: "$", Reason: err.Error()}}
	}
	if c.checked == nil {
		c.checked = map[string]config.Error{}
	}
	const rememberedBytes = 4096
	if len(text) < rememberedBytes {
		c.checked[string(text)] = problems
	}
	return problems
}
