// Package document finds policies in the files in which people keep them: bare, in Envoy's configuration, and in the resources of Istio and Envoy Gateway; and tells of each path in a
// policy where in the file it stands. It reads YAML as Kubernetes' tools do. What a string holds is left byte for byte: the plugin has the last word on it.
package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// Kind tells what a policy was found in. The zero value is Bare.
type Kind uint8

const (
	// Bare is a policy that is a document of its own.
	Bare Kind = iota
	// Envoy is Envoy's configuration, or a part of it.
	Envoy
	// WasmPlugin, EnvoyFilter, EnvoyExtensionPolicy and EnvoyPatchPolicy are resources of Kubernetes.
	WasmPlugin
	EnvoyFilter
	EnvoyExtensionPolicy
	EnvoyPatchPolicy
)

var kindNames = [...]string{"policy", "Envoy", "WasmPlugin", "EnvoyFilter", "EnvoyExtensionPolicy", "EnvoyPatchPolicy"}

// String returns the name of k.
func (k Kind) String() string { return kindNames[k] }

// MarshalText implements encoding.TextMarshaler.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Policy is one plugin configuration that a file holds.
type Policy struct {
	// JSON is the configuration as the plugin gets it. It may be no JSON.
	JSON []byte
	// Name says which of the file's it is: "" where the file is one policy, else such as "WasmPlugin istio-system/corsguard" or "listener main, filter corsguard".
	Name string
	Kind Kind

	in     *text
	at     int            // where the policy begins
	syntax string         // why it is no JSON
	places map[string]int // offsets by path
	paths  bool           // a rule asks for paths
}

// Place returns where a path of the policy, as config.Problem has it, stands in the file: the nearest that is there.
func (p *Policy) Place(path string) finding.Place {
	at, near := p.at, path
	for near != "" {
		if found, ok := p.places[near]; ok {
			at = found
			break
		}
		near = near[:max(0, strings.LastIndexAny(near, ".["))]
	}
	place := p.in.place(at)
	place.Document, place.Path = p.Name, path
	return place
}

// ErrNoPolicy is of a file that can be read, and holds nothing that is to be a policy.
var ErrNoPolicy = errors.New("holds no policy")

// Read finds the policies that a file holds, in their order, and what there is to say about what is around them. The error tells that the file cannot be read, or holds nothing that
// is to be a policy (ErrNoPolicy); its text has the name of the file, and where it is known the line and column.
func Read(file string, data []byte) ([]Policy, []finding.Finding, error) {
	t := newFile(file, data)
	var documents []*node
	if looksLikeJSON(file, data) {
		n, err := parseJSON(t)
		if err != nil {
			return nil, nil, err
		}
		documents = []*node{n}
	} else {
		var err *SyntaxError
		if documents, err = parseYAML(t); err != nil {
			if strings.Contains(t.data, "{{") {
				err.Reason += "; is it a template, which has to be rendered first?"
			}
			return nil, nil, err
		}
	}
	s := &search{file: t}
	for i, n := range documents {
		s.number = 0
		if len(documents) > 1 {
			s.number = i + 1
		}
		s.document(n)
	}
	s.finish()
	if len(s.policies)+len(s.findings) == 0 {
		return nil, nil, fmt.Errorf("%s: %w: looked for a policy by itself, and for the plugin in an Envoy configuration, a WasmPlugin, an EnvoyFilter, an EnvoyExtensionPolicy and an EnvoyPatchPolicy", file, ErrNoPolicy)
	}
	return s.policies, s.findings, nil
}

// CheckSyntax returns why a file is neither JSON nor YAML, with the place, nil where it is one of them.
func CheckSyntax(file string, data []byte) error {
	t := newFile(file, data)
	if looksLikeJSON(file, data) {
		if _, err := parseJSON(t); err != nil {
			return err
		}
		return nil
	}
	if _, err := parseYAML(t); err != nil {
		return err
	}
	return nil
}

// looksLikeJSON reports whether a file is to be JSON: by its name, or by its beginning. What is JSON under a name of YAML is read as JSON too, since YAML has other escapes.
func looksLikeJSON(file string, data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	begins := len(data) > 0 && (data[0] == '{' || data[0] == '[')
	switch strings.ToLower(filepath.Ext(file)) {
	case ".json":
		return true
	case ".yaml", ".yml":
		return begins && json.Valid(data)
	}
	return begins
}

// Syntax says what is wrong with the policy where it is no JSON, "" where it is.
func (p *Policy) Syntax() string { return p.syntax }
