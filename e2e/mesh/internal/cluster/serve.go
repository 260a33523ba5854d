package cluster

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"strings"
)

// target is what a request is about.
type target struct {
	resource
	version         string
	namespace, name string // empty for all of them
}

// parse reads the path of a request: /api/v1/… or /apis/<group>/<version>/…, then the namespace if there is one, the plural, and the name if there is one.
func parse(path string) (t target, ok bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case parts[0] == "api" && len(parts) >= 3:
		t.version, parts = parts[1], parts[2:]
	case parts[0] == "apis" && len(parts) >= 4:
		t.group, t.version, parts = parts[1], parts[2], parts[3:]
	default:
		return t, false
	}
	if parts[0] == "namespaces" && len(parts) > 2 {
		t.namespace, parts = parts[1], parts[2:]
	}
	t.plural = parts[0]
	if len(parts) > 1 {
		t.name = parts[1]
	}
	return t, true
}

// apiVersion is the group and version as objects name them.
func (t target) apiVersion() string { return strings.TrimPrefix(t.group+"/"+t.version, "/") }

// ServeHTTP answers as the API does.
func (c *Cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/version" {
		reply(w, http.StatusOK, Object{"major": "1", "minor": "34", "gitVersion": "v1.34.0"})
		return
	}
	t, ok := parse(r.URL.Path)
	switch {
	case !ok:
		notFound(w)
	case r.Method != http.MethodGet:
		echo(w, r, t)
	case t.name != "":
		c.get(w, r, t)
	case r.URL.Query().Get("watch") == "true" || r.URL.Query().Get("watch") == "1":
		c.watch(w, r, t)
	default:
		c.list(w, r, t)
	}
}

func reply(w http.ResponseWriter, status int, o Object) {
	w.Header().Set("content-type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(o); err != nil {
		return // the client has gone
	}
}

func notFound(w http.ResponseWriter) {
	reply(w, http.StatusNotFound, Object{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": http.StatusNotFound, "reason": "NotFound", "message": "not found"})
}

// echo takes a write, and keeps nothing of it: leases, events and statuses are of no concern to a test. Whoever asks may do everything.
func echo(w http.ResponseWriter, r *http.Request, t target) {
	var o Object
	if err := json.NewDecoder(r.Body).Decode(&o); err != nil || o == nil {
		o = Object{}
	}
	if t.plural == "selfsubjectaccessreviews" {
		o["status"] = Object{"allowed": true}
	}
	meta(o)["resourceVersion"] = "1"
	status := http.StatusOK
	if r.Method == http.MethodPost {
		status = http.StatusCreated
	}
	reply(w, status, o)
}

func (c *Cluster) get(w http.ResponseWriter, r *http.Request, t target) {
	c.mu.Lock()
	o, ok := c.objects[t.resource][t.namespace+"/"+t.name]
	c.mu.Unlock()
	if !ok {
		notFound(w)
		return
	}
	reply(w, http.StatusOK, t.view(o, r))
}

func (c *Cluster) list(w http.ResponseWriter, r *http.Request, t target) {
	c.mu.Lock()
	items, version, kind := c.items(t, r), c.next(), c.kinds[t.resource]
	c.mu.Unlock()
	answer := Object{"metadata": Object{"resourceVersion": version}, "items": items}
	switch {
	case wantsMetadata(r):
		answer["kind"], answer["apiVersion"] = "PartialObjectMetadataList", metadataVersion
	case kind != "":
		answer["kind"], answer["apiVersion"] = kind+"List", t.apiVersion()
	}
	reply(w, http.StatusOK, answer)
}

// next is a version that is later than that of all objects.
func (c *Cluster) next() string { return strconv.Itoa(c.version + 1) }

func (c *Cluster) items(t target, r *http.Request) []Object {
	items := []Object{} // clients want a list, not null
	for _, o := range c.objects[t.resource] {
		if t.fits(o, r) {
			items = append(items, t.view(o, r))
		}
	}
	return items
}

// watch sends what there is, if it is asked to, and then every change until the client goes.
func (c *Cluster) watch(w http.ResponseWriter, r *http.Request, t target) {
	events := make(chan event, eventBacklog)
	c.mu.Lock()
	items, version, kind := c.items(t, r), c.next(), c.kinds[t.resource]
	c.watchers[events] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.watchers, events)
		c.mu.Unlock()
	}()

	w.Header().Set("content-type", "application/json")
	stream := json.NewEncoder(w)
	send := func(kind string, o Object) bool {
		if err := stream.Encode(Object{"type": kind, "object": o}); err != nil {
			return false
		}
		w.(http.Flusher).Flush()
		return true
	}
	w.(http.Flusher).Flush()
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, o := range items {
			if !send("ADDED", o) {
				return
			}
		}
		end := Object{"kind": kind, "apiVersion": t.apiVersion()}
		if wantsMetadata(r) {
			end = Object{"kind": "PartialObjectMetadata", "apiVersion": metadataVersion}
		}
		end["metadata"] = Object{"resourceVersion": version, "annotations": Object{"k8s.io/initial-events-end": "true"}}
		if !send("BOOKMARK", end) {
			return
		}
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case e := <-events:
			if e.resource == t.resource && t.fits(e.object, r) && !send(e.kind, t.view(e.object, r)) {
				return
			}
		}
	}
}

const metadataVersion = "meta.k8s.io/v1"

// wantsMetadata reports whether the client asks for the metadata alone.
func wantsMetadata(r *http.Request) bool {
	return strings.Contains(r.Header.Get("accept"), "as=PartialObjectMetadata")
}

// view returns an object as the client asks for it. Objects are not written to once they are applied.
func (t target) view(o Object, r *http.Request) Object {
	if wantsMetadata(r) {
		return Object{"kind": "PartialObjectMetadata", "apiVersion": metadataVersion, "metadata": o["metadata"]}
	}
	o = maps.Clone(o)
	o["apiVersion"] = t.apiVersion()
	return o
}

// fits reports whether the request asks for an object: by namespace, by name, and by labels. Of other selectors there are none in use.
func (t target) fits(o Object, r *http.Request) bool {
	m := meta(o)
	if t.namespace != "" && text(m, "namespace") != t.namespace {
		return false
	}
	for field := range strings.SplitSeq(r.URL.Query().Get("fieldSelector"), ",") {
		if name, value, ok := strings.Cut(field, "="); ok && name == "metadata.name" && text(m, "name") != value {
			return false
		}
	}
	labels, _ := m["labels"].(Object)
	for label := range strings.SplitSeq(r.URL.Query().Get("labelSelector"), ",") {
		name, value, ok := strings.Cut(label, "=")
		if ok && !strings.HasSuffix(name, "!") && text(labels, name) != strings.TrimPrefix(value, "=") {
			return false
		}
	}
	return true
}
