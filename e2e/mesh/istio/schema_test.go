package istio_test

import (
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"corsguard/e2e/mesh/internal/cluster"
	"corsguard/e2e/mesh/internal/tools"
)

// schemas returns the schemas by which the API server of a cluster with Istio judges objects, by apiVersion and kind. Its rules in CEL are not among them.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	compiled := map[string]*jsonschema.Schema{}
	for _, definition := range read(t, program[tools.IstioCRDs]) {
		spec := at(t, definition, "spec")
		for _, v := range spec["versions"].([]any) {
			version := v.(cluster.Object)
			name := spec["group"].(string) + "/" + version["name"].(string) + " " + at(t, spec, "names")["kind"].(string)
			compiler := jsonschema.NewCompiler()
			url := "test:///" + strings.ReplaceAll(name, " ", "/")
			if err := compiler.AddResource(url, at(t, version, "schema", "openAPIV3Schema")); err != nil {
				t.Fatal(err)
			}
			schema, err := compiler.Compile(url)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			compiled[name] = schema
		}
	}
	return compiled
}

func TestTheManifestsMeetTheSchemasOfACluster(t *testing.T) {
	of := schemas(t)
	meets := func(o cluster.Object) error {
		t.Helper()
		name := o["apiVersion"].(string) + " " + o["kind"].(string)
		schema, ok := of[name]
		if !ok {
			t.Fatalf("there is no schema of %s", name)
		}
		return schema.Validate(o)
	}
	for _, file := range files(t) {
		for _, o := range read(t, file) {
			if err := meets(o); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	// The same check must see what it is for.
	for name, change := range map[string]func(spec cluster.Object){
		"a digest without quotes": func(s cluster.Object) { s["sha256"] = 1234567890. },
		"an unknown strategy":     func(s cluster.Object) { s["failStrategy"] = "FAIL_CLOSED" },
	} {
		o := manifest(t, "corsguard.yaml")[0]
		change(at(t, o, "spec"))
		if err := meets(o); err == nil {
			t.Errorf("%s meets the schema", name)
		}
	}
}
