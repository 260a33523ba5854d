package filter

import (
	"io"
	"log"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/proxytest"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/sdk"
	"github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/types"

	"corsguard/filter/policy"
)

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // the emulator repeats what the plugin logs
	os.Exit(m.Run())
}

// currentHost is where the SDK keeps the host that it was given. The emulator puts itself there; emulator, below, stands before it.
//
//go:linkname currentHost github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.currentHost
var currentHost sdk.Host

// emulator is the SDK's host emulator, but for what it does in another way than Envoy: a header is removed with all of its lines, an empty value is a
// value, and several lines are asked for as one.
type emulator struct {
	proxytest.HostEmulator
	sdk.Host
	stream uint32
}

// newEmulator gives an emulator whose plugin is not started yet.
func newEmulator(t testing.TB, config []byte) *emulator {
	t.Helper()
	options := proxytest.NewEmulatorOption().WithVMContext(NewVMContext()).WithPluginConfiguration(config)
	host, reset := proxytest.NewHostEmulator(options)
	t.Cleanup(reset)
	e := &emulator{HostEmulator: host, Host: currentHost}
	currentHost = e
	return e
}

func startEmulator(t testing.TB, config []byte) *emulator {
	t.Helper()
	e := newEmulator(t, config)
	if e.StartVM() != types.OnVMStartStatusOK || e.StartPlugin() != types.OnPluginStartStatusOK {
		t.Fatalf("the plugin does not start: %q", e.GetErrorLogs())
	}
	return e
}

func (e *emulator) headers(m sdk.MapType) []policy.Header {
	if m == sdk.RequestHeaders {
		return e.GetCurrentRequestHeaders(e.stream)
	}
	return e.GetCurrentResponseHeaders(e.stream)
}

// ProxyGetHeaderMapValue joins the lines of a header, as Envoy does.
func (e *emulator) ProxyGetHeaderMapValue(m sdk.MapType, key *byte, keySize int, value **byte, size *int) sdk.Status {
	var lines []string
	for _, h := range e.headers(m) {
		if h[0] == unsafe.String(key, keySize) {
			lines = append(lines, h[1])
		}
	}
	if lines == nil {
		const notFound = sdk.Status(1)
		return notFound
	}
	joined := []byte(strings.Join(lines, ","))
	*value, *size = unsafe.SliceData(joined), len(joined)
	return sdk.StatusOK
}

// ProxyRemoveHeaderMapValue removes all lines of a header.
func (e *emulator) ProxyRemoveHeaderMapValue(m sdk.MapType, key *byte, keySize int) sdk.Status {
	for n := -1; n != len(e.headers(m)); {
		n = len(e.headers(m))
		if status := e.Host.ProxyRemoveHeaderMapValue(m, key, keySize); status != sdk.StatusOK {
			return status
		}
	}
	return sdk.StatusOK
}

// outcome is what becomes of a request.
type outcome struct {
	forwarded bool
	status    int
	headers   []policy.Header
}

// send sends a request through the plugin, and the upstream's response back, to the end of the stream.
func (e *emulator) send(t testing.TB, request, response []policy.Header) outcome {
	t.Helper()
	return e.sendTo(t, "", request, response, 200)
}

// setRoute names the route of the requests to come. The emulator knows no property for each stream, and takes none back: no route is one that no rule can name.
func (e *emulator) setRoute(t testing.TB, name string) {
	t.Helper()
	if name == "" {
		name = "\x00"
	}
	if err := e.SetProperty([]string{"xds", "route_name"}, []byte(name)); err != nil {
		t.Fatal(err)
	}
}

// sendTo is send for a request that takes a named route.
func (e *emulator) sendTo(t testing.TB, route string, request, response []policy.Header, status int) outcome {
	t.Helper()
	e.setRoute(t, route)
	e.stream = e.InitializeHttpContext()
	defer e.CompleteHttpContext(e.stream)
	action := e.CallOnRequestHeaders(e.stream, request, true)
	if got := e.GetCurrentRequestHeaders(e.stream); !slices.Equal(got, request) {
		t.Errorf("the request is changed: %q", got)
	}
	if reply := e.GetSentLocalResponse(e.stream); reply != nil {
		// What the emulator keeps is the plugin's memory, which the next stream writes to.
		sent := outcome{status: int(reply.StatusCode)}
		for _, h := range reply.Headers {
			sent.headers = append(sent.headers, policy.Header{strings.Clone(h[0]), strings.Clone(h[1])})
		}
		if action != types.ActionPause || reply.GRPCStatus != -1 {
			t.Errorf("a local reply with action %v, gRPC status %d", action, reply.GRPCStatus)
		}
		if len(reply.Data) > 0 != (sent.status == 403) || !isPrintable(strings.TrimSuffix(string(reply.Data), "\n")) {
			t.Errorf("status %d with the body %q", sent.status, reply.Data)
		}
		// Envoy leads its response through the filter too.
		e.CallOnResponseHeaders(e.stream, sent.headers, true)
		if got := e.GetCurrentResponseHeaders(e.stream); !slices.Equal(got, sent.headers) {
			t.Errorf("the filter changes its own reply: %q", got)
		}
		return sent
	}
	if action != types.ActionContinue {
		t.Errorf("neither a reply nor a request that goes on: %v", action)
	}
	if a := e.CallOnResponseHeaders(e.stream, response, true); a != types.ActionContinue {
		t.Errorf("the response is held back: %v", a)
	}
	out := outcome{forwarded: true, status: status}
	for _, h := range e.GetCurrentResponseHeaders(e.stream) {
		out.headers = append(out.headers, policy.Header{strings.Clone(h[0]), strings.Clone(h[1])})
	}
	return out
}

