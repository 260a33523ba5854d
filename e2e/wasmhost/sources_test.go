package wasmhost_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/wasmhost"
)

// fleet is an Envoy with several workers, whose policy fetches origins.
type fleet struct {
	t       testing.TB
	process *wasmhost.Process
	plugins []*wasmhost.Plugin
	config  string
}

const (
	fetchInterval = 10 * time.Second
	fetchTimeout  = time.Second
	fetchConfig   = `{"cors": {"allowOrigins": ["https://static.example.com"], "allowOriginsFrom": {"cluster": "origins", "path": "/v1", "interval": "10s", "timeout": "1s", "maxBytes": 100000}}}`

	stateKey     = "corsguard/1/state origins origins /v1 100000 "
	documentKey  = "corsguard/1/document origins origins /v1 100000 "
	sourceMetric = "corsguard.source.origins_v1."
)

func newFleet(t testing.TB, release wasmhost.Release, vms int, config string) *fleet {
	t.Helper()
	f := &fleet{t: t, process: pluginHost(t, release).NewProcess(), config: config}
	f.process.SetCluster("origins", wasmhost.LiveCluster)
	for range vms {
		f.join()
	}
	return f
}

// join adds a worker.
func (f *fleet) join() *wasmhost.Plugin {
	f.t.Helper()
	vm, err := f.process.NewVM()
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = vm.Close() })
	plugin, err := vm.Configure([]byte(f.config))
	if err != nil {
		f.t.Fatal(err, vm.Logs())
	}
	f.plugins = append(f.plugins, plugin)
	return plugin
}

// run lets time pass, with the ticks that the plugins ask for, while no calls are answered.
func (f *fleet) run(d time.Duration) {
	f.t.Helper()
	for step := 250 * time.Millisecond; d > 0; d -= step {
		f.process.Advance(step)
		for _, p := range f.plugins {
			p.Tick()
			for p.TickPeriod() < step { // it reads
				p.Tick()
			}
			if err := p.VM().Dead(); err != nil {
				f.t.Fatal(err, p.VM().Logs())
			}
		}
	}
}

// call returns the call that is under way, which must be one.
func (f *fleet) call() *wasmhost.HTTPCall {
	f.t.Helper()
	calls := f.process.HTTPCalls()
	if len(calls) != 1 {
		f.t.Fatalf("%d calls are under way, want 1", len(calls))
	}
	return calls[0]
}

// quiet fails if there is a call under way.
func (f *fleet) quiet() {
	f.t.Helper()
	if calls := f.process.HTTPCalls(); len(calls) > 0 {
		f.t.Fatalf("%d calls are under way", len(calls))
	}
}

// next lets time pass until there is a call, at most for limit.
func (f *fleet) next(limit time.Duration) *wasmhost.HTTPCall {
	f.t.Helper()
	for ; limit > 0 && len(f.process.HTTPCalls()) == 0; limit -= time.Second / 4 {
		f.run(time.Second / 4)
	}
	return f.call()
}

// give answers the call that is under way with a document, and lets all workers read it.
func (f *fleet) give(etag string, origins ...string) {
	f.t.Helper()
	f.call().Answer("200", []wasmhost.Header{{"etag", etag}}, documentOf(origins...))
	f.run(time.Second / 2)
}

func documentOf(origins ...string) string {
	return `{"allowOrigins": ["` + strings.Join(origins, `", "`) + `"]}`
}

// grants fails unless every worker allows these origins, or none of them.
func (f *fleet) grants(granted bool, origins ...string) {
	f.t.Helper()
	for i, p := range f.plugins {
		for _, origin := range origins {
			if got := allows(f.t, p, origin); got != granted {
				f.t.Errorf("worker %d allows %s: %v, want %v", i, origin, got, granted)
			}
		}
	}
}

func allows(t testing.TB, p *wasmhost.Plugin, origin string) bool {
	t.Helper()
	out := p.NewStream().Do(wasmhost.Request{Headers: lines(wasmhost.Header{"origin", origin})}, wasmhost.Response{})
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	got := out.Values("access-control-allow-origin")
	if len(got) > 1 || len(got) == 1 && got[0] != origin {
		t.Fatalf("%s got %q", origin, got)
	}
	return len(got) == 1
}

