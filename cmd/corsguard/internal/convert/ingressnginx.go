package convert

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

// ingress-nginx 1.13 (internal/ingress/annotations/cors, rootfs/etc/nginx/template/nginx.tmpl). With enable-cors: origin *, credentials allowed, the methods and headers
// below (and DNT and Keep-Alive, which browsers forbid) and 1728000 seconds, where nothing else is written. Origins are a list with commas; in one, *. stands for one label of letters, digits and hyphens. A * among
// them makes the whole list *, which is sent as it is, so that browsers refuse it with credentials. Lists are sent as they are. Annotations hold for all paths of an
// Ingress. In nginx the exact path wins, then the longest; a path of type ImplementationSpecific is a prefix that ends anywhere, and with use-regex or a rewrite-target
// on one Ingress of a host, all paths of the host are expressions without regard to case, not anchored at their end.

const (
	nginxPrefix  = "nginx.ingress.kubernetes.io/"
	nginxMethods = "GET, PUT, POST, DELETE, PATCH, OPTIONS"
	nginxHeaders = "User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization"
	nginxMaxAge  = 1728000
)

var nginxKeys = []string{
	"enable-cors", "cors-allow-origin", "cors-allow-methods", "cors-allow-headers", "cors-expose-headers", "cors-allow-credentials", "cors-max-age",
}

var (
	nginxOrigin = regexp.MustCompile(`^(([A-Za-z][A-Za-z0-9+.-]*://)?(\*\.)?[A-Za-z0-9.-]*(:[0-9]+)?|\*)$`)
	nginxMethod = regexp.MustCompile(`^([A-Za-z]+,?\s?)+$`)
	nginxHeader = regexp.MustCompile(`^([A-Za-z0-9*_-]+,?\s?)+$`)
)

func isIngress(n *node) bool { return n.get("kind").str() == "Ingress" }

// nginxPath is a location, with what decides its place.
type nginxPath struct {
	scope
	isExact bool
	length  int
	owner   *node
}

func (c *converter) ingressNginx(docs []*node) {
	docs = slices.DeleteFunc(slices.Clone(docs), func(n *node) bool { return !isIngress(n) })
	if len(docs) == 0 {
		return
	}
	byHost := map[string][]nginxPath{}
	ats := map[string]*node{}
	var hosts []string
	regexHosts := nginxRegexHosts(docs)
	for _, doc := range docs {
		var ingress networkingv1.Ingress
		if err := yaml.Unmarshal(doc.without("status").JSON(), &ingress); err != nil {
			c.invalid(doc, "is no Ingress: "+err.Error(), "")
			continue
		}
		g := c.nginxGrant(doc)
		rules := doc.dig("spec", "rules")
		for i, rule := range ingress.Spec.Rules {
			host := strings.ToLower(rule.Host)
			if host == "" {
				host = "*"
			}
			if ats[host] == nil {
				ats[host] = doc
				hosts = append(hosts, host)
			}
			n := at(rules.list(), i, doc)
			if rule.HTTP == nil {
				byHost[host] = append(byHost[host], nginxPath{scope: scope{name: objectName(doc), at: n, grant: g}, owner: doc})
				continue
			}
			for _, p := range rule.HTTP.Paths {
				byHost[host] = append(byHost[host], c.nginxPath(doc, n, g, &p, regexHosts[host]))
			}
		}
		if ingress.Spec.DefaultBackend != nil {
			if ats["*"] == nil {
				ats["*"] = doc
				hosts = append(hosts, "*")
			}
			byHost["*"] = append(byHost["*"], nginxPath{scope: scope{name: objectName(doc) + "-default", at: doc, grant: g}, owner: doc})
		}
	}
	var vhosts []virtualHost
	for _, h := range hosts {
		vhosts = c.addVirtualHost(vhosts, ats[h], h, c.nginxOrder(byHost[h]))
	}
	c.finish(docs[0], "", c.flatten(vhosts))
}

// nginxRegexHosts returns the hosts whose paths are expressions.
func nginxRegexHosts(docs []*node) map[string]bool {
	hosts := map[string]bool{}
	for _, doc := range docs {
		annotations := doc.dig("metadata", "annotations")
		if annotations.get(nginxPrefix+"use-regex").str() != "true" && annotations.get(nginxPrefix+"rewrite-target") == nil {
			continue
		}
		for _, rule := range doc.dig("spec", "rules").list() {
			host := strings.ToLower(rule.get("host").str())
			if host == "" {
				host = "*"
			}
			hosts[host] = true
		}
	}
	return hosts
}

