package wasmhost_test

import (
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/wasmhost"
)

// maxWasmSize bounds the plugin's size. Code is start-up time and memory in every Envoy worker.
const maxWasmSize = 3_500_000

// exports are all the functions that the plugin exports. Envoy calls what is exported, and each call into Go costs: a callback
// that nothing needs must not be here.
var exports = []string{
	"_initialize",
	"proxy_abi_version_0_2_0",
	"proxy_on_configure",
	"proxy_on_context_create",
	"proxy_on_http_call_response",
	"proxy_on_memory_allocate",
	"proxy_on_request_headers",
	"proxy_on_response_headers",
	"proxy_on_tick",
	"proxy_on_vm_start",
}

func TestTheModuleExportsTheCallbacksInUseAndNoMore(t *testing.T) {
	var got []string
	for _, f := range pluginHost(t, wasmhost.Envoy140).Exports() {
		got = append(got, f.Name)
	}
	if !slices.Equal(got, exports) {
		t.Errorf("exports\n got %q\nwant %q", got, exports)
	}
}

func TestTheModuleImportsOnlyWhatEveryEnvoyProvides(t *testing.T) {
	provided := wasmhost.ProvidedFunctions()
	for _, f := range pluginHost(t, wasmhost.Envoy140).Imports() {
		if !slices.Contains(provided, f) {
			t.Errorf("import %v of type %s", f, f.Type)
		}
	}
}

func TestTheModuleIsSmall(t *testing.T) {
	if size := pluginHost(t, wasmhost.Envoy140).Size(); size > maxWasmSize {
		t.Errorf("the wasm has %d bytes, at most %d are allowed", size, maxWasmSize)
	}
}

func TestTheModuleStartsUnderTheOldestEnvoy(t *testing.T) {
	plugin := configure(t, pluginHost(t, wasmhost.Envoy136), `{"cors": {"allowOrigins": ["https://app.example.com"]}}`)
	out := plugin.NewStream().Do(wasmhost.Request{Headers: []wasmhost.Header{{"origin", "https://app.example.com"}}}, wasmhost.Response{})
	if got := out.Values("access-control-allow-origin"); !slices.Equal(got, []string{"https://app.example.com"}) {
		t.Errorf("headers %q, error %v", out.Headers, out.Err)
	}
}

// A plugin that did not understand its configuration must not start, whatever the bytes are.
func TestNoConfigurationTrapsTheModule(t *testing.T) {
	host := pluginHost(t, wasmhost.Envoy140)
	for _, config := range []string{
		"", " ", "\x00", "{", "[", `"`, "\xff\xfe", "null", "[]", "{}", `{"cors":{}}`, `{"cors":null}`, `{"cors":{"allowOrigins":null}}`,
		`{"cors":{"allowOrigins":[` + strings.Repeat("[", 20_000), strings.Repeat(`{"cors":`, 20_000), `{"a":"\ud800"}`,
		`{"cors":{"allowOrigins":["` + strings.Repeat("a", 1<<20) + `"]}}`, `{"cors":{"maxAge":1e400}}`, `{"cors":{"maxAge":` + strings.Repeat("9", 1<<16) + `}}`,
		`{"` + strings.Repeat("\x01", 1<<16) + `":1}`, strings.Repeat(" ", 1<<20),
		`{"rules":` + strings.Repeat("[", 20_000), `{"rules":[` + strings.Repeat(`{"name":"a","match":{"paths":[{"exact":"/"}]},"cors":null},`, 20_000) + `{}]}`,
		regexConfig(strings.Repeat("(", 400)), regexConfig(strings.Repeat("(a{9}", 40) + strings.Repeat("){9}", 40)), regexConfig("https://a{1000000000000000000000}"),
		regexConfig(strings.Repeat("a|", 1<<18)), regexConfig("[" + strings.Repeat("a-", 200)), regexConfig(`\\`),
	} {
		vm := newVM(t, host)
		if _, err := vm.Configure([]byte(config)); err == nil || vm.Dead() != nil {
			t.Errorf("configuration %.40q: error %v, want a refusal without a trap", config, err)
			continue
		}
		if len(errorPaths(vm.Logs())) == 0 {
			t.Errorf("configuration %.40q: no error is named: %.400v", config, vm.Logs())
		}
		for _, log := range vm.Logs() {
			if strings.ContainsAny(log.Message, "\x00\r\n") {
				t.Errorf("configuration %.40q: control bytes in the log: %.200q", config, log.Message)
			}
		}
	}
}

func regexConfig(expr string) string { return `{"cors":{"allowOrigins":[{"regex":"` + expr + `"}]}}` }