func (f *fleet) counted(result string) uint64 {
	return f.process.Counters()[sourceMetric+"fetch."+result]
}

const (
	staticOrigin = "https://static.example.com"
	oneOrigin    = "https://one.example.com"
	twoOrigin    = "https://two.example.com"
)

func TestOneWorkerFetchesForAll(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 4, fetchConfig)
	f.quiet() // nothing is fetched before the first tick
	f.run(time.Second / 4)
	call := f.call()
	want := []wasmhost.Header{{":method", "GET"}, {":path", "/v1"}, {":authority", "origins"}, {"accept", "application/json"}, {"user-agent", "corsguard"}}
	if !slices.Equal(call.Headers, want) || call.Body != "" || call.Timeout != fetchTimeout {
		t.Errorf("the call is %+v", call)
	}
	f.grants(true, staticOrigin)
	f.grants(false, oneOrigin)
	f.give(`"1"`, oneOrigin, "https://*.wild.example.com")
	f.grants(true, staticOrigin, oneOrigin, "https://a.wild.example.com")
	f.grants(false, twoOrigin, "https://wild.example.com")

	// What is not changed is not sent again. It is asked for after the interval, less two seconds and up to a tenth.
	f.run(fetchInterval*6/10 - time.Second/2)
	f.quiet()
	if call = f.next(fetchInterval * 4 / 10); call.Value("if-none-match") != `"1"` {
		t.Errorf("the call is %+v", call)
	}
	before := f.process.Gauges()[sourceMetric+"last_success_seconds"]
	call.Answer("304", nil, "")
	f.run(time.Second / 2)
	f.grants(true, oneOrigin)
	if after := f.process.Gauges()[sourceMetric+"last_success_seconds"]; after < before+5 || after > before+11 {
		t.Errorf("the last success was at %d, then at %d", before, after)
	}
	f.next(fetchInterval)
	f.give(`"2"`, twoOrigin)
	f.grants(true, twoOrigin, staticOrigin)
	f.grants(false, oneOrigin, "https://a.wild.example.com")
	if f.counted("ok") != 2 || f.counted("not_modified") != 1 {
		t.Errorf("counted %v", f.process.Counters())
	}
}

// Services without validators send the same document over and over. It is not read again by anybody.
func TestTheSameDocumentIsNotReadAgain(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 3, fetchConfig)
	f.next(time.Second)
	f.give("", oneOrigin)
	for range 3 {
		f.next(fetchInterval)
		f.give("", oneOrigin)
		f.grants(true, oneOrigin, staticOrigin)
	}
	if f.counted("ok") != 1 || f.counted("not_modified") != 3 {
		t.Errorf("counted %v", f.process.Counters())
	}
	f.next(fetchInterval)
	f.give("", twoOrigin)
	f.grants(true, twoOrigin)
	f.grants(false, oneOrigin)
	if f.counted("ok") != 2 {
		t.Errorf("counted %v", f.process.Counters())
	}
}

func TestAWorkerThatStartsLaterHasTheDocumentAtOnce(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 1, fetchConfig)
	f.next(time.Second)
	f.give(`"1"`, oneOrigin)
	late := f.join()
	f.grants(true, oneOrigin)
	late.Tick()
	f.quiet()
}

func TestALeaseEndsWithItsTime(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 3, fetchConfig)
	first := f.next(time.Second).VM()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	f.plugins = slices.DeleteFunc(f.plugins, func(p *wasmhost.Plugin) bool { return p.VM() == first })
	f.run(fetchTimeout + 4*time.Second)
	f.quiet()
	if second := f.next(3 * time.Second).VM(); second == first {
		t.Error("the dead VM fetches")
	}
	f.give("", oneOrigin)
	f.grants(true, oneOrigin)
}

func TestALateAnswerIsDropped(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 3, fetchConfig)
	late := f.next(time.Second)
	f.run(fetchTimeout + 6*time.Second)
	calls := f.process.HTTPCalls()
	if len(calls) != 2 {
		t.Fatalf("%d calls", len(calls))
	}
	late.Answer("200", nil, documentOf(oneOrigin))
	f.run(time.Second / 2)
	f.grants(false, oneOrigin)
	f.give("", twoOrigin)
	f.grants(true, twoOrigin)
	f.run(time.Second)
	f.quiet()
}

