package advice

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/origin"
)

// origins looks at the patterns of a group.
func (a *advisor) origins(g *group, public bool) {
	for i := range g.patterns {
		p := &g.patterns[i]
		switch path := g.pattern(i); p.Kind {
		case origin.Any:
			a.note(anyOrigin, path, "pages of every site may read responses", "list the origins, unless everything here is public")
		case origin.AnyHost:
			a.note(anyOrigin, path, "every origin with the scheme "+p.Scheme+" may read responses", anyHostFix(p))
		default:
			a.pattern(g, p, path, public)
		}
	}
	a.shadowed(g)
	a.null(g)
	a.overrides(g)
}

func anyHostFix(p *origin.Pattern) string {
	if p.Scheme == "https" || p.Scheme == "http" {
		return "list the origins; or write *, which needs no Vary, if everything here is public"
	}
	return "list the origins"
}

func (a *advisor) pattern(g *group, p *origin.Pattern, path string, public bool) {
	if !isWeb(p) {
		return
	}
	host, loopback := p.Host, origin.IsLoopback(p.Host)
	warn := finding.Note
	if g.AllowCredentials {
		warn = finding.Warning
	}
	switch {
	case loopback && public:
		a.note(loopbackOrigin, path, p.String()+" is on the user's own machine", "take it out of what users get, and keep it in a configuration for developers")
	case loopback:
	case p.AdmitsInsecure():
		a.note(insecureOrigin, path, p.String()+" comes over the network unprotected", "write https, and serve the pages so")
	}
	if address, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && !loopback {
		a.note(addressOrigin, path, address.String()+" is an address", "give the machine a name, and a certificate for it")
	} else if why := privateReason(host); why != "" && public && !loopback {
		a.note(privateName, path, host+" "+why, "write a name below a domain of yours")
	}
	if loopback {
		return
	}
	if p.Port == origin.AnyPort && p.Kind != origin.Regex {
		a.add(anyPort, warn, path, p.String()+" takes every port", "write the ports out that there are, or none for the default one")
	}
	if p.Kind == origin.Regex {
		a.regex(g, p, path)
	}
	a.wildcard(g, p, path, warn)
}

// isWeb reports whether p is about hosts of the web: others have names of their own making behind the scheme.
func isWeb(p *origin.Pattern) bool { return p.Scheme == "https" || p.Scheme == "http" }

func (a *advisor) wildcard(g *group, p *origin.Pattern, path string, warn finding.Severity) {
	if p.Kind != origin.Subdomains && p.Kind != origin.InLabel {
		return
	}
	if p.SpansPublicSuffix() || isSuffix(p.Host) {
		severity := finding.Warning
		if g.AllowCredentials && !g.Dangerously["allowPublicSuffixWildcards"] {
			severity = finding.Error
		}
		a.add(publicSuffix, severity, path, "sites below "+p.Host+" belong to different owners"+private(p.Host), "write out the names that are yours")
		return
	}
	if domain, err := publicsuffix.EffectiveTLDPlusOne(p.Host); err == nil && domain == p.Host && p.Kind == origin.Subdomains && g.AllowCredentials {
		a.note(wholeDomain, path, "every name below "+domain+" reads what its visitors may", "list the subdomains that call this, and see that no DNS record leads to what is no longer yours")
	}
	if p.Kind == origin.InLabel && (isLetter(lastByte(p.Before)) || isLetter(firstByte(p.After))) {
		a.add(openLabel, warn, path, p.String()+" takes names of which that is only the beginning or the end", "write a hyphen between the letters and the wildcard, as in pr-*")
	}
}

// private says whether x/net's list has host for one of its private part: hosts that many share.
func private(host string) string {
	if suffix, icann := publicsuffix.PublicSuffix(host); suffix == host && !icann && strings.Contains(host, ".") {
		return ": many share that host"
	}
	return ""
}

// isSuffix reports whether host is a public suffix by x/net's list, or every name below it is one.
func isSuffix(host string) bool {
	suffix, _ := publicsuffix.PublicSuffix(host)
	child, _ := publicsuffix.PublicSuffix("corsguard-no-such-name." + host)
	return suffix == host || child != suffix && strings.HasSuffix(child, "."+host)
}

func lastByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[len(s)-1]
}

