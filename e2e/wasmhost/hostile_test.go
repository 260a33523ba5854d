package wasmhost_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wasmhost"
)

// The tests of this file give the plugin what no HTTP codec would let through, byte by byte. Nothing of it may trap the VM, be echoed, or
// be granted anything.

const (
	hostileOrigin = "https://app.example.com"
	megabyte      = 1 << 20
)

// hostilePolicies are the policies that echo most.
var hostilePolicies = map[string]string{
	"exact":    `{"cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["PUT"], "allowHeaders": ["x-a"], "allowCredentials": true}}`,
	"wildcard": `{"cors": {"allowOrigins": ["https://*.example.com", "https://pr-*.example.org", "http://localhost:*"], "exposeHeaders": ["x-b"], "maxAge": 60}}`,
	"echo":     `{"cors": {"allowOrigins": ["https://app.example.com"], "allowMethods": ["*"], "allowHeaders": ["*"], "allowCredentials": true}}`,
	"scheme":   `{"cors": {"allowOrigins": ["https://*"], "allowMethods": ["*"], "allowHeaders": ["*", "authorization"]}}`,
	"null":     `{"cors": {"allowOrigins": ["https://app.example.com"], "allowNull": true, "onRefusedOrigin": "deny", "onRefusedPreflight": "deny"}}`,
	"forward":  `{"cors": {"allowOrigins": ["https://app.example.com"], "onRefusedPreflight": "forward", "timingAllowOrigin": true, "allowPrivateNetwork": true}}`,
}

