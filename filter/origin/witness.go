package origin

import (
	"strings"

	"corsguard/filter/regex"
)

// complete returns a well-formed origin that matches and whose host ends in suffix, where at holds the places that can take the byte before it; "" if it finds none.
// The host gets as short as it can.
func (w *siteWalk) complete(at regex.Set, suffix string) string {
	host := w.prefix(at, suffix)
	if host == "" {
		return ""
	}
	for _, scheme := range w.schemes {
		s := scheme + "://" + host
		if w.fits(s) {
			return s
		}
		for i := range w.colons {
			if s := w.withPort(s, i); w.fits(s) {
				return s
			}
		}
	}
	return ""
}

func (w *siteWalk) fits(s string) bool {
	_, ok := Parse(s)
	return ok && w.re.Match(s)
}

// prefix puts before suffix what makes it a whole host: the bytes on a shortest way back to the slashes. It returns "" if there is none.
func (w *siteWalk) prefix(at regex.Set, suffix string) string {
	if suffix == "" || suffix[0] != '.' && !at.And(w.reach[afterSlashes]).Empty() {
		return suffix
	}
	labels, dots := w.distances()
	for n := len(labels) - 1; n >= 0; {
		// The nearest place to the slashes among those that can take the next byte.
		near := -1
		for i := 0; i <= n && near < 0; i++ {
			if !at.And(labels[i]).Empty() || suffix[0] != '.' && !at.And(dots[i]).Empty() {
				near = i
			}
		}
		if near < 0 {
			return ""
		}
		for i := 0; i < len(hostBytes); i++ {
			c, places := hostBytes[i], labels[near]
			if c == '.' {
				places = dots[near]
			}
			taken := w.take(at.And(places), c, suffix)
			if !taken.Empty() {
				at, suffix = w.re.Before(taken), string(rune(c))+suffix
				break
			}
		}
		if near == 0 {
			return suffix
		}
		n = near - 1
	}
	return ""
}

// distances returns the places inside of labels and the dots, by how many bytes of the host at least stand before them.
func (w *siteWalk) distances() (labels, dots []regex.Set) {
	var seenLabels, seenDots regex.Set
	at := w.reach[afterSlashes]
	for len(labels) < MaxHost {
		after := w.re.After(at)
		label, dot := without(after.And(w.reach[inLabel]), seenLabels), regex.Set{}
		if len(labels) > 0 {
			dot = without(w.re.After(labels[len(labels)-1]).And(w.reach[afterDot]), seenDots)
		}
		at = label.Or(dot)
		if at.Empty() {
			break
		}
		labels, dots = append(labels, label), append(dots, dot)
		seenLabels, seenDots = seenLabels.Or(label), seenDots.Or(dot)
	}
	return labels, dots
}

func without(s, t regex.Set) regex.Set {
	for i := range s {
		s[i] &^= t[i]
	}
	return s
}

// withPort puts a port of n+1 digits behind s, which begins a match.
func (w *siteWalk) withPort(s string, n int) string {
	at := w.re.First()
	for i := 0; i < len(s); i++ {
		at = w.re.After(at.And(w.re.Taking(s[i])))
	}
	at = at.And(w.colons[n])
	var port strings.Builder
	for ; n >= 0 && !at.Empty(); n-- {
		after := w.re.After(at).And(w.digits[n])
		at = regex.Set{}
		for _, digit := range "8123456790" {
			if taken := after.And(w.re.Taking(byte(digit))); !taken.Empty() && (digit != '0' || port.Len() > 0) {
				port.WriteRune(digit)
				at = taken
				break
			}
		}
	}
	return s + ":" + port.String()
}
