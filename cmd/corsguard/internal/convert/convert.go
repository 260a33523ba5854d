// Package convert makes Corsguard configurations from other products' CORS settings. What it writes never grants what the source does not: where the source is
// wider than Corsguard allows, or cannot be said, the narrower thing or nothing is written, and a finding says what was left out, why, and what to write by hand.
package convert

import (
	"fmt"
	"slices"
	"strings"

	"corsguard/cmd/corsguard/internal/finding"
	"corsguard/filter/config"
)

// Input is a file to convert.
type Input struct {
	File string // for messages
	Data []byte
}

// Configuration is one Corsguard configuration. The plugin accepts it.
type Configuration struct {
	// Name says what it was made from; it may be empty.
	Name string
	JSON []byte
	// Targets is the JSON of the targetRef, targetRefs and targetSelectors of the source, an object, where it has any.
	Targets []byte
	// Namespace is that of the source object; it may be empty.
	Namespace string
}

// Result is what a conversion makes. Configurations is empty where nothing could be kept; then there is a finding of severity Error.
type Result struct {
	From           string
	Configurations []Configuration
	Findings       []finding.Finding
}

// product is a source that can be converted.
type product struct {
	name string
	// about names the version whose semantics are taken.
	about string
	// knows reports whether a document is of the product.
	knows func(*node) bool
	// convert adds configurations made from the documents that the product knows.
	convert func(*converter, []*node)
}

// products are all sources, those first whose documents say clearly what they are.
var products = []product{
	{"istio", "Istio 1.31, VirtualService (networking.istio.io/v1, v1beta1, v1alpha3)", isVirtualService, (*converter).istio},
	{"gateway-api", "Gateway API 1.5, HTTPRoute filters of type CORS", isHTTPRoute, (*converter).gatewayAPI},
	{"envoy-gateway", "Envoy Gateway 1.7, SecurityPolicy (gateway.envoyproxy.io/v1alpha1)", isSecurityPolicy, (*converter).envoyGateway},
	{"ingress-nginx", "ingress-nginx 1.13, annotations nginx.ingress.kubernetes.io/*", isIngress, (*converter).ingressNginx},
	{"kong", "Kong Gateway 3.9, plugin cors in declarative configuration or a KongPlugin", isKong, (*converter).kong},
	{"traefik", "Traefik 3.5, headers middleware as a resource, in a file or as labels", isTraefik, (*converter).traefik},
	{"envoy", "Envoy 1.37, CorsPolicy alone or in a bootstrap, listener or route configuration", isEnvoy, (*converter).envoy},
	{"spring", "Spring Framework 6.2 and Spring Cloud Gateway 4.2, CorsConfiguration by path", isSpring, (*converter).spring},
	{"rs-cors", "github.com/rs/cors 1.11, Options", isRSCORS, (*converter).rsCORS},
	{"express", "the npm package cors 2.8, its options", isExpress, (*converter).express},
}

// Auto is the source that is found out from the documents.
const Auto = "auto"

// Sources returns the names that Convert takes for a source, Auto first.
func Sources() []string {
	names := []string{Auto}
	for i := range products {
		names = append(names, products[i].name)
	}
	return names
}

// Abouts returns a line for each source: its name, and the version of the product whose semantics are taken.
func Abouts() [][2]string {
	var lines [][2]string
	for i := range products {
		lines = append(lines, [2]string{products[i].name, products[i].about})
	}
	return lines
}

// Convert converts inputs, which belong together: objects of one product that are in force at once. The error is about input that cannot be read, or whose product
// cannot be told; an InternalError is a fault of this package.
func Convert(inputs []Input, from string) (*Result, error) {
	var docs []*node
	for _, in := range inputs {
		read, err := readDocuments(in.File, in.Data)
		if err != nil {
			return nil, err
		}
		docs = append(docs, unpacked(read)...)
	}
	p, docs, err := choose(docs, from)
	if err != nil {
		return nil, err
	}
	c := &converter{product: p.name}
	p.convert(c, docs)
	if c.internal != nil {
		return nil, c.internal
	}
	if len(c.result) == 0 {
		c.add(nothingLeft, docs[0], "nothing that could be kept grants anything, so no policy is written", "see the other findings")
	}
	finding.Sort(c.findings)
	return &Result{From: p.name, Configurations: c.result, Findings: c.findings}, nil
}