func TestEveryFailureKeepsWhatIsInForce(t *testing.T) {
	for _, failure := range []struct {
		name, counter string
		answer        func(*wasmhost.HTTPCall)
	}{
		{"an error", "status", func(c *wasmhost.HTTPCall) { c.Answer("500", nil, documentOf(twoOrigin)) }},
		{"no content", "status", func(c *wasmhost.HTTPCall) { c.Answer("204", nil, "") }},
		{"a part", "status", func(c *wasmhost.HTTPCall) { c.Answer("206", nil, documentOf(twoOrigin)) }},
		{"a 304 to a call that was not conditional", "status", func(c *wasmhost.HTTPCall) { c.Answer("304", nil, "") }},
		{"an odd status", "status", func(c *wasmhost.HTTPCall) { c.Answer("0200", nil, documentOf(twoOrigin)) }},
		{"no status", "broken_off", func(c *wasmhost.HTTPCall) { c.Answer("", nil, documentOf(twoOrigin)) }},
		{"a reset", "broken_off", func(c *wasmhost.HTTPCall) { c.BreakOff() }},
		{"an encoding", "encoded", func(c *wasmhost.HTTPCall) {
			c.Answer("200", []wasmhost.Header{{"content-encoding", "br"}}, documentOf(twoOrigin))
		}},
		{"too much", "too_large", func(c *wasmhost.HTTPCall) {
			c.Answer("200", nil, documentOf(twoOrigin)+strings.Repeat(" ", 100_000))
		}},
		{"nothing", "invalid", func(c *wasmhost.HTTPCall) { c.Answer("200", nil, "") }},
		{"garbage", "invalid", func(c *wasmhost.HTTPCall) { c.Answer("200", nil, "\xff\x00{") }},
		{"a bad origin among good ones", "invalid", func(c *wasmhost.HTTPCall) { c.Answer("200", nil, documentOf(twoOrigin, "https://Bad.test")) }},
	} {
		t.Run(failure.name, func(t *testing.T) {
			f := newFleet(t, wasmhost.Envoy140, 2, fetchConfig)
			f.next(time.Second)
			f.give("", oneOrigin)
			for range 3 {
				failure.answer(f.next(fetchInterval))
				f.run(time.Second / 2)
				f.quiet() // not at once
				f.grants(true, oneOrigin, staticOrigin)
				f.grants(false, twoOrigin)
			}
			if n := f.counted(failure.counter); n != 3 {
				t.Errorf("counted %v", f.process.Counters())
			}
			f.next(fetchInterval)
			f.give("", twoOrigin)
			f.grants(true, twoOrigin)
			f.grants(false, oneOrigin)
		})
	}
}

// After a failure it is asked again after one second, then two, then four, up to the interval.
func TestFailuresAreTriedAgainLessAndLessOften(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 2, fetchConfig)
	f.next(time.Second)
	for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 7 * time.Second, 7 * time.Second} {
		f.call().BreakOff()
		f.run(wait - time.Second/4)
		f.quiet()
		f.next(2 * time.Second)
	}
}

func TestAMissingClusterIsNoMistakeAndMayCome(t *testing.T) {
	for name, state := range map[string]wasmhost.Cluster{"none": wasmhost.NoCluster, "empty": wasmhost.EmptyCluster} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t, wasmhost.Envoy140, 2, fetchConfig)
			f.process.SetCluster("origins", state)
			f.run(10 * time.Second)
			f.quiet()
			if n := f.counted("no_cluster"); n < 3 || n > 5 {
				t.Errorf("%d tries", n)
			}
			f.grants(true, staticOrigin)
			f.process.SetCluster("origins", wasmhost.LiveCluster)
			f.next(fetchInterval)
			f.give("", oneOrigin)
			f.grants(true, oneOrigin)
			f.process.SetCluster("origins", state)
			f.run(2 * fetchInterval)
			f.grants(true, oneOrigin)
		})
	}
}

