// Package tools knows the programs of the control planes that the tests run: where they come from, which versions, and where they are kept once they are
// built.
package tools

import (
	"fmt"
	"os"
	"path/filepath"

	"corsguard/e2e/repo"
)

// Versions of what is built. Istio's is also in go.mod, since the tests use its packages.
const (
	IstioVersion        = "v0.0.0-20260827124520-eed52ebb66ad" // of release 1.31
	EnvoyGatewayVersion = "v1.9.1"
)

// Names of the files, for [Path].
const (
	PilotDiscovery = "pilot-discovery"
	PilotAgent     = "pilot-agent"
	Istioctl       = "istioctl"
	IstioCRDs      = "crd-all.gen.yaml"     // the custom resource definitions of Istio's own chart
	IstioBootstrap = "envoy_bootstrap.json" // the template from which its agent makes Envoy's configuration
	GatewayAPICRDs = "gateway-api.yaml"     // the definitions of the Kubernetes Gateway API in the version that Istio requires
	EnvoyGateway   = "envoy-gateway"
	Egctl          = "egctl"
)

// product is a control plane, one version of it.
type product struct {
	name, version string
	files         []string
}

var (
	istio        = product{"istio", IstioVersion, []string{PilotDiscovery, PilotAgent, Istioctl, IstioCRDs, IstioBootstrap, GatewayAPICRDs}}
	envoyGateway = product{"envoy-gateway", EnvoyGatewayVersion, []string{EnvoyGateway, Egctl}}
	products     = []product{istio, envoyGateway}
)

// dir is where the files of that version are, and of no other.
func (p product) dir() (string, error) {
	root, err := repo.Root()
	return filepath.Join(root, ".cache", "mesh", p.name+"-"+p.version), err
}

// Path returns the path of a file, and an error that says what to do when it has not been built.
func Path(name string) (string, error) {
	for _, p := range products {
		for _, file := range p.files {
			if file != name {
				continue
			}
			dir, err := p.dir()
			if err != nil {
				return "", err
			}
			path := filepath.Join(dir, name)
			if _, err := os.Stat(path); err != nil {
				return "", fmt.Errorf("%s %s is not built (run `make e2e-mesh`): %w", p.name, p.version, err)
			}
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is no file of a control plane", name)
}
