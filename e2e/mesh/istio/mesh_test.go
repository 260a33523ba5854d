package istio_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/envoy"
	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/process"
	"corsguard/e2e/mesh/internal/tools"
	"corsguard/e2e/upstream"
	"corsguard/e2e/wire"
)

// Bounds of what others do on their own time. A machine that is busy with other work needs them.
const (
	readyLimit  = 2 * time.Minute
	updateLimit = 2 * time.Minute
)

// mesh is a control plane of Istio over a cluster of this process, a gateway's address, and a service behind it.
type mesh struct {
	cluster *cluster.Cluster
	pilot   *process.Process
	proxy   *process.Process // the agent, where there is one: a test need not wait when it has ended
	xds     string           // where proxies ask for their configuration
	debug   string           // pilot's HTTP server
	metrics string           // and the one for Prometheus
	status  string           // the agent's HTTP server, where there is one
	gateway string           // where the proxy listens, once it runs
	backend *upstream.Upstream
	dir     string
	// gatewayAPI has the control plane read the Kubernetes Gateway API.
	gatewayAPI bool
	env        map[string]string // what testdata has in ${…}
}

// badCORS is what the service behind the gateway sends where the test lays down nothing else: Corsguard's policy must replace it.
const badCORS = "bad-cors"

// startMesh runs a control plane over the objects.
func startMesh(t *testing.T, applied ...[]cluster.Object) *mesh {
	t.Helper()
	return start(t, false, applied)
}

// startGatewayAPI does the same for gateways and routes of the Kubernetes Gateway API.
func startGatewayAPI(t *testing.T, applied ...[]cluster.Object) *mesh {
	t.Helper()
	return start(t, true, applied)
}

