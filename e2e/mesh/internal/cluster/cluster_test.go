package cluster

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gateways.example.com}
spec: {group: example.com, names: {kind: Gateway, plural: gateways}}
`

// apply applies YAML.
func apply(t *testing.T, c *Cluster, text string) []Object {
	t.Helper()
	objects, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(objects...); err != nil {
		t.Fatal(err)
	}
	return objects
}

func started(t *testing.T) *Cluster {
	t.Helper()
	c, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// get returns the status of a request, and a decoder of its answer.
func get(t *testing.T, c *Cluster, path string) (int, *json.Decoder) {
	t.Helper()
	resp, err := http.Get("http://" + c.Addr + path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp.StatusCode, json.NewDecoder(resp.Body)
}

// names returns the names in a list.
func names(t *testing.T, c *Cluster, path string) string {
	t.Helper()
	_, body := get(t, c, path)
	var list struct {
		Kind  string   `json:"kind"`
		Items []Object `json:"items"`
	}
	if err := body.Decode(&list); err != nil {
		t.Fatal(err)
	}
	all := list.Kind
	for _, o := range list.Items {
		all += " " + text(meta(o), "name")
	}
	return all
}

func TestListsHaveWhatIsAskedFor(t *testing.T) {
	c := started(t)
	apply(t, c, definition+`
---
apiVersion: example.com/v1
kind: Gateway
metadata: {name: a, namespace: one, labels: {app: x}}
---
apiVersion: example.com/v1
kind: Gateway
metadata: {name: b, namespace: two}
`)
	for path, want := range map[string]string{
		"/apis/example.com/v1/namespaces/one/gateways":                  "GatewayList a",
		"/apis/example.com/v1/namespaces/three/gateways":                "GatewayList",
		"/apis/example.com/v1/gateways?labelSelector=app%3Dx":           "GatewayList a",
		"/apis/example.com/v1/gateways?labelSelector=app%3Dy":           "GatewayList",
		"/apis/example.com/v1/gateways?fieldSelector=metadata.name%3Db": "GatewayList b",
		"/api/v1/secrets": "SecretList",
		"/apis/apiextensions.k8s.io/v1/customresourcedefinitions?limit=500":     "CustomResourceDefinitionList gateways.example.com",
		"/apis/example.com/v1/namespaces/two/gateways?labelSelector=app%3D%3Dx": "GatewayList",
	} {
		if got := names(t, c, path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]int{
		"/apis/example.com/v1/namespaces/one/gateways/a": http.StatusOK,
		"/apis/example.com/v1/namespaces/two/gateways/a": http.StatusNotFound,
		"/version":    http.StatusOK,
		"/openapi/v3": http.StatusNotFound,
	} {
		if status, _ := get(t, c, path); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}

func TestWatchesSeeEveryChange(t *testing.T) {
	c := started(t)
	const gateway = `
apiVersion: example.com/v1
kind: Gateway
metadata: {name: a, namespace: one}
`
	applied := apply(t, c, definition+"---"+gateway)
	_, events := get(t, c, "/apis/example.com/v1/gateways?watch=true&sendInitialEvents=true")
	next := func() string {
		t.Helper()
		var e struct {
			Type   string `json:"type"`
			Object Object `json:"object"`
		}
		if err := events.Decode(&e); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(e.Type + " " + text(meta(e.Object), "name") + text(e.Object, "spec"))
	}
	for _, want := range []string{"ADDED a", "BOOKMARK"} {
		if got := next(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	apply(t, c, gateway+"spec: changed\n")
	apply(t, c, "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: one}\n")
	if err := c.Delete(applied[1]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"MODIFIED achanged", "DELETED achanged"} {
		if got := next(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestWhatHasNoDefinitionIsRefused(t *testing.T) {
	c := started(t)
	unknown := Object{"apiVersion": "example.com/v1", "kind": "Gatewy", "metadata": Object{"name": "a"}}
	if err := c.Apply(unknown); err == nil {
		t.Error("an object of an unknown kind is taken")
	}
	if err := c.Delete(Object{"apiVersion": "v1", "kind": "Secret", "metadata": Object{"name": "a"}}); err == nil {
		t.Error("an object that is not there is deleted")
	}
}
