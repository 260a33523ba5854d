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

// nextOf goes on to the next header the length of whose name has its bit in lengths, which passes over most headers, and reports whether there is one
// that is whole. The bits of ^0 are those of all headers.
func (p *pairs) nextOf(lengths uint64) bool {
	sizes, data := p.sizes, p.data
	for len(sizes) >= sizesPerHeader {
		nameSize, valueSize := int(u32(sizes)), int(u32(sizes[4:]))
		end := nameSize + 1 + valueSize + 1
		if end > len(data) {
			break
		}
		header := data
		sizes, data = sizes[sizesPerHeader:], data[end:]
		// Longer names share the highest bit.
		if lengths>>min(uint(nameSize), 63)&1 != 0 {
			p.name, p.value = header[:nameSize], header[nameSize+1:end-1]
			p.sizes, p.data = sizes, data
			return true
		}
	}
	return false
}

// isStatusAnd reports whether p is a :status of three digits, followed by exactly the headers of q. It is quick, and false where the order differs.
func (p *pairs) isStatusAnd(q *pairs) bool {
	const status, size = ":status\x00", len(":status\x00200\x00")
	return len(p.sizes) == len(q.sizes)+sizesPerHeader && p.sizes[sizesPerHeader:] == q.sizes &&
		len(p.data) == len(q.data)+size && p.data[:len(status)] == status && p.data[size:] == q.data
}

func u32(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// appendPairs appends headers to b as a serialised header map.
func appendPairs(b []byte, headers []policy.Header) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(headers)))
	for i := range headers {
		h := &headers[i]
		b = binary.LittleEndian.AppendUint64(b, uint64(len(h[0]))|uint64(len(h[1]))<<32)
	}
	for i := range headers {
		h := &headers[i]
		b = append(b, h[0]...)
		b = append(b, 0)
		b = append(b, h[1]...)
		b = append(b, 0)
	}
	return b
}
