package origin

import (
	_ "embed" // for the table
	"strings"
)

// pslTable holds the 32-bit FNV-1a hashes of the Public Suffix List's rules, sorted, big-endian. A name that is no public suffix is taken for one
// with a chance of about 2 in a million: the operator then sees a refusal that the override lifts.
//
//go:generate go run ./genpsl -out psl.bin
//go:embed psl.bin
var pslTable string

// SpansPublicSuffix reports whether p has a wildcard with nothing but a public suffix to its right, so that it spans sites of different
// owners: https://*.com, https://*.github.io, https://*a.example.
func (p *Pattern) SpansPublicSuffix() bool {
	return (p.Kind == Subdomains || p.Kind == InLabel) && isPublicSuffix(p.Host)
}

// isPublicSuffix applies the list's algorithm: exceptions first, then rules, and a single label is a suffix by default. A name of which every
// child is a suffix (the list's "*.ck" for ck) counts too: a wildcard before it spans as many owners.
func isPublicSuffix(host string) bool {
	dot := strings.IndexByte(host, '.')
	return dot < 0 || !hasRule("!", host) && (hasRule("", host) || hasRule("*.", host[dot+1:]) || hasRule("*.", host))
}

func hasRule(mark, name string) bool {
	const offset, prime = 2166136261, 16777619
	h := uint32(offset)
	for i := 0; i < len(mark); i++ {
		h = (h ^ uint32(mark[i])) * prime
	}
	for i := 0; i < len(name); i++ {
		h = (h ^ uint32(name[i])) * prime
	}
	low, high := 0, len(pslTable)/4
	for low < high {
		mid := int(uint(low+high) >> 1)
		b := pslTable[4*mid : 4*mid+4]
		switch v := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]); {
		case v == h:
			return true
		case v < h:
			low = mid + 1
		default:
			high = mid
		}
	}
	return false
}
