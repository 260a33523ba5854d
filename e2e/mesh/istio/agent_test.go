package istio_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/images"
	"corsguard/e2e/mesh/internal/process"
	"corsguard/e2e/mesh/internal/tools"
	"corsguard/e2e/wire"
)

// agent runs Istio's agent, which starts the Envoy that it is given, and fetches images for it.
func (m *mesh) agent(t *testing.T) *process.Process {
	t.Helper()
	// It keeps modules below /var/lib/istio, which is a directory of its own in namespaces of its own. These need no root.
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Fatalf("the agent's directory needs user and mount namespaces, which this machine does not let `unshare -rm` make: %v: %s", err, out)
	}
	port := process.FreePort(t)
	m.status = fmt.Sprintf("127.0.0.1:%d", port)
	config, err := json.Marshal(cluster.Object{
		"binaryPath": engine.Binary, "configPath": filepath.Join(m.dir, "proxy"), "discoveryAddress": m.xds, "controlPlaneAuthPolicy": "NONE",
		"proxyAdminPort": process.FreePort(t), "statusPort": port, "concurrency": 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	const inNamespaces = `mount -t tmpfs tmpfs /var/lib && mkdir -p /var/lib/istio/data && exec "$@"`
	cmd := exec.Command("unshare", "-rm", "sh", "-c", inNamespaces, "sh",
		program[tools.PilotAgent], "proxy", "router", "--domain", "istio-system.svc.cluster.local",
		"--templateFile", program[tools.IstioBootstrap], "--proxyLogLevel", "warning", "--log_output_level=default:info,wasm:debug")
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(),
		"PROXY_CONFIG="+string(config),
		"POD_NAME=gateway-1", "POD_NAMESPACE=istio-system", "INSTANCE_IP=127.0.0.1", "SERVICE_ACCOUNT=default", "ISTIO_META_CLUSTER_ID=Kubernetes",
		`ISTIO_METAJSON_LABELS={"istio":"ingressgateway"}`,
		fmt.Sprintf("ENVOY_STATUS_PORT=%d", process.FreePort(t)), fmt.Sprintf("ENVOY_PROMETHEUS_PORT=%d", process.FreePort(t)),
		// There is no authority that would give it a certificate: what it asks for fails, and is logged. With this port it asks without TLS, and needs no root.
		"CA_ADDR=127.0.0.1:15010", "PILOT_CERT_PROVIDER=none", "OUTPUT_CERTS=",
	)
	m.proxy = process.Start(t, cmd)
	return m.proxy
}

// fetched returns the WasmPlugin of deploy/istio with another image.
func fetched(t *testing.T, url, sha256 string) cluster.Object {
	t.Helper()
	o := manifest(t, "corsguard.yaml")[0]
	spec := at(t, o, "spec")
	spec["url"], spec["sha256"] = url, strings.TrimPrefix(sha256, "sha256:")
	if sha256 == "" {
		delete(spec, "sha256")
	}
	return o
}

// denyAll is what the agent puts in place of a module that it cannot fetch: no page can read it.
func (m *mesh) denyAll(t *testing.T) {
	t.Helper()
	for _, r := range []corpus.Request{preflight("/items", shop), request("GET", "/items", shop), request("POST", "/webhooks/bank", "")} {
		m.until(t, r, 403, nil)
		if got := answer(t, m.gateway, r); string(got.Body) != "RBAC: access denied" {
			t.Errorf("%s %s: body %q", r.Method, r.Path, got.Body)
		}
	}
}

