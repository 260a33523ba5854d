//go:build !tinygo

package filter

import (
	"encoding/binary"

	"corsguard/filter/policy"
)

// pairs reads a serialised header map (proxy-wasm ABI): a count, the sizes of all names and values, and then these, each with a zero byte
// behind it; numbers have 32 bits, little-endian. The strings that Next returns alias the buffer.
type pairs struct {
	sizes, data string
}

// newPairs reports whether buf is a well-formed map. Sizes are checked as they are read.
func newPairs(buf []byte) (pairs, bool) {
	const sizesPerHeader = 8
	if len(buf) < 4 {
		return pairs{}, false
	}
	n := uint64(binary.LittleEndian.Uint32(buf))
	if uint64(len(buf)-4) < n*sizesPerHeader {
		return pairs{}, false
	}
	s := borrow(buf[4:])
	return pairs{sizes: s[:n*sizesPerHeader], data: s[n*sizesPerHeader:]}, true
}

// next returns the next header, and whether there was one that is whole.
func (p *pairs) next() (name, value string, ok bool) {
	if len(p.sizes) < 8 {
		return "", "", false
	}
	nameSize, valueSize := uint64(u32(p.sizes)), uint64(u32(p.sizes[4:]))
	if nameSize+1+valueSize+1 > uint64(len(p.data)) {
		return "", "", false
	}
	name = p.data[:nameSize]
	value = p.data[nameSize+1 : nameSize+1+valueSize]
	p.sizes, p.data = p.sizes[8:], p.data[nameSize+1+valueSize+1:]
	return name, value, true
}

func u32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// appendPairs appends headers to b as a serialised header map.
func appendPairs(b []byte, headers []policy.Header) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(headers)))
	for _, h := range headers {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(h[0])))
		b = binary.LittleEndian.AppendUint32(b, uint32(len(h[1])))
	}
	for _, h := range headers {
		b = append(append(b, h[0]...), 0)
		b = append(append(b, h[1]...), 0)
	}
	return b
}
