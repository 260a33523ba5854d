package config

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"corsguard/filter/origin"
	"corsguard/filter/policy"
)

// Document reads what a source gave: {"allowOrigins": […]}, or {"hosts": {"tenant.example.com": {"allowOrigins": […]}}}. Origins are checked as those of a configuration are, but
// that a list may be empty, and that `*` belongs into the configuration alone. It reads step by step, each byte once: a long document would keep a worker from its requests.
type Document struct {
	r       reader
	source  *policy.Source
	fetched *policy.Fetched
	scanner scanner
	// in is what the scanner is in, outermost first.
	in   []container
	host int32
	done bool
}

// container is an array or object of a document.
type container struct {
	kind containerKind
	key  string // under which it stands
	n    int    // members so far
}

type containerKind uint8

const (
	wholeObject   containerKind = iota
	hostsObject                 // the members are hosts
	hostObject                  // of one host
	originsArray                // a list
	maxContainers = 4
)

// Room returns a document with room for about as many origins as a text of size bytes has.
func Room(size int) *policy.Fetched {
	return policy.NewFetched(size / len(`"https://app.example.com",`))
}

// NewDocument begins to read text, the answer of source, into a document that is not in use. The text must not change as long as the document is used.
func NewDocument(text string, source *policy.Source, into *policy.Fetched) *Document {
	into.Reset()
	d := &Document{source: source, scanner: scanner{text: text}, in: make([]container, 0, maxContainers), fetched: into}
	d.host = d.fetched.EveryHost()
	switch {
	case len(text) > source.MaxBytes:
		d.fail(wholeDocument, "is longer than "+strconv.Itoa(source.MaxBytes)+" bytes", "give less, or raise maxBytes")
	case !d.scanner.skips('{'):
		d.malformed()
	default:
		d.in = append(d.in, container{kind: wholeObject})
	}
	return d
}

// path returns that of the innermost container. It is made where something is wrong: a document may have a hundred thousand.
func (d *Document) path() string {
	path := wholeDocument
	for i := 1; i < len(d.in); i++ {
		path = Key(path, d.in[i].key)
	}
	return path
}

const writeDocument = `write {"allowOrigins": […]}, or {"hosts": {"tenant.example.com": {"allowOrigins": […]}}}`

func (d *Document) fail(path, reason, fix string) {
	d.r.fail(path, "", reason, fix)
	d.done = true
}

func (d *Document) malformed() {
	d.fail(wholeDocument, "is not a JSON object, or not valid JSON, at byte "+strconv.Itoa(d.scanner.at), writeDocument)
}

// maxDocumentProblems bounds what is told of a document.
const maxDocumentProblems = 20

// Step reads n more elements, and reports whether that is all.
func (d *Document) Step(n int) (done bool) {
	for ; n > 0 && !d.done; n-- {
		c := &d.in[len(d.in)-1]
		closing := byte('}')
		if c.kind == originsArray {
			closing = ']'
		}
		switch isEnd, ok := d.scanner.next(c.n == 0, closing); {
		case !ok:
			d.malformed()
		case isEnd:
			d.leave()
		default:
			c.n++
			d.member(c)
		}
		d.done = d.done || d.r.mistakes >= maxDocumentProblems
	}
	return d.done
}

// leave ends the innermost container.
func (d *Document) leave() {
	c := d.in[len(d.in)-1]
	if c.kind == hostObject && c.n == 0 {
		d.r.fail(d.path(), "{}", "has no allowOrigins", `write {"allowOrigins": […]}`)
	}
	d.in = d.in[:len(d.in)-1]
	switch {
	case len(d.in) > 0:
	case !d.scanner.isAtEnd():
		d.malformed()
	case c.n == 0:
		d.fail(wholeDocument, "must have one of allowOrigins and hosts", writeDocument)
	default:
		d.done = true
	}
}

// member reads an element, or a key with its value as far as that is no container.
func (d *Document) member(c *container) {
	raw, ok := d.scanner.value()
	if !ok {
		d.malformed()
		return
	}
	v := gjson.Parse(raw)
	if c.kind == originsArray {
		d.add(raw, &v, c.n-1)
		return
	}
	if v.Type != gjson.String || !d.scanner.skips(':') {
		d.malformed()
		return
	}
	kind, opening := originsArray, byte('[')
	switch {
	case c.kind == hostsObject:
		kind, opening = hostObject, '{'
		d.enterHost(&v)
	case v.Str == "allowOrigins" && c.n == 1:
	case v.Str == "hosts" && c.kind == wholeObject && c.n == 1:
		kind, opening = hostsObject, '{'
	case c.n > 1:
		d.fail(Key(d.path(), v.Str), "stands beside another key", writeDocument)
		return
	default:
		d.fail(Key(d.path(), v.Str), "unknown key", writeDocument)
		return
	}
	if !d.scanner.skips(opening) {
		d.fail(Key(d.path(), v.Str), "has a value of the wrong type", writeDocument)
		return
	}
	d.in = append(d.in, container{kind: kind, key: v.Str})
}

