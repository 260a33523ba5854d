package wasmhost_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"corsguard/e2e/wasmhost"
)

// Documents are read into the memory of those before them, and what is in force is strings of such memory. Here whatever may happen does, in any order, and each plugin always
// has one whole document in force that was valid, and another only after a tick.

const (
	recycledConfig = `{"cors": [
		{"allowOriginsFrom": {"cluster": "origins", "path": "/hosts", "interval": "10s", "timeout": "1s", "maxBytes": 200000}},
		{"allowOriginsFrom": {"cluster": "origins", "path": "/list", "interval": "10s", "timeout": "1s", "maxBytes": 200000}, "maxAge": 5}]}`
	mistake = "https://Mistake.example"
)

// edition is a document that was made. All have their strings at the same places, so that one that is written over another takes its place to the byte.
type edition struct {
	path         string
	number, size int
	valid        bool
}

func (e *edition) text() string {
	wrong := ""
	if !e.valid {
		wrong = `, "` + mistake + `"`
	}
	var all []string
	if e.path == "/list" {
		for i := range e.size {
			all = append(all, fmt.Sprintf(`"https://%04d-%04d.example"`, e.number, i))
		}
		return fmt.Sprintf(`{"allowOrigins": ["https://*.p%04d.example", %s%s]}`, e.number, strings.Join(all, ", "), wrong)
	}
	for i := range e.size {
		all = append(all, fmt.Sprintf(`"t%04d-%04d.example": {"allowOrigins": ["https://h%[1]d.example", "https://*.h%[1]d.example"]}`, e.number, i))
	}
	return fmt.Sprintf(`{"hosts": {%s, "last.example": {"allowOrigins": ["https://any.example"%s]}}}`, strings.Join(all, ", "), wrong)
}

// asks are requests that the document allows, each by its authority and origin.
func (e *edition) asks() [][2]string {
	if e.path == "/list" {
		form := "https://%04d-%04d.example"
		return [][2]string{{"any", fmt.Sprintf(form, e.number, 0)}, {"any", fmt.Sprintf(form, e.number, e.size-1)}, {"any", fmt.Sprintf("https://x.p%04d.example", e.number)}}
	}
	first, last := fmt.Sprintf("t%04d-0000.example", e.number), fmt.Sprintf("t%04d-%04d.example", e.number, e.size-1)
	return [][2]string{{first, fmt.Sprintf("https://h%d.example", e.number)}, {last, fmt.Sprintf("https://x.h%d.example", e.number)}}
}

// badDay is a fleet to which anything happens.
type badDay struct {
	*fleet
	*rand.Rand
	editions []*edition
	past     []string
	// inForce is the number of the edition in force, by plugin and path, 0 where there is none.
	inForce map[*wasmhost.Plugin]map[string]int
}

var sourcePaths = []string{"/hosts", "/list"}

func (d *badDay) edition(path string, valid bool) *edition {
	e := &edition{path: path, number: 1 + len(d.editions), size: []int{1, 3, 7, 40, 900, 2500}[d.IntN(6)], valid: valid}
	if path == "/hosts" {
		e.size = min(e.size, 1200)
	}
	d.editions = append(d.editions, e)
	return e
}

func sharedKey(kind, path string) string {
	return "corsguard/1/" + kind + " origins origins " + path + " 200000 "
}

// look finds out what every plugin has in force. Only those that ticked since may have another document.
func (d *badDay) look(ticked ...*wasmhost.Plugin) {
	d.t.Helper()
	const recent = 6
	for i, p := range d.plugins {
		for _, path := range sourcePaths {
			before, now := d.inForce[p][path], 0
			for _, e := range d.editions {
				if e.path != path || e.number <= len(d.editions)-recent && e.number != before {
					continue
				}
				granted := 0
				for _, ask := range e.asks() {
					if allowsAt(d.t, p, ask[0], ask[1]) {
						granted++
					}
				}
				switch {
				case granted == 0:
					continue
				case granted < len(e.asks()):
					d.t.Fatalf("plugin %d has a part of edition %d of %s in force, after %s", i, e.number, path, strings.Join(d.past, "; "))
				case !e.valid:
					d.t.Fatalf("plugin %d has edition %d of %s in force, which has a mistake, after %s", i, e.number, path, strings.Join(d.past, "; "))
				case now != 0:
					d.t.Fatalf("plugin %d has editions %d and %d of %s in force, after %s", i, now, e.number, path, strings.Join(d.past, "; "))
				}
				now = e.number
			}
			if now != before && (now == 0 || !slices.Contains(ticked, p)) {
				d.t.Fatalf("plugin %d has edition %d of %s in force, and had %d, after %s", i, now, path, before, strings.Join(d.past, "; "))
			}
			if d.inForce[p] == nil {
				d.inForce[p] = map[string]int{}
			}
			d.inForce[p][path] = now
		}
	}
}

