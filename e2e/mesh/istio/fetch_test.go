package istio_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"istio.io/istio/pkg/util/sets"
	"istio.io/istio/pkg/wasm"

	"corsguard/e2e/mesh/internal/images"
)

// Istio's own code, as its agent runs it: the fetcher of images, and the cache of modules with the check of the digest.
func TestIstioFetchesTheModuleFromEachLayout(t *testing.T) {
	want, err := os.ReadFile(plugin)
	if err != nil {
		t.Fatal(err)
	}
	host := images.Serve(t)
	digests := images.Push(t, host+"/corsguard", "v1", plugin)
	for layout, suffix := range images.Layouts {
		t.Run(layout, func(t *testing.T) {
			image := host + "/corsguard:v1" + suffix
			fetch, digest, err := wasm.NewImageFetcher(t.Context(), wasm.ImageFetcherOption{}).PrepareFetch(image)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := fetch(); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes, want the module's %d: %v", len(got), len(want), err)
			}
			if "sha256:"+digest != digests[layout] {
				t.Errorf("the digest is %s, make push says %s", digest, digests[layout])
			}

			cache := wasm.NewLocalFileCache(t.TempDir(), wasm.Options{
				PurgeInterval: time.Hour, ModuleExpiry: time.Hour, InsecureRegistries: sets.New[string](),
				HTTPRequestTimeout: 10 * time.Second, HTTPRequestMaxRetries: 1,
			})
			defer cache.Cleanup()
			get := func(ref, name, sha256 string) (string, error) {
				return cache.Get("oci://"+ref, wasm.GetOptions{ResourceName: name, ResourceVersion: "1", Checksum: sha256, RequestTimeout: 10 * time.Second, PullPolicy: wasm.IfNotPresent})
			}
			for name, ref := range map[string]string{"by tag": image, "by digest": host + "/corsguard@" + digests[layout]} {
				path, err := get(ref, name, digest)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, want the module's %d: %v", name, len(got), len(want), err)
				}
			}
			if path, err := get(image, "of another", strings.Repeat("0", len(digest))); err == nil {
				t.Errorf("an image of another digest is at %s", path)
			}
		})
	}
}
