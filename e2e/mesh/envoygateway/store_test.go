package envoygateway_test

import (
	"bytes"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"corsguard/e2e/mesh/internal/images"
)

// store serves, over plain HTTP on the loopback interface, images of the plugin and the module by itself. It remembers what was asked for.
type store struct {
	addr    string
	digests map[string]string // of the images, by layout

	mu   sync.Mutex
	seen []string
}

// serveImages returns a store that has the plugin in all layouts, until the test ends.
func serveImages(t *testing.T) *store {
	t.Helper()
	s := &store{}
	mux := http.NewServeMux()
	mux.Handle("/v2/", registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	mux.HandleFunc("/main.wasm", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, plugin) })
	mux.HandleFunc("/next.wasm", func(w http.ResponseWriter, _ *http.Request) { io.Copy(w, bytes.NewReader(nextModule())) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.Method+" "+r.URL.Path)
		s.mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.addr = strings.TrimPrefix(server.URL, "http://")
	s.digests = images.Push(t, s.addr+"/team/corsguard", "test", plugin)
	return s
}

// nextModule returns the plugin with other bytes: a custom section, of which WebAssembly takes no notice, is added.
func nextModule() []byte { return append(bytes.Clone(module), 0, 5, 4, 'n', 'e', 'x', 't') }

// image returns the reference of a layout's image, by its digest.
func (s *store) image(layout string) string {
	return s.addr + "/team/corsguard@" + s.digests[layout]
}

// fetched reports whether somebody has read the manifest of the image since the last call of forget.
func (s *store) fetched(layout string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range s.seen {
		if line == "GET /v2/team/corsguard/manifests/"+s.digests[layout] {
			return true
		}
	}
	return false
}

func (s *store) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = nil
}
