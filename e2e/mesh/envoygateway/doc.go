// Package envoygateway has the tests of the filter in Envoy Gateway: the real one in its standalone mode, which reads its resources from files and runs Envoy itself, with the
// manifests of deploy/envoy-gateway. It takes fixed ports of the machine, so there is one at a time.
package envoygateway
