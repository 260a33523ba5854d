package origin

import "corsguard/filter/regex"

// findTails finds the ends that an origin can have from its host's last byte on: none, and a port for each way that the expression goes through one.
func (w *siteWalk) findTails() {
	const digits = "8123456790"
	last := w.re.Last()
	host := last
	host.Keep(&w.reach[afterIPv6])
	name := last
	name.Keep(&w.reach[inLabel])
	host.Add(&name)
	w.tails = append(w.tails, tail{at: host})
	ports := []tail{{at: last}}
	for i := 0; i < len(ports); i++ {
		if len(ports) > maxPorts {
			w.manyPorts = true
			return
		}
		at, text := &ports[i].at, ports[i].text
		if colon := w.keep(at, ':', afterPortColon); text != "" && !colon.Empty() {
			w.tails = append(w.tails, tail{w.re.Before(&colon), ":" + text})
		}
		for d := 0; d < len(digits) && len(text) < len("65535"); d++ {
			digit := w.keep(at, digits[d], inPort)
			if digit.Empty() {
				continue
			}
			next := tail{w.re.Before(&digit), digits[d:d+1] + text}
			// Ports of the same length and with the same ways on differ in nothing that matters.
			for k := i + 1; k < len(ports); k++ {
				if ports[k].at == next.at && len(ports[k].text) == len(next.text) {
					next.text = ""
				}
			}
			if next.text != "" {
				ports = append(ports, next)
			}
		}
	}
}

// complete returns a well-formed origin that matches and whose host ends in suffix, or "" if it finds none. The host gets as short as it can.
func (w *siteWalk) complete(suffix string) string {
	for _, end := range w.tails {
		at := end.at
		for i := len(suffix) - 1; i >= 0; i-- {
			at = w.take(&at, suffix[i], suffix[i+1:])
			at = w.re.Before(&at)
		}
		host := w.prefix(tail{at, suffix})
		for _, scheme := range w.schemes {
			if s := scheme + "://" + host + end.text; w.fits(s) {
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

// prefix puts before the end of a host what makes it a whole one, or returns "". It searches by breadth, and passes over what leads where it has been.
func (w *siteWalk) prefix(end tail) string {
	queue := []tail{end}
	for i := 0; i < len(queue) && w.searched < maxSteps && !end.at.Empty(); i++ {
		w.searched++
		at, suffix := queue[i].at, queue[i].text
		if w.begins(&at, suffix) {
			return suffix
		}
		var last regex.Set
		for k := 0; k < len(hostBytes); k++ {
			taken := w.take(&at, hostBytes[k], suffix)
			if taken.Empty() || taken == last && hostBytes[k] != '.' {
				continue
			}
			last = taken
			next := tail{w.re.Before(&taken), hostBytes[k:k+1] + suffix}
			if !isKnown(queue, &next) {
				queue = append(queue, next)
			}
		}
	}
	return ""
}

// isKnown reports whether an end in all goes on to the left as t does.
func isKnown(all []tail, t *tail) bool {
	for i := range all {
		if all[i].at == t.at && all[i].text != "" && (all[i].text[0] == '.') == (t.text[0] == '.') {
			return true
		}
	}
	return false
}
