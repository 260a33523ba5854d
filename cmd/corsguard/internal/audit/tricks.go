package audit

import (
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
)

// kind is a way in which an origin may resemble one that is allowed.
type kind struct {
	rule    *finding.Rule
	purpose string
}

var (
	kindPrefix    = &kind{ruleOriginPrefix, "a host that begins like an allowed one"}
	kindSuffix    = &kind{ruleOriginSuffix, "a host that ends like an allowed one"}
	kindDot       = &kind{ruleOriginDot, "another character in place of a dot"}
	kindSpecial   = &kind{ruleOriginSpecial, "a special character after the host"}
	kindSubdomain = &kind{ruleAnySubdomain, "any subdomain"}
	kindPort      = &kind{ruleAnyPort, "another port"}
	kindInsecure  = &kind{ruleInsecureOrigin, "http in place of https"}
	kindLoose     = &kind{ruleLooseComparison, "an origin that browsers do not write so"}
	kindLoopback  = &kind{ruleLoopbackOrigin, "the visitor's own machine"}
	kindForeign   = &kind{ruleForeignScheme, "a file, or an unknown browser extension"}
)

// trick is an origin that is sent to see whether it passes.
type trick struct {
	kind   *kind
	origin string
	// of is the site that it resembles.
	of site
	// harmless says that no page can have the origin, or that its owner is the site's: that it passes shows how origins are compared, and nothing more.
	harmless bool
}

// trial is a trick and its answer.
type trial struct {
	trick
	probe *Probe
}

// specials may stand in host names as some browsers send them, beside those that every name has. Safari sends most of them; - and _ are sent by all.
var specials = []string{"-", "_", "!", "{", "`", "%60"}

// otherPort is one that no service has a habit of.
const otherPort = "61347"

// maxDots is how many of a host's dots are replaced, from the left.
const maxDots = 4

// tricks returns what to try for each site, the worst kind first over all sites, so that a limit cuts off the least important.
func (n names) tricks(sites []site) []trick {
	var all []trick
	for _, of := range []func(site) []trick{n.prefixes, n.suffixes, n.insecure, n.dots, n.subdomains, n.specials, n.ports, n.loose} {
		for _, at := range sites {
			if at.scheme == "https" || at.scheme == "http" { // an app's own scheme has one host, and no names to play with
				all = append(all, of(at)...)
			}
		}
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(t trick) bool {
		again := seen[t.origin] || slices.ContainsFunc(sites, func(at site) bool { return at.String() == t.origin })
		seen[t.origin] = true
		return again
	})
}

func with(k *kind, of site, host string) trick {
	return trick{kind: k, origin: site{of.scheme, host, of.port}.String(), of: of}
}

func (n names) prefixes(at site) []trick {
	if at.isIPv6() {
		return nil
	}
	return []trick{with(kindPrefix, at, at.host+"."+n.label+".test")}
}

func (n names) suffixes(at site) []trick {
	if !at.isName() {
		return nil
	}
	name := registrable(at.host)
	all := []trick{with(kindSuffix, at, n.label+name), with(kindSuffix, at, n.label+"-"+name)}
	if name != at.host {
		own := with(kindSuffix, at, n.label+at.host)
		own.harmless = true
		all = append(all, own)
	}
	return all
}

// insecure returns the http twin: whoever is between the visitor and the server can write its pages.
func (n names) insecure(at site) []trick {
	if at.scheme != "https" {
		return nil
	}
	return []trick{{kind: kindInsecure, origin: site{"http", at.host, at.port}.String(), of: at}}
}

// dots replaces one dot at a time, as a regular expression does in which it is not escaped.
func (n names) dots(at site) []trick {
	if !at.isName() {
		return nil
	}
	var all []trick
	for i, c := range at.host {
		if c != '.' || len(all) == maxDots {
			continue
		}
		t := with(kindDot, at, at.host[:i]+"x"+at.host[i+1:])
		host := t.origin[len(at.scheme)+3:]
		t.harmless = !strings.Contains(host, ".") || strings.HasSuffix(host, "."+registrable(at.host)) || i == strings.LastIndexByte(at.host, '.')
		all = append(all, t)
	}
	return all
}

func (n names) subdomains(at site) []trick {
	if !at.isName() {
		return nil
	}
	return []trick{with(kindSubdomain, at, n.label+"."+registrable(at.host)), with(kindSubdomain, at, n.label+"."+at.host)}
}

func (n names) specials(at site) []trick {
	if at.isIPv6() {
		return nil
	}
	all := make([]trick, 0, len(specials))
	for _, c := range specials {
		all = append(all, with(kindSpecial, at, at.host+c+"."+n.label+".test"))
	}
	return all
}

// ports appends a digit where there is a port: a prefix of it may be all that is compared.
func (n names) ports(at site) []trick {
	port := otherPort
	if at.port != "" && len(at.port) < 5 {
		port = at.port + "0"
	}
	return []trick{{kind: kindPort, origin: site{at.scheme, at.host, port}.String(), of: at}}
}

// loose returns what a browser never sends for the site, or means by it another host that is the site's.
func (n names) loose(at site) []trick {
	if at.isIPv6() {
		return nil
	}
	all := []trick{
		with(kindLoose, at, strings.ToUpper(at.host)),
		with(kindLoose, at, at.host+"@"+n.label+".test"),
	}
	if at.isName() {
		all = append(all, with(kindLoose, at, at.host+"."))
	}
	for i := range all {
		all[i].harmless = true
	}
	return slices.DeleteFunc(all, func(t trick) bool { return t.origin == at.String() })
}

// others returns the origins that have nothing to do with a site.
func (n names) others(loopback bool) []trick {
	all := []trick{{kind: kindForeign, origin: n.extension()}, {kind: kindForeign, origin: "file://"}}
	if loopback {
		for _, o := range []string{"http://localhost", "http://localhost:3000", "http://127.0.0.1"} {
			all = append(all, trick{kind: kindLoopback, origin: o})
		}
	}
	return all
}
