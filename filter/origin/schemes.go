package origin

import "corsguard/filter/regex"

// findSchemes finds the scheme of origins whose host ends in ends; where there are several, some of them, the shorter ones first.
func (w *siteWalk) findSchemes(ends regex.Set) {
	hosts, inHost := ends, w.reach[inLabel]
	for _, ph := range [...]phase{afterDot, inIPv6, afterIPv6} {
		inHost.Add(&w.reach[ph])
	}
	for {
		more := w.re.Before(&hosts)
		more.Keep(&inHost)
		more.Add(&hosts)
		if more == hosts {
			break
		}
		hosts = more
	}
	for _, ph := range [...]phase{afterSlashes, afterSlash, afterColon} {
		hosts = w.before(&hosts, ph)
	}
	// From the colon to the left, by breadth. Each end of a scheme leads back to a beginning: two ends of the same length, or one that is longer than a scheme
	// that is whole, are two schemes, whether or not the search gets to their names.
	const enough = 300
	queue := []tail{{at: w.re.Before(&hosts)}}
	first := w.re.First()
	for i := 0; i < len(queue) && len(w.schemes) < 2 && len(queue[i].text) < MaxScheme; i++ {
		if i == enough {
			w.severalSchemes = true // more than anybody writes
			break
		}
		for c := byte('+'); c <= 'z'; c++ {
			taken := w.keep(&queue[i].at, c, inScheme)
			if taken.Empty() || inScheme.next(c) != inScheme {
				continue
			}
			text := string(rune(c)) + queue[i].text
			w.severalSchemes = w.severalSchemes || len(w.schemes) > 0 || len(queue[len(queue)-1].text) == len(text)
			queue = append(queue, tail{w.re.Before(&taken), text})
			if taken.Keep(&first); atStart.next(c) == inScheme && !taken.Empty() {
				w.schemes = append(w.schemes, text)
			}
		}
	}
}

// schemesError is the error for an expression with several schemes.
func (w *siteWalk) schemesError() error {
	const fix = "write one pattern for each scheme"
	samples := append(wellFormedOf(w.re.Samples(maxSamples)), w.origins...)
	for i := range w.schemes {
		scheme := w.schemes[len(w.schemes)-1-i]
		for _, s := range samples {
			sample, rest, _ := cutScheme(s)
			if other := scheme + "://" + rest; sample != scheme && w.fits(other) {
				return bad("also admits "+other, fix)
			}
		}
	}
	return bad("admits origins of several schemes", fix)
}