// A clock that is set back, by a little or by much, delays nothing for long.
func TestAClockThatIsSetBackStopsNothing(t *testing.T) {
	for _, back := range []time.Duration{3 * time.Second, time.Minute, time.Hour, 365 * 24 * time.Hour} {
		t.Run(back.String(), func(t *testing.T) {
			f := newFleet(t, wasmhost.Envoy140, 3, fetchConfig)
			f.next(time.Second)
			f.give(`"1"`, oneOrigin)
			f.process.Advance(-back)
			f.next(fetchInterval + 6*time.Second)
			f.give(`"2"`, twoOrigin)
			f.grants(true, twoOrigin)
			f.grants(false, oneOrigin)
			f.next(fetchInterval)
			f.give("", oneOrigin)
			f.grants(true, oneOrigin)
			f.grants(false, twoOrigin)
			if n := f.counted("ok"); n != 3 {
				t.Errorf("%d documents counted", n)
			}
		})
	}
	t.Run("while a call is under way", func(t *testing.T) {
		f := newFleet(t, wasmhost.Envoy140, 3, fetchConfig)
		call := f.next(time.Second)
		if err := call.VM().Close(); err != nil {
			t.Fatal(err)
		}
		f.plugins = f.plugins[1:]
		f.process.Advance(-time.Hour)
		f.next(time.Second)
		f.give("", oneOrigin)
		f.grants(true, oneOrigin)
	})
}

// words are numbers as VMs share them.
func words(n ...int64) string {
	var b []byte
	for _, word := range n {
		b = binary.LittleEndian.AppendUint64(b, uint64(word))
	}
	return string(b)
}

// Other code with the same VM id may write anything there.
func TestGarbageInSharedDataHarmsNobody(t *testing.T) {
	const most, least = math.MaxInt64, math.MinInt64
	evil := documentOf("https://evil.test")[1:]
	states := map[string]string{
		"nothing": "", "a byte": "x", "too short": words(1, 1, 1, 1), "zeros": words(0, 0, 0, 0, 0), "all ones": words(-1, -1, -1, -1, -1), "greatest": words(most, most, most, most, most),
		"least": words(least, least, least, least, least), "too long": words(1, 1, 1, 1, 1) + strings.Repeat("e", 300), "much too long": strings.Repeat("\x01", 1<<20),
		"a version without a document": words(0, 0, 1, 5, 0), "the version of another document": words(0, 0, 1, 7, 0), "failures below zero": words(0, 0, 0, 0, -100),
		"a validator that breaks requests": words(0, 0, 1, 5, 0) + "\"a\"\r\nx: y", "a validator with NUL": words(0, 0, 1, 5, 0) + "\x00",
	}
	documents := map[string]string{
		"nothing": "", "a byte": "{", "a version": words(5), "no document": words(5) + "null", "half a document": words(5) + evil, "noise": words(5) + strings.Repeat("\xff", 5000),
		"a version below zero": words(-5) + evil, "deep": words(5) + strings.Repeat(`{"hosts":`, 5000), "too large": words(5) + strings.Repeat(" ", 200_000),
	}
	for name, state := range states {
		for other, document := range documents {
			t.Run(name+", "+other, func(t *testing.T) {
				f := newFleet(t, wasmhost.Envoy140, 1, fetchConfig)
				if len(name)%2 == 0 { // with a document in force, and without
					f.next(time.Second)
					f.give(`"1"`, oneOrigin)
				}
				f.process.SetSharedData(stateKey, state)
				f.process.SetSharedData(documentKey, document)
				f.join()
				f.run(time.Second)
				f.grants(true, staticOrigin)
				f.grants(false, "https://evil.test")
				f.next(80 * time.Second).BreakOff()
				call := f.next(80 * time.Second)
				if v := call.Value("if-none-match"); strings.ContainsAny(v, "\x00\r\n") {
					t.Errorf("sent the validator %q", v)
				}
				call.Answer("200", []wasmhost.Header{{"etag", `"2"`}}, documentOf(twoOrigin))
				f.run(time.Second / 2)
				f.grants(true, twoOrigin)
				f.grants(false, oneOrigin, "https://evil.test")
				if call := f.next(fetchInterval); call.Value("if-none-match") != `"2"` {
					t.Errorf("afterwards %+v is asked", call)
				}
			})
		}
	}
}

