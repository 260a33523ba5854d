// Package plain knows the configurations of deploy/envoy, for tests that run them in a real Envoy.
package plain

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"corsguard/e2e/repo"
)

// The files, by their path below deploy/envoy.
const (
	Static     = "bootstrap.yaml"
	HTTP3      = "http3.yaml"
	Dynamic    = "dynamic/bootstrap.yaml"
	Listeners  = "dynamic/lds.yaml"
	Discovered = "dynamic/ecds.yaml"
)

// Listeners of the files. The second one is that of QUIC.
const (
	Edge     = "edge"
	EdgeQUIC = "edge-quic"
)

// Places are what a test has elsewhere than the files say.
type Places struct {
	Wasm, Certificate, Key string // paths
	Service                string // host and port
}

const (
	adminPlace   = "{ address: 127.0.0.1, port_value: 9901 }"
	edgePlace    = "address: 127.0.0.1, port_value: 10443 }"
	servicePlace = "{ address: 127.0.0.1, port_value: 8001 }"
	wasmPlace    = "filename: main.wasm"
	chainPlace   = "filename: bin/tls.crt"
	keyPlace     = "filename: bin/tls.key"
	watchedPlace = "deploy/envoy/dynamic"
)

// placesIn has every file, and the places that it names.
var placesIn = map[string][]string{
	Static:     {adminPlace, edgePlace, servicePlace, wasmPlace, chainPlace, keyPlace},
	HTTP3:      {adminPlace, edgePlace, servicePlace, wasmPlace, chainPlace, keyPlace},
	Dynamic:    {adminPlace, servicePlace, watchedPlace},
	Listeners:  {edgePlace, chainPlace, keyPlace, watchedPlace},
	Discovered: {wasmPlace},
}

var tcpListener = regexp.MustCompile(`(?m)^( *)(?:- |  )name: edge$`)

// Read returns a file as it is.
func Read(name string) (string, error) {
	root, err := repo.Root()
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy", "envoy", filepath.FromSlash(name)))
	return string(text), err
}

// Copy puts a copy of the files into dir. It differs in nothing but places, free ports among them, and in how the workers share a port.
func Copy(dir string, p Places) error {
	_, port, err := net.SplitHostPort(p.Service)
	if err != nil {
		return err
	}
	there := map[string]string{
		adminPlace:   "{ address: 127.0.0.1, port_value: 0 }",
		edgePlace:    "address: 127.0.0.1, port_value: 0 }",
		servicePlace: "{ address: 127.0.0.1, port_value: " + port + " }",
		wasmPlace:    "filename: " + strconv.Quote(p.Wasm),
		chainPlace:   "filename: " + strconv.Quote(p.Certificate),
		keyPlace:     "filename: " + strconv.Quote(p.Key),
		watchedPlace: filepath.Join(dir, "dynamic"),
	}
	if err := os.Mkdir(there[watchedPlace], 0o755); err != nil {
		return err
	}
	for name, places := range placesIn {
		text, err := Read(name)
		if err != nil {
			return err
		}
		for _, place := range places {
			if !strings.Contains(text, place) {
				return fmt.Errorf("%s does not name %q", name, place)
			}
			text = strings.ReplaceAll(text, place, there[place])
		}
		// With a socket for each worker, the kernel now and then gives a free port to two listeners. With one for all, one worker may take every connection.
		text = tcpListener.ReplaceAllString(text, "$0\n$1  enable_reuse_port: false\n$1  connection_balance_config: { exact_balance: {} }")
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

var bearer = regexp.MustCompile(`authorization: (Bearer [\w.-]+)`)

// Token returns the value of Authorization that the instructions of bootstrap.yaml name, and jwt_authn takes.
func Token() (string, error) {
	text, err := Read(Static)
	if err != nil {
		return "", err
	}
	found := bearer.FindStringSubmatch(text)
	if found == nil {
		return "", fmt.Errorf("the instructions of %s name no token", Static)
	}
	return found[1], nil
}
