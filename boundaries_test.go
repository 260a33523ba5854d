package main_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// goCommand runs the go command, for the plugin's platform if wasm is set, and returns what it prints.
func goCommand(t *testing.T, dir string, wasm bool, args ...string) (string, error) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if wasm {
		cmd.Env = append(cmd.Env, "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	}
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func goLines(t *testing.T, wasm bool, args ...string) []string {
	t.Helper()
	out, err := goCommand(t, ".", wasm, args...)
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.Split(out, "\n")
}

// What the plugin links is start-up time and memory of every Envoy.
func TestThePluginLinksNoHeavyPackage(t *testing.T) {
	heavy := regexp.MustCompile(`^(net|net/.*|regexp|regexp/.*|fmt|os|os/.*|encoding/json|html/.*|text/.*|log|log/.*|testing|golang\.org/x/.*|github\.com/tidwall/pretty/.*|.*/proxytest|.*/wazero.*|.*yaml.*)$`)
	deps := goLines(t, true, "list", "-deps", ".")
	for _, p := range deps {
		if heavy.MatchString(p) {
			t.Errorf("the plugin links %s", p)
		}
	}
	if !slices.Contains(deps, "corsguard/filter/abi") || !slices.Contains(deps, "github.com/tidwall/gjson") {
		t.Errorf("this is not the plugin: %q", deps)
	}
}

// imports are what the packages of this module may import of it and of other modules. What is not listed may import nothing of the kind.
var imports = map[string][]string{
	"corsguard":                    {"corsguard/filter"},
	"corsguard/filter":             {"corsguard/filter/abi", "corsguard/filter/config", "corsguard/filter/fetch", "corsguard/filter/policy", sdkPath + "/sdk", sdkPath + "/types"},
	"corsguard/filter/abi":         {sdkPath + "/sdk", sdkPath + "/types"},
	"corsguard/filter/config":      {"corsguard/filter/fetch", "corsguard/filter/headervalue", "corsguard/filter/origin", "corsguard/filter/policy", "corsguard/filter/regex", "github.com/tidwall/gjson"},
	"corsguard/filter/policy":      {"corsguard/filter/fetch", "corsguard/filter/origin", "corsguard/filter/regex"},
	"corsguard/filter/origin":      {"corsguard/filter/regex"},
	"corsguard/filter/fetch":       nil,
	"corsguard/filter/headervalue": {"corsguard/filter/fetch"},
	"corsguard/filter/regex":       nil,
}

const sdkPath = "github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm"

func TestImportsPointOneWay(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range goLines(t, true, "list", "-deps", "-f", `{{.ImportPath}} {{join .Imports " "}}`, ".") {
		fields := strings.Fields(line)
		allowed, ours := imports[fields[0]]
		if !ours {
			if strings.HasPrefix(fields[0], "corsguard") {
				t.Errorf("%s is no package of the plugin", fields[0])
			}
			continue
		}
		seen[fields[0]] = true
		for _, path := range fields[1:] {
			if (strings.Contains(path, ".") || strings.HasPrefix(path, "corsguard")) && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", fields[0], path)
			}
		}
	}
	if len(seen) != len(imports) {
		t.Errorf("seen only %v", seen)
	}
	for _, line := range goLines(t, false, "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		if slices.Contains(fields[1:], "github.com/tidwall/gjson") && fields[0] != "corsguard/filter/config" {
			t.Errorf("%s imports gjson", fields[0])
		}
	}
}

// parsed calls f for each Go file below dir.
func parsed(t *testing.T, dir string, mode parser.Mode, f func(path string, file *ast.File)) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && path != dir && (strings.HasPrefix(name, ".") || name == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err == nil {
			n++
			f(path, file)
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d Go files in %s: %v", n, dir, err)
	}
}