// A VM that dies while it publishes leaves a document behind that the state does not know of.
func TestADocumentThatTheStateDoesNotKnowStopsNothing(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 2, fetchConfig)
	f.next(time.Second)
	f.give(`"1"`, oneOrigin)
	published := f.process.SharedData()[documentKey]
	version := int64(binary.LittleEndian.Uint64([]byte(published)))
	f.process.SetSharedData(documentKey, words(version+1)+documentOf(twoOrigin))
	newer := f.join()
	f.run(time.Second)
	if !allows(t, newer, twoOrigin) || allows(t, newer, oneOrigin) {
		t.Error("the worker that started later does not have the newest document")
	}
	// That worker asks for another document than the others have.
	f.plugins = []*wasmhost.Plugin{newer, f.plugins[0], f.plugins[1]}
	if call := f.next(fetchInterval); call.VM() != newer.VM() || call.Value("if-none-match") != "" {
		t.Errorf("%+v is asked", call)
	}
	f.give("", "https://three.example.com")
	f.grants(true, "https://three.example.com")
	f.grants(false, oneOrigin, twoOrigin)
}

func TestAWorkerThatCannotReadADocumentAsksForItWhole(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 1, fetchConfig)
	f.next(time.Second)
	f.give(`"1"`, oneOrigin)
	version := f.process.SharedData()[documentKey][:8]
	f.process.SetSharedData(documentKey, version+"garbage")
	f.join()
	f.plugins = f.plugins[1:]
	if call := f.next(fetchInterval); call.Value("if-none-match") != "" {
		t.Errorf("%+v is asked", call)
	}
	f.give(`"1"`, oneOrigin)
	f.grants(true, oneOrigin)
}

func TestSourcesOfAConfigurationAreFetchedEachByItself(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 2, `{"cors": [
		{"allowOrigins": ["https://static.example.com"], "allowOriginsFrom": {"cluster": "origins", "path": "/a"}, "allowCredentials": true},
		{"allowOriginsFrom": {"cluster": "origins", "path": "/b"}},
		{"allowOriginsFrom": {"cluster": "origins", "path": "/b"}, "maxAge": 5}]}`)
	f.run(time.Second / 4)
	calls := f.process.HTTPCalls()
	if len(calls) != 2 || calls[0].Value(":path") != "/a" || calls[1].Value(":path") != "/b" {
		t.Fatalf("calls %+v", calls)
	}
	calls[1].Answer("200", nil, documentOf(twoOrigin, "http://plain.example.com"))
	calls[0].Answer("200", nil, documentOf(oneOrigin, "http://plain.example.com")) // which credentials forbid
	f.run(time.Second / 2)
	f.grants(true, twoOrigin, "http://plain.example.com", staticOrigin)
	f.grants(false, oneOrigin)
	if c := f.process.Counters(); c["corsguard.source.origins_a.fetch.invalid"] != 1 || c["corsguard.source.origins_b.fetch.ok"] != 1 {
		t.Errorf("counted %v", c)
	}
}

// Listeners with other intervals and timeouts share what was fetched, and neither takes the other's call for one that hangs.
func TestConfigurationsThatDifferInTheirTimesShareADocument(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 1, strings.Replace(fetchConfig, `"1s"`, `"10s"`, 1))
	call := f.next(time.Second)
	f.config = strings.Replace(fetchConfig, `"1s"`, `"10ms"`, 1)
	f.join()
	f.run(9 * time.Second)
	if f.call() != call {
		t.Fatal("another call")
	}
	f.give("", oneOrigin)
	f.grants(true, oneOrigin)
}

