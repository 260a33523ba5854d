package envoygateway_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/mesh/internal/process"
	"corsguard/e2e/mesh/internal/tools"
)

const (
	// readyLimit bounds the time until a fresh Envoy answers: Envoy Gateway starts, fetches the module, starts Envoy, and Envoy compiles the module.
	readyLimit = 3 * time.Minute
	// updateLimit bounds the time until a change of the resources is in force.
	updateLimit = 2 * time.Minute
	// portLimit bounds the time until what held a port has ended.
	portLimit = time.Minute
)

// fixedPorts are those that Envoy Gateway and its Envoy take, which no setting changes: xDS, modules, health, its metrics, its console, Envoy's readiness.
var fixedPorts = []string{":18000", ":18002", ":8081", ":19001", "127.0.0.1:19000", ":19003"}

// control is a running Envoy Gateway with one Envoy.
type control struct {
	*process.Process // its log has Envoy's, too

	addr   string // of the Gateway's listener
	images *store

	dir       string
	port      int
	resources string // the file that it watches
	pid       int
	secret    object // the certificate of its Envoy
}

// start runs Envoy Gateway with these resources until the test ends. It waits for nothing.
func start(t *testing.T, resources func(*control) manifests) *control {
	t.Helper()
	c := &control{dir: t.TempDir(), images: serveImages(t)}
	c.resources = filepath.Join(c.dir, "resources", "all.yaml")
	for _, port := range fixedPorts {
		waitForPort(t, port)
	}
	program, err := tools.Path(tools.EnvoyGateway)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.prepare(t, program); err != nil {
		t.Fatal(err)
	}
	c.apply(t, resources(c))
	cmd := exec.Command(program, "server", "--config-path", filepath.Join(c.dir, "envoy-gateway.yaml"))
	cmd.Env = append(os.Environ(), "HOME="+c.dir) // it keeps modules there
	c.Process = process.Start(t, cmd)
	c.pid = cmd.Process.Pid
	return c
}

func waitForPort(t *testing.T, port string) {
	t.Helper()
	for deadline := time.Now().Add(portLimit); ; time.Sleep(100 * time.Millisecond) {
		l, err := net.Listen("tcp", port)
		if err == nil {
			l.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a port of Envoy Gateway is taken, perhaps by another one: %v", err)
		}
	}
}

// prepare makes what Envoy Gateway needs to find: certificates, its configuration, and an Envoy where its runner would put one that it has downloaded.
func (c *control) prepare(t *testing.T, program string) error {
	certgen := exec.CommandContext(t.Context(), program, "certgen", "--local", "--config-home", filepath.Join(c.dir, "config"))
	certgen.Env = append(os.Environ(), "HOME="+c.dir)
	if out, err := certgen.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	data := object{}
	for _, name := range []string{"tls.crt", "tls.key", "ca.crt"} {
		content, err := os.ReadFile(c.certificate(name))
		if err != nil {
			return err
		}
		data[name] = base64.StdEncoding.EncodeToString(content)
	}
	c.secret = object{
		"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
		"metadata": object{"name": "envoy", "namespace": "envoy-gateway-system"}, "data": data,
	}
	place := filepath.Join(c.dir, "data", "envoy-versions", engine.Version, "bin")
	if err := errors.Join(os.MkdirAll(place, 0o755), os.Symlink(engine.Binary, filepath.Join(place, "envoy")), os.MkdirAll(filepath.Dir(c.resources), 0o755)); err != nil {
		return err
	}
	config, err := json.Marshal(object{
		"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyGateway",
		"gateway": object{"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
		"provider": object{"type": "Custom", "custom": object{
			"resource": object{"type": "File", "file": object{"paths": []string{filepath.Dir(c.resources)}}},
			"infrastructure": object{"type": "Host", "host": object{
				"configHome": filepath.Join(c.dir, "config"), "dataHome": filepath.Join(c.dir, "data"),
				"stateHome": filepath.Join(c.dir, "state"), "runtimeDir": filepath.Join(c.dir, "run"),
			}},
		}},
		"extensionApis": object{"enableBackend": true, "enableEnvoyPatchPolicy": true, "enableLua": true},
	})
	if err != nil {
		return err
	}
	c.port = process.FreePort(t)
	c.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))
	return os.WriteFile(filepath.Join(c.dir, "envoy-gateway.yaml"), config, 0o644)
}