func allowsAt(t testing.TB, p *wasmhost.Plugin, authority, origin string) bool {
	t.Helper()
	out := p.NewStream().Do(wasmhost.Request{Authority: authority, Headers: lines(wasmhost.Header{"origin", origin})}, wasmhost.Response{})
	if out.Err != nil {
		t.Fatal(out.Err)
	}
	return slices.Equal(out.Values("access-control-allow-origin"), []string{origin})
}

func (d *badDay) did(format string, args ...any) {
	const kept = 25
	d.past = append(d.past, fmt.Sprintf(format, args...))
	d.past = d.past[max(0, len(d.past)-kept):]
}

// tick lets one plugin tick a few times, which may end in the middle of a document.
func (d *badDay) tick() {
	i := d.IntN(len(d.plugins))
	p := d.plugins[i]
	for range 1 + d.IntN(3) {
		d.process.Advance(10 * time.Millisecond)
		p.Tick()
	}
	d.did("ticks of %d", i)
	d.look(p)
}

func (d *badDay) pass() {
	wait := []time.Duration{time.Second / 4, time.Second, 7 * time.Second, 20 * time.Second, -3 * time.Second}[d.IntN(5)]
	d.process.Advance(wait)
	for _, p := range d.plugins {
		p.Tick()
	}
	d.did("%v pass", wait)
	d.look(d.plugins...)
}

// answer ends a call, perhaps one that nobody waits for any more.
func (d *badDay) answer() {
	calls := d.process.HTTPCalls()
	if len(calls) == 0 {
		return
	}
	call := calls[d.IntN(len(calls))]
	path := call.Value(":path")
	var body string
	switch kind := d.IntN(10); kind {
	case 0:
		call.BreakOff()
		d.did("a call breaks off")
		d.look()
		return
	case 1:
		body = strings.Repeat("{", d.IntN(20))
	case 2:
		body = strings.Repeat(" ", 150_000+d.IntN(100_000))
	case 3:
		e := d.edition(path, true)
		body = e.text()
		body = body[:len(body)-1-d.IntN(5)] // it is cut off
		e.valid = false
	case 4, 5:
		body = d.edition(path, false).text()
	default:
		body = d.edition(path, true).text()
	}
	call.Answer("200", []wasmhost.Header{{"etag", fmt.Sprintf("%q", body[:min(10, len(body))])}}, body)
	d.did("an answer of %d bytes (%.50q) for %s", len(body), body, path)
	d.look()
}

// meddle writes what VMs share, as others may.
func (d *badDay) meddle() {
	path := sourcePaths[d.IntN(len(sourcePaths))]
	state, document := sharedKey("state", path), sharedKey("document", path)
	shared := d.process.SharedData()
	version := words(d.Int64N(1 << 40))
	switch d.IntN(8) {
	case 0: // the version of the state, and nothing else: everybody looks for a document
		if old := shared[state]; len(old) >= 40 {
			d.process.SetSharedData(state, old[:24]+version+old[32:])
		}
	case 1:
		d.process.SetSharedData(state, strings.Repeat("x", d.IntN(60)))
	case 2:
		d.process.SetSharedData(document, strings.Repeat("\x01", []int{0, 1, 7, 8, 9, 300_000}[d.IntN(6)]))
	case 3:
		d.process.SetSharedData(document, version+d.edition(path, false).text())
	case 4:
		d.process.SetSharedData(document, version+d.edition(path, true).text())
	case 5: // another text for a version that is known
		if old := shared[document]; len(old) >= 8 {
			d.process.SetSharedData(document, old[:8]+d.edition(path, false).text())
		}
	case 6:
		if old := shared[document]; len(old) >= 8 {
			d.process.SetSharedData(document, version+old[8:len(old)-1])
		}
	case 7: // no lease, and due at once
		if old := shared[state]; len(old) >= 40 {
			d.process.SetSharedData(state, words(0, 0)+old[16:])
		}
	}
	d.did("others write %s", path)
	d.look()
}

// change adds a plugin, in a VM of its own or beside others, or takes one away.
func (d *badDay) change() {
	switch i := d.IntN(len(d.plugins)); {
	case len(d.plugins) > 4:
		d.plugins[i].Shutdown()
		d.plugins = slices.Delete(d.plugins, i, i+1)
		d.did("plugin %d ends", i)
	case d.IntN(2) == 0:
		d.did("a worker starts")
		d.look(d.join())
	default:
		p, err := d.plugins[i].VM().Configure([]byte(d.config))
		if err != nil {
			d.t.Fatal(err)
		}
		d.plugins = append(d.plugins, p)
		d.did("a plugin starts beside %d", i)
		d.look(p)
	}
}

