package origin

import (
	"strings"

	"corsguard/filter/regex"
)

// Bounds of what a regular expression may leave open.
const (
	// maxVariants is how many bytes a class inside of a site may take: [12] is an enumeration, [0-9] is not.
	maxVariants = 3
	maxSites    = 100
	maxSteps    = 4000
)

// siteWalk finds the sites of all origins that a regular expression matches: for a name its registrable domain by the Public Suffix List, for an IP address and
// for a name that is a public suffix itself the whole host. It goes from the end of the host to the left, over every byte that an origin could have there and
// from which the expression leads back to its beginning, until the site is whole: up to a dot, or to the slashes. So nothing is left to chance, as it would
// be with samples. An expression is refused where there is
//
//   - a class of more than maxVariants bytes inside of the site, or right before it;
//   - a dot of the site, or the one before it, where some other byte can stand too;
//   - a repeat inside of the site;
//   - more than maxSites sites in all.
type siteWalk struct {
	re    *regex.Regexp
	reach [phases]regex.Set
	// colons holds, by the number of a port's digits less one, the colons before such ports; digits the places of a digit with so many behind it.
	colons, digits [5]regex.Set

	schemes []string
	sites   []string
	origins []string // well-formed ones that match, one for each site where one is found

	path  []step
	steps int
	left  []partialHost // the sites that are whole, and what may stand before their dot
}

type partialHost struct {
	at     regex.Set
	suffix string
}

// step is a point of the walk: what can take the byte to the left, whether the byte to the right is a dot, and whether the site is not whole yet.
type step struct {
	at          regex.Set
	dot, inSite bool
}

func newSiteWalk(re *regex.Regexp) *siteWalk { return &siteWalk{re: re, reach: reach(re)} }

func (w *siteWalk) run() error {
	ends := w.hostEnds()
	w.findSchemes(ends)
	switch {
	case len(w.schemes) == 0:
		return checkLookalikes(w.re, nil)
	case len(w.schemes) > 1 && w.schemes[1] == "https":
		w.schemes[0], w.schemes[1] = w.schemes[1], w.schemes[0]
	}
	if err := w.extend(ends, "", true); err != nil {
		return err
	}
	w.steps = 0
	for i := range w.left {
		if err := w.extend(w.left[i].at, w.left[i].suffix, false); err != nil {
			return err
		}
	}
	if len(w.schemes) > 1 {
		return w.severalSchemes()
	}
	if len(w.sites) == 0 {
		return checkLookalikes(w.re, nil)
	}
	return nil
}

// hostEnds returns the places that can take the last byte of the host.
func (w *siteWalk) hostEnds() regex.Set {
	re := w.re
	var nonzero, before regex.Set
	for c := byte('1'); c <= '9'; c++ {
		nonzero = nonzero.Or(re.Taking(c))
	}
	w.digits[0] = w.reach[inPort].And(re.Last())
	for i := range w.digits {
		if i > 0 {
			w.digits[i] = w.reach[inPort].And(re.Before(w.digits[i-1]))
		}
		w.colons[i] = w.reach[afterPortColon].And(re.Before(w.digits[i].And(nonzero)))
		before = before.Or(re.Before(w.colons[i]))
	}
	return w.reach[inLabel].Or(w.reach[afterIPv6]).And(re.Last().Or(before))
}

// hostBytes are the bytes of a host, in the order in which they are tried.
const hostBytes = "xabcdefghijklmnopqrstuvwyz0123456789-_.:[]"

// take returns those places of at that can take c, where suffix is the rest of the host.
func (w *siteWalk) take(at regex.Set, c byte, suffix string) regex.Set {
	ph := inLabel
	switch address := strings.HasSuffix(suffix, "]"); {
	case c == ']':
		if suffix != "" {
			return regex.Set{}
		}
		ph = afterIPv6
	case address:
		ph = inIPv6
	case c == '.':
		if suffix == "" || suffix[0] == '.' {
			return regex.Set{}
		}
		ph = afterDot
	case c == ':' || c == '[':
		return regex.Set{}
	}
	return at.And(w.re.Taking(c)).And(w.reach[ph])
}

