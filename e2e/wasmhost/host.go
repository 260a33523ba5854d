package wasmhost

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// maxMemoryPages is the 1 GiB that Envoy lets one VM have.
const maxMemoryPages = 1 << 30 / 65536

// Release is the Envoy release whose behaviour the host takes on, where releases differ.
type Release int

const (
	// Envoy140 lets a module poll_oneoff, also while it allocates memory for the host and while it starts.
	Envoy140 Release = iota
	// Envoy136 answers poll_oneoff with ENOSYS, and a module that calls it while it allocates memory or starts is killed.
	Envoy136
)

// Options are what a host may be told. The zero value is Envoy 1.40 with the native CORS and compressor extensions compiled in.
type Options struct {
	Release Release
	// KeepRepeatedLines leaves repeated lines of the headers that extensions register apart (Origin, Access-Control-Request-*,
	// Vary, Access-Control-*): an Envoy without those extensions. With them, such lines are joined by a comma.
	KeepRepeatedLines bool
	// Unbounded runs the module without the checks that let the context end it, which make a loop several times as slow: for benchmarks.
	Unbounded bool
	// VMConfiguration is what the plugin reads as VM configuration.
	VMConfiguration []byte
}

// Host is a compiled module, ready to be instantiated.
type Host struct {
	opts     Options
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	abi      string
	size     int
	ctx      context.Context

	requestInline, responseInline map[string]bool
}

// Function names a function that a module imports or exports, and its type as in "(i32,i64)i32".
type Function struct{ Module, Name, Type string }

// String returns "module.name", or the name alone where there is no module.
func (f Function) String() string {
	if f.Module == "" {
		return f.Name
	}
	return f.Module + "." + f.Name
}

// New compiles a module and refuses what Envoy would refuse to load: a module without an ABI version, without a memory allocation
// callback, with callbacks of another type than Envoy calls, or with imports that Envoy does not provide.
//
// The context bounds everything that is made from the host: when it is done, whatever runs in a VM traps, unless it is Unbounded.
func New(ctx context.Context, wasm []byte, opts Options) (*Host, error) {
	config := wazero.NewRuntimeConfig().WithMemoryLimitPages(maxMemoryPages).WithCloseOnContextDone(!opts.Unbounded)
	h := &Host{opts: opts, runtime: wazero.NewRuntimeWithConfig(ctx, config), size: len(wasm), ctx: ctx,
		requestInline: opts.inline(requestInline, requestRegistered), responseInline: opts.inline(responseInline, responseRegistered)}
	if err := h.load(wasm); err != nil {
		return nil, errors.Join(err, h.runtime.Close(ctx))
	}
	return h, nil
}

func (h *Host) load(wasm []byte) error {
	for module, functions := range map[string][]hostFunction{"env": proxyFunctions, "wasi_snapshot_preview1": wasiFunctions} {
		builder := h.runtime.NewHostModuleBuilder(module)
		for _, f := range functions {
			params, results := f.types()
			builder.NewFunctionBuilder().WithGoModuleFunction(f.call(), params, results).Export(f.name)
		}
		if _, err := builder.Instantiate(h.ctx); err != nil {
			return fmt.Errorf("wasmhost: host module %s: %w", module, err)
		}
	}
	compiled, err := h.runtime.CompileModule(h.ctx, wasm)
	if err != nil {
		return fmt.Errorf("wasmhost: compile: %w", err)
	}
	h.compiled = compiled
	return h.check()
}

// check is what Envoy checks when it loads a module.
func (h *Host) check() error {
	var errs []error
	exports := map[string]string{}
	for _, f := range h.Exports() {
		exports[f.Name] = f.Type
		if version, ok := strings.CutPrefix(f.Name, "proxy_abi_version_"); ok {
			h.abi = version
		}
		if want, ok := callbackTypes[f.Name]; ok && f.Type != want {
			errs = append(errs, fmt.Errorf("wasmhost: export %s has type %s, Envoy calls %s", f.Name, f.Type, want))
		}
	}
	if h.abi != "0_2_0" && h.abi != "0_2_1" {
		errs = append(errs, fmt.Errorf("wasmhost: ABI version %q: want an export proxy_abi_version_0_2_0 or _0_2_1", h.abi))
	}
	if exports["malloc"] == "" && exports["proxy_on_memory_allocate"] == "" {
		errs = append(errs, errors.New("wasmhost: the module exports neither malloc nor proxy_on_memory_allocate"))
	}
	provided := ProvidedFunctions()
	for _, f := range h.Imports() {
		if !slices.Contains(provided, f) || f.Name == "proxy_get_log_level" && h.abi == "0_2_0" {
			errs = append(errs, fmt.Errorf("wasmhost: import %v of type %s is not provided", f, f.Type))
		}
	}
	return errors.Join(errs...)
}

// Close frees the compiled code and every VM.
func (h *Host) Close() error { return h.runtime.Close(context.WithoutCancel(h.ctx)) }

// Size returns the size of the module's code in bytes.
func (h *Host) Size() int { return h.size }

// Exports returns the functions that the module exports, sorted by name.
func (h *Host) Exports() []Function {
	var out []Function
	for name, def := range h.compiled.ExportedFunctions() {
		out = append(out, Function{Name: name, Type: typeOf(def)})
	}
	slices.SortFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Imports returns the functions that the module imports, in its order.
func (h *Host) Imports() []Function {
	var out []Function
	for _, def := range h.compiled.ImportedFunctions() {
		module, name, _ := def.Import()
		out = append(out, Function{Module: module, Name: name, Type: typeOf(def)})
	}
	return out
}

// ProvidedFunctions returns what a module may import: the host functions that Envoy 1.36 and all later releases provide.
func ProvidedFunctions() []Function {
	var out []Function
	for _, f := range proxyFunctions {
		out = append(out, Function{Module: "env", Name: f.name, Type: f.typ})
	}
	for _, f := range wasiFunctions {
		out = append(out, Function{Module: "wasi_snapshot_preview1", Name: f.name, Type: f.typ})
	}
	return out
}

func typeOf(def api.FunctionDefinition) string {
	names := func(types []api.ValueType) string {
		var s []string
		for _, t := range types {
			s = append(s, api.ValueTypeName(t))
		}
		return strings.Join(s, ",")
	}
	return "(" + names(def.ParamTypes()) + ")" + names(def.ResultTypes())
}