func TestADocumentInForceIsOneThatWasValidWhateverHappens(t *testing.T) {
	for seed, release := range []wasmhost.Release{wasmhost.Envoy140, wasmhost.Envoy136} {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d := &badDay{fleet: newFleet(t, release, 2, recycledConfig), Rand: rand.New(rand.NewPCG(uint64(seed), 11)), inForce: map[*wasmhost.Plugin]map[string]int{}}
			changes := 0
			for range 200 {
				before := fmt.Sprint(d.inForce)
				switch n := d.IntN(20); {
				case n < 7:
					d.tick()
				case n < 11:
					d.pass()
				case n < 17:
					d.answer()
				case n < 19:
					d.meddle()
				default:
					d.change()
				}
				if fmt.Sprint(d.inForce) != before {
					changes++
				}
			}
			if changes < 12 {
				t.Errorf("only %d times another document came into force", changes)
			}
			// In the end everybody has the newest.
			newest := map[string]*edition{}
			for _, call := range d.process.HTTPCalls() {
				call.BreakOff()
			}
			for range 16 {
				d.run(5 * time.Second)
				for _, call := range d.process.HTTPCalls() {
					path := call.Value(":path")
					newest[path] = d.edition(path, true)
					call.Answer("200", nil, newest[path].text())
				}
			}
			d.run(time.Second)
			d.look(d.plugins...)
			for i, p := range d.plugins {
				for _, path := range sourcePaths {
					if got := d.inForce[p][path]; newest[path] == nil || got != newest[path].number {
						t.Errorf("plugin %d has edition %d of %s in force, want %+v", i, got, path, newest[path])
					}
				}
			}
		})
	}
}

// What is being read stands in the memory that an answer is received into. An answer that brings what is in force already ends the reading, too: the rest of the text is not that
// of the document which was begun.
func TestAnAnswerEndsTheReadingOfWhatStoodInItsMemory(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 1, fetchConfig)
	plugin := f.plugins[0]
	f.next(time.Second)
	f.give("", oneOrigin)
	call := f.next(fetchInterval)
	state, document := f.process.SharedData()[stateKey], f.process.SharedData()[documentKey]
	var others []string
	for i := range 2500 {
		others = append(others, fmt.Sprintf("https://other-%04d.example", i))
	}
	f.process.SetSharedData(stateKey, state[:24]+words(7)+state[32:])
	f.process.SetSharedData(documentKey, words(7)+documentOf(others...))
	for range 2 { // it begins, and reads most
		plugin.Tick()
	}
	f.process.SetSharedData(stateKey, state)
	f.process.SetSharedData(documentKey, document)
	call.Answer("200", nil, documentOf(oneOrigin))
	for range 5 {
		plugin.Tick()
		f.grants(true, oneOrigin)
		f.grants(false, others[0], others[1999], others[2499])
	}
	if f.counted("not_modified") != 1 || f.counted("ok") != 1 {
		t.Errorf("counted %v", f.process.Counters())
	}
}

// Bodies and shared values of every size around those that the memory has, each with the origin of a mistake or of nobody where the document in force has its own.
func TestWhatIsRefusedOverwritesNothingWhateverItsSize(t *testing.T) {
	f := newFleet(t, wasmhost.Envoy140, 2, strings.Replace(fetchConfig, `"10s"`, `"1s"`, 1))
	f.next(time.Second)
	one, two := documentOf(oneOrigin, twoOrigin), documentOf(twoOrigin, oneOrigin)
	f.give("", oneOrigin, twoOrigin)
	f.next(5 * time.Second)
	f.give("", twoOrigin, oneOrigin)
	if len(one) != len(two) {
		t.Fatal("they differ in size")
	}
	const evil = "https://ev1.example.com"
	for size := range 2*len(one) + 20 {
		body := documentOf(evil, twoOrigin, "https://Mistake.example")
		body = (body + strings.Repeat(" ", size))[:size]
		f.process.SetSharedData(documentKey, (words(int64(size)) + body)[:size])
		if state := f.process.SharedData()[stateKey]; size%3 == 0 && len(state) >= 40 {
			f.process.SetSharedData(stateKey, state[:24]+words(int64(size)+1)+state[32:])
		}
		for _, p := range f.plugins {
			for range 3 {
				p.Tick()
			}
		}
		f.grants(true, oneOrigin, twoOrigin, staticOrigin)
		f.grants(false, evil)
		f.next(20*time.Second).Answer("200", nil, body)
		f.grants(true, oneOrigin, twoOrigin)
		f.run(time.Second / 4)
		f.grants(true, oneOrigin, twoOrigin, staticOrigin)
		f.grants(false, evil)
		if t.Failed() {
			t.Fatalf("%d bytes", size)
		}
	}
	f.next(20 * time.Second)
	f.give("", evil)
	f.grants(true, evil)
	f.grants(false, oneOrigin, twoOrigin)
}
