//go:build !tinygo

package filter

import (
	"encoding/binary"

	"corsguard/filter/policy"
)

// pairs reads a serialised header map (proxy-wasm ABI): a count, the sizes of all names and values, and then these, each with a zero byte
// behind it; numbers have 32 bits, little-endian. What it gives out aliases the buffer.
type pairs struct {
	name, value string // of the header that next stands at

	sizes, data string
}

const sizesPerHeader = 8

// newPairs reports whether buf can be a map. Sizes of names and values are checked as they are read.
func newPairs(buf []byte) (pairs, bool) {
	if len(buf) < 4 {
		return pairs{}, false
	}
	n := uint64(binary.LittleEndian.Uint32(buf)) * sizesPerHeader
	if uint64(len(buf)-4) < n {
		return pairs{}, false
	}
	s := borrow(buf[4:])
	return pairs{sizes: s[:n], data: s[n:]}, true
}

// next goes on to the next header, and reports whether there is one that is whole.
func (p *pairs) next() bool {
	if len(p.sizes) < sizesPerHeader {
		return false
	}
	nameSize, valueSize := int(u32(p.sizes)), int(u32(p.sizes[4:]))
	end := nameSize + 1 + valueSize + 1
	if end > len(p.data) {
		return false
	}
	p.name, p.value = p.data[:nameSize], p.data[nameSize+1:end-1]
	p.sizes, p.data = p.sizes[sizesPerHeader:], p.data[end:]
	return true
}

// nextOwned goes on to the next header that policy.Response has to know of; the lengths of names pass over most others.
func (p *pairs) nextOwned() bool {
	sizes, data := p.sizes, p.data
	for len(sizes) >= sizesPerHeader {
		nameSize, valueSize := int(u32(sizes)), int(u32(sizes[4:]))
		end := nameSize + 1 + valueSize + 1
		if end > len(data) {
			break
		}
		header := data
		sizes, data = sizes[sizesPerHeader:], data[end:]
		if policy.MayOwn(nameSize) {
			p.name, p.value = header[:nameSize], header[nameSize+1:end-1]
			p.sizes, p.data = sizes, data
			return true
		}
	}
	return false
}

func u32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// appendPairs appends headers to b as a serialised header map.
func appendPairs(b []byte, headers []policy.Header) []byte {
	b = appendU32(b, len(headers))
	for i := range headers {
		b = appendU32(b, len(headers[i][0]))
		b = appendU32(b, len(headers[i][1]))
	}
	for i := range headers {
		for _, s := range headers[i] {
			b = append(b, s...)
			b = append(b, 0)
		}
	}
	return b
}

//go:noinline
func appendU32(b []byte, n int) []byte { return binary.LittleEndian.AppendUint32(b, uint32(n)) }