func (c *converter) nginxPath(doc, n *node, g *grant, p *networkingv1.HTTPIngressPath, expressions bool) nginxPath {
	s := scope{name: objectName(doc) + p.Path, at: n, grant: g}
	out := nginxPath{length: len(p.Path), owner: doc}
	kind := networkingv1.PathTypeImplementationSpecific
	if p.PathType != nil {
		kind = *p.PathType
	}
	path := p.Path
	if path == "" {
		path = "/"
	}
	switch {
	case expressions && path == "/":
		out.scope = s
	case expressions:
		out.scope = s.with(c.regexPath(path, "(?i)"+path+".*"))
	case kind == networkingv1.PathTypeExact:
		out.isExact = true
		out.scope = s.with(c.exactPath(path))
	case kind == networkingv1.PathTypePrefix:
		out.scope = s.with(c.segmentPrefix(path))
	default:
		out.scope = s.with(c.stringPrefix(path))
	}
	return out
}

// nginxOrder puts paths into the order in which nginx looks at them.
func (c *converter) nginxOrder(paths []nginxPath) []scope {
	slices.SortStableFunc(paths, func(a, b nginxPath) int {
		if a.isExact != b.isExact {
			if a.isExact {
				return -1
			}
			return 1
		}
		return b.length - a.length
	})
	var out []scope
	for i := range paths {
		s := paths[i].scope
		for j := range paths {
			if paths[i].owner != paths[j].owner && slices.Equal(paths[i].paths, paths[j].paths) && paths[i].grant.key() != paths[j].grant.key() {
				c.add(scopeConflict, s.at, "another Ingress has the same host and path, with other settings; nothing is granted for it", "keep one of them")
				s.grant = nil
				break
			}
		}
		out = append(out, s)
	}
	return out
}

func (c *converter) nginxGrant(doc *node) *grant {
	annotations := doc.dig("metadata", "annotations")
	if annotations == nil {
		return nil
	}
	for i, key := range annotations.keys {
		if name, ok := strings.CutPrefix(key, nginxPrefix); ok && strings.Contains(name, "cors") && !contains(nginxKeys, name) {
			c.addAt(unknownKey, annotations.keyAt[i], "the annotation "+strconv.Quote(key)+" is not known", "look whether it is spelled right")
		}
	}
	get := func(name string) *node { return annotations.get(nginxPrefix + name) }
	if on, err := strconv.ParseBool(get("enable-cors").str()); err != nil || !on {
		return nil
	}
	age := int64(nginxMaxAge)
	s := &settings{at: annotations, starSent: true, credentials: true, maxAge: &age, maxAgeAt: get("cors-max-age")}
	if on, err := strconv.ParseBool(get("cors-allow-credentials").str()); err == nil {
		s.credentials = on
	}
	if n := get("cors-max-age"); n != nil {
		if v, err := strconv.ParseInt(n.text, 10, 64); err == nil {
			s.maxAge = &v
		} else {
			c.lost(n, strconv.Quote(n.text)+" is no number, so the default counts", "")
		}
	}
	c.nginxOrigins(s, get("cors-allow-origin"))
	s.methods = c.nginxNames(get("cors-allow-methods"), nginxMethods, nginxMethod, annotations)
	s.headers = c.nginxNames(get("cors-allow-headers"), nginxHeaders, nginxHeader, annotations)
	s.expose = splitNames(get("cors-expose-headers"), sentStar)
	return c.grantOf(s)
}

func (c *converter) nginxOrigins(s *settings, n *node) {
	if n.str() == "" {
		s.origins = []originEntry{{anyOrigin, "*", s.at}}
		return
	}
	for _, text := range strings.Split(n.text, ",") {
		text = strings.ToLower(strings.TrimSpace(text)) // nginx compares without regard to case
		switch {
		case text == "*":
			s.origins = []originEntry{{anyOrigin, "*", n}}
			return
		case !nginxOrigin.MatchString(text):
			c.invalid(n, strconv.Quote(text)+" is no origin that ingress-nginx takes; it is left out", "")
		case strings.Contains(text, "*"):
			s.origins = append(s.origins, originEntry{labelOrigin, text, n})
		default:
			s.origins = append(s.origins, originEntry{exactOrigin, text, n})
		}
	}
}

// nginxNames reads a list. What is not valid is replaced by the default there, which may be more: nothing is granted by it here.
func (c *converter) nginxNames(n *node, otherwise string, valid *regexp.Regexp, annotations *node) names {
	switch {
	case n.str() == "":
		return fixed(annotations, strings.Split(strings.ReplaceAll(otherwise, " ", ""), ",")...)
	case !valid.MatchString(n.text) && n.text != "*":
		c.invalid(n, strconv.Quote(n.text)+" is no list that ingress-nginx takes; it is left out", "write names with commas between them")
		return names{at: n}
	}
	return splitNames(n, sentStar)
}