// The whole way of an image: a registry, the control plane, the agent, Envoy.
func TestTheAgentFetchesTheImageAndChecksItsDigest(t *testing.T) {
	login, token := authentication(t)
	registry := images.Serve(t)
	digests := images.Push(t, registry+"/corsguard", "v1", plugin)
	image := "oci://" + registry + "/corsguard:v1"
	m := startMesh(t, manifest(t, "gateway.yaml"), login, []cluster.Object{fetched(t, image, digests["oci"])})
	agent := m.agent(t)
	start := time.Now()
	m.until(t, preflight("/account", shop), 204, preflightGranted)
	t.Logf("the first preflight is answered after %v", time.Since(start).Round(100*time.Millisecond))
	m.check(t, request("GET", "/items", shop), 200, granted)
	m.check(t, request("GET", "/account", shop, token), 200, granted)
	m.check(t, request("GET", "/account", shop), 403, granted)
	m.check(t, request("GET", "/items", shop, corpus.Header{"authorization", "Bearer of.no.worth"}), 401, granted)
	m.check(t, request("GET", "/items", stranger), 200, notGranted)

	// Each of them comes with another policy: the answer tells which one is in force.
	seconds := 100
	inForce := func(o cluster.Object) {
		t.Helper()
		seconds++
		o, want := withMaxAge(o, fmt.Sprint(seconds), seconds)
		m.apply(t, o)
		m.until(t, preflight("/items", shop), 204, want)
	}
	for layout, suffix := range images.Layouts {
		t.Run("layout "+layout, func(t *testing.T) { inForce(fetched(t, image+suffix, digests[layout])) })
	}
	t.Run("another version, under traffic", func(t *testing.T) {
		// A section that no host reads makes another module that does the same.
		module, err := os.ReadFile(plugin)
		if err != nil {
			t.Fatal(err)
		}
		next := filepath.Join(t.TempDir(), "next.wasm")
		if err := os.WriteFile(next, append(module, 0, 5, 4, 'n', 'e', 'x', 't'), 0o644); err != nil {
			t.Fatal(err)
		}
		digests := images.Push(t, registry+"/corsguard", "v2", next)
		before := answer(t, m.gateway, preflight("/items", shop)).Headers
		o, want := withMaxAge(fetched(t, "oci://"+registry+"/corsguard:v2", digests["oci"]), "99", 99)
		stop := m.traffic(before, want)
		m.apply(t, o)
		m.until(t, preflight("/items", shop), 204, want)
		sent, wrong := stop()
		if len(wrong) > 0 || sent < 10 {
			t.Errorf("%d of %d answers are of neither version, the first: %v", len(wrong), sent, append(wrong, nil)[0])
		}
		t.Logf("%d preflights while the version changed", sent)
	})
	t.Run("by digest alone", func(t *testing.T) {
		inForce(fetched(t, "oci://"+registry+"/corsguard@"+digests["oci"], ""))
	})
	t.Run("another digest closes a gateway that runs", func(t *testing.T) {
		m.apply(t, fetched(t, image, strings.Repeat("0", 64)))
		m.denyAll(t)
		agent.Until(t, updateLimit, func() error { return logged(agent.Log.String(), "which does not match") })
		inForce(fetched(t, image, digests["oci"]))
	})
	t.Run("the digest of the module is not that of the image", func(t *testing.T) {
		m.apply(t, fetched(t, image+"-artifact", digests[images.Module]))
		m.denyAll(t)
		inForce(fetched(t, image, digests["oci"]))
	})
	t.Run("so does an image that is not there", func(t *testing.T) {
		m.apply(t, fetched(t, "oci://"+registry+"/corsguard:missing", ""))
		m.denyAll(t)
		inForce(fetched(t, image, digests["oci"]))
	})
	t.Run("a mistake in the policy leaves the old one in force", func(t *testing.T) {
		bad := fetched(t, image, digests["oci"])
		policyOf(bad)["mode"] = "enforced"
		before := answer(t, m.gateway, preflight("/items", shop))
		m.apply(t, bad)
		agent.Until(t, updateLimit, func() error { return logged(agent.Log.String(), `config error: mode: "enforced"`) })
		m.pilot.Until(t, updateLimit, func() error { return logged(m.pilot.Log.String(), "Unable to create Wasm plugin") })
		for range 10 {
			m.check(t, preflight("/items", shop), 204, before.Headers)
		}
		inForce(fetched(t, image, digests["oci"]))
	})
}

// The EnvoyFilter with an image: the agent fetches it, and Corsguard is the very first filter.
func TestTheAgentFetchesTheImageOfTheFirstFilter(t *testing.T) {
	registry := images.Serve(t)
	digests := images.Push(t, registry+"/corsguard", "v1", plugin)
	withImage := func(sha256 string) cluster.Object {
		o := manifest(t, "ext-authz/corsguard.yaml")[0]
		remote := at(t, patches(t, o)[0], "typed_config", "config", "vm_config", "code", "remote")
		remote["sha256"] = strings.TrimPrefix(sha256, "sha256:")
		at(t, remote, "http_uri")["uri"] = "oci://" + registry + "/corsguard:v1"
		return o
	}
	m := startMesh(t, manifest(t, "gateway.yaml"), manifest(t, "ext-authz/authorization.yaml"), []cluster.Object{withImage(digests["oci"])})
	m.agent(t)
	m.until(t, preflight("/account", shop), 204, preflightGranted)
	m.check(t, request("GET", "/account", shop), 403, granted)
	m.check(t, request("GET", "/account", shop, corpus.Header{"cookie", "session=good"}), 200, granted)
	m.check(t, request("GET", "/items", stranger), 200, notGranted)

	m.apply(t, withImage(strings.Repeat("0", 64)))
	m.denyAll(t)
	m.apply(t, withImage(digests["oci"]))
	m.until(t, preflight("/account", shop), 204, preflightGranted)
}

// A gateway that starts with the manifest as it is, whose digest is that of nothing.
func TestANewGatewayWithoutTheModuleIsClosed(t *testing.T) {
	registry := images.Serve(t)
	images.Push(t, registry+"/corsguard", "v0.1.0", plugin)
	o := manifest(t, "corsguard.yaml")[0]
	spec := at(t, o, "spec")
	spec["url"] = strings.Replace(spec["url"].(string), "registry.example.com", registry, 1)
	m := startMesh(t, manifest(t, "gateway.yaml"), []cluster.Object{o})
	m.agent(t)
	m.denyAll(t)
	if got, err := wire.H1(m.gateway, request("GET", "/nowhere", "")); err != nil || got.Status != 403 || slices.ContainsFunc(got.Headers, func(h corpus.Header) bool { return h[0] == "vary" }) {
		t.Errorf("%+v, %v", got, err)
	}
}
