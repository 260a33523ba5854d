package regex

import "math/bits"

// Samples returns up to most distinct ASCII strings that r matches. As far as they fit: for each place a shortest match through it, one for every kind
// of character that it takes, and for each two places that can follow each other a match with both, so that repeats run once more and what may be left
// out is. They are spread over the whole expression where there is no room for all. The work is bounded by most and by MaxStates.
func (r *Regexp) Samples(most int) []string {
	s := &sampler{r: r, seen: map[string]struct{}{}, room: most, tries: 16*most + MaxStates}
	if r.empty && most > 0 {
		s.all, s.room = []string{""}, most-1
	}
	s.measure()
	n := len(r.follow)
	step := spread(n)
	for round, more := 0, true; more && s.room > 0 && s.tries > 0; round++ {
		more = false
		for i, place := 0, 0; i < n; i, place = i+1, (place+step)%n {
			if s.before[place] == nowhere || s.after[place] == nowhere {
				continue
			}
			if round < len(s.kind[place]) {
				more = true
				s.put(place, s.kind[place][round], nowhere)
			}
			// The shortest matches come first: round 0 has none of the pairs.
			if next := nth(&r.follow[place], round-1); next >= 0 && s.after[next] != nowhere {
				more = true
				s.put(place, s.kind[place][0], next)
			}
		}
	}
	return s.all
}

// spread returns a step that leads through all of n places and far from one to the next.
func spread(n int) int {
	for step := n*5/8 | 1; ; step += 2 {
		a, b := step, n
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 || n == 0 {
			return step
		}
	}
}

// nth returns the nth place of s, from 0, or nowhere.
func nth(s *Set, n int) int {
	for i, word := range s {
		for ; n >= 0 && word != 0; word &= word - 1 {
			if n == 0 {
				return i<<6 | bits.TrailingZeros64(word)
			}
			n--
		}
	}
	return nowhere
}

const nowhere = -1

// kinds are the characters that places are tried with: first the ones that hosts are most likely to have.
const kinds = "a1-.:/A_z9~ "

type sampler struct {
	r    *Regexp
	kind [MaxStates]string // by place: characters that it takes, one of each kind
	// before and after lead from a place by a shortest way to one that begins a match, and to one that ends it. That one leads to itself.
	before, after [MaxStates]int

	all  []string
	seen map[string]struct{}
	// room is how many more there may be, and tries how many more may be made up: most of them can be the same.
	room, tries int
}

// measure finds what each place takes and the shortest ways.
func (s *sampler) measure() {
	var live Set
	for place := range s.r.follow {
		s.before[place], s.after[place] = nowhere, nowhere
		var kind []byte
		for i := 0; i < len(kinds)+128; i++ {
			c := byte(i - len(kinds))
			if i < len(kinds) {
				c = kinds[i]
			} else if len(kind) > 0 {
				break
			}
			if s.r.taking[s.r.class[c]].has(place) {
				kind = append(kind, c)
			}
		}
		if len(kind) > 0 {
			s.kind[place] = string(kind)
			live.put(place)
		}
	}
	s.lead(&s.before, &s.r.first, &live, s.r.After)
	s.lead(&s.after, &s.r.last, &live, s.r.Before)
}

// lead searches by breadth from the places of start along next, and notes for each place which one it was found from.
func (s *sampler) lead(way *[MaxStates]int, start, live *Set, next func(*Set) Set) {
	var queue []int
	for place := range s.r.follow {
		if start.has(place) && live.has(place) {
			way[place] = place
			queue = append(queue, place)
		}
	}
	for i := 0; i < len(queue); i++ {
		var here Set
		here.put(queue[i])
		near := next(&here)
		for place := range s.r.follow {
			if way[place] == nowhere && near.has(place) && live.has(place) {
				way[place] = queue[i]
				queue = append(queue, place)
			}
		}
	}
}

// put makes up a match in which c stands at place, with next right after it if that is a place, and takes it if it is new.
func (s *sampler) put(place int, c byte, next int) {
	if next == nowhere {
		if next = s.after[place]; next == place {
			next = nowhere
		}
	}
	text := []byte{c}
	for s.before[place] != place {
		place = s.before[place]
		text = append(text, s.kind[place][0])
	}
	for i, j := 0, len(text)-1; i < j; i, j = i+1, j-1 {
		text[i], text[j] = text[j], text[i]
	}
	for next != nowhere {
		text = append(text, s.kind[next][0])
		if next == s.after[next] {
			break
		}
		next = s.after[next]
	}
	s.tries--
	if _, ok := s.seen[string(text)]; ok || s.room <= 0 || s.tries < 0 || !s.r.Match(string(text)) {
		return
	}
	s.seen[string(text)] = struct{}{}
	s.all = append(s.all, string(text))
	s.room--
}
