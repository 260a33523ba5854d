package envoygateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func firstInChain(t *testing.T, c *control, _ manifests) {
	names, wasm, err := c.chain(t.Context())
	if want := []string{"envoy.filters.http.wasm", "envoy.filters.http.jwt_authn", "envoy.filters.http.router"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("the filters are %q (%v)", names, err)
	}
	if wasm["name"] != "corsguard" || wasm["failure_policy"] != "FAIL_RELOAD" || wasm["fail_open"] == true {
		t.Errorf("the filter is %v", wasm)
	}
}

// moduleOfImage holds that the bytes that went into the image are those that Envoy Gateway has for its Envoys, and that these ask for.
func moduleOfImage(t *testing.T, c *control, _ manifests) {
	_, wasm, err := c.chain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := find(wasm, "sha256"); got != digest {
		t.Errorf("Envoy was told of a module %v, the plugin's is %s", got, digest)
	}
	if found := c.kept(t); found == 0 {
		t.Error("Envoy Gateway keeps no file of the plugin's bytes")
	}
}

// kept returns how many files with the plugin's bytes Envoy Gateway keeps.
func (c *control) kept(t *testing.T) (n int) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(c.dir, ".eg"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err == nil && string(content) == string(module) {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// layouts holds that Envoy Gateway fetches each layout, and the module by itself, and has the same bytes of all.
func layouts(t *testing.T, c *control, m manifests) {
	uri := func() any {
		_, wasm, err := c.chain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := find(wasm, "sha256"); got != digest {
			t.Fatalf("Envoy was told of a module %v, the plugin's is %s", got, digest)
		}
		return find(wasm, "uri")
	}
	last := uri()
	for _, test := range []struct {
		name string
		code object
	}{
		{"docker", object{"type": "Image", "image": object{"url": c.images.image("docker")}}},
		{"artifact", object{"type": "Image", "image": object{"url": c.images.image("artifact")}}},
		{"oci by tag with a digest", object{"type": "Image", "image": object{"url": c.images.addr + "/team/corsguard:test", "sha256": strings.TrimPrefix(c.images.digests["oci"], "sha256:")}}},
		{"HTTP", object{"type": "HTTP", "http": object{"url": "http://" + c.images.addr + "/main.wasm", "sha256": digest}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.images.forget()
			c.apply(t, m.with("EnvoyExtensionPolicy", test.code, "spec", "wasm", 0, "code"))
			c.Until(t, updateLimit, func() error {
				if uri() == last {
					return errors.New("Envoy has the module of before")
				}
				return nil
			})
			last = uri()
			if layout := test.name; c.images.digests[layout] != "" && !c.images.fetched(layout) {
				t.Errorf("nobody has fetched the image %s", c.images.image(layout))
			}
			c.comesTo(t, preflight("GET", "/items", origin), grantedPreflight)
			c.answers(t, request("GET", "/items/7", origin), "401"+readable+"Origin")
		})
	}
}

// upgrade holds that another module takes over under load: until it is fetched and compiled, the old one answers.
func upgrade(t *testing.T, c *control, m manifests) {
	sum := sha256.Sum256(nextModule())
	next := hex.EncodeToString(sum[:])
	finish := c.watch(t, preflight("GET", "/items", origin), grantedPreflight)
	finishDenied := c.watch(t, request("GET", "/items", origin), "401"+readable+"Origin")
	c.apply(t, m.with("EnvoyExtensionPolicy", object{
		"type": "HTTP", "http": object{"url": "http://" + c.images.addr + "/next.wasm", "sha256": next},
	}, "spec", "wasm", 0, "code"))
	c.Until(t, updateLimit, func() error {
		_, wasm, err := c.chain(t.Context())
		if got := find(wasm, "sha256"); err == nil && got != next {
			err = fmt.Errorf("Envoy's listener has the module %v", got)
		}
		return err
	})
	finish()
	finishDenied()
	c.answers(t, preflight("GET", "/items", origin), grantedPreflight)
}

// unusable holds that Envoy Gateway takes the routes out of service, in an Envoy that runs too. Authentication comes first, so without a token it is a 401; either is without
// CORS headers, since the filter is gone.
func unusable(t *testing.T, c *control, m manifests) {
	for _, test := range []struct {
		name string
		code object
		said string
	}{
		{"HTTP", object{"type": "HTTP", "http": object{"url": "http://" + c.images.addr + "/main.wasm", "sha256": strings.Repeat("0", 64)}}, "has checksum " + digest},
		{"an image", object{"type": "Image", "image": object{"url": c.images.addr + "/team/corsguard:test", "sha256": strings.Repeat("0", 64)}}, "has checksum " + strings.TrimPrefix(c.images.digests["oci"], "sha256:")},
		{"an image that is not there", object{"type": "Image", "image": object{"url": c.images.addr + "/team/corsguard:nonesuch"}}, "corsguard:nonesuch"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c.apply(t, m.with("EnvoyExtensionPolicy", test.code, "spec", "wasm", 0, "code"))
			c.comesTo(t, withToken(t, request("GET", "/items", origin)), "500")
			c.answers(t, preflight("GET", "/items", origin), "401")
			c.says(t, updateLimit, test.said)
			c.apply(t, m)
			c.comesTo(t, preflight("GET", "/items", origin), grantedPreflight)
		})
	}
}
