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
	maxPorts    = 300
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
	reach *[phases]regex.Set
	tails []tail

	schemes        []string // the first two or more that were found
	severalSchemes bool
	manyPorts      bool // more than maxPorts ways through the port
	sites          []string
	origins        []string // well-formed ones that match, one for each site where one is found

	path  []step
	steps int
	// searched counts the steps of all searches for whole origins.
	searched int
	left     []tail // the sites that are whole, each with its dot
}

// tail is an end of an origin, and the places that can take the byte before it.
type tail struct {
	at   regex.Set
	text string
}

// step is a point of the walk: what can take the byte to the left, whether the byte to the right is a dot, and whether the site is not whole yet.
type step struct {
	at          regex.Set
	dot, inSite bool
}

func newSiteWalk(re *regex.Regexp) *siteWalk {
	w := &siteWalk{re: re, reach: reach(re)}
	w.findTails()
	return w
}

func (w *siteWalk) run() error {
	if w.manyPorts {
		return bad("has too many ways through the port to examine them", "write the port as (:[0-9]+)?, or out")
	}
	var ends regex.Set
	for i := range w.tails {
		ends.Add(&w.tails[i].at)
	}
	w.findSchemes(ends)
	switch {
	case len(w.schemes) == 0 && w.severalSchemes:
		return w.schemesError()
	case len(w.schemes) == 0:
		return errNoOrigin()
	case len(w.schemes) > 1 && w.schemes[1] == "https":
		w.schemes[0], w.schemes[1] = w.schemes[1], w.schemes[0]
	}
	if err := w.extend(&ends, "", true); err != nil {
		return err
	}
	// A name under a registrable domain can be a public suffix again, such as s3.amazonaws.com: there all has to be written out.
	for i := range w.left {
		if at := &w.left[i]; hasSuffixesBelow(at.text[1:]) {
			w.steps = 0
			if err := w.extend(&at.at, at.text, false); err != nil {
				return err
			}
		}
	}
	if w.severalSchemes {
		return w.schemesError()
	}
	if len(w.sites) == 0 {
		return errNoOrigin()
	}
	return nil
}

// hostBytes are the bytes of a host, in the order in which they are tried: first the ones that make a name look strange.
const hostBytes = "xqzjkvwybfghucdpmltnrsiaoe0123456789-_.:[]"

// take returns those places of at that can take c, where suffix is the rest of the host.
func (w *siteWalk) take(at *regex.Set, c byte, suffix string) regex.Set {
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
	return w.keep(at, c, ph)
}

// keep returns those places of at that can take c and lead to ph with it.
func (w *siteWalk) keep(at *regex.Set, c byte, ph phase) regex.Set {
	kept := *at
	w.re.KeepTaking(&kept, c)
	kept.Keep(&w.reach[ph])
	return kept
}

// before returns the places of ph that can come right before those of s.
func (w *siteWalk) before(s *regex.Set, ph phase) regex.Set {
	before := w.re.Before(s)
	before.Keep(&w.reach[ph])
	return before
}

// begins reports whether host, which at may precede, can be the whole host.
func (w *siteWalk) begins(at *regex.Set, host string) bool {
	slash := *at
	slash.Keep(&w.reach[afterSlashes])
	return host != "" && host[0] != '.' && (host[0] == '[') == strings.HasSuffix(host, "]") && !slash.Empty()
}

// extend walks to the left from suffix, the end of a host, which at may precede. Behind a dot, which ends a name, it stops where no public suffix can follow.
func (w *siteWalk) extend(at *regex.Set, suffix string, inSite bool) error {
	w.steps++
	here := step{*at, strings.HasPrefix(suffix, "."), inSite}
	stop := w.steps > maxSteps || w.leavesOpen(at, suffix)
	for i := range w.path {
		stop = stop || w.path[i] == here
	}
	if stop {
		return w.open(at, suffix)
	}
	w.path = append(w.path, here)
	for i := 0; i < len(hostBytes) && len(suffix) < MaxHost; i++ {
		if taken := w.take(at, hostBytes[i], suffix); !taken.Empty() {
			if err := w.over(hostBytes[i:i+1], w.re.Before(&taken), suffix, inSite); err != nil {
				return err
			}
		}
	}
	w.path = w.path[:len(w.path)-1]
	return nil
}

// over walks on over the byte c, which before may precede.
func (w *siteWalk) over(c string, before regex.Set, suffix string, inSite bool) error {
	host := c + suffix
	switch {
	case c == "." && inSite && isSite(suffix):
		w.left = append(w.left, tail{before, host})
		return w.add(host, suffix)
	case c == ".":
		inSite = !isSite(suffix)
	case inSite && w.begins(&before, host):
		if err := w.add(host, host); err != nil {
			return err
		}
	}
	return w.extend(&before, host, inSite)
}

// isSite reports whether suffix, which a dot precedes, is a registrable domain.
func isSite(suffix string) bool {
	return !strings.HasSuffix(suffix, "]") && !isNumericHost(suffix) && !isPublicSuffix(suffix)
}

// leavesOpen reports whether more can stand before suffix than what is written out.
func (w *siteWalk) leavesOpen(at *regex.Set, suffix string) bool {
	var sets [maxVariants + 1]regex.Set // the places that take one byte, two, …
	dot := w.take(at, '.', suffix)
	dot = w.before(&dot, inLabel)
	for i := 0; i < len(hostBytes); i++ {
		taken := w.take(at, hostBytes[i], suffix)
		if hostBytes[i] == '.' || taken.Empty() {
			continue
		}
		before := w.re.Before(&taken)
		if before.Keep(&dot); !before.Empty() {
			return true
		}
		for n := range sets {
			again := sets[n]
			sets[n].Add(&taken)
			taken.Keep(&again)
		}
	}
	return !sets[maxVariants].Empty()
}

// add notes a site, and an origin whose host ends in suffix.
func (w *siteWalk) add(suffix, site string) error {
	for _, have := range w.sites {
		if have == site {
			return nil
		}
	}
	if w.sites = append(w.sites, site); len(w.sites) > maxSites {
		return bad("admits more than 100 sites, such as "+site, "write out the ones that are meant, in several patterns")
	}
	if s := w.complete(suffix); s != "" {
		w.origins = append(w.origins, s)
	}
	return nil
}

// strangest returns an origin with one more byte before suffix: the longest, for what is shorter may be the one that is meant.
func (w *siteWalk) strangest(at *regex.Set, suffix string) string {
	longest := ""
	for i := 0; i < len(hostBytes); i++ {
		if taken := w.take(at, hostBytes[i], suffix); hostBytes[i] != '.' && !taken.Empty() {
			if s := w.complete(hostBytes[i:i+1] + suffix); len(s) > len(longest) {
				longest = s
			}
		}
	}
	return longest
}

// open is the error for a site that is left open before suffix: at holds the places that can take the byte there.
func (w *siteWalk) open(at *regex.Set, suffix string) error {
	admitted := ""
	if suffix == "" {
		admitted = w.complete(".evil.test")
	}
	if admitted == "" {
		admitted = w.complete("evil" + suffix)
	}
	if admitted == "" {
		admitted = w.strangest(at, suffix)
	}
	if admitted == "" && suffix != "" {
		admitted = w.complete(suffix)
	}
	const fix = `write the site out, with \. for each dot, as in https://.*\.example\.com: only what is before it may vary`
	switch {
	case admitted != "":
		return bad("also admits "+admitted, fix)
	case suffix == "":
		return bad("leaves open how the host ends", fix)
	}
	return bad("leaves open what stands before "+suffix, fix)
}
