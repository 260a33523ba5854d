package advice

import (
	"fmt"
	"strings"

	"golang.org/x/net/publicsuffix"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/origin"
)

const (
	// samples is how many origins of a regular expression are looked at.
	samples = 48
	// fewSites is how many sites somebody writes out who knows them all.
	fewSites = 5
)

// regex looks at the sites among origins that a regular expression matches. The plugin refuses expressions that leave a site open, by its own list of public suffixes: here the newer
// list counts.
func (a *advisor) regex(g *group, p *origin.Pattern, path string) {
	sites := map[string]bool{}
	for _, s := range p.Regex.Samples(samples) {
		o, ok := origin.Parse(s)
		if !ok {
			continue
		}
		site, err := publicsuffix.EffectiveTLDPlusOne(o.Host)
		if err != nil {
			continue
		}
		sites[site] = true
		if site != p.Host && strings.HasSuffix(o.Host, site) && isOpen(p, s, site) {
			severity := finding.Warning
			if g.AllowCredentials {
				severity = finding.Error
			}
			suffix, _ := publicsuffix.PublicSuffix(site)
			a.add(publicSuffix, severity, path, "admits "+s+" and others like it, and sites below "+suffix+" belong to different owners"+private(suffix), "write out the names that are yours")
			return
		}
	}
	if len(sites) > fewSites {
		a.note(manySites, path, fmt.Sprintf("admits %d sites or more", len(sites)), "write out the origins that are meant")
	}
}

// isOpen reports whether p matches other names in place of site, which s ends in, so that it is not one of several that are written out.
func isOpen(p *origin.Pattern, s, site string) bool {
	at := strings.Index(s, site)
	label, _, _ := strings.Cut(site, ".")
	for i := at; i < at+len(label); i++ {
		for _, other := range []string{s[:i] + s[i:i+1] + s[i:], s[:i] + "q" + s[i+1:], s[:i] + "5" + s[i+1:]} {
			if _, ok := origin.Parse(other); ok && other != s && p.Regex.Match(other) {
				return true
			}
		}
	}
	return false
}