// Workers read documents into the memory of those before. After each, exactly its origins are allowed, and nothing while it is read but what the one before allows.
func TestDocumentsInTurnLeaveNothingBehind(t *testing.T) {
	t.Parallel()
	const pool, turns = 60, 40
	r := rand.New(rand.NewPCG(5, 6))
	for name, release := range map[string]wasmhost.Release{"Envoy 1.40": wasmhost.Envoy140, "Envoy 1.36": wasmhost.Envoy136} {
		f := newFleet(t, release, 2, fetchConfig)
		before := map[string]bool{}
		for turn := range turns {
			now := map[string]bool{}
			var given []string
			for range r.IntN(2) * r.IntN(pool) {
				origin := fmt.Sprintf("https://app-%d%s.example.com", r.IntN(pool), strings.Repeat("-long", r.IntN(3)))
				if !now[origin] {
					now[origin] = true
					given = append(given, origin)
				}
			}
			answer := documentOf(given...)
			if len(given) == 0 {
				answer = `{"allowOrigins": []}`
			}
			mistaken := r.IntN(4) == 0
			if mistaken {
				answer = strings.Replace(answer, "]}", `, "https://Mistake.example.com"]}`, 1)
			}
			f.next(2*fetchInterval).Answer("200", nil, answer)
			for origin := range before { // the answer has come, and nobody has read it
				f.grants(true, origin)
			}
			f.run(time.Second / 2)
			if mistaken {
				now = before
			}
			for i := range pool {
				for _, suffix := range []string{"", "-long", "-long-long"} {
					origin := fmt.Sprintf("https://app-%d%s.example.com", i, suffix)
					f.grants(now[origin], origin)
				}
			}
			if t.Failed() {
				t.Fatalf("%s: turn %d: %s", name, turn, answer)
			}
			before = now
		}
	}
}

// A worker that reads for longer than the lease was given for keeps it. Otherwise the next one would fetch, and read as long, and so on for ever.
func TestADocumentThatTakesLongerToReadThanTheLeaseComesIntoForce(t *testing.T) {
	t.Parallel()
	const tick = time.Second // as of a machine that has much else to do
	origins := []string{oneOrigin}
	for i := range 40_000 {
		origins = append(origins, fmt.Sprintf("https://app-%d.example.com", i))
	}
	f := newFleet(t, wasmhost.Envoy140, 2, strings.Replace(fetchConfig, "100000", "2000000", 1))
	answers, since := 0, 0
	for f.counted("ok") == 0 && since < 60 {
		f.process.Advance(tick)
		since++
		for _, p := range f.plugins {
			p.Tick()
		}
		for _, call := range f.process.HTTPCalls() {
			answers, since = answers+1, 0
			call.Answer("200", nil, documentOf(origins...))
		}
		if answers > 1 {
			t.Fatalf("another worker fetches after %d s, and the document is not in force", since)
		}
	}
	if lease := 6; since <= lease {
		t.Fatalf("it was read within %d s, no longer than a lease", since)
	}
	f.run(10 * time.Second)
	f.grants(true, oneOrigin)
}

// A worker that has lost its lease while it reads publishes nothing, and stops.
func TestADocumentIsNotReadToItsEndWithoutTheLease(t *testing.T) {
	t.Parallel()
	origins := []string{oneOrigin}
	for i := range 20_000 {
		origins = append(origins, fmt.Sprintf("https://app-%d.example.com", i))
	}
	f := newFleet(t, wasmhost.Envoy140, 2, strings.Replace(fetchConfig, "100000", "2000000", 1))
	first := f.next(fetchInterval)
	first.Answer("200", nil, documentOf(origins...))
	reader := slices.IndexFunc(f.plugins, func(p *wasmhost.Plugin) bool { return p.VM() == first.VM() })
	other := f.plugins[1-reader]
	f.plugins[reader].Tick()
	for range 40 { // the reader stands still, and the other worker takes over
		f.process.Advance(time.Second / 4)
		other.Tick()
	}
	f.call().Answer("200", nil, documentOf(twoOrigin))
	for range 40 {
		other.Tick()
	}
	f.run(2 * time.Second)
	f.grants(true, twoOrigin)
	f.grants(false, oneOrigin)
	if n := f.counted("ok"); n != 1 {
		t.Errorf("%d documents were published, want 1", n)
	}
}

