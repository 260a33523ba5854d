package wasmhost_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/wasmhost"
)

// The tests of this file hold the host to Envoy's behaviour, with a module that does what its test says: testdata/probe tells how. What they
// expect is what Envoy 1.36.2 and 1.40.0 did with the same module.

func script(s string, more ...wasmhost.Header) []wasmhost.Header {
	return append([]wasmhost.Header{{"x-script", s}}, more...)
}

// results runs a script in the request phase and returns what the host calls gave.
func results(t *testing.T, plugin *wasmhost.Plugin, lines string, headers ...wasmhost.Header) ([]string, wasmhost.Outcome) {
	t.Helper()
	plugin.VM().ResetLogs()
	out := plugin.NewStream().Do(wasmhost.Request{Headers: script(lines, headers...)}, wasmhost.Response{})
	if out.Err != nil {
		t.Fatal(out.Err, plugin.VM().Logs())
	}
	return given(plugin.VM()), out
}

// given returns what the host calls of a script gave, from the log: the parts behind the equals signs.
func given(vm *wasmhost.VM) []string {
	var gave []string
	for _, log := range vm.Logs() {
		if _, result, ok := strings.Cut(log.Message, " = "); ok {
			gave = append(gave, strings.TrimSuffix(result, ` ""`))
		}
	}
	return gave
}

