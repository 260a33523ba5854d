package wasmhost_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wasmhost"
)

// corpusDir holds the cases that every engine runs.
const corpusDir = "../corpus"

// Every case of the corpus gets from the wasm what it wants: the status, whether the upstream was reached, the complete owned headers, and
// the rule, kind, decision and reason by the counter that moved. One VM holds all policies, as one worker of Envoy would.
func TestCorpus(t *testing.T) {
	cases, err := corpus.Load(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	plugins := pluginCache{host: pluginHost(t, wasmhost.Envoy140)}
	for _, c := range cases {
		t.Run(strings.TrimSuffix(c.File, ".json")+"/"+c.Name, func(t *testing.T) {
			plugin := plugins.get(t, c.Config)
			before := plugin.Counters()
			out := plugin.NewStream().Do(
				wasmhost.Request{Method: c.Request.Method, Scheme: c.Request.Scheme, Authority: c.Request.Authority, Path: c.Request.Path, Headers: c.Request.Headers,
					Route: c.Request.Route},
				wasmhost.Response{Status: c.Upstream.Status, Headers: c.Upstream.Headers})
			plugin.Tick()
			if out.Err != nil {
				t.Fatalf("the VM died: %v\n%v", out.Err, plugin.VM().Logs())
			}
			checkOutcome(t, c, out)
			if got, want := out.FilterState["corsguard"], c.Want.FilterState(); got != want && !strings.Contains(want, "refused_any") {
				t.Errorf("filter state %q, want %q", got, want)
			}
			checkCounted(t, c.Want, moved(before, plugin.Counters()))
		})
	}
}

func checkOutcome(t *testing.T, c corpus.Case, out wasmhost.Outcome) {
	t.Helper()
	if out.Forwarded != c.Want.Forwarded || out.Status != c.Want.Status {
		t.Errorf("forwarded %v, status %d; want %v, %d", out.Forwarded, out.Status, c.Want.Forwarded, c.Want.Status)
	}
	if got, want := comparableHeaders(out.Headers), comparableHeaders(c.Want.Headers); !slices.Equal(got, want) {
		t.Errorf("headers\n got %q\nwant %q", got, want)
	}
	if want := "corsguard_" + c.Want.Reason; out.Local && out.Details != want && c.Want.Reason != "refused_any" {
		t.Errorf("response code details %q, want %q", out.Details, want)
	}
	if out.RouteCacheCleared > 0 {
		t.Errorf("the plugin wrote request headers %d times, which makes Envoy match routes anew", out.RouteCacheCleared)
	}
}

// comparableHeaders returns the owned headers in a form that compares: Vary as a list of elements, whatever lines and blanks it came in.
func comparableHeaders(headers []corpus.Header) []corpus.Header {
	owned := corpus.Owned(headers)
	var vary []string
	rest := slices.DeleteFunc(owned, func(h corpus.Header) bool {
		if h[0] == "vary" {
			vary = append(vary, elements(h[1])...)
		}
		return h[0] == "vary"
	})
	if vary != nil {
		rest = append(rest, corpus.Header{"vary", strings.Join(vary, ", ")})
	}
	return rest
}

// elements splits a list header.
func elements(value string) []string {
	parts := strings.Split(value, ",")
	for i, p := range parts {
		parts[i] = strings.Trim(p, " \t")
	}
	return parts
}

// A decision is what one counter counts.
type decision struct{ rule, kind, decision, reason string }

// moved returns the decisions that were counted between two readings, and how often.
func moved(before, after map[string]uint64) map[decision]uint64 {
	counted := map[decision]uint64{}
	for name, n := range after {
		if d, ok := decisionOf(name); ok && n > before[name] {
			counted[d] += n - before[name]
		}
	}
	return counted
}

// decisionOf reads a counter's name: corsguard.rule.<rule>.kind.<kind>.decision.<decision>.reason.<reason>.
func decisionOf(name string) (decision, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != 9 || parts[0] != "corsguard" || parts[1] != "rule" || parts[3] != "kind" || parts[5] != "decision" || parts[7] != "reason" {
		return decision{}, false
	}
	return decision{parts[2], parts[4], parts[6], parts[8]}, true
}

func checkCounted(t *testing.T, want corpus.Want, counted map[decision]uint64) {
	t.Helper()
	reasons := []string{want.Reason}
	if want.Reason == "refused_any" {
		reasons = []string{"origin_malformed", "origin_not_allowed"}
	}
	for _, reason := range reasons {
		want.Reason = reason
		all := map[decision]uint64{}
		for _, o := range want.Outcomes() {
			all[decision{o.Rule, o.Kind, o.Decision, o.Reason}]++
		}
		if maps.Equal(counted, all) {
			return
		}
	}
	t.Errorf("counted %v, want %v, or another of the reasons %q", counted, want.Outcomes(), reasons)
}

// pluginCache keeps one plugin for each configuration, all in one VM. A trap costs the VM, so that the next case gets a new one.
type pluginCache struct {
	host    *wasmhost.Host
	vm      *wasmhost.VM
	plugins map[string]*wasmhost.Plugin
}

func (c *pluginCache) get(t *testing.T, config []byte) *wasmhost.Plugin {
	t.Helper()
	if c.vm == nil || c.vm.Dead() != nil {
		vm, err := c.host.NewVM()
		if err != nil {
			t.Fatal(err)
		}
		c.vm, c.plugins = vm, map[string]*wasmhost.Plugin{}
	}
	if plugin := c.plugins[string(config)]; plugin != nil {
		return plugin
	}
	c.vm.ResetLogs()
	plugin, err := c.vm.Configure(config)
	if err != nil {
		t.Fatalf("configuration %s: %v\n%v", config, err, c.vm.Logs())
	}
	c.plugins[string(config)] = plugin
	return plugin
}

// Every configuration of the corpus that must be refused is: the start fails, and the log names exactly the paths that are wrong.
func TestCorpusRefusals(t *testing.T) {
	refusals, err := corpus.LoadRefusals(corpusDir)
	if err != nil {
		t.Fatal(err)
	}
	host := pluginHost(t, wasmhost.Envoy140)
	for _, r := range refusals {
		t.Run(strings.TrimSuffix(r.File, ".json")+"/"+r.Name, func(t *testing.T) {
			config, err := r.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			vm := newVM(t, host)
			if _, err := vm.Configure(config); !errors.Is(err, wasmhost.ErrRefused) {
				t.Fatalf("error %v, want a refusal\n%v", err, vm.Logs())
			}
			got, want := errorPaths(vm.Logs()), slices.Sorted(slices.Values(r.Paths))
			if !slices.Equal(got, want) {
				t.Errorf("errors at %q, want %q\n%v", got, want, vm.Logs())
			}
		})
	}
}

// errorPaths returns the paths of the errors that a refused configuration logged, sorted. Each is a line of its own, at level error or
// above: "corsguard: config error: <path>: <message>", with or without something before it.
func errorPaths(logs []wasmhost.Log) []string {
	paths := []string{}
	for _, log := range logs {
		_, rest, ok := strings.Cut(log.Message, "corsguard: config error: ")
		if !ok || log.Level < wasmhost.Error {
			continue
		}
		path, _, _ := strings.Cut(rest, ": ")
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}
