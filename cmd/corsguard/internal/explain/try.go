package explain

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// refusal returns what the plugin would say to the policy with another value of a key of the group at path, "" where it would take it.
func (p *Policy) refusal(path, key string, value any) string {
	data, err := json.Marshal(p.root)
	if err != nil {
		return err.Error()
	}
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		return err.Error()
	}
	g, ok := at(root, path).(map[string]any)
	if !ok {
		return ""
	}
	g[key] = value
	if data, err = json.Marshal(root); err != nil {
		return err.Error()
	}
	spec, _, err := config.Parse(data)
	if err == nil {
		_, err = policy.Compile(&spec)
	}
	var problems config.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &problems):
		return strings.TrimPrefix(problems[0].Value+": "+problems[0].Reason, ": ")
	}
	return err.Error()
}

// at returns the value at a path such as rules[0].cors[1], nil where there is none.
func at(v any, path string) any {
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}
