package operations

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"corsguard/e2e/envoy"
	"corsguard/e2e/repo"
)

const (
	// RateLimitFile is a configuration of Envoy that the page explains.
	RateLimitFile = "deploy/envoy/rate-limit.yaml"

	document = "docs/operations.md"
)

// Change is what a test wants otherwise in a copy of the file's listener.
type Change func(Listener) error

// RateLimits returns the file as it is but for ports and paths: the plugin is at the path wasm, the upstream at an address of this machine. Beside the
// file's listener there are copies of it, by name.
func RateLimits(wasm, upstream string, copies map[string]Change) (envoy.Object, error) {
	text, err := adapted(wasm, upstream)
	if err != nil {
		return nil, err
	}
	bootstrap, listener, err := parse(text)
	if err != nil {
		return nil, err
	}
	listeners := []Listener{listener}
	for name, change := range copies {
		_, l, err := parse(text)
		if err != nil {
			return nil, err
		}
		l["name"] = name
		if err := change(l); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		listeners = append(listeners, l)
	}
	bootstrap["static_resources"].(envoy.Object)["listeners"] = listeners
	return bootstrap, nil
}

// adapted returns the file with other ports and paths, each of which it must have once.
func adapted(wasm, upstream string) (string, error) {
	text, err := file(RateLimitFile)
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(upstream)
	if err != nil {
		return "", err
	}
	for _, change := range [][2]string{
		{"{ address: 127.0.0.1, port_value: 9901 }", "{ address: 127.0.0.1, port_value: 0 }"},
		{"{ address: 127.0.0.1, port_value: 10000 }", "{ address: 127.0.0.1, port_value: 0 }"},
		{"{ address: 127.0.0.1, port_value: 8001 }", "{ address: 127.0.0.1, port_value: " + port + " }"},
		{"filename: main.wasm", "filename: " + strconv.Quote(wasm)},
	} {
		if n := strings.Count(text, change[0]); n != 1 {
			return "", fmt.Errorf("%s has %d times %q", RateLimitFile, n, change[0])
		}
		text = strings.Replace(text, change[0], change[1], 1)
	}
	return text, nil
}

// file returns a file of the repository.
func file(name string) (string, error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	return string(data), err
}

func parse(text string) (envoy.Object, Listener, error) {
	var bootstrap envoy.Object
	if err := yaml.Unmarshal([]byte(text), &bootstrap); err != nil {
		return nil, nil, err
	}
	listeners := bootstrap["static_resources"].(envoy.Object)["listeners"].([]any)
	if len(listeners) != 1 {
		return nil, nil, fmt.Errorf("%s has %d listeners", RateLimitFile, len(listeners))
	}
	l := Listener(listeners[0].(envoy.Object))
	l["enable_reuse_port"] = false // for the reason that envoy.HCM.Listener has
	return bootstrap, l, nil
}

// Listener is a listener of the file.
type Listener envoy.Object

// Manager returns its connection manager.
func (l Listener) Manager() envoy.Object {
	chain := l["filter_chains"].([]any)[0].(envoy.Object)
	return chain["filters"].([]any)[0].(envoy.Object)["typed_config"].(envoy.Object)
}

// Filters returns the names of its HTTP filters.
func (l Listener) Filters() []string {
	var names []string
	for _, f := range l.Manager()["http_filters"].([]any) {
		names = append(names, f.(envoy.Object)["name"].(string))
	}
	return names
}

// Replace puts another filter in the place of one.
func (l Listener) Replace(name string, filter envoy.Object) error {
	i := slices.Index(l.Filters(), name)
	if i < 0 {
		return fmt.Errorf("there is no filter %s", name)
	}
	l.Manager()["http_filters"].([]any)[i] = filter
	return nil
}

// Edit replaces a piece of the plugin's configuration.
func (l Listener) Edit(before, after string) error {
	i := slices.Index(l.Filters(), "corsguard")
	if i < 0 {
		return errors.New("there is no plugin")
	}
	filter := l.Manager()["http_filters"].([]any)[i].(envoy.Object)
	configuration := filter["typed_config"].(envoy.Object)["config"].(envoy.Object)["configuration"].(envoy.Object)
	text := configuration["value"].(string)
	if !strings.Contains(text, before) {
		return fmt.Errorf("there is no %s in %s", before, text)
	}
	configuration["value"] = strings.Replace(text, before, after, 1)
	return nil
}

// AccessLog returns the access log that docs/operations.md shows.
func AccessLog() (any, error) {
	page, err := file(document)
	if err != nil {
		return nil, err
	}
	const key = "access_log"
	_, rest, _ := strings.Cut(page, "```yaml\n"+key+":\n")
	text, _, found := strings.Cut(rest, "```")
	if !found {
		return nil, fmt.Errorf("%s shows no access log", document)
	}
	var shown envoy.Object
	err = yaml.Unmarshal([]byte(key+":\n"+text), &shown)
	return shown[key], err
}