func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// lines gives the request as Envoy hands it over: pseudo-headers first, the lines of one name joined.
func (c *corpusCase) lines() []policy.Header {
	out := []policy.Header{
		{":method", or(c.Request.Method, "GET")}, {":scheme", or(c.Request.Scheme, "http")}, {":authority", or(c.Request.Authority, "api.example.test")}, {":path", or(c.Request.Path, "/")},
	}
	for _, h := range c.Request.Headers {
		name := strings.ToLower(h[0])
		if i := slices.IndexFunc(out, func(have policy.Header) bool { return have[0] == name }); i >= 0 {
			out[i][1] += "," + h[1]
		} else {
			out = append(out, policy.Header{name, h[1]})
		}
	}
	return out
}

func (c *corpusCase) response() (headers []policy.Header, status int) {
	if status = c.Upstream.Status; status == 0 {
		status = 200
	}
	headers = []policy.Header{{":status", itoa(status)}}
	for _, h := range c.Upstream.Headers {
		headers = append(headers, policy.Header{strings.ToLower(h[0]), h[1]})
	}
	return headers, status
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

func counterName(rule, kind, decision, reason string) string {
	return "corsguard.rule." + rule + ".kind." + kind + ".decision." + decision + ".reason." + reason
}

// counted returns the counters of rules that are not zero.
func (e *emulator) counted(rules *policy.Rules) map[string]uint64 {
	out := map[string]uint64{}
	for i := range rules.Len() {
		for o := range policy.Outcome(policy.NumOutcomes) {
			kind, reason := o.Split()
			if !o.IsPossible() {
				continue
			}
			name := counterName(rules.Name(i), kind.String(), o.Verdict().String(), reason.String())
			if n, err := e.GetCounterMetric(name); err == nil && n > 0 {
				out[name] = n
			}
		}
	}
	return out
}

// TestCorpusOnEmulator runs the corpus on the filter in the SDK's host emulator.
func TestCorpusOnEmulator(t *testing.T) {
	for _, c := range corpusCases(t) {
		t.Run(c.Name, func(t *testing.T) {
			e := startEmulator(t, c.Config)
			response, status := c.response()
			got := e.sendTo(t, c.Request.Route, c.lines(), response, status)
			c.check(t, got.forwarded, got.status, got.headers)
			rules := compile(t, c.Config)
			if n := e.counted(rules); len(n) != 0 {
				t.Errorf("counted before the tick: %v", n)
			}
			e.Tick()
			c.checkCounted(t, e.counted(rules))
			if panics, err := e.GetCounterMetric("corsguard.panics"); err != nil || panics != 0 || len(e.GetErrorLogs()) > 0 {
				t.Errorf("%d panics, %v; errors %q", panics, err, e.GetErrorLogs())
			}
		})
	}
}

// TestCorpusOnOneEmulator runs the cases of one configuration after each other in one VM: a stream leaves nothing behind for the next.
func TestCorpusOnOneEmulator(t *testing.T) {
	byConfig := map[string][]corpusCase{}
	for _, c := range corpusCases(t) {
		byConfig[string(c.Config)] = append(byConfig[string(c.Config)], c)
	}
	for config, cases := range byConfig {
		t.Run(cases[0].Name, func(t *testing.T) {
			e := startEmulator(t, []byte(config))
			for range 2 {
				for _, c := range cases {
					response, status := c.response()
					got := e.sendTo(t, c.Request.Route, c.lines(), response, status)
					c.check(t, got.forwarded, got.status, got.headers)
				}
			}
			e.Tick()
			var sum uint64
			for _, n := range e.counted(compile(t, []byte(config))) {
				sum += n
			}
			want := 0
			for _, c := range cases {
				want += 2 * len(c.counters())
			}
			if sum != uint64(want) {
				t.Errorf("%d requests are counted, want %d", sum, want)
			}
		})
	}
}

// TestRefusedConfigurationsFailTheStart checks that nothing starts with a mistake, and that the log names each.
func TestRefusedConfigurationsFailTheStart(t *testing.T) {
	const prefix = "corsguard: config error: "
	for _, r := range corpusRefusals(t) {
		t.Run(r.Name, func(t *testing.T) {
			e := newEmulator(t, r.bytes(t))
			if e.StartVM() != types.OnVMStartStatusOK {
				t.Fatal("the VM does not start")
			}
			if e.StartPlugin() != types.OnPluginStartStatusFailed {
				t.Fatalf("the plugin starts; want errors at %q", r.Paths)
			}
			missing := slices.Clone(r.Paths)
			for _, line := range e.GetErrorLogs() {
				i := slices.IndexFunc(missing, func(path string) bool { return strings.HasPrefix(line, prefix+path+": ") })
				if i < 0 {
					t.Errorf("an error too many: %q", line)
					continue
				}
				missing = slices.Delete(missing, i, i+1)
			}
			if len(missing) > 0 {
				t.Errorf("no error at %q in %q", missing, e.GetErrorLogs())
			}
		})
	}
}
