package origin

import "corsguard/filter/regex"

// findSchemes finds up to two schemes, the shorter one first, of origins whose host ends in ends.
func (w *siteWalk) findSchemes(ends regex.Set) {
	re := w.re
	inHost := w.reach[inLabel].Or(w.reach[afterDot]).Or(w.reach[inIPv6]).Or(w.reach[afterIPv6])
	hosts := ends
	for more := hosts; ; hosts = more {
		if more = hosts.Or(re.Before(hosts).And(inHost)); more == hosts {
			break
		}
	}
	colon := hosts
	for _, ph := range [...]phase{afterSlashes, afterSlash, afterColon} {
		colon = re.Before(colon).And(w.reach[ph])
	}
	type partial struct {
		at   regex.Set
		text string
	}
	queue := []partial{{re.Before(colon), ""}}
	for i := 0; i < len(queue) && i < maxSteps && len(w.schemes) < 2; i++ {
		if len(queue[i].text) == MaxScheme {
			break
		}
		for c := byte('+'); c <= 'z'; c++ {
			at := queue[i].at.And(w.reach[inScheme]).And(re.Taking(c))
			if at.Empty() || inScheme.next(c) != inScheme {
				continue
			}
			text := string(rune(c)) + queue[i].text
			if atStart.next(c) == inScheme && !at.And(re.First()).Empty() {
				w.schemes = append(w.schemes, text)
			}
			queue = append(queue, partial{re.Before(at), text})
		}
	}
}

func (w *siteWalk) severalSchemes() error {
	const fix = "write one pattern for each scheme"
	samples := append(w.origins, wellFormedOf(w.re.Samples(maxSites))...)
	for i := range w.schemes {
		scheme := w.schemes[len(w.schemes)-1-i]
		for _, s := range samples {
			sample, rest, _ := cutScheme(s)
			if other := scheme + "://" + rest; sample != scheme && w.fits(other) {
				return bad("also admits "+other, fix)
			}
		}
	}
	return bad("admits origins of several schemes, such as "+w.schemes[0]+" and "+w.schemes[1], fix)
}