func wantStrings(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func messages(vm *wasmhost.VM) []string {
	var lines []string
	for _, log := range vm.Logs() {
		lines = append(lines, log.Message)
	}
	return lines
}

func TestCallbacksComeInEnvoysOrder(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	vm := plugin.VM()
	plugin.NewStream().Do(wasmhost.Request{}, wasmhost.Response{})
	plugin.NewStream().Close()
	plugin.Tick() // no period, no tick
	wantStrings(t, messages(vm),
		"context 1 of 0", `vm_start buffer 7 1 ""`, `configure buffer 7 0 ""`,
		"context 2 of 1", "request_headers 2 5 1", "response_headers 2 1 1", "log 2", "done 2", "delete 2",
		"context 3 of 1", "log 3", "done 3", "delete 3")
	if n := vm.Contexts(); n != 1 {
		t.Errorf("%d contexts live, want the root alone", n)
	}
	plugin.Shutdown()
	if n := vm.Contexts(); n != 0 {
		t.Errorf("%d contexts live after the shutdown", n)
	}
}

func TestARefusedConfigurationIsAnError(t *testing.T) {
	vm := newVM(t, probeHost(t))
	if _, err := vm.Configure([]byte("refuse")); !errors.Is(err, wasmhost.ErrRefused) {
		t.Errorf("error %v, want ErrRefused", err)
	}
	if _, err := vm.Configure(nil); err != nil {
		t.Errorf("a second plugin in the VM: %v", err)
	}
}

func probeHost(t *testing.T) *wasmhost.Host {
	t.Helper()
	wasm, err := probeWasm()
	if err != nil {
		t.Fatal(err)
	}
	return newHost(t, wasm, wasmhost.Options{})
}

func TestHeaderMapsBehaveAsEnvoys(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	got, out := results(t, plugin,
		"get 0 x-none; get 0 X-Two; replace 0 x-two three; get 0 host; remove 0 x-gone; add 0 X-New v; get 0 origin; get 2 x; get 8 x; size 2",
		[]wasmhost.Header{{"X-Two", "one"}, {"x-two", "two"}, {"x-gone", "1"}, {"x-gone", "2"}, {"origin", "a"}, {"Origin", "b"}}...)
	wantStrings(t, got, "1", `0 "one"`, "0", `0 "api.example.test"`, "0", "0", `0 "a,b"`, "2", "2", "2 0")
	want := []wasmhost.Header{{"origin", "a,b"}, {"x-forwarded-proto", "http"}, {"x-two", "three"}, {"x-new", "v"}}
	if !slices.Equal(out.Upstream[5:], want) {
		t.Errorf("upstream got %q", out.Upstream)
	}
	if out.RouteCacheCleared != 3 {
		t.Errorf("route cache cleared %d times, want 3", out.RouteCacheCleared)
	}

	apart := probe(t, wasmhost.Options{KeepRepeatedLines: true}, "")
	got, _ = results(t, apart, "get 0 origin", wasmhost.Header{"origin", "a"}, wasmhost.Header{"origin", "b"})
	wantStrings(t, got, `0 "a"`)
}

func TestRequestHeadersAreGoneInTheResponsePhase(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	out := plugin.NewStream().Do(wasmhost.Request{}, wasmhost.Response{Status: 404, Headers: script(
		"get 0 :path; pairs 0; get 2 :status; add 2 vary Origin; add 2 vary A; setpairs 2 a b")})
	wantStrings(t, given(plugin.VM()), "2", "0", `0 "404"`, "0", "0", "0")
	if want := []wasmhost.Header{{"a", "b"}}; !slices.Equal(out.Headers, want) {
		t.Errorf("response %q", out.Headers)
	}
}

func TestPairsAreLaidOutAsTheABISays(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	plugin.NewStream().Do(wasmhost.Request{Raw: script("pairs 0", wasmhost.Header{"", "e"})}, wasmhost.Response{})
	wantStrings(t, given(plugin.VM()),
		`0 "\x02\x00\x00\x00\b\x00\x00\x00\a\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00x-script\x00pairs 0\x00\x00e\x00"`)
}

func TestALocalReplyPassesItsOwnResponseCallback(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	out := plugin.NewStream().Do(wasmhost.Request{Headers: script("local 403 no me; local 500 twice x")}, wasmhost.Response{})
	if out.Forwarded || !out.Local || out.Status != 403 || out.Details != "no" || out.Body != "no" {
		t.Errorf("outcome %+v", out)
	}
	want := []wasmhost.Header{{"x-local", "me"}, {"content-length", "2"}, {"content-type", "text/plain"}}
	if !slices.Equal(out.Headers, want) {
		t.Errorf("headers %q", out.Headers)
	}
	if out.Calls.Response.Callbacks["on_response_headers"] != 1 {
		t.Errorf("response calls %v", out.Calls.Response)
	}
	grpc := plugin.NewStream().Do(wasmhost.Request{Headers: script("local 403 no me", wasmhost.Header{"content-type", "application/grpc"})}, wasmhost.Response{})
	if grpc.Status != 200 || !slices.Equal(grpc.Values("grpc-status"), []string{"7"}) {
		t.Errorf("gRPC got %d %q", grpc.Status, grpc.Headers)
	}
}

func TestStreamsCanBeHeldAndReset(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	run := func(s string) wasmhost.Outcome {
		return plugin.NewStream().Do(wasmhost.Request{Headers: script(s)}, wasmhost.Response{})
	}
	if out := run("return 1"); !out.Paused || out.Forwarded || out.Status != 0 {
		t.Errorf("held: %+v", out)
	}
	if out := run("continue 0; return 1"); !out.Forwarded || out.Status != 200 {
		t.Errorf("continued: %+v", out)
	}
	if out := run("close 0"); !out.Reset || out.Forwarded {
		t.Errorf("reset: %+v", out)
	}
}

func TestTheEffectiveContextMustLive(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	dead := plugin.NewStream()
	dead.Do(wasmhost.Request{}, wasmhost.Response{})
	other := plugin.NewStream()
	other.SendRequest(wasmhost.Request{Headers: script("return 1", wasmhost.Header{"x-who", "other"})})
	got, _ := results(t, plugin, "effective 2; effective 3; get 0 x-who; effective 99; effective 0; get 0 x-who", wasmhost.Header{"x-who", "me"})
	wantStrings(t, got, "2", "0", `0 "other"`, "2", "0", `0 "me"`)
	if id := other.ID(); id != 3 {
		t.Errorf("id %d, want 3", id)
	}
}

func TestMetricsBelongToTheProcess(t *testing.T) {
	const define = "define 0 c; define 1 g; define 2 h; increment 4 2; increment 4 0; increment 5 -1; increment 6 1; record 5 7; record 6 9; " +
		"metric 4; metric 5; increment 8 1"
	host := probeHost(t)
	process := host.NewProcess()
	for range 2 {
		vm, err := process.NewVM()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := vm.Configure([]byte(define)); err != nil {
			t.Fatal(err)
		}
	}
	if c, g, h := process.Counters()["c"], process.Gauges()["g"], process.Histograms()["h"]; c != 4 || g != 7 || len(h) != 2 {
		t.Errorf("counter %d, gauge %d, histogram %v", c, g, h)
	}
	plugin := probe(t, wasmhost.Options{}, define)
	wantStrings(t, given(plugin.VM()), "0 4", "0 5", "0 6", "0", "2", "0", "2", "0", "0", "0 2", "0 7", "1")
}

func TestBuffersThatAreNotThereAreEmptyOrNotFound(t *testing.T) {
	plugin := probe(t, wasmhost.Options{VMConfiguration: []byte("vm")}, "buffer 0; buffer 4; buffer 6; buffer 8; buffer 9")
	logged := messages(plugin.VM())
	wantStrings(t, logged[len(logged)-5:], `script buffer 0 0 ""`, `script buffer 4 1 ""`, `script buffer 6 0 "vm"`, `script buffer 8 0 ""`, `script buffer 9 2 ""`)
}

func TestSharedDataIsGuardedByCAS(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "shared 0 k; setshared 0 k one; shared 0 k; setshared 99 k two; setshared 1 k two; shared 0 k")
	wantStrings(t, given(plugin.VM()), "1", "0", `0 "one"`, "8", "0", `0 "two"`)
}

