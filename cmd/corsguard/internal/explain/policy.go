// Package explain tells what becomes of a request under a policy: the preflight, the actual request, what the browser makes of the answers, and what to change.
package explain

import (
	"bytes"
	"encoding/json"
	"fmt"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// Policy is a policy with its places. Once it has what it fetches, it is immutable: any number of goroutines may use it at once.
type Policy struct {
	inForce []*policy.Fetched // by source
	rules   *policy.Rules
	spec    policy.Spec
	root    map[string]json.RawMessage
	place   func(path string) finding.Place
}

// NewPolicy compiles a configuration as the plugin gets it. place gives the places of JSON paths in it. An error of type config.Error holds its mistakes.
func NewPolicy(data []byte, place func(path string) finding.Place) (*Policy, error) {
	spec, _, err := config.Parse(data)
	if err != nil {
		return nil, err
	}
	rules, err := policy.Compile(&spec)
	if err != nil {
		return nil, err
	}
	p := &Policy{rules: rules, spec: spec, place: place}
	return p, json.Unmarshal(data, &p.root)
}

// Sources returns how many endpoints the policy fetches origins from.
func (p *Policy) Sources() int { return len(p.spec.Sources) }

// Fetch takes a document as the answer of the next source, in the order in which they are written. An error of type config.Error holds its mistakes.
func (p *Policy) Fetch(document []byte) error {
	if len(p.inForce) == p.Sources() {
		return fmt.Errorf("the policy fetches from %d sources", p.Sources())
	}
	const step = 1 << 20
	d := config.NewDocument(string(document), &p.spec.Sources[len(p.inForce)], config.Room(len(document)))
	for !d.Step(step) {
	}
	fetched, err := d.Result()
	if err == nil {
		p.inForce = append(p.inForce, fetched)
	}
	return err
}

// ruleAt returns the path of a rule, "" for the default.
func (p *Policy) ruleAt(rule int) string {
	if rule < len(p.spec.Rules) {
		return fmt.Sprintf("rules[%d]", rule)
	}
	return ""
}

// blockAt returns the path of the block, such as cors, that holds for a rule, and its groups if it is cors.
func (p *Policy) blockAt(rule int, block string) string {
	if own, ok := p.ownRule(rule)[block]; ok && own != nil {
		return p.ruleAt(rule) + "." + block
	}
	return block
}

func (p *Policy) ownRule(rule int) map[string]json.RawMessage {
	if rule >= len(p.spec.Rules) {
		return nil
	}
	var rules []map[string]json.RawMessage
	if json.Unmarshal(p.root["rules"], &rules) != nil {
		return nil
	}
	return rules[rule]
}

// group is a group of origins: a cors object, or one of an array.
type group struct {
	at   string // its path
	cors *policy.CORS
}

// groups returns the groups of the cors block that holds for a rule, none where CORS is off.
func (p *Policy) groups(rule int) []group {
	cors, raw := p.spec.CORS, p.root["cors"]
	if own, ok := p.ownRule(rule)["cors"]; ok {
		cors, raw = p.spec.Rules[rule].CORS, own
	}
	at := p.blockAt(rule, "cors")
	isArray := bytes.HasPrefix(bytes.TrimSpace(raw), []byte("["))
	all := make([]group, 0, len(cors))
	for i := range cors {
		g := group{at: at, cors: &cors[i]}
		if isArray {
			g.at = fmt.Sprintf("%s[%d]", at, i)
		}
		all = append(all, g)
	}
	return all
}

// allows reports whether the group alone allows an actual request from an origin.
func (p *Policy) allows(g *group, origin string) bool {
	rules, err := policy.Compile(&policy.Spec{CORS: []policy.CORS{*g.cors}})
	if err != nil {
		return false
	}
	_, only := rules.Default()
	d := only.Decide(&policy.Request{Method: "GET", Scheme: "https", Authority: "not-the-origin.invalid", Path: "/", Origins: 1, Origin: origin, InForce: p.inForce})
	return d.Grant != ""
}

// mode returns the mode that holds for a rule.
func (p *Policy) mode(rule int) policy.Mode {
	if rule < len(p.spec.Rules) && p.spec.Rules[rule].OwnMode {
		return p.spec.Rules[rule].Mode
	}
	return p.spec.Mode
}
