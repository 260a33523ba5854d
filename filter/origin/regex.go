package origin

import (
	"strings"

	"corsguard/filter/regex"
)

// ParseRegex parses a regular expression that is to match whole origins, and looks for what it should not admit: it is refused unless all origins that
// it matches have the same scheme and every site among them is written out in it (see siteWalk), so that nobody else's origin can match; and unless it
// keeps apart what is an origin and what only looks like one. Errors are of type *PatternError. The time is bounded whatever s is. It is not safe for
// concurrent use.
func ParseRegex(s string) (Pattern, error) {
	re, err := regex.Compile(s)
	if err != nil {
		e := err.(*regex.Error)
		return Pattern{}, bad(e.Reason, e.Fix)
	}
	if re.Match("null") {
		return Pattern{}, bad("also admits null", "set allowNull, if pages without an origin of their own shall read responses")
	}
	w := newSiteWalk(re)
	if err := w.run(); err != nil {
		return Pattern{}, err
	}
	if err := checkLookalikes(re, append(wellFormedOf(re.Samples(maxSamples)), w.origins...)); err != nil {
		return Pattern{}, err
	}
	p := Pattern{Kind: Regex, Scheme: w.schemes[0], Host: w.sites[0], Port: AnyPort, Regex: re, text: s}
	for _, site := range w.sites {
		if !IsLoopback(site) {
			p.Host = site
		}
	}
	return p, nil
}

// maxSamples bounds the samples that are looked at.
const maxSamples = 48

func wellFormedOf(all []string) []string {
	var origins []string
	for _, s := range all {
		if _, ok := Parse(s); ok {
			origins = append(origins, s)
		}
	}
	return origins
}

// checkLookalikes refuses an expression that matches what is no origin but reads like one. Nothing of the kind is ever asked for; whoever writes such an
// expression means something else, or carries it over to where it is.
func checkLookalikes(re *regex.Regexp, samples []string) error {
	if len(samples) == 0 {
		return errNoOrigin()
	}
	for _, s := range samples {
		switch upper := strings.ToUpper(s); {
		case re.Match(upper):
			return bad("also admits "+upper, "leave (?i) and upper case out: browsers send origins in lower case")
		case re.Match(s + ".evil.test"):
			return bad("also admits "+s+".evil.test", "end the expression with the host, or with a port such as (:[0-9]+)?")
		case re.Match(s + "/"):
			return bad("also admits "+s+"/", "end the expression with the host, or with a port such as (:[0-9]+)?")
		case re.Match(s + " "), re.Match(s + "\n"), re.Match(s + "\t"):
			return bad("also admits "+s+" with white space behind", "end the expression with the host, or with a port such as (:[0-9]+)?")
		}
	}
	return nil
}

func errNoOrigin() error {
	return bad("matches no origin that browsers send", `write one such as https://.*\.example\.com, with nothing behind the host but a port, and no default port`)
}

// AdmitsInsecure reports whether p matches http origins that are not of the user's own machine.
func (p *Pattern) AdmitsInsecure() bool {
	return p.Kind == Any || p.Scheme == "http" && !IsLoopback(p.Host)
}