func TestSharedDataIsMadeByAnyCASWhereItIsNotThere(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "setshared 4294967295 k one; setshared 4294967295 k two; shared 0 k; setshared 7 other three; shared 0 other")
	wantStrings(t, given(plugin.VM()), "0", "8", `0 "one"`, "0", `0 "three"`)
	plugin.VM().Process().SetSharedData("k", "")
	got, _ := results(t, plugin, "shared 0 k; setshared 4294967295 k four")
	wantStrings(t, got, "0", "8") // empty is there
}

func TestCallsOfClustersThatTakeNoneFailAtOnce(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	process := plugin.VM().Process()
	process.SetCluster("empty", wasmhost.EmptyCluster)
	process.SetCluster("live", wasmhost.LiveCluster)
	got, _ := results(t, plugin, "httpcall 50 none; httpcall 50 empty; httpcall 50 live :path; httpcall 50 live :authority; httpcall 50 live :method")
	wantStrings(t, got, "2 0", "10 0", "2 0", "2 0", "2 0")
	if calls := process.HTTPCalls(); len(calls) != 0 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestCallsAreAnsweredInTheRootContext(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	process := plugin.VM().Process()
	process.SetCluster("live", wasmhost.LiveCluster)
	got, _ := results(t, plugin, "httpcall 50 live; httpcall 70 live; httpcall 0 live; get 6 :status; buffer 4")
	wantStrings(t, got, "0 4", "0 8", "0 12", "2")
	calls := process.HTTPCalls()
	if len(calls) != 3 || calls[0].Timeout != 50*time.Millisecond || calls[1].Value(":path") != "/" || calls[0].VM() != plugin.VM() {
		t.Fatalf("calls %+v", calls)
	}
	plugin.VM().ResetLogs()
	calls[1].Answer("200", []wasmhost.Header{{"x-answer", "yes"}}, "body")
	wantStrings(t, messages(plugin.VM()), "http_call_response 1 8 2 4 0", `get 6 :status = 0 "200"`, `get 6 x-answer = 0 "yes"`, `get 7 :status = 2 ""`, `script buffer 4 0 "body"`)
	plugin.VM().ResetLogs()
	process.SetCluster("live", wasmhost.NoCluster) // its calls break off
	broken := []string{"get 6 :status = 2 \"\"", "get 6 x-answer = 2 \"\"", "get 7 :status = 2 \"\"", "script buffer 4 1 \"\""}
	wantStrings(t, messages(plugin.VM()), slices.Concat([]string{"http_call_response 1 4 0 0 0"}, broken, []string{"http_call_response 1 12 0 0 0"}, broken)...)
	if calls := process.HTTPCalls(); len(calls) != 0 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestCallsOfAPluginThatEndsAreCancelled(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	process := plugin.VM().Process()
	process.SetCluster("live", wasmhost.LiveCluster)
	results(t, plugin, "httpcall 50 live")
	plugin.Shutdown()
	if calls := process.HTTPCalls(); len(calls) != 0 {
		t.Errorf("%d calls", len(calls))
	}
}

func TestQueuesReachTheirOwner(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "register 0 q; enqueue 1 item; enqueue 2 none")
	plugin.VM().Process().DeliverQueues()
	logged := messages(plugin.VM())
	wantStrings(t, logged[len(logged)-2:], "queue_ready 1", "dequeue 0 item")
}

func TestPropertiesAreThoseOfThePhase(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "property request.path")
	wantStrings(t, given(plugin.VM()), "1")
	plugin.VM().ResetLogs()
	out := plugin.NewStream().Do(wasmhost.Request{Path: "/p?q", Route: "r", Headers: script(
		"property request.path; property request.url_path; property xds.route_name; property state; setproperty 0 state on; property state; property no.such")},
		wasmhost.Response{Headers: script("property request.path; property xds.route_name")})
	wantStrings(t, given(plugin.VM()), `0 "/p?q"`, `0 "/p"`, `0 "r"`, "1", "0", `0 "on"`, "1", "1", `0 "r"`)
	if out.FilterState["state"] != "on" {
		t.Errorf("filter state %v", out.FilterState)
	}
}

