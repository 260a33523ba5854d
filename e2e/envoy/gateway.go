package envoy

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// updateLimit bounds the time until an update of the listeners is done with. Each new listener tries its plugin out.
const updateLimit = 5 * time.Minute

// Gateway is a running Envoy that takes its listeners, and the filters that they leave to be discovered, from files that it watches. Stop must be
// called once. The other methods are safe for concurrent use.
type Gateway struct {
	*Process

	dir string // Envoy watches it

	mu        sync.Mutex // held over an update: Envoy only counts them, and two at a time could not be told apart
	version   int
	listeners map[string]Object // the ones in force
	addrs     map[string]string
}

// Gateway starts an Envoy with these clusters and no listener yet. Mounts are the files that listeners will name. Args go to Envoy as they are.
func (e Engine) Gateway(ctx context.Context, clusters []Object, mounts []string, args ...string) (*Gateway, error) {
	dir, err := os.MkdirTemp("", "corsguard-xds-")
	if err != nil {
		return nil, err
	}
	g := &Gateway{dir: dir, listeners: map[string]Object{}}
	if g.Process, err = g.start(ctx, e, clusters, mounts, args); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return g, nil
}

func (g *Gateway) start(ctx context.Context, e Engine, clusters []Object, mounts, args []string) (*Process, error) {
	if err := g.writeListeners(nil); err != nil {
		return nil, err
	}
	return e.Start(ctx, Options{
		Bootstrap: Object{
			"node":              Object{"id": "e2e", "cluster": "e2e"},
			"static_resources":  Object{"clusters": clusters},
			"dynamic_resources": Object{"lds_config": g.source("lds")},
		},
		Mounts: append([]string{g.dir}, mounts...),
		Args:   args,
	})
}

// Stop ends Envoy and removes its files.
func (g *Gateway) Stop() error { return errors.Join(g.Process.Stop(), os.RemoveAll(g.dir)) }

// Put adds listeners, or replaces those of the same name, in one update. It returns Envoy's reason for each of them that it refused, which
// leaves the one in force, if any, as it was. The others are ready to be connected to.
func (g *Gateway) Put(ctx context.Context, listeners ...Object) (refused map[string]string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, updateLimit)
	defer cancel()

	next := maps.Clone(g.listeners)
	for _, l := range listeners {
		next[l["name"].(string)] = l
	}
	if err := g.update(ctx, next); err != nil {
		return nil, err
	}

	all, err := g.Admin.refusals(ctx)
	if err != nil {
		return nil, err
	}
	refused = map[string]string{}
	for _, l := range listeners {
		name := l["name"].(string)
		if why, bad := all[name]; bad {
			refused[name] = why
			continue
		}
		g.listeners[name] = l
	}
	if g.addrs, err = g.Admin.listeners(ctx); err != nil {
		return nil, err
	}
	if err := g.waitForWorkers(ctx); err != nil {
		return nil, err
	}
	for _, l := range listeners {
		if name := l["name"].(string); refused[name] == "" {
			if err := g.waitForListener(ctx, name); err != nil {
				return nil, err
			}
		}
	}
	return refused, nil
}

// Addr returns where the listener of that name is to be reached, and "" when there is none.
func (g *Gateway) Addr(name string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.addrs[name]
}

// update writes the listeners and waits until Envoy has accepted or refused the update.
func (g *Gateway) update(ctx context.Context, listeners map[string]Object) error {
	before, err := g.updates(ctx)
	if err != nil {
		return err
	}
	if err := g.writeListeners(listeners); err != nil {
		return err
	}
	return g.Poll(ctx, "the update of the listeners", func() (bool, error) {
		now, err := g.updates(ctx)
		return now > before, err
	})
}

func (g *Gateway) updates(ctx context.Context) (int64, error) {
	const prefix = "listener_manager.lds.update_"
	stats, err := g.Admin.Stats(ctx, "^"+prefix)
	return stats[prefix+"success"] + stats[prefix+"rejected"] + stats[prefix+"failure"], err
}

// waitForWorkers waits until every worker has every listener that was accepted. One that lags behind answers by the listener that was there before.
func (g *Gateway) waitForWorkers(ctx context.Context) error {
	return g.Poll(ctx, "the workers to take the listeners", func() (bool, error) {
		const prefix = "listener_manager.listener_"
		stats, err := g.Admin.Stats(ctx, `^(server\.concurrency|listener_manager\.listener_(added|modified|create_success))$`)
		return stats[prefix+"create_success"] >= stats["server.concurrency"]*(stats[prefix+"added"]+stats[prefix+"modified"]), err
	})
}

// waitForListener waits until a worker accepts connections: Envoy gets there some time after it accepted the update.
func (g *Gateway) waitForListener(ctx context.Context, name string) error {
	return g.Poll(ctx, "listener "+name, func() (bool, error) {
		conn, err := net.Dial("tcp", g.addrs[name])
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
}

// PutFilter puts a plugin into the file from which [Gateway.DiscoveredFilter] of that name takes it. When it is in force is Envoy's business.
func (g *Gateway) PutFilter(name string, p Plugin) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.write(name, []Object{
		typed("envoy.config.core.v3.TypedExtensionConfig", Object{"name": name, "typed_config": p.typedConfig()}),
	})
}

// DiscoveredFilter returns an HTTP filter whose configuration comes from what PutFilter wrote.
func (g *Gateway) DiscoveredFilter(name string) Object {
	return Object{"name": name, "config_discovery": Object{
		"config_source": g.source(name),
		"type_urls":     []string{"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"},
	}}
}

func (g *Gateway) source(name string) Object {
	return Object{"resource_api_version": "V3", "path_config_source": Object{
		"path":              g.file(name),
		"watched_directory": Object{"path": g.dir},
	}}
}

func (g *Gateway) file(name string) string { return filepath.Join(g.dir, name+".json") }

func (g *Gateway) writeListeners(listeners map[string]Object) error {
	resources := []Object{}
	for _, name := range slices.Sorted(maps.Keys(listeners)) {
		resources = append(resources, typed("envoy.config.listener.v3.Listener", listeners[name]))
	}
	return g.write("lds", resources)
}

// write replaces a file of resources at once, by a rename, which is what Envoy watches for.
func (g *Gateway) write(name string, resources []Object) error {
	g.version++
	text, err := json.Marshal(Object{"version_info": strconv.Itoa(g.version), "resources": resources})
	if err != nil {
		return err
	}
	next := g.file(name) + ".next"
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, g.file(name))
}