func (d *Document) enterHost(key *gjson.Result) {
	name, subdomains, err := origin.ParseHost(key.Str)
	switch {
	case err != nil:
		d.r.refuse(Key(d.path(), key.Str), key, err)
	case subdomains:
		d.r.fail(Key(d.path(), key.Str), key.Raw, "stands for many hosts", "write each host")
	default:
		before := d.fetched.Hosts()
		if d.host = d.fetched.Host(name); d.fetched.Hosts() == before {
			d.r.fail(Key(d.path(), key.Str), key.Raw, "duplicate key", "write it once")
		}
	}
}

// add reads element i of a list.
func (d *Document) add(raw string, v *gjson.Result, i int) {
	known := len(d.r.errs)
	if p, ok := d.r.pattern("", i, v); ok {
		d.addPattern(raw, &p, i)
	}
	for ; known < len(d.r.errs); known++ {
		d.r.errs[known].Path = d.path() + d.r.errs[known].Path
	}
}

func (d *Document) addPattern(raw string, p *origin.Pattern, i int) {
	reason, fix := "", "list the origins"
	switch credentials := d.source.Credentials; {
	case p.Kind == origin.Any:
		reason = "any origin is not to be had from a document"
	case credentials && p.Kind == origin.AnyHost:
		reason = anyHostWithCredentials
	case credentials && !d.source.InsecureOK && p.AdmitsInsecure():
		reason, fix = insecureWithCredentials, "use https"
	case credentials && !d.source.PublicSuffixOK && p.SpansPublicSuffix():
		reason, fix = publicSuffixWithCredentials, "name the site"
	case !d.fetched.Add(d.host, p):
		reason, fix = "stands in the list already", "write it once"
	}
	if reason != "" {
		d.r.fail(Element("", i), raw, reason, fix)
	}
}

// Result returns what was read, once Step has reported that all was. An error is of type Error.
func (d *Document) Result() (*policy.Fetched, error) {
	if d.r.mistakes > 0 {
		return nil, Error(more(d.r.errs, d.r.mistakes))
	}
	return d.fetched, nil
}

// scanner takes a JSON text (RFC 8259) apart from left to right. What it passes over is valid.
type scanner struct {
	text string
	at   int
}

func (s *scanner) blanks() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return
		}
	}
}

// skips passes over c, and blanks before it, and reports whether it is there.
func (s *scanner) skips(c byte) bool {
	s.blanks()
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

func (s *scanner) isAtEnd() bool {
	s.blanks()
	return s.at == len(s.text)
}

// next goes to the next member of a container, or passes over its end. It reports which, and whether one of them is there.
func (s *scanner) next(isFirst bool, closing byte) (isEnd, ok bool) {
	if s.skips(closing) {
		return true, true
	}
	return false, isFirst || s.skips(',')
}

// literal passes over a number, true, false or null.
func (s *scanner) literal() (raw string, ok bool) {
	start := s.at
	for s.at < len(s.text) && s.at-start < maxElement && strings.IndexByte(",:]} \t\r\n", s.text[s.at]) < 0 {
		s.at++
	}
	raw = s.text[start:s.at]
	return raw, gjson.Valid(raw)
}

// maxElement bounds an element and a key.
const maxElement = 4096

// value passes over a value and returns its text, which is valid and no longer than maxElement.
func (s *scanner) value() (raw string, ok bool) {
	s.blanks()
	start, depth, inString := s.at, 0, false
	if start < len(s.text) && strings.IndexByte(`"[{`, s.text[start]) < 0 {
		return s.literal()
	}
	for end := false; !end; s.at++ {
		if s.at >= len(s.text) || s.at-start > maxElement {
			return "", false
		}
		switch c := s.text[s.at]; {
		case inString && c == '\\':
			s.at++
		case c == '"':
			inString = !inString
			end = !inString && depth == 0
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
			end = depth <= 0
		}
	}
	raw = s.text[start:min(s.at, len(s.text))]
	return raw, utf8.ValidString(raw) && gjson.Valid(raw)
}