func (c *control) certificate(name string) string {
	return filepath.Join(c.dir, "config", "certs", "envoy", name)
}

// apply puts resources in the place of those in force, by a rename: a file that is empty for a moment takes its resources away.
func (c *control) apply(t *testing.T, m manifests) {
	t.Helper()
	next := filepath.Join(c.dir, "next.yaml")
	if err := errors.Join(os.WriteFile(next, m.yaml(), 0o644), os.Rename(next, c.resources)); err != nil {
		t.Fatal(err)
	}
}

// says waits until Envoy Gateway or its Envoy has logged something.
func (c *control) says(t *testing.T, limit time.Duration, text string) {
	t.Helper()
	c.Until(t, limit, func() error {
		if !strings.Contains(c.Log.String(), text) {
			return fmt.Errorf("no log has %q", text)
		}
		return nil
	})
}

// get returns a page of Envoy's admin interface.
func (c *control) get(ctx context.Context, path string) ([]byte, error) {
	found, err := filepath.Glob(filepath.Join(c.dir, "run", "*", "admin-address.txt"))
	if err != nil || len(found) == 0 {
		return nil, errors.New("Envoy has no admin interface yet")
	}
	// A restarted Envoy has a directory of its own; names are times.
	addr, err := os.ReadFile(found[len(found)-1])
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+strings.TrimSpace(string(addr))+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return io.ReadAll(resp.Body)
}

// stat returns a counter of Envoy's.
func (c *control) stat(ctx context.Context, name string) (int, error) {
	text, err := c.get(ctx, "/stats?filter=^"+regexp.QuoteMeta(name)+"$")
	if err != nil {
		return 0, err
	}
	_, value, found := bytes.Cut(bytes.TrimSpace(text), []byte(": "))
	if !found {
		return 0, fmt.Errorf("no counter %s: %q", name, text)
	}
	return strconv.Atoi(string(value))
}

// envoy returns the process id of the Envoy that Envoy Gateway has started.
func (c *control) envoy() (int, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// pid (name) state ppid …; the name may have anything in it.
		pid, rest, _ := strings.Cut(string(text), " ")
		fields := strings.Fields(rest[strings.LastIndexByte(rest, ')')+1:])
		if parent, err := strconv.Atoi(fields[1]); err == nil && parent == c.pid && fields[0] != "Z" {
			return strconv.Atoi(pid)
		}
	}
	return 0, errors.New("Envoy Gateway has no child")
}

// chain returns the names of the filters of the Gateway's listener, without what Envoy Gateway adds to them, and the settings of the Wasm filter.
func (c *control) chain(ctx context.Context) (names []string, wasm object, err error) {
	text, err := c.get(ctx, "/config_dump?resource=dynamic_listeners")
	if err != nil {
		return nil, nil, err
	}
	var dump struct {
		Configs []struct {
			Name   string `json:"name"`
			Active any    `json:"active_state"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(text, &dump); err != nil {
		return nil, nil, err
	}
	wasm = object{}
	for _, listener := range dump.Configs {
		if listener.Name != "shop/public/http" {
			continue // another one tells Kubernetes that Envoy is ready
		}
		filters, _ := find(listener.Active, "http_filters").([]any)
		for _, f := range filters {
			filter := f.(object)
			name, _, _ := strings.Cut(filter["name"].(string), "/")
			if names = append(names, name); name == "envoy.filters.http.wasm" {
				wasm = filter["typed_config"].(object)["config"].(object)
			}
		}
	}
	return names, wasm, nil
}

// find returns the value of a key that a tree has once.
func find(tree any, key string) any {
	switch node := tree.(type) {
	case object:
		if v, ok := node[key]; ok {
			return v
		}
		for _, v := range node {
			if found := find(v, key); found != nil {
				return found
			}
		}
	case []any:
		for _, v := range node {
			if found := find(v, key); found != nil {
				return found
			}
		}
	}
	return nil
}
