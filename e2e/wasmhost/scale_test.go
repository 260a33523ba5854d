package wasmhost_test

import (
	"slices"
	"testing"

	"corsguard/e2e/bench/scale"
	"corsguard/e2e/wasmhost"
)

// BenchmarkLoad loads the configurations of scale, each time in a new VM: how long the plugin takes to compile its policy, and how large the VM's memory
// is then. Envoy loads a configuration once in each worker and twice in its main thread, one VM after the other; its V8 is another compiler than
// this host's.
//
//	go test -run '^$' -bench Load -benchtime 3x ./wasmhost
func BenchmarkLoad(b *testing.B) {
	host := newHost(b, pluginWasm(b), wasmhost.Options{Unbounded: true})
	for _, c := range append([]scale.Config{scale.Minimal()}, scale.All()...) {
		b.Run(c.Name, func(b *testing.B) {
			b.SetBytes(int64(len(c.JSON)))
			var empty, loaded uint64
			for b.Loop() {
				b.StopTimer()
				vm, err := host.NewVM()
				if err != nil {
					b.Fatal(err)
				}
				empty = vm.Memory()
				b.StartTimer()
				if _, err := vm.Configure(c.JSON); err != nil {
					b.Fatalf("%v\n%v", err, vm.Logs())
				}
				b.StopTimer()
				loaded = vm.Memory()
				if err := vm.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
			b.ReportMetric(float64(loaded)/1e6, "MB-memory")
			b.ReportMetric(float64(loaded-empty)/1e6, "MB-grown")
		})
	}
}

// tested bounds the configurations that a test loads: the larger ones of a series differ in nothing but their number.
const tested = 1 << 20

// What is measured must be what it is taken for: the requests meet their last rule or origin.
func TestTheConfigurationsOfScaleDecideAsTheySay(t *testing.T) {
	plugins := pluginCache{host: pluginHost(t, wasmhost.Envoy140)}
	for _, c := range append([]scale.Config{scale.Minimal()}, scale.All()...) {
		if len(c.JSON) > tested {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			plugin := plugins.get(t, c.JSON)
			for origin, want := range map[string][]string{c.Allowed: {c.Allowed}, c.Refused: nil, "": nil} {
				request := wasmhost.Request{Authority: c.Host, Path: c.Path}
				if origin != "" {
					request.Headers = []wasmhost.Header{{"origin", origin}}
				}
				out := plugin.NewStream().Do(request, wasmhost.Response{})
				if got := out.Values("access-control-allow-origin"); !slices.Equal(got, want) || out.Err != nil {
					t.Errorf("origin %q: granted %q, %v; want %q", origin, got, out.Err, want)
				}
			}
		})
	}
}
