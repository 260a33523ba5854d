package main_test

import (
	"go/ast"
	"go/parser"
	"path/filepath"
	"strings"
	"testing"
)

// wasmSignature writes the signature of a function as WebAssembly has it: a letter for each parameter and result. All that crosses the border here is 32
// bits wide, but for what is named so.
func wasmSignature(t *testing.T, f *ast.FuncDecl) string {
	t.Helper()
	letters := func(list *ast.FieldList) string {
		s := ""
		if list == nil {
			return s
		}
		for _, field := range list.List {
			letter := "i"
			if name, ok := field.Type.(*ast.Ident); ok && strings.HasSuffix(name.Name, "64") {
				letter = "I"
			}
			s += strings.Repeat(letter, max(1, len(field.Names)))
		}
		return s
	}
	return letters(f.Type.Params) + "→" + letters(f.Type.Results)
}

// exports returns the functions of a directory that have a directive, by the name that it gives them.
func exports(t *testing.T, dir, directive string) map[string]string {
	t.Helper()
	found := map[string]string{}
	parsed(t, dir, parser.ParseComments, func(path string, file *ast.File) {
		if strings.HasSuffix(path, "_test.go") || filepath.Dir(path) != filepath.Clean(dir) {
			return
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Doc == nil {
				continue
			}
			for _, line := range f.Doc.List {
				if name, ok := strings.CutPrefix(line.Text, directive+" "); ok {
					found[name] = wasmSignature(t, f)
				}
			}
		}
	})
	return found
}

func TestTheCallbacksAreThoseOfTheSDK(t *testing.T) {
	dir := goLines(t, false, "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/proxy-wasm-go-sdk")[0]
	sdk := exports(t, filepath.Join(dir, "proxywasm", "internal"), "//export")
	ours := exports(t, "filter/abi", "//go:wasmexport")
	for name, signature := range ours {
		if sdk[name] != signature {
			t.Errorf("%s is %s, in the SDK %q", name, signature, sdk[name])
		}
	}
	for _, name := range []string{
		"proxy_abi_version_0_2_0", "proxy_on_vm_start", "proxy_on_configure", "proxy_on_tick", "proxy_on_context_create", "proxy_on_request_headers", "proxy_on_response_headers",
		"proxy_on_memory_allocate",
	} {
		if ours[name] == "" {
			t.Errorf("%s is not exported", name)
		}
	}
	for _, name := range []string{"proxy_on_request_body", "proxy_on_response_body", "proxy_on_request_trailers", "proxy_on_response_trailers", "proxy_on_log", "proxy_on_done"} {
		if sdk[name] == "" {
			t.Errorf("the SDK has no %s: these are not its callbacks", name)
		}
		if ours[name] != "" {
			t.Errorf("%s is exported: each call into the VM costs", name)
		}
	}
}

// The host's functions are imported with the widths of the SDK's own.
func TestTheHostFunctionsAreThoseOfTheSDK(t *testing.T) {
	dir := goLines(t, false, "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/proxy-wasm-go-sdk")[0]
	sdk := exports(t, filepath.Join(dir, "proxywasm", "internal"), "//export")
	ours := exports(t, "filter/abi", "//go:wasmimport env")
	if len(ours) < 20 {
		t.Fatalf("%d functions are imported", len(ours))
	}
	for name, signature := range ours {
		if sdk[name] != signature {
			t.Errorf("%s is %s, in the SDK %q", name, signature, sdk[name])
		}
	}
}

func TestTheCompilerChecksTheHostInterface(t *testing.T) {
	if !strings.Contains(read(t, "filter/abi/host_wasip1.go"), "\nvar _ sdk.Host = ") {
		t.Error("filter/abi does not hold its host against sdk.Host")
	}
	if out, err := goCommand(t, ".", true, "build", "./filter/abi", "./filter/abi/..."); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := goCommand(t, ".", true, "vet", "./filter/abi"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheBindingIsEmptyUnderTinyGo(t *testing.T) {
	for _, wasm := range []bool{false, true} {
		if got := goLines(t, wasm, "list", "-tags", "tinygo", "-f", "{{.GoFiles}}", "./filter/abi")[0]; got != "[doc.go]" {
			t.Errorf("under TinyGo filter/abi is %s", got)
		}
	}
}
