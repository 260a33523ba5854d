package wasmhost

import (
	"context"
	"strings"

	"github.com/tetratelabs/wazero/api"
)

// Result is what a host call returns, as proxy-wasm numbers it.
type Result uint32

// The results that the host gives.
const (
	OK                  Result = 0
	NotFound            Result = 1
	BadArgument         Result = 2
	InvalidMemoryAccess Result = 6
	Empty               Result = 7
	CasMismatch         Result = 8
	InternalFailure     Result = 10
	Unimplemented       Result = 12
)

// hostFunction is a function that a module may import.
type hostFunction struct {
	name string
	typ  string // as in "(i32,i64)i32"
	wasi bool
	// run gets the arguments, one word each, in the order of the ABI.
	run func(v *VM, a []uint64) Result
}

func (f hostFunction) types() (params, results []api.ValueType) {
	in, out, _ := strings.Cut(strings.TrimPrefix(f.typ, "("), ")")
	parse := func(list string) (types []api.ValueType) {
		for name := range strings.SplitSeq(list, ",") {
			switch name {
			case "i32":
				types = append(types, api.ValueTypeI32)
			case "i64":
				types = append(types, api.ValueTypeI64)
			}
		}
		return types
	}
	return parse(in), parse(out)
}

// call wraps run with what holds for every host call: it is counted, and it traps where Envoy restricts the module to a few calls.
func (f hostFunction) call() api.GoModuleFunction {
	params, results := f.types()
	return api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
		v := ctx.Value(vmKey{}).(*VM)
		v.count(f)
		for i, t := range params {
			if t == api.ValueTypeI32 {
				stack[i] = uint64(api.DecodeU32(stack[i])) // the upper half is nobody's
			}
		}
		if v.restricted != nil && !v.restricted[f.name] {
			panic("restricted_callback: " + f.name + " called while " + v.restrictedWhile)
		}
		result := f.run(v, stack)
		if len(results) > 0 {
			stack[0] = uint64(result)
		}
	})
}

type vmKey struct{}

// callbackTypes holds the types with which Envoy calls what a module exports. A module whose export differs is refused.
var callbackTypes = map[string]string{
	"_initialize":                             "()",
	"main":                                    "(i32,i32)i32",
	"__main_void":                             "()i32",
	"malloc":                                  "(i32)i32",
	"proxy_on_memory_allocate":                "(i32)i32",
	"proxy_on_context_create":                 "(i32,i32)",
	"proxy_on_vm_start":                       "(i32,i32)i32",
	"proxy_validate_configuration":            "(i32,i32)i32",
	"proxy_on_configure":                      "(i32,i32)i32",
	"proxy_on_tick":                           "(i32)",
	"proxy_on_new_connection":                 "(i32)i32",
	"proxy_on_downstream_data":                "(i32,i32,i32)i32",
	"proxy_on_upstream_data":                  "(i32,i32,i32)i32",
	"proxy_on_downstream_connection_close":    "(i32,i32)",
	"proxy_on_upstream_connection_close":      "(i32,i32)",
	"proxy_on_request_headers":                "(i32,i32,i32)i32",
	"proxy_on_request_body":                   "(i32,i32,i32)i32",
	"proxy_on_request_trailers":               "(i32,i32)i32",
	"proxy_on_request_metadata":               "(i32,i32)i32",
	"proxy_on_response_headers":               "(i32,i32,i32)i32",
	"proxy_on_response_body":                  "(i32,i32,i32)i32",
	"proxy_on_response_trailers":              "(i32,i32)i32",
	"proxy_on_response_metadata":              "(i32,i32)i32",
	"proxy_on_http_call_response":             "(i32,i32,i32,i32,i32)",
	"proxy_on_grpc_receive":                   "(i32,i32,i32)",
	"proxy_on_grpc_close":                     "(i32,i32,i32)",
	"proxy_on_grpc_receive_initial_metadata":  "(i32,i32,i32)",
	"proxy_on_grpc_receive_trailing_metadata": "(i32,i32,i32)",
	"proxy_on_queue_ready":                    "(i32,i32)",
	"proxy_on_foreign_function":               "(i32,i32,i32)",
	"proxy_on_done":                           "(i32)i32",
	"proxy_on_log":                            "(i32)",
	"proxy_on_delete":                         "(i32)",
}