// The end-to-end tests know the plugin by its behaviour alone.
func TestTheEndToEndTestsImportNothingOfTheFilter(t *testing.T) {
	parsed(t, "e2e", parser.ImportsOnly, func(path string, file *ast.File) {
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil || imported == "corsguard" || strings.HasPrefix(imported, "corsguard/") && !strings.HasPrefix(imported, "corsguard/e2e") {
				t.Errorf("%s imports %s", path, spec.Path.Value)
			}
		}
	})
	if strings.Contains(strings.ReplaceAll(read(t, "e2e/go.mod"), "module corsguard/e2e", ""), "corsguard") {
		t.Error("e2e/go.mod names the root module")
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	documented := map[string]bool{}
	for _, dir := range []string{"filter", "cmd", "deploy", "e2e"} {
		parsed(t, dir, parser.ParseComments|parser.PackageClauseOnly, func(path string, file *ast.File) {
			if dir := filepath.Dir(path); !strings.HasSuffix(path, "_test.go") {
				documented[dir] = documented[dir] || file.Doc != nil && len(file.Doc.Text()) > 40
			}
		})
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

// pluginGo is the version of Go whose language and library the plugin keeps to, so that TinyGo compiles it. The module's own is that of what the command needs.
const pluginGo = "1.23.0"

var pluginModules = regexp.MustCompile(`^github\.com/(tetratelabs/proxy-wasm-go-sdk|tidwall)(/.*)?$`)

// vet's stdversion knows when each name of the standard library came in, and judges by the version in go.mod: the plugin is looked at in a module of its own.
func TestThePluginUsesNothingNewerThanItsGoVersion(t *testing.T) {
	dir := t.TempDir()
	mod := "module corsguard\n\ngo " + pluginGo + "\n\n"
	for _, line := range strings.Split(read(t, "go.mod"), "\n") { // the command's requirements are for a newer Go
		if path, version, ok := strings.Cut(strings.TrimSpace(line), " v"); ok && pluginModules.MatchString(path) {
			mod += "require " + path + " v" + version + "\n"
		} else if strings.HasPrefix(line, "replace ") {
			mod += line + "\n"
		}
	}
	for _, name := range goLines(t, true, "list", "-deps", "-f", `{{if not .Standard}}{{.Dir}}{{end}}`, ".") {
		if name == "" || !strings.HasPrefix(name, workingDirectory(t)) {
			continue
		}
		copyGo(t, name, filepath.Join(dir, strings.TrimPrefix(name, workingDirectory(t))))
	}
	copyGo(t, "filter/config/pretty", filepath.Join(dir, "filter/config/pretty"))
	for name, text := range map[string]string{"go.mod": mod, "go.sum": read(t, "go.sum")} {
		write(t, filepath.Join(dir, name), text)
	}
	if out, err := goCommand(t, dir, true, "vet", "-stdversion", "./..."); err != nil {
		t.Errorf("the plugin: %v\n%s", err, out)
	}

	// The same check must see what it is for.
	dir = t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module probe\n\ngo 1.23.0\n",
		"a.go":   "package probe\n\nimport \"strings\"\n\nvar Lines = strings.Lines(\"\")\n",
	} {
		write(t, filepath.Join(dir, name), text)
	}
	if out, err := goCommand(t, dir, true, "vet", "-stdversion", "."); err == nil || !strings.Contains(out, "strings.Lines") {
		t.Errorf("strings.Lines, of Go 1.24, is not seen: %v\n%s", err, out)
	}
}

func workingDirectory(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// copyGo copies the files of a package, its tests left out.
func copyGo(t *testing.T, from, to string) {
	t.Helper()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Type().IsRegular() && !strings.HasSuffix(e.Name(), "_test.go") && (from != workingDirectory(t) || e.Name() == "main.go") {
			write(t, filepath.Join(to, e.Name()), read(t, filepath.Join(from, e.Name())))
		}
	}
}

func TestModuleFilesNameModulesAlone(t *testing.T) {
	sum := regexp.MustCompile(`^[a-z0-9.-]+\.[a-z]+/\S+ v[0-9]\S*? h1:[A-Za-z0-9+/]{43}=$`)
	directive := regexp.MustCompile(`^(module \S+|go [0-9.]+|(require|tool|replace) \(|require \S+ v\S+( // indirect)?|\t\S+ v\S+( // indirect)?|\)|replace \S+ => \.\.?/\S*|replace \S+ => \S+ v\S+|tool \S+|\tistio\.io/istio/\S+|// .*|)$`)
	for _, dir := range []string{".", "e2e", "e2e/conformance", "e2e/mesh", "deploy/image"} {
		for _, line := range strings.Split(strings.TrimSpace(read(t, filepath.Join(dir, "go.sum"))), "\n") {
			if !sum.MatchString(line) {
				t.Errorf("%s/go.sum: %q", dir, line)
			}
		}
		for _, line := range strings.Split(read(t, filepath.Join(dir, "go.mod")), "\n") {
			if !directive.MatchString(line) {
				t.Errorf("%s/go.mod: %q", dir, line)
			}
		}
	}
}
