package wasmhost_test

import (
	"strings"
	"testing"

	"corsguard/e2e/wasmhost"
)

// Streams come and go by the million in a worker that lives for weeks. What the plugin keeps of each must be nothing.

const (
	warmUpStreams = 60_000
	memoryStreams = 200_000
	// memorySlack is what the collector's timing may add. A leak of three bytes a stream is more.
	memorySlack = 512 << 10
	// A tick's worth of time passes every so many streams.
	streamsPerTick = 1_000
)

// memoryMix are the exchanges that the streams take turns in.
var memoryMix = []struct {
	request  wasmhost.Request
	response wasmhost.Response
}{
	{request: wasmhost.Request{Headers: browserRequest()}, response: wasmhost.Response{Headers: apiResponse()}},
	{request: wasmhost.Request{Headers: browserRequest(allowedOrigin)}, response: wasmhost.Response{Headers: apiResponse(withCORS...)}},
	{request: wasmhost.Request{Headers: browserRequest(refusedOrigin)}, response: wasmhost.Response{Headers: apiResponse(withVary...)}},
	{request: wasmhost.Request{Method: "OPTIONS", Headers: browserRequest(allowedOrigin, asksPUT, asksHeaders)}},
	{request: wasmhost.Request{Method: "OPTIONS", Headers: browserRequest(refusedOrigin, asksPUT, asksHeaders)}},
}

// exchanges runs streams of the mix. One in abandonEvery ends before its response, if it was to have one from the upstream: a client that went away.
func exchanges(t *testing.T, plugin *wasmhost.Plugin, streams, abandonEvery int) {
	t.Helper()
	for i := range streams {
		m := memoryMix[i%len(memoryMix)]
		s := plugin.NewStream()
		out := s.SendRequest(m.request)
		if abandon := (i+i/len(memoryMix))%abandonEvery == 0; out.Forwarded && !abandon {
			out = s.SendResponse(m.response)
		}
		s.Close()
		if out.Err != nil {
			t.Fatalf("stream %d: %v\n%v", i, out.Err, plugin.VM().Logs())
		}
		if i%streamsPerTick == 0 {
			plugin.VM().Process().Advance(plugin.TickPeriod())
			plugin.Tick()
			plugin.VM().ResetLogs()
		}
	}
}

// Some clients go away before the response, which the plugin does not hear of.
func TestMemoryStaysFlatOverManyStreams(t *testing.T) {
	t.Parallel()
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), logging)
	staysFlat(t, plugin, warmUpStreams, memoryStreams, func(streams int) { exchanges(t, plugin, streams, 50) })
}

// Clients that open streams and drop them are cheap for the client. What the plugin remembers of them must not pile up.
func TestMemoryStaysBoundedUnderAFloodOfAbandonedStreams(t *testing.T) {
	t.Parallel()
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), plain)
	staysFlat(t, plugin, 4*warmUpStreams, memoryStreams, func(streams int) { exchanges(t, plugin, streams, 1) })
}

// Large header maps make the garbage collector run at any place where the plugin allocates, also while the host waits for memory. Envoy lets
// a module make few host calls there, old releases fewer than new ones, and Go's runtime must do with these.
func TestGarbageCollectionKeepsToTheCallsThatEnvoyAllows(t *testing.T) {
	for name, release := range map[string]wasmhost.Release{"Envoy 1.40": wasmhost.Envoy140, "Envoy 1.36": wasmhost.Envoy136} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plugin := configure(t, pluginHost(t, release), plain)
			large := wasmhost.Header{"x-large", strings.Repeat("v", 50<<10)}
			staysFlat(t, plugin, 2_000, 10_000, func(streams int) {
				for range streams {
					out := plugin.NewStream().Do(wasmhost.Request{Headers: browserRequest(allowedOrigin, large)}, wasmhost.Response{Headers: apiResponse(large)})
					if out.Err != nil {
						t.Fatal(out.Err)
					}
				}
			})
		})
	}
}

// staysFlat checks that the module's memory, which never shrinks, does not grow any more once it is warm, and that no context is left.
// The heap is collected when it has doubled, so what leaks shows twice.
func staysFlat(t *testing.T, plugin *wasmhost.Plugin, warmUp, streams int, run func(streams int)) {
	t.Helper()
	vm := plugin.VM()
	run(warmUp)
	warm := vm.Memory()
	run(streams)
	t.Logf("%d bytes after %d streams, %d after %d more; WASI calls %v", warm, warmUp, vm.Memory(), streams, vm.Calls().WASI)
	if vm.Memory() > warm+memorySlack {
		t.Errorf("memory grew from %d to %d bytes over %d streams", warm, vm.Memory(), streams)
	}
	if n := vm.Contexts(); n != 1 {
		t.Errorf("%d contexts live, want the plugin's alone", n)
	}
}