// each runs a test for every hostile policy, in a VM that must survive it.
func each(t *testing.T, opts wasmhost.Options, test func(t *testing.T, plugin *wasmhost.Plugin)) {
	t.Helper()
	host := pluginHost(t, opts.Release)
	if opts.KeepRepeatedLines {
		host = newHost(t, pluginWasm(t), opts)
	}
	for name, config := range hostilePolicies {
		t.Run(name, func(t *testing.T) {
			plugin := configure(t, host, config)
			test(t, plugin)
			plugin.Tick()
			if err := plugin.VM().Dead(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// ungranted checks that a response grants nothing and repeats nothing that it must not.
func ungranted(t *testing.T, what string, out wasmhost.Outcome) {
	t.Helper()
	clean(t, what, out)
	granted := slices.DeleteFunc(slices.Clone(out.Headers), func(h wasmhost.Header) bool {
		return !strings.HasPrefix(h[0], "access-control-") && h[0] != "timing-allow-origin"
	})
	if len(granted) > 0 {
		t.Errorf("%.80q was granted %d headers, such as %.200q", what, len(granted), granted[0])
	}
}

// clean checks that the VM lives and that no header carries bytes that none may carry.
func clean(t *testing.T, what string, out wasmhost.Outcome) {
	t.Helper()
	if out.Err != nil {
		t.Fatalf("%.80q killed the VM: %.2000v", what, out.Err)
	}
	for _, h := range out.Headers {
		if strings.ContainsFunc(h[0]+h[1], func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f }) {
			t.Errorf("%.80q: header %.200q", what, h)
		}
	}
}

// spoiled returns an origin with hostile bytes before, within and behind it.
func spoiled(origin string) []string {
	var all []string
	for b := range 0x100 {
		c := string([]byte{byte(b)})
		if b > ' ' && b < 0x7f && b != '@' && b != '/' && b != '\\' && b != '?' && b != '#' && b != '*' && b != '%' && b != ',' {
			continue
		}
		all = append(all, c+origin, origin+c, origin[:12]+c+origin[12:], strings.Replace(origin, ".", c, 1), origin+c+"x-injected: 1")
	}
	return append(all, origin+"\r\nx-injected: 1", origin+",https://evil.test", origin+" "+origin, origin+", "+origin, strings.ToUpper(origin),
		origin+":", origin+":0", origin+":443", origin+":00443", origin+":65536", origin+":99999999999999999999", origin+".", origin+"/",
		"https:/app.example.com", "https:app.example.com", "//app.example.com", "app.example.com", "https://", "://", ":", "https://..", "https://.example.com",
		"https://[::1", "https://]", "https://[]", "https://[::1]]", "Null", "NULL", " null", "null ", "null,null", "nullx",
		"https://a\u0323pp.example.com", "https://app.example.com\u2028", "\ufeff"+origin, strings.Repeat("a", megabyte), "https://"+strings.Repeat("a.", megabyte/2)+"example.com",
		"https://"+strings.Repeat("a", megabyte)+".example.com", origin+strings.Repeat(" ", megabyte), strings.Repeat("https://", 10_000), strings.Repeat(",", megabyte))
}

func TestNoSpoiledOriginIsGranted(t *testing.T) {
	each(t, wasmhost.Options{}, func(t *testing.T, plugin *wasmhost.Plugin) {
		for _, origin := range spoiled(hostileOrigin) {
			ungranted(t, origin, plugin.NewStream().Do(wasmhost.Request{Headers: []wasmhost.Header{{"origin", origin}}}, wasmhost.Response{}))
			ungranted(t, origin, plugin.NewStream().Do(wasmhost.Request{Method: "OPTIONS", Headers: []wasmhost.Header{
				{"origin", origin}, {"access-control-request-method", "GET"}}}, wasmhost.Response{}))
		}
	})
}

func TestASpoiledSameOriginIsNeverTakenForTheSame(t *testing.T) {
	each(t, wasmhost.Options{}, func(t *testing.T, plugin *wasmhost.Plugin) {
		for _, origin := range spoiled("https://self.example.net") {
			out := plugin.NewStream().Do(wasmhost.Request{Scheme: "https", Authority: "self.example.net", Headers: []wasmhost.Header{{"origin", origin}}}, wasmhost.Response{})
			ungranted(t, origin, out)
			if strings.HasSuffix(t.Name(), "/null") && out.Status != 403 {
				t.Errorf("%.80q got %d, want 403", origin, out.Status)
			}
		}
	})
}

// What a preflight asks for in bytes that are no token is not repeated. The origin is allowed, so the policy's own lists may be sent.
func TestNoSpoiledPreflightIsEchoed(t *testing.T) {
	values := []string{"GET\r\nx-injected: 1", "GET\x00", "GE\x7fT", "G\xc3\xa9T", "\x00", "\r\n", "(", "x-a\r\nx-injected: 1", "x-a,\r\nx-b", "x-a,\x00",
		"x-a;x-b", "x-a x-b", "x-a,(,x-b", "x-\x7f", "x-\xff", strings.Repeat("x", megabyte), strings.Repeat("x-a,", megabyte/4),
		strings.Repeat(",", megabyte), strings.Repeat(" ", megabyte), strings.Repeat("\t,", megabyte/2) + "x-a"}
	each(t, wasmhost.Options{}, func(t *testing.T, plugin *wasmhost.Plugin) {
		for _, value := range values {
			for _, headers := range [][]wasmhost.Header{
				{{"access-control-request-method", value}},
				{{"access-control-request-method", "PUT"}, {"access-control-request-headers", value}},
				{{"access-control-request-method", value}, {"access-control-request-headers", value},
					{"access-control-request-private-network", value}},
			} {
				out := plugin.NewStream().Do(wasmhost.Request{Method: "OPTIONS", Headers: append(headers, wasmhost.Header{"origin", hostileOrigin})}, wasmhost.Response{})
				clean(t, value, out)
				for _, h := range out.Headers {
					if h[1] == value || strings.Contains(h[1], "injected") || len(h[1]) > 8192 {
						t.Errorf("%.80q was echoed: %.200q", value, h)
					}
				}
			}
		}
	})
}

func TestRepeatedOriginLinesAreNotGranted(t *testing.T) {
	pairs := [][2]string{{hostileOrigin, "https://evil.test"}, {"https://evil.test", hostileOrigin}, {hostileOrigin, hostileOrigin}, {hostileOrigin, "null"}, {"null", hostileOrigin}}
	for name, opts := range map[string]wasmhost.Options{"joined": {}, "apart": {KeepRepeatedLines: true}} {
		t.Run(name, func(t *testing.T) {
			each(t, opts, func(t *testing.T, plugin *wasmhost.Plugin) {
				for _, pair := range pairs {
					headers := []wasmhost.Header{{"origin", pair[0]}, {"Origin", pair[1]}}
					out := plugin.NewStream().Do(wasmhost.Request{Headers: headers}, wasmhost.Response{})
					if opts.KeepRepeatedLines {
						// Not Envoy as it is released, which joins the lines. There the first line counts, and gets what it would get alone.
						alone := plugin.NewStream().Do(wasmhost.Request{Headers: headers[:1]}, wasmhost.Response{})
						if !reflect.DeepEqual(corpus.Owned(out.Headers), corpus.Owned(alone.Headers)) {
							t.Errorf("%q: got %q, the first line alone %q", pair, out.Headers, alone.Headers)
						}
					} else {
						ungranted(t, fmt.Sprint(pair), out)
					}
					headers = append(headers, wasmhost.Header{"access-control-request-method", "GET"})
					ungranted(t, fmt.Sprint(pair), plugin.NewStream().Do(wasmhost.Request{Method: "OPTIONS", Headers: headers}, wasmhost.Response{}))
				}
			})
		})
	}
}

func TestRequestsThatLackWhatHTTPHasDoNotTrap(t *testing.T) {
	origin := wasmhost.Header{"origin", "http://other.test"}
	full := []wasmhost.Header{{":authority", "api.example.test"}, {":path", "/"}, {":method", "OPTIONS"}, {":scheme", "https"}, origin, {"access-control-request-method", "GET"}}
	requests := [][]wasmhost.Header{{}, {origin}, {{"", ""}}, {{"", "x"}, {"x", ""}, {"", "y"}}, {{":method", "OPTIONS"}, origin, {"access-control-request-method", ""}},
		{{":method", ""}, {":path", ""}, {":authority", ""}, {":scheme", ""}, {"origin", ""}},
		{{":method", "CONNECT"}, {":authority", "a:1"}, origin}, {{":method", "OPTIONS"}, {":path", "*"}, origin, {"access-control-request-method", "GET"}},
		append(slices.Clone(full), wasmhost.Header{"", "nameless"}), append(slices.Clone(full), wasmhost.Header{":path", strings.Repeat("p", megabyte)})}
	for i := range full {
		requests = append(requests, slices.Delete(slices.Clone(full), i, i+1))
		empty := slices.Clone(full)
		empty[i][1] = ""
		requests = append(requests, empty)
	}
	many := slices.Clone(full)
	for i := range 10_000 {
		many = append(many, wasmhost.Header{fmt.Sprintf("x-%d", i), strings.Repeat("v", 100)})
	}
	requests = append(requests, many)
	each(t, wasmhost.Options{}, func(t *testing.T, plugin *wasmhost.Plugin) {
		for i, raw := range requests {
			ungranted(t, fmt.Sprint("request ", i), plugin.NewStream().Do(wasmhost.Request{Raw: raw}, wasmhost.Response{}))
		}
	})
}

func TestResponsesThatLackWhatHTTPHasDoNotTrap(t *testing.T) {
	responses := [][]wasmhost.Header{{}, {{":status", ""}}, {{":status", "abc"}}, {{":status", "99999999999"}}, {{"", ""}, {"", "x"}}, {{":status", "200"}, {"vary", ""}},
		{{":status", "200"}, {"vary", strings.Repeat("a,", megabyte/2)}}, {{":status", "200"}, {"vary", strings.Repeat(",", megabyte)}}, {{":status", "200"}, {"x", strings.Repeat("v", megabyte)}},
		{{":status", "200"}, {"access-control-allow-origin", strings.Repeat("v", megabyte)}}, {{":status", "200"}, {"access-control-", "x"}, {"access-control-made-up", "y"}}}
	var many []wasmhost.Header
	for i := range 1_000 {
		many = append(many, wasmhost.Header{fmt.Sprintf("access-control-x-%d", i), "v"})
	}
	responses = append(responses, append(many, wasmhost.Header{":status", "200"}))
	each(t, wasmhost.Options{}, func(t *testing.T, plugin *wasmhost.Plugin) {
		for i, raw := range responses {
			what := fmt.Sprint("response ", i)
			for _, origin := range []string{hostileOrigin, "http://evil.test"} {
				out := plugin.NewStream().Do(wasmhost.Request{Headers: []wasmhost.Header{{"origin", origin}}}, wasmhost.Response{Raw: raw})
				clean(t, what, out)
				if origin == "http://evil.test" {
					ungranted(t, what, out)
				}
			}
			ungranted(t, what, plugin.NewStream().Do(wasmhost.Request{}, wasmhost.Response{Raw: raw}))
		}
	})
}
