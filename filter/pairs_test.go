package filter

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
	_ "unsafe" // for linkname

	"corsguard/filter/policy"
)

// The SDK's own serialisation.
//
//go:linkname serializeMap github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.SerializeMap
func serializeMap([][2]string) []byte

//go:linkname deserializeMap github.com/tetratelabs/proxy-wasm-go-sdk/proxywasm/internal.DeserializeMap
func deserializeMap([]byte) [][2]string

// readPairs reads the headers whose names have one of the lengths.
func readPairs(buf []byte, lengths uint64) ([]policy.Header, bool) {
	p, ok := newPairs(buf)
	if !ok {
		return nil, false
	}
	var all []policy.Header
	for p.nextOf(lengths) {
		all = append(all, policy.Header{p.name, p.value})
	}
	if p.nextOf(lengths) {
		panic("a header behind the last")
	}
	return all, true
}

// refPairs reads a header map plainly: the headers before the first that is not whole.
func refPairs(buf []byte, lengths uint64) ([]policy.Header, bool) {
	if len(buf) < 4 {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint32(buf))
	at := 4 + 8*n
	if at > len(buf) {
		return nil, false
	}
	var all []policy.Header
	for i := range n {
		sizes := buf[4+8*i:]
		name, value := int(binary.LittleEndian.Uint32(sizes)), int(binary.LittleEndian.Uint32(sizes[4:]))
		if at+name+value+2 > len(buf) {
			break
		}
		if lengths&(1<<min(name, 63)) != 0 {
			all = append(all, policy.Header{string(buf[at : at+name]), string(buf[at+name+1 : at+name+1+value])})
		}
		at += name + value + 2
	}
	return all, true
}

func checkPairs(t *testing.T, buf []byte, lengths uint64) {
	t.Helper()
	// What lies behind the buffer must not be read: the result is the same whatever it is.
	for _, behind := range []byte{0, 0xff, 'x'} {
		memory := append(slices.Clone(buf), bytes.Repeat([]byte{behind}, 64)...)
		got, ok := readPairs(memory[:len(buf):len(buf)], lengths)
		want, wantOK := refPairs(buf, lengths)
		if ok != wantOK || !slices.Equal(got, want) {
			t.Fatalf("%q: %q, %v; want %q, %v", buf, got, ok, want, wantOK)
		}
	}
}

var someMaps = [][]policy.Header{
	nil, {{"", ""}}, {{"a", "b"}}, {{":status", "200"}, {"vary", "Origin"}, {"vary", ""}}, {{"a\x00b", "\x00"}, {string(make([]byte, 63)), "x"}, {string(make([]byte, 64)), "y"}, {string(make([]byte, 300)), "z"}},
}

func TestPairsAreThoseOfTheSDK(t *testing.T) {
	for _, headers := range someMaps {
		buf := serializeMap(headers)
		if got := appendPairs(nil, headers); !bytes.Equal(got, buf) {
			t.Errorf("%q is written as %q, by the SDK as %q", headers, got, buf)
		}
		if got, ok := readPairs(buf, ^uint64(0)); !ok || !slices.Equal(got, headers) {
			t.Errorf("%q is read as %q", headers, got)
		}
		if got := appendPairs([]byte("before"), headers); !bytes.Equal(got[len("before"):], buf) {
			t.Errorf("appended: %q", got)
		}
	}
}

func hostileMaps() [][]byte {
	u32s := func(n ...uint32) []byte {
		var b []byte
		for _, v := range n {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
		return b
	}
	whole := serializeMap(someMaps[3])
	all := [][]byte{
		nil, {0}, {0, 0, 0}, u32s(0), u32s(1), u32s(1, 0), u32s(1, 0, 0), append(u32s(1, 0, 0), 0), append(u32s(1, 0, 0), 0, 0), u32s(1<<32 - 1), u32s(1<<29, 0, 0), u32s(1<<31, 1, 1), u32s(0x20000001, 0, 0, 0),
		append(u32s(1, 1<<32-1, 1<<32-1), "abcdefgh"...), append(u32s(1, 1<<31, 1<<31), "abcdefgh"...), append(u32s(1, 1<<32-2, 0), "abcdefgh"...), append(u32s(1, 0, 1<<32-2), "abcdefgh"...), append(u32s(2, 1, 1, 9, 9), "a\x00b\x00c\x00"...),
		append(u32s(1, 1, 1), "aXbX"...), append(u32s(1, 1, 1), "a\x00b"...), append(u32s(0), "trailing"...),
	}
	for n := range whole {
		all = append(all, whole[:n])
	}
	return all
}

func TestHostileMapsAreReadUpToTheirFault(t *testing.T) {
	for _, buf := range hostileMaps() {
		for _, lengths := range []uint64{^uint64(0), 0, 1, 1 << 4, 1 << 63, requestNames, policy.ResponseNames} {
			checkPairs(t, buf, lengths)
		}
	}
}

func TestReadingPairsAllocatesNothing(t *testing.T) {
	buf := serializeMap(someMaps[3])
	if n := testing.AllocsPerRun(100, func() {
		p, _ := newPairs(buf)
		for p.nextOf(^uint64(0)) {
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzPairs(f *testing.F) {
	for _, buf := range hostileMaps() {
		f.Add(buf, ^uint64(0))
	}
	f.Add(serializeMap(someMaps[4]), uint64(1)<<63)
	f.Fuzz(func(t *testing.T, buf []byte, lengths uint64) {
		checkPairs(t, buf, lengths)
		headers, ok := readPairs(buf, ^uint64(0))
		if !ok {
			return
		}
		again := appendPairs(nil, headers)
		if !bytes.Equal(again, serializeMap(headers)) || !slices.Equal(deserializeMap(again), headers) {
			t.Fatalf("%q is written as %q", headers, again)
		}
	})
}

func TestAReplyThatWasOnlyGivenItsStatusIsRecognised(t *testing.T) {
	for _, sent := range someMaps {
		q, _ := newPairs(appendPairs(nil, sent))
		for _, c := range []struct {
			headers []policy.Header
			want    bool
		}{
			{append([]policy.Header{{":status", "204"}}, sent...), true},
			{append(slices.Clone(sent), policy.Header{":status", "204"}), len(sent) == 0},
			{append([]policy.Header{{":status", "204"}, {"x", "y"}}, sent...), false},
			{append([]policy.Header{{":statuz", "204"}}, sent...), false},
			{append([]policy.Header{{":status", "20"}}, sent...), false},
			{append([]policy.Header{{":status", "2044"}}, sent...), false},
			{sent, false},
		} {
			p, _ := newPairs(appendPairs(nil, c.headers))
			if got := p.isStatusAnd(&q); got != c.want {
				t.Errorf("%q after %q: %v", c.headers, sent, got)
			}
		}
	}
	for _, a := range hostileMaps() {
		for _, b := range hostileMaps() {
			p, _ := newPairs(a)
			q, _ := newPairs(b)
			p.isStatusAnd(&q)
		}
	}
}
