// Package istio has the tests of the filter in Istio: its own control plane, agent and image fetcher, with a plain Envoy behind them and no cluster.
package istio
