package origin

import "strings"

//go:generate go run ./genpsl -out psl_table.go

// The generated pslTable holds hashes of the Public Suffix List's rules (FNV-1a of 64 bits, folded to 48), sorted, each as its distance from the one before. A
// name that is no public suffix is taken for one with a chance of less than one in a thousand million: the operator then sees a refusal that the override lifts.

// psl is the table, unpacked when the first wildcard is checked.
var psl []uint64

// SpansPublicSuffix reports whether p has a wildcard with nothing but a public suffix to its right, so that it spans sites of different
// owners: https://*.com, https://*.github.io, https://*a.example; or with public suffixes among the names that it stands for, such as https://*.amazonaws.com,
// below which is s3.amazonaws.com. It is not safe for concurrent use.
func (p *Pattern) SpansPublicSuffix() bool {
	switch p.Kind {
	case Subdomains:
		return isPublicSuffix(p.Host) || hasSuffixesBelow(p.Host)
	case InLabel:
		return isPublicSuffix(p.Host)
	}
	return false
}

// hasSuffixesBelow reports whether there are public suffixes below host, which is none itself.
func hasSuffixesBelow(host string) bool { return hasRule(">", host) }

// isPublicSuffix applies the list's algorithm: exceptions first, then rules, and a single label is a suffix by default. A name of which every
// child is a suffix (the list's "*.ck" for ck) counts too: a wildcard before it spans as many owners.
func isPublicSuffix(host string) bool {
	dot := strings.IndexByte(host, '.')
	return dot < 0 || !hasRule("!", host) && (hasRule("", host) || hasRule("*.", host[dot+1:]) || hasRule("*.", host))
}

func hasRule(mark, name string) bool {
	if psl == nil {
		psl = unpackPSL()
	}
	h := folded(fnv(fnv(offset, mark), name))
	low, high := 0, len(psl)
	for low < high {
		mid := int(uint(low+high) >> 1)
		switch v := psl[mid]; {
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

// offset and prime are those of FNV-1a with 64 bits.
const (
	offset = 14695981039346656037
	prime  = 1099511628211
)

// fnv goes on with the hash h over s.
func fnv(h uint64, s string) uint64 {
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * prime
	}
	return h
}

func folded(h uint64) uint64 { return h>>48 ^ h&(1<<48-1) }

func unpackPSL() []uint64 {
	all := make([]uint64, 0, pslRules)
	var hash, distance uint64
	shift := 0
	for i := 0; i < len(pslTable); i++ {
		distance |= uint64(pslTable[i]&0x7f) << shift
		if shift += 7; pslTable[i] < 0x80 {
			hash += distance
			all = append(all, hash)
			distance, shift = 0, 0
		}
	}
	return all
}
