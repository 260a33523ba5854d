package soak_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// startUpstream starts a server that allows every origin, as bad ones do, and fails where the path says so.
func startUpstream(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Add("Access-Control-Allow-Credentials", "true")
		switch r.URL.Path {
		case "/error":
			w.WriteHeader(http.StatusInternalServerError)
		case "/cut":
			panic(http.ErrAbortHandler)
		case "/slow":
			time.Sleep(50 * time.Millisecond)
		}
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// generations are names that come and go: each is listed for a while.
type generations struct {
	mu      sync.Mutex
	name    string
	current int
	ended   []time.Time // of the generations before
}

// origin returns the origin that is listed in generation n.
func (g *generations) origin(n int) string {
	return fmt.Sprintf("https://%s-%d.example.com", g.name, n)
}

// next ends the generation, and returns the number of the next one.
func (g *generations) next() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = append(g.ended, time.Now())
	g.current++
	return g.current
}

// past returns a generation that ended longer than that ago, and whether there is one.
func (g *generations) past(ago time.Duration) (int, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := len(g.ended) - 1; n >= 0; n-- {
		if time.Since(g.ended[n]) > ago {
			return n, true
		}
	}
	return 0, false
}

func (g *generations) now() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.current
}

// startOrigins starts a service whose document changes every second, and that fails now and then.
func startOrigins(t *testing.T, g *generations) string {
	t.Helper()
	var mu sync.Mutex
	requests := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requests++
		n := requests
		mu.Unlock()
		switch n % 9 {
		case 4:
			http.Error(w, "no", http.StatusInternalServerError)
			return
		case 6:
			fmt.Fprint(w, `{"allowOrigins": ["https://evil.test", `)
			return
		case 8:
			<-r.Context().Done()
			return
		}
		document, err := json.Marshal(map[string]any{"allowOrigins": []string{"https://fetched.example.com", g.origin(g.now())}})
		if err != nil {
			panic(err)
		}
		_, _ = w.Write(document) // a client that went away is of no interest
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return strings.TrimPrefix(s.URL, "http://")
}
