package policy

import "corsguard/filter/fetch"

// headerSet is a set of header names, looked up without regard to case and without allocation.
type headerSet struct {
	any           bool // `*`: every name but authorization
	authorization bool
	names         map[string]struct{} // lower case
	longest       int
}

// MaxName bounds methods and header names; configuration refuses longer ones.
const MaxName = 256

func newHeaderSet(names []string) headerSet {
	s := headerSet{names: make(map[string]struct{}, len(names))}
	for _, n := range names {
		n = fetch.Lower(n)
		s.any = s.any || n == fetch.Wildcard
		s.authorization = s.authorization || n == fetch.HeaderAuthorization
		s.names[n] = struct{}{}
		s.longest = max(s.longest, len(n))
	}
	return s
}

func (s *headerSet) has(name string) bool {
	if s.any {
		return s.authorization || !fetch.EqualFold(name, fetch.HeaderAuthorization)
	}
	if len(name) > s.longest || len(name) > MaxName {
		return false
	}
	if _, ok := s.names[name]; ok {
		return true // as browsers send it, in lower case
	}
	var buf [MaxName]byte
	for i := 0; i < len(name); i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	_, ok := s.names[string(buf[:len(name)])]
	return ok
}
