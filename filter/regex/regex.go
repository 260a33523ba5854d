// Package regex matches regular expressions against whole ASCII strings. The syntax is a part of RE2's, and what is accepted means what it means there;
// everything else is refused by name. Go's regexp does the same and more, for several times the code: CONTRIBUTING.md has the figures.
package regex

import "math/bits"

// Bounds of a regular expression. One that goes beyond is refused.
const (
	MaxLen    = 512 // bytes
	MaxStates = 256 // characters, classes and assertions, with repeats written out
	MaxDepth  = 50  // groups inside of groups
)

// MaxSteps bounds what all expressions together may cost where a client's text, an origin or a path, is asked about. Sixty of the usual kind take a few thousand.
const MaxSteps = 50_000

// Set is a set of places in a Regexp. A place is a character or a class in it; what is repeated has places for each time.
type Set [MaxStates / 64]uint64

// The operations are calls, not inlined: a set is four words, and copies of them would be most of the code.

// Empty reports whether s has no place.
//
//go:noinline
func (s *Set) Empty() bool { return s[0]|s[1]|s[2]|s[3] == 0 }

// len returns how many places s has.
func (s *Set) len() int {
	return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) + bits.OnesCount64(s[2]) + bits.OnesCount64(s[3])
}

// Add adds the places of t.
//
//go:noinline
func (s *Set) Add(t *Set) {
	for i := range s {
		s[i] |= t[i]
	}
}

// Keep takes away the places that t does not have.
//
//go:noinline
func (s *Set) Keep(t *Set) {
	for i := range s {
		s[i] &= t[i]
	}
}

//go:noinline
func (s *Set) has(place int) bool { return s[place>>6]>>(place&63)&1 != 0 }

//go:noinline
func (s *Set) put(place int) { s[place>>6] |= 1 << (place & 63) }

// Regexp is a compiled regular expression: for each place, the places that may come after it (a position automaton, Glushkov 1961). Assertions need none:
// they hold at the ends of the text, and what can begin and end a match is known beforehand. It is made by Compile, immutable, and any number of
// goroutines may use it at once.
type Regexp struct {
	_ [0]func() // not comparable: nothing compares them, so nothing is linked for it

	text   string
	empty  bool // matches the empty string
	first  Set
	last   Set
	follow []Set // by place
	// class leads from a byte to the index in taking of the places that take it. Most bytes share one with many others.
	class  [256]uint8
	taking []Set
}

// Error tells why a string is no regular expression that Compile takes, and what to write instead.
type Error struct {
	Reason string
	Fix    string
}

func (e *Error) Error() string { return e.Reason + "; " + e.Fix }

// String returns the expression as it was written.
func (r *Regexp) String() string { return r.text }

// Match reports whether r matches the whole of s: RE2's `\A(?:…)\z`. A byte outside of ASCII is one character, which only `.` and what is negated take.
// It does not allocate. The time is proportional to the length of s times the number of places, at worst.
func (r *Regexp) Match(s string) bool {
	steps := len(s) * MaxStates
	return r.MatchWithin(s, &steps)
}

// MatchWithin is Match with a bound. It takes the steps that it needs, one for each byte and place that may take it, off steps; if these do not suffice, it leaves
// less than none, and does not match.
func (r *Regexp) MatchWithin(s string, steps *int) bool {
	if s == "" {
		return r.empty
	}
	at := r.first
	for i := 0; ; {
		r.KeepTaking(&at, s[i])
		if i++; i == len(s) {
			break
		}
		n := at.len()
		if n == 0 {
			return false
		}
		if *steps -= n; *steps < 0 {
			return false
		}
		at = r.After(&at)
	}
	at.Keep(&r.last)
	return !at.Empty()
}

// CanBegin reports whether a match may begin with c.
func (r *Regexp) CanBegin(c byte) bool {
	first := r.first
	r.KeepTaking(&first, c)
	return !first.Empty()
}

// Every returns all places.
func (r *Regexp) Every() Set {
	var s Set
	for i := range r.taking {
		s.Add(&r.taking[i])
	}
	return s
}

// First returns the places that a match can begin with.
func (r *Regexp) First() Set { return r.first }

// Last returns the places that a match can end with.
func (r *Regexp) Last() Set { return r.last }

// KeepTaking takes those places away from s that do not take c.
func (r *Regexp) KeepTaking(s *Set, c byte) { s.Keep(&r.taking[r.class[c]]) }

// After returns the places that can come right after those of s.
func (r *Regexp) After(s *Set) Set {
	var next Set
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			next.Add(&r.follow[i<<6|bits.TrailingZeros64(word)])
		}
	}
	return next
}

// Before returns the places that can come right before those of s.
func (r *Regexp) Before(s *Set) Set {
	var before Set
	for place := range r.follow {
		f := r.follow[place]
		f.Keep(s)
		if !f.Empty() {
			before.put(place)
		}
	}
	return before
}