func TestMemoryStaysFlatOverManyDocuments(t *testing.T) {
	list := func(form string, turn, n int) string {
		origins := []string{oneOrigin}
		for j := range n {
			origins = append(origins, fmt.Sprintf(form, turn%7, j))
		}
		return documentOf(origins...)
	}
	hosts := func(turn, n int) string {
		all := []string{`"api.example.test": ` + list("https://app-%d-%d.example.com", turn, 1)}
		for i := range n {
			all = append(all, fmt.Sprintf(`"tenant-%d-%d.example": {"allowOrigins": ["https://a-%[2]d.example", "https://*.b-%[2]d.example"]}`, turn%7, i))
		}
		return `{"hosts": {` + strings.Join(all, ", ") + `}}`
	}
	for _, test := range []struct {
		name                   string
		vms, warmUp, documents int
		document               func(turn int) string
	}{
		{"2000 origins", 2, 30, 60, func(turn int) string { return list("https://app-%d-%d.example.com", turn, 2_000) }},
		{"8000 origins", 1, 12, 24, func(turn int) string { return list("https://app-%d-%d.example.com", turn, 8_000) }},
		{"8000 origins with escapes", 1, 12, 24, func(turn int) string {
			return strings.ReplaceAll(list("https://app-%d-%d.example.com", turn, 8_000), "/", `\/`)
		}},
		{"4000 patterns", 1, 12, 24, func(turn int) string { return list("https://*.app-%d-%d.example.com", turn, 4_000) }},
		{"2000 hosts", 1, 12, 24, func(turn int) string { return hosts(turn, 2_000) }},
		{"4000 hosts in any order, with 200 patterns", 1, 12, 24, func(turn int) string {
			all := []string{`"api.example.test": ` + documentOf(oneOrigin)}
			for _, i := range rand.New(rand.NewPCG(uint64(turn), 0)).Perm(4_000) {
				pattern := ""
				if i < 200 {
					pattern = "*."
				}
				all = append(all, fmt.Sprintf(`"t-%d.example": {"allowOrigins": ["https://%sa-%d.example"]}`, i, pattern, i))
			}
			return `{"hosts": {` + strings.Join(all, ", ") + `}}`
		}},
	} {
		for name, release := range map[string]wasmhost.Release{"Envoy 1.40": wasmhost.Envoy140, "Envoy 1.36": wasmhost.Envoy136} {
			t.Run(test.name+", "+name, func(t *testing.T) {
				t.Parallel()
				f := newFleet(t, release, test.vms, strings.Replace(fetchConfig, "100000", "1000000", 1))
				fetch := func(from, n int) {
					for i := range n {
						f.next(fetchInterval).Answer("200", nil, test.document(from+i))
						f.run(time.Second / 2)
					}
					f.grants(true, oneOrigin)
				}
				fetch(0, test.warmUp)
				var warm []uint64
				for _, p := range f.plugins {
					warm = append(warm, p.VM().Memory())
				}
				fetch(test.warmUp, test.documents)
				for i, p := range f.plugins {
					if grown := p.VM().Memory() - warm[i]; grown > 2<<20 {
						t.Errorf("memory grew by %d bytes to %d", grown, p.VM().Memory())
					}
				}
			})
		}
	}
}

// A document with many mistakes, asked for again and again, fills no log.
func TestWhatIsWrongWithADocumentIsLoggedOnceAMinute(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 1, fetchConfig)
	vm := f.plugins[0].VM()
	bad := strings.Repeat(`", "https://Bad.test/`, 30)
	for minute := range 3 {
		vm.ResetLogs()
		for range 6 {
			f.next(fetchInterval).Answer("200", nil, documentOf(oneOrigin+bad))
			f.run(time.Second / 2)
		}
		refused := countLogs(vm.Logs(), `corsguard: source "origins/v1": refused: $.allowOrigins[`)
		if n := len(vm.Logs()); refused < 10 || refused > 20 || n > 21 {
			t.Errorf("minute %d: %d mistakes in %d lines: %v", minute, refused, n, vm.Logs())
		}
		f.process.Advance(time.Minute)
	}
	if n := f.counted("invalid"); n != 18 {
		t.Errorf("%d documents counted", n)
	}
}

func TestMemoryStaysFlatOverManyTicksWithASource(t *testing.T) {
	t.Parallel()
	plugin := configure(t, pluginHost(t, wasmhost.Envoy140), fetching)
	fetch(t, plugin, fetchedList)
	staysFlat(t, plugin, 100_000, 100_000, func(ticks int) {
		for range ticks {
			plugin.Tick()
		}
	})
}
