// Package cluster is as much of a Kubernetes API as a control plane needs that only reads: it lists and watches the objects that a test applies, says that every
// other list is empty, and takes writes without keeping them.
package cluster

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/yaml"
)

// Object is a Kubernetes object.
type Object = map[string]any

// resource names a list of objects: the group and the plural of their kind.
type resource struct{ group, plural string }

// Kinds that come with no definition of their own.
var builtin = map[string]resource{
	"Namespace":                        {"", "namespaces"},
	"Node":                             {"", "nodes"},
	"Pod":                              {"", "pods"},
	"Service":                          {"", "services"},
	"Secret":                           {"", "secrets"},
	"ConfigMap":                        {"", "configmaps"},
	"ServiceAccount":                   {"", "serviceaccounts"},
	"Deployment":                       {"apps", "deployments"},
	"EndpointSlice":                    {"discovery.k8s.io", "endpointslices"},
	"Ingress":                          {"networking.k8s.io", "ingresses"},
	"IngressClass":                     {"networking.k8s.io", "ingressclasses"},
	"Lease":                            {"coordination.k8s.io", "leases"},
	"CustomResourceDefinition":         {"apiextensions.k8s.io", "customresourcedefinitions"},
	"MutatingWebhookConfiguration":     {"admissionregistration.k8s.io", "mutatingwebhookconfigurations"},
	"ValidatingWebhookConfiguration":   {"admissionregistration.k8s.io", "validatingwebhookconfigurations"},
	"ValidatingAdmissionPolicy":        {"admissionregistration.k8s.io", "validatingadmissionpolicies"},
	"ValidatingAdmissionPolicyBinding": {"admissionregistration.k8s.io", "validatingadmissionpolicybindings"},
}

// eventBacklog is how many events a watcher may be behind. No test makes so many.
const eventBacklog = 1 << 12

type event struct {
	kind     string // ADDED, MODIFIED, DELETED
	resource resource
	object   Object
}

// Cluster is a running API. It is safe for concurrent use.
type Cluster struct {
	Addr string

	server http.Server

	mu        sync.Mutex
	resources map[string]resource            // of defined kinds, by group/kind
	kinds     map[resource]string            // the other way round
	objects   map[resource]map[string]Object // by namespace/name
	version   int                            // of the last change
	watchers  map[chan event]struct{}
}

// Start serves an empty cluster on a free port of the loopback interface.
func Start() (*Cluster, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &Cluster{
		Addr:      listener.Addr().String(),
		resources: map[string]resource{}, kinds: map[resource]string{},
		objects:  map[resource]map[string]Object{},
		watchers: map[chan event]struct{}{},
	}
	for kind, r := range builtin {
		c.resources[r.group+"/"+kind], c.kinds[r] = r, kind
	}
	c.server = http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	go c.server.Serve(listener) // returns when Close is called
	return c, nil
}

// Close ends the API, and the watches with it.
func (c *Cluster) Close() error { return c.server.Close() }

// Kubeconfig writes the file with which clients find the cluster.
func (c *Cluster) Kubeconfig(path string) error {
	config := Object{
		"apiVersion": "v1", "kind": "Config", "current-context": "test",
		"clusters": []Object{{"name": "test", "cluster": Object{"server": "http://" + c.Addr}}},
		"users":    []Object{{"name": "test", "user": Object{}}},
		"contexts": []Object{{"name": "test", "context": Object{"cluster": "test", "user": "test"}}},
	}
	text, err := json.Marshal(config)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// Parse returns the objects of a YAML file, of as many documents as it has.
func Parse(text io.Reader) ([]Object, error) {
	var all []Object
	for decoder := yaml.NewYAMLOrJSONDecoder(text, 4096); ; {
		var o Object
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if len(o) > 0 {
			all = append(all, o)
		}
	}
}

// Apply adds objects, or replaces those of the same name. A definition of a kind has to come before its objects.
func (c *Cluster) Apply(objects ...Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, given := range objects {
		o, err := clone(given)
		if err != nil {
			return err
		}
		r, err := c.resourceOf(o)
		if err != nil {
			return err
		}
		if r == builtin["CustomResourceDefinition"] {
			if err := c.define(o); err != nil {
				return err
			}
		}
		id := identity(o)
		e := event{"ADDED", r, o}
		if c.objects[r] == nil {
			c.objects[r] = map[string]Object{}
		}
		if _, there := c.objects[r][id]; there {
			e.kind = "MODIFIED"
		}
		c.version++
		m := meta(o)
		m["resourceVersion"], m["generation"] = strconv.Itoa(c.version), c.version
		m["uid"], m["creationTimestamp"] = r.group+"/"+r.plural+"/"+id, "2026-01-01T00:00:00Z"
		c.objects[r][id] = o
		c.send(e)
	}
	return nil
}

// Delete removes objects; only their kinds and names count.
func (c *Cluster) Delete(objects ...Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range objects {
		r, err := c.resourceOf(o)
		if err != nil {
			return err
		}
		there, ok := c.objects[r][identity(o)]
		if !ok {
			return fmt.Errorf("there is no %s %s", r.plural, identity(o))
		}
		c.version++
		delete(c.objects[r], identity(o))
		c.send(event{"DELETED", r, there})
	}
	return nil
}

// define makes the kind of a definition known, and tells whoever asks that it is in force.
func (c *Cluster) define(definition Object) error {
	spec, _ := definition["spec"].(Object)
	names, _ := spec["names"].(Object)
	r := resource{text(spec, "group"), text(names, "plural")}
	kind := text(names, "kind")
	if r.group == "" || r.plural == "" || kind == "" {
		return fmt.Errorf("a definition without a group or names: %v", definition["metadata"])
	}
	c.resources[r.group+"/"+kind], c.kinds[r] = r, kind
	definition["status"] = Object{"conditions": []Object{{"type": "Established", "status": "True"}}}
	return nil
}

func (c *Cluster) resourceOf(o Object) (resource, error) {
	group, _, named := strings.Cut(text(o, "apiVersion"), "/")
	if !named {
		group = "" // the core group has a version alone
	}
	r, ok := c.resources[group+"/"+text(o, "kind")]
	if !ok {
		return r, fmt.Errorf("no definition of %s %s", text(o, "apiVersion"), text(o, "kind"))
	}
	return r, nil
}

func (c *Cluster) send(e event) {
	for w := range c.watchers {
		w <- e
	}
}

func clone(o Object) (Object, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var copied Object
	err = json.Unmarshal(text, &copied)
	return copied, err
}

// meta returns the metadata of an object, which gets some if it has none.
func meta(o Object) Object {
	m, _ := o["metadata"].(Object)
	if m == nil {
		m = Object{}
		o["metadata"] = m
	}
	return m
}

func identity(o Object) string { return text(meta(o), "namespace") + "/" + text(meta(o), "name") }

func text(o Object, key string) string {
	s, _ := o[key].(string)
	return s
}