func TestARouteWithoutANameIsNotTheSameAsNoRoute(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "property xds.route_name")
	wantStrings(t, given(plugin.VM()), "1") // no request, no route
	for want, request := range map[string]wasmhost.Request{"0": {}, "1": {NoRoute: true}} {
		plugin.VM().ResetLogs()
		request.Headers = script("property xds.route_name")
		plugin.NewStream().Do(request, wasmhost.Response{Headers: script("property xds.route_name")})
		wantStrings(t, given(plugin.VM()), want, want)
	}
}

func TestTicksComeWhileThereIsAPeriod(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "tickperiod 1500")
	if p := plugin.TickPeriod(); p != 1500*time.Millisecond {
		t.Errorf("period %v", p)
	}
	if calls := plugin.Tick(); calls.Callbacks["on_tick"] != 1 || calls.Host["log"] != 1 {
		t.Errorf("calls %v", calls)
	}
}

func TestATrapKillsTheVMAndItsStreamsGet503(t *testing.T) {
	plugin := probe(t, wasmhost.Options{}, "")
	vm := plugin.VM()
	bystander := plugin.NewStream()
	bystander.SendRequest(wasmhost.Request{})
	out := plugin.NewStream().Do(wasmhost.Request{Headers: script("panic")}, wasmhost.Response{})
	if out.Err == nil || vm.Dead() == nil || out.Status != 503 || out.Forwarded {
		t.Errorf("outcome %+v, dead %v", out, vm.Dead())
	}
	if late := bystander.SendResponse(wasmhost.Response{}); late.Status != 503 || late.Err == nil {
		t.Errorf("bystander %+v", late)
	}
	said := slices.ContainsFunc(vm.Logs(), func(l wasmhost.Log) bool { return l.Level == wasmhost.Error && strings.Contains(l.Message, "asked to") })
	if !said {
		t.Errorf("the panic is not in the logs: %v", vm.Logs())
	}
}

func TestAModuleThatHangsTraps(t *testing.T) {
	wasm, err := probeWasm()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	host, err := wasmhost.New(ctx, wasm, wasmhost.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = host.Close() }()
	plugin := configure(t, host, "")
	time.AfterFunc(100*time.Millisecond, cancel)
	if out := plugin.NewStream().Do(wasmhost.Request{Headers: script("spin")}, wasmhost.Response{}); out.Err == nil {
		t.Errorf("outcome %+v", out)
	}
}

func TestTheHostRefusesWhatEnvoyWouldNotLoad(t *testing.T) {
	empty := []byte("\x00asm\x01\x00\x00\x00")
	if _, err := wasmhost.New(t.Context(), empty, wasmhost.Options{}); err == nil || !strings.Contains(err.Error(), "ABI version") {
		t.Errorf("error %v", err)
	}
}