// extend walks to the left from suffix, the end of a host, which at may precede. Left of a site it goes on as long as all is written out, because a name under a
// registrable domain can be a public suffix again, such as s3.amazonaws.com.
func (w *siteWalk) extend(at regex.Set, suffix string, inSite bool) error {
	w.steps++
	here := step{at, strings.HasPrefix(suffix, "."), inSite}
	stop := w.steps > maxSteps || w.leavesOpen(at, suffix)
	for i := range w.path {
		stop = stop || w.path[i] == here
	}
	if stop && inSite {
		return w.open(at, suffix)
	}
	w.path = append(w.path, here)
	for i := 0; i < len(hostBytes) && len(suffix) < MaxHost && !stop; i++ {
		if taken := w.take(at, hostBytes[i], suffix); !taken.Empty() {
			if err := w.over(hostBytes[i], w.re.Before(taken), suffix, inSite); err != nil {
				return err
			}
		}
	}
	w.path = w.path[:len(w.path)-1]
	return nil
}

// over walks on over c, which before may precede.
func (w *siteWalk) over(c byte, before regex.Set, suffix string, inSite bool) error {
	host := string(rune(c)) + suffix
	switch {
	case c == '.' && inSite && isSite(suffix):
		w.left = append(w.left, partialHost{before, host})
		return w.add(before, host, suffix)
	case c == '.':
		inSite = !isSite(suffix)
	case inSite && (c == '[') == strings.HasSuffix(host, "]") && !before.And(w.reach[afterSlashes]).Empty():
		if err := w.add(before, host, host); err != nil {
			return err
		}
	}
	return w.extend(before, host, inSite)
}

// isSite reports whether suffix, which a dot precedes, is a registrable domain.
func isSite(suffix string) bool {
	return !strings.HasSuffix(suffix, "]") && !isNumericHost(suffix) && !isPublicSuffix(suffix)
}

// leavesOpen reports whether more can stand before suffix than what is written out.
func (w *siteWalk) leavesOpen(at regex.Set, suffix string) bool {
	var sets [maxVariants + 1]regex.Set // the places that take one byte, two, …
	dot := w.re.Before(w.take(at, '.', suffix)).And(w.reach[inLabel])
	for i := 0; i < len(hostBytes); i++ {
		taken := w.take(at, hostBytes[i], suffix)
		if hostBytes[i] == '.' || taken.Empty() {
			continue
		}
		for n := maxVariants; n > 0; n-- {
			sets[n] = sets[n].Or(sets[n-1].And(taken))
		}
		sets[0] = sets[0].Or(taken)
		if !dot.And(w.re.Before(taken)).Empty() {
			return true
		}
	}
	return !sets[maxVariants].Empty()
}

// add notes a site, and an origin of it: one whose host ends in suffix, with what may stand at the place before it.
func (w *siteWalk) add(at regex.Set, suffix, site string) error {
	for _, have := range w.sites {
		if have == site {
			return nil
		}
	}
	if len(w.sites) == maxSites {
		return w.open(at, suffix)
	}
	w.sites = append(w.sites, site)
	if s := w.complete(at, suffix); s != "" {
		w.origins = append(w.origins, s)
	}
	return nil
}

// open is the error for a site that is left open before suffix.
func (w *siteWalk) open(at regex.Set, suffix string) error {
	const fix = `write the site out, with \. for each dot, as in https://.*\.example\.com: only what is before it may vary`
	if s := w.with(at, ".evil.test", suffix); s != "" && suffix == "" {
		return bad("also admits "+s, fix)
	}
	if s := w.with(at, "evil", suffix); s != "" {
		return bad("also admits "+s, fix)
	}
	for i := 0; i < len(hostBytes); i++ {
		if s := w.with(at, hostBytes[i:i+1], suffix); s != "" && hostBytes[i] != '.' {
			return bad("also admits "+s, fix)
		}
	}
	if s := w.complete(at, suffix); s != "" {
		return bad("also admits "+s, fix)
	}
	return bad("leaves open what stands before "+suffix, fix)
}

// with returns a matching origin whose host ends in text and suffix, or "".
func (w *siteWalk) with(at regex.Set, text, suffix string) string {
	for i := len(text) - 1; i >= 0; i-- {
		at = w.take(at, text[i], suffix)
		if at.Empty() {
			return ""
		}
		at, suffix = w.re.Before(at), text[i:i+1]+suffix
	}
	return w.complete(at, suffix)
}