// unpacked returns docs with the items of Kubernetes lists in place of the lists.
func unpacked(docs []*node) []*node {
	var out []*node
	for _, d := range docs {
		if items := d.get("items"); strings.HasSuffix(d.get("kind").str(), "List") && items.is(listNode) {
			out = append(out, items.items...)
			continue
		}
		out = append(out, d)
	}
	return out
}

// choose returns the product, and its documents.
func choose(docs []*node, from string) (*product, []*node, error) {
	if len(docs) == 0 {
		return nil, nil, fmt.Errorf("there is nothing to convert: the input is empty")
	}
	if from != Auto {
		for i := range products {
			if products[i].name == from {
				return &products[i], docs, nil
			}
		}
		return nil, nil, fmt.Errorf("--from %q: write %s", from, strings.Join(Sources(), ", "))
	}
	var found []string
	var chosen *product
	for i := range products {
		p := &products[i]
		if slices.ContainsFunc(docs, p.knows) {
			found = append(found, p.name)
			chosen = p
		}
	}
	switch len(found) {
	case 0:
		return nil, nil, fmt.Errorf("%s: has no CORS settings of a known product: write --from with one of %s", docs[0].file, strings.Join(Sources()[1:], ", "))
	case 1:
		return chosen, docs, nil
	}
	return nil, nil, fmt.Errorf("%s: may be of several products: write --from %s", docs[0].file, strings.Join(found, " or --from "))
}

// InternalError is a configuration that this package made and the plugin refuses: a fault of this package.
type InternalError struct{ Problems, JSON string }

// Error returns what the plugin says.
func (e *InternalError) Error() string {
	return "internal error: the converted policy is refused by the plugin, and is not written; please report it: " + e.Problems
}

// converter collects what a conversion makes.
type converter struct {
	product  string
	result   []Configuration
	findings []finding.Finding
	said     map[saying]bool
	checked  map[string]config.Error // of snippets that Parse was asked about
	internal error
}

// saying is what makes two findings the same.
type saying struct {
	rule    *finding.Rule
	at      finding.Place
	message string
}

// add adds a finding about n.
func (c *converter) add(rule *finding.Rule, n *node, message, fix string) {
	c.addAt(rule, n.place(), message, fix)
}

func (c *converter) addAt(rule *finding.Rule, at finding.Place, message, fix string) {
	c.addAs(rule, rule.Severity, at, message, fix)
}

func (c *converter) addAs(rule *finding.Rule, severity finding.Severity, at finding.Place, message, fix string) {
	f := finding.New(rule, at, message, fix)
	f.Severity = severity
	said := saying{rule, at, message} // what aliases and inherited policies repeat is said once
	if c.said[said] {
		return
	}
	if c.said == nil {
		c.said = map[saying]bool{}
	}
	c.said[said] = true
	c.findings = append(c.findings, f)
}

// takeBack removes the findings from n on.
func (c *converter) takeBack(n int) {
	for _, f := range c.findings[n:] {
		delete(c.said, saying{f.Rule, f.Place, f.Message})
	}
	c.findings = c.findings[:n]
}

// once adds a finding unless there is one of its rule.
func (c *converter) once(rule *finding.Rule, n *node, message, fix string) {
	c.onceAs(rule, rule.Severity, n, message, fix)
}

func (c *converter) onceAs(rule *finding.Rule, severity finding.Severity, n *node, message, fix string) {
	for i := range c.findings {
		if c.findings[i].Rule == rule {
			return
		}
	}
	c.addAs(rule, severity, n.place(), message, fix)
}

// unknown adds findings for the keys of n that are not in known.
func (c *converter) unknown(n *node, known ...string) {
	if n == nil {
		return
	}
	for i, key := range n.keys {
		if !slices.Contains(known, key) {
			c.addAt(unknownKey, n.keyAt[i], fmt.Sprintf("the key %q is not known", key), "look whether it is spelled right; if it is, write what it means by hand")
		}
	}
}

// unknownFold is unknown for keys in any style.
func (c *converter) unknownFold(n *node, known ...string) {
	if n == nil {
		return
	}
	for i, key := range n.keys {
		if !slices.ContainsFunc(known, func(k string) bool { return plain(k) == plain(key) }) {
			c.addAt(unknownKey, n.keyAt[i], fmt.Sprintf("the key %q is not known", key), "look whether it is spelled right; if it is, write what it means by hand")
		}
	}
}