func firstByte(s string) byte {
	if s == "" {
		return 0
	}
	return s[0]
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

// privateEndings are the ends of names that are in no public DNS: reserved ones (RFC 2606, 6761, 6762, 8375, 9476, ICANN's internal), and those that networks have always had.
var privateEndings = []string{"local", "internal", "test", "example", "invalid", "home.arpa", "alt", "lan", "intranet", "corp", "home", "private", "localdomain"}

// privateReason says why host is in no public DNS, "" where it may be.
func privateReason(host string) string {
	if !strings.Contains(host, ".") {
		return "is a single label"
	}
	for _, ending := range privateEndings {
		if strings.HasSuffix(host, "."+ending) {
			return "ends in ." + ending + ", which is in no public DNS"
		}
	}
	return ""
}

// developing are labels of names of what is not for users yet.
var developing = map[string]bool{
	"dev": true, "develop": true, "development": true, "stage": true, "staging": true, "stg": true, "test": true, "testing": true, "qa": true, "uat": true, "int": true, "preview": true,
	"sandbox": true, "local": true, "ci": true, "demo": true,
}

// isPublicSite reports whether p is an https origin of a public name that does not look like one of developers.
func isPublicSite(p *origin.Pattern) bool {
	if p.Scheme != "https" || p.Host == "" || origin.IsLoopback(p.Host) || privateReason(p.Host) != "" {
		return false
	}
	if _, err := netip.ParseAddr(strings.Trim(p.Host, "[]")); err == nil {
		return false
	}
	for _, label := range strings.FieldsFunc(p.Left+p.Before+"."+p.Host, func(c rune) bool { return c == '.' || c == '-' }) {
		if developing[label] {
			return false
		}
	}
	return true
}

// maxCompared bounds the wildcards of a list that are compared with each other.
const maxCompared = 300

// shadowed finds patterns that another one of the list covers. What the plugin finds of that is said here, too.
func (a *advisor) shadowed(g *group) {
	var all origin.Set
	var wild []int
	for i := range g.patterns {
		if p := &g.patterns[i]; !p.IsLiteral() {
			wild = append(wild, i)
			all.Add(p, int32(len(wild)-1)) //nolint:gosec // a configuration has fewer
		}
	}
	if len(wild) == 0 {
		return
	}
	const fix = "leave one of them out"
	for i := range g.patterns {
		if p := &g.patterns[i]; p.IsLiteral() {
			if verdict, by := all.Match(p.String()); verdict == origin.Listed {
				a.note(shadowedPattern, g.pattern(i), g.patterns[wild[by]].String()+" covers it", fix)
			}
		}
	}
	if len(wild) > maxCompared {
		return
	}
	for _, i := range wild {
		for _, j := range wild {
			if i == j {
				continue
			}
			var one origin.Set
			one.Add(&g.patterns[j], 0)
			if one.Covers(&g.patterns[i]) {
				a.note(shadowedPattern, g.pattern(i), g.patterns[j].String()+" covers it", fix)
				break
			}
		}
	}
}

func (a *advisor) null(g *group) {
	if !g.AllowNull {
		return
	}
	severity := finding.Note
	for i := range g.patterns {
		if severity = finding.Warning; g.patterns[i].Kind == origin.Any {
			a.add(nullOrigin, severity, g.at("allowNull"), "adds nothing to any origin", "leave it out")
			return
		}
	}
	fix := "leave it out, or put it into a rule for what is public"
	if len(g.patterns) == 0 {
		fix = "list the origins that are meant, or keep it in a rule for what is public"
	}
	a.add(nullOrigin, severity, g.at("allowNull"), "every page can make itself a null origin, with a sandboxed frame", fix)
}

// overrides finds refusals that are switched off for nothing.
func (a *advisor) overrides(g *group) {
	insecure, suffix := false, false
	for i := range g.patterns {
		p := &g.patterns[i]
		insecure = insecure || p.AdmitsInsecure()
		suffix = suffix || p.SpansPublicSuffix()
	}
	used := map[string]bool{"allowInsecureOrigins": insecure && g.AllowCredentials, "allowPublicSuffixWildcards": suffix && g.AllowCredentials}
	for _, key := range []string{"allowInsecureOrigins", "allowPublicSuffixWildcards"} {
		if g.Dangerously[key] && !used[key] {
			a.note(needlessOverride, g.at("dangerously")+"."+key, "no pattern needs it", "leave it out")
		}
	}
}
