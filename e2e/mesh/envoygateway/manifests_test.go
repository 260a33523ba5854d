package envoygateway_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"corsguard/e2e/repo"
)

type object = map[string]any

// manifests are Kubernetes objects.
type manifests []object

// deployed returns the objects of deploy/envoy-gateway.
func deployed() (manifests, error) {
	root, err := repo.Root()
	if err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(root, "deploy", "envoy-gateway", "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, errors.New("deploy/envoy-gateway has no manifests"))
	}
	var all manifests
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for document := range bytes.SplitSeq(text, []byte("\n---\n")) {
			var o object
			if err := yaml.UnmarshalStrict(document, &o); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// yaml returns the objects as one file.
func (m manifests) yaml() []byte {
	var all bytes.Buffer
	for _, o := range m {
		text, err := yaml.Marshal(o)
		if err != nil {
			panic(err) // objects that were read, or written down here
		}
		fmt.Fprintf(&all, "---\n%s", text)
	}
	return all.Bytes()
}

// copy returns objects that share nothing with these.
func (m manifests) copy() manifests {
	text, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	var c manifests
	if err := json.Unmarshal(text, &c); err != nil {
		panic(err)
	}
	return c
}

// with returns a copy in which a value of the first object of that kind is another one.
func (m manifests) with(kind string, value any, path ...any) manifests {
	c := m.copy()
	c.set(kind, value, path...)
	return c
}

// set sets a value. The path has keys of objects and indexes of arrays.
func (m manifests) set(kind string, value any, path ...any) {
	var at any = m.find(kind)
	for _, step := range path[:len(path)-1] {
		if i, ok := step.(int); ok {
			at = at.([]any)[i]
			continue
		}
		at = at.(object)[step.(string)]
	}
	at.(object)[path[len(path)-1].(string)] = value
}

func (m manifests) find(kind string) object {
	for _, o := range m {
		if o["kind"] == kind {
			return o
		}
	}
	panic("there is no " + kind)
}