func start(t *testing.T, gatewayAPI bool, applied [][]cluster.Object) *mesh {
	t.Helper()
	m := &mesh{gatewayAPI: gatewayAPI, dir: t.TempDir(), xds: process.FreeAddr(t), debug: process.FreeAddr(t), metrics: process.FreeAddr(t)}
	var err error
	if m.backend, err = upstream.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.backend.Close() })
	m.backend.On(badCORS, upstream.Answer{Headers: []corpus.Header{{"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}}, Body: "hello"})
	port := strconv.Itoa(process.FreePort(t))
	m.gateway = "127.0.0.1:" + port
	m.env = map[string]string{"gateway": port, "upstream": portOf(m.backend.Addr), "login": portOf(loginService(t)), "pilot": m.xds}
	m.startCluster(t, applied)
	m.startPilot(t)
	return m
}

func portOf(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// filled returns a file of testdata with the ports of this mesh.
func (m *mesh) filled(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(os.Expand(string(text), func(key string) string {
		value, ok := m.env[key]
		if !ok {
			t.Fatalf("%s: there is no ${%s}", name, key)
		}
		return value
	}))
}

func (m *mesh) startCluster(t *testing.T, applied [][]cluster.Object) {
	t.Helper()
	var err error
	if m.cluster, err = cluster.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.cluster.Close() })
	m.apply(t, read(t, program[tools.IstioCRDs])...)
	m.apply(t, read(t, program[tools.GatewayAPICRDs])...)
	around, err := cluster.Parse(bytes.NewReader(m.filled(t, "cluster.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	if m.gatewayAPI { // the control plane takes a Pod with this label for one of its own making
		for _, o := range around {
			if o["kind"] == "Pod" {
				at(t, o, "metadata", "labels")["gateway.networking.k8s.io/gateway-name"] = "api"
			}
		}
	}
	for _, objects := range append([][]cluster.Object{around}, applied...) {
		m.apply(t, objects...)
	}
}

func (m *mesh) apply(t *testing.T, objects ...cluster.Object) {
	t.Helper()
	if err := m.cluster.Apply(objects...); err != nil {
		t.Fatal(err)
	}
}

// startPilot runs pilot-discovery as it is shipped. What is off are the filters that only Istio's own build of Envoy has, and what needs certificates.
func (m *mesh) startPilot(t *testing.T) {
	t.Helper()
	config, kubeconfig := filepath.Join(m.dir, "mesh.yaml"), filepath.Join(m.dir, "kubeconfig")
	if err := os.WriteFile(config, m.filled(t, "mesh.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.cluster.Kubeconfig(kubeconfig); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program[tools.PilotDiscovery], "discovery",
		"--kubeconfig", kubeconfig, "--meshConfig", config, "--networksConfig", "/nonexistent", "--domain", "cluster.local",
		"--grpcAddr", m.xds, "--httpAddr", m.debug, "--httpsAddr=", "--secureGRPCAddr=", "--monitoringAddr", m.metrics, "--ctrlz_port", "0")
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(),
		"PILOT_ENABLE_METADATA_EXCHANGE=false", "PILOT_ENABLE_ALPN_FILTER=false",
		"ENABLE_CA_SERVER=false", "PILOT_CERT_PROVIDER=none",
		"INJECTION_WEBHOOK_CONFIG_NAME=", "VALIDATION_WEBHOOK_CONFIG_NAME=",
		"PILOT_ENABLE_GATEWAY_API="+strconv.FormatBool(m.gatewayAPI), "PILOT_ENABLE_GATEWAY_API_DEPLOYMENT_CONTROLLER=false",
		"POD_NAME=istiod-1", "POD_NAMESPACE=istio-system",
	)
	m.pilot = process.Start(t, cmd)
	m.pilot.Until(t, readyLimit, func() error {
		resp, err := http.Get("http://" + m.debug + "/ready")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("pilot-discovery: %s", resp.Status)
		}
		return nil
	})
}

// envoy runs a plain Envoy that is the gateway to the control plane: its id and metadata are what the agent writes for one.
func (m *mesh) envoy(t *testing.T) *envoy.Process {
	t.Helper()
	ads := envoy.Object{"ads": envoy.Object{}, "resource_api_version": "V3", "initial_fetch_timeout": "0s"}
	p, err := engine.Start(t.Context(), envoy.Options{
		Bootstrap: envoy.Object{
			"node": envoy.Object{
				"id":      "router~127.0.0.1~gateway-1.istio-system~istio-system.svc.cluster.local",
				"cluster": "istio-ingressgateway.istio-system",
				"metadata": envoy.Object{
					"ISTIO_VERSION": "1.31.0", "NAMESPACE": "istio-system", "CLUSTER_ID": "Kubernetes", "INSTANCE_IPS": "127.0.0.1",
					"LABELS": envoy.Object{"istio": "ingressgateway"},
				},
			},
			"dynamic_resources": envoy.Object{
				"lds_config": ads, "cds_config": ads,
				"ads_config": envoy.Object{
					"api_type": "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": true,
					"grpc_services": []envoy.Object{{"envoy_grpc": envoy.Object{"cluster_name": "xds-grpc"}}},
				},
			},
			"static_resources": envoy.Object{"clusters": []envoy.Object{envoy.Cluster("xds-grpc", m.xds, true)}},
		},
		Args: []string{"--concurrency", "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("the end of Envoy's log:\n%s", p.Log.Tail(30))
		}
	})
	return p
}

// until sends a request again and again, until the status and the complete set of headers are the ones wanted.
func (m *mesh) until(t *testing.T, r corpus.Request, status int, want []corpus.Header) {
	t.Helper()
	awaited := m.pilot
	if m.proxy != nil {
		awaited = m.proxy
	}
	awaited.Until(t, updateLimit, func() error {
		got, err := wire.H1(m.gateway, r)
		if err != nil {
			return err
		}
		return compare(got, status, want)
	})
}

// check sends a request once.
func (m *mesh) check(t *testing.T, r corpus.Request, status int, want []corpus.Header) {
	t.Helper()
	got := answer(t, m.gateway, wire.With(r, upstream.CaseHeader, badCORS))
	if err := compare(got, status, want); err != nil {
		t.Errorf("%s %s %q: %v", r.Method, r.Path, r.Headers, err)
	}
}

// local returns the WasmPlugin of deploy/istio with the module of this machine in place of the image.
func local(t *testing.T) cluster.Object {
	t.Helper()
	o := manifest(t, "corsguard.yaml")[0]
	o["spec"].(cluster.Object)["url"] = "file://" + plugin
	delete(o["spec"].(cluster.Object), "sha256")
	return o
}

// policyOf returns the policy in a WasmPlugin, for the test to change.
func policyOf(o cluster.Object) cluster.Object {
	return o["spec"].(cluster.Object)["pluginConfig"].(cluster.Object)
}
