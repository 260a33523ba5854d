package plain_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"corsguard/e2e/envoy"
	"corsguard/e2e/plain"
)

func deployed(t *testing.T, name string) string {
	t.Helper()
	text, err := plain.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// directory has a copy of the files, fit for a test.
type directory string

func adapt(t *testing.T) directory {
	t.Helper()
	dir := t.TempDir()
	err := plain.Copy(dir, plain.Places{
		Wasm: wasm, Certificate: filepath.Join(identity.dir, "tls.crt"), Key: filepath.Join(identity.dir, "tls.key"), Service: backend.Addr,
	})
	if err != nil {
		t.Fatal(err)
	}
	return directory(dir)
}

func (d directory) path(name string) string {
	return filepath.Join(string(d), filepath.FromSlash(name))
}

func (d directory) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(d.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// write puts a file in the place of another, as the files' instructions say: by a move.
func (d directory) write(t *testing.T, name, text string) {
	t.Helper()
	next := d.path(name) + ".next"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, d.path(name)); err != nil {
		t.Fatal(err)
	}
}

// mount puts a file in the place of another as Kubernetes does with a ConfigMap: the file is a link through the link ..data, which is moved.
func (d directory) mount(t *testing.T, name, text string) {
	t.Helper()
	dir, base := filepath.Split(d.path(name))
	next := filepath.Join(dir, fmt.Sprintf("..%d", time.Now().UnixNano()))
	if err := errors.Join(
		os.Mkdir(next, 0o755),
		os.WriteFile(filepath.Join(next, base), []byte(text), 0o644),
		os.Symlink(filepath.Base(next), filepath.Join(dir, "..data_tmp")),
		os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")),
	); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Readlink(d.path(name)); err == nil {
		return
	}
	through := d.path(name) + ".next"
	if err := errors.Join(os.Symlink(filepath.Join("..data", base), through), os.Rename(through, d.path(name))); err != nil {
		t.Fatal(err)
	}
}

// staticListener returns the listener of bootstrap.yaml as a file for LDS.
func (d directory) staticListener(t *testing.T) string {
	t.Helper()
	var bootstrap struct {
		Static struct{ Listeners []envoy.Object } `yaml:"static_resources"`
	}
	if err := yaml.Unmarshal([]byte(d.read(t, plain.Static)), &bootstrap); err != nil || len(bootstrap.Static.Listeners) != 1 {
		t.Fatalf("%v, %d listeners", err, len(bootstrap.Static.Listeners))
	}
	l := bootstrap.Static.Listeners[0]
	l["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener"
	text, err := json.Marshal(envoy.Object{"resources": []any{l}}) // JSON is YAML, and one line of it has the policy
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// startLimit bounds the time until a listener is there. Its plugin is compiled before.
const startLimit = 3 * time.Minute

// start runs an Envoy with two workers and a file. The end of the test stops it.
func (d directory) start(t *testing.T, file string, args ...string) *envoy.Process {
	t.Helper()
	p, err := engine.Start(t.Context(), envoy.Options{
		File: d.path(file), Mounts: []string{string(d), filepath.Dir(wasm)}, Args: append([]string{"--concurrency", "2"}, args...),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if crashes := p.Log.Entries("[wasm]", "Uncaught RuntimeError"); len(crashes) > 0 {
			t.Errorf("the VM crashed: %s", crashes[0])
		}
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// addr waits for the listener with that name, and returns where it is.
func addr(t *testing.T, p *envoy.Process, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startLimit)
	defer cancel()
	var found string
	if err := p.Poll(ctx, "listener "+name, func() (bool, error) {
		text, err := p.Admin.Get(ctx, "/listeners")
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(text)) {
			if listener, where, ok := strings.Cut(strings.TrimSpace(line), "::"); ok && listener == name {
				found = where
			}
		}
		return found != "", nil
	}); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestEnvoyValidatesTheFiles(t *testing.T) {
	t.Parallel()
	d := adapt(t)
	for _, name := range []string{plain.Static, plain.Dynamic} { // the one with HTTP/3 is started
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := engine.Start(t.Context(), envoy.Options{
				File: d.path(name), Mounts: []string{string(d), filepath.Dir(wasm)}, Args: []string{"--mode", "validate"},
			})
			exit := (*envoy.ExitError)(nil)
			if err == nil {
				p.Stop()
				t.Fatal("it ran")
			}
			if !errors.As(err, &exit) || exit.Code != 0 || !strings.Contains(exit.Log.String(), "' OK") {
				t.Error(err)
			}
		})
	}
}

// TestTheCommandFindsTheirPolicies holds that the file of the policy can be checked before it is moved into its place, as its instructions say.
func TestTheCommandFindsTheirPolicies(t *testing.T) {
	t.Parallel()
	d := adapt(t)
	for _, name := range []string{plain.Static, plain.HTTP3, plain.Discovered} {
		if said, err := check(t, d.path(name)); err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
		d.write(t, name, strings.Replace(d.read(t, name), `"https://shop.example.com"`, `"https://shop.example.com/"`, 1))
		if said, err := check(t, d.path(name)); err == nil || !strings.Contains(said, "invalid-policy") {
			t.Errorf("%s with a mistake: %v\n%s", name, err, said)
		}
	}
}

func check(t *testing.T, path string) (string, error) {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), command, "check", path).CombinedOutput()
	return string(said), err
}

// TestTheFilesAgree holds that the files have the tags of envoy.yaml, and one policy in one chain of filters.
func TestTheFilesAgree(t *testing.T) {
	t.Parallel()
	// section returns what stands between two lines, without comments and indentation.
	section := func(name, from, to string) string {
		_, text, found := strings.Cut(deployed(t, name)+"END", "\n"+from+"\n")
		text, _, ends := strings.Cut(text, "\n"+to)
		if !found || !ends {
			t.Fatalf("%s has no section from %q to %q", name, from, to)
		}
		var lines []string
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
		return strings.Join(lines, "\n")
	}
	const tags, auth, routes = "stats_config:", "- name: envoy.filters.http.jwt_authn", "route_config:"
	const indent, less, config = "          ", "        ", "typed_config:"
	for _, c := range []struct{ name, got, want string }{
		{plain.Static, section(plain.Static, tags, "\n"), section("../../envoy.yaml", tags, "\n")},
		{plain.HTTP3, section(plain.HTTP3, tags, "\n"), section("../../envoy.yaml", tags, "\n")},
		{plain.Dynamic, section(plain.Dynamic, tags, "\n"), section("../../envoy.yaml", tags, "\n")},
		{plain.HTTP3, section(plain.HTTP3, indent+"- name: corsguard", indent+routes), section(plain.Static, indent+"- name: corsguard", indent+routes)},
		{plain.Listeners, section(plain.Listeners, less+auth, less+routes), section(plain.Static, indent+auth, indent+routes)},
		{plain.Discovered, section(plain.Discovered, "  "+config, "END"), section(plain.Static, indent+"  "+config, indent+"# The key")},
	} {
		if c.got != c.want {
			t.Errorf("%s has\n%s\nwant\n%s", c.name, c.got, c.want)
		}
	}
}
