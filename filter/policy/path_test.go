package policy

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestPathsAreBroughtIntoCanonicalForm(t *testing.T) {
	for path, want := range map[string]string{
		"/": "/", "/a": "/a", "/a/": "/a/", "/a/b": "/a/b", "/A": "/A",
		"//": "/", "///": "/", "//a": "/a", "/a//b": "/a/b", "/a//": "/a/", "/a///b//": "/a/b/",
		"/%61": "/a", "/%41%62": "/Ab", "/%7E%7e": "/~~", "/%2561": "/a", "/%252561": "/a", "/%25%36%31": "/a", "/%2%36%31": "/&1", "/%%36%31": "/a",
		"/a%2Fb": "/a/b", "/a%2fb": "/a/b", "/a%252Fb": "/a/b", `/a\b`: "/a/b", "/a%5Cb": "/a/b", "/a%5cb": "/a/b", `/\a`: "/a", "/%2F%2Fa": "/a", `/a\`: "/a/",
		"/a;x": "/a", "/a;x=1;y/b": "/a/b", "/;x": "/", "/;x/a": "/a", "/a/;x": "/a/", "/a;/": "/a/", "/a%3Bx/b": "/a/b", "/a%5Cb;x": "/a/b", "/a%2fb/c;d": "/a/b/c", "/a;x/b%2Fc": "/a/b/c",
		"/%20": "/%20", "/ ": "/%20", "/%c3%a9": "/%C3%A9", "/\xc3\xa9": "/%C3%A9", "/\x7f": "/%7F", "/%0a": "/%0A",
		"/%": "/%25", "/%4": "/%254", "/%zz": "/%25zz", "/%25": "/%25", "/%25zz": "/%25zz", "/%2525": "/%25", "/%3F": "/%3F", "/%3fx": "/%3Fx", "/%23": "/%23", "/%22%3c%3E": "/%22%3C%3E", `/"<>`: "/%22%3C%3E",
		"/%2A*": "/**", "/a,b:c@d!$&'()+=": "/a,b:c@d!$&'()+=", "/.well-known/x": "/.well-known/x", "/...": "/...", "/a.": "/a.", "/.a": "/.a",
	} {
		got, isClear := CanonicalPath(path)
		if got != want || !isClear {
			t.Errorf("%q: %q, %v; want %q", path, got, isClear, want)
		}
	}
	for _, path := range []string{
		"/.", "/..", "/a/.", "/a/..", "/./a", "/../a", "/a/../b", "/%2e", "/%2E%2e/a", "/.%2e/a", "/%252e%252e/a", "/..;x/a", "/a/..;/b", "/..%2fa", `/..\a`, "/..%5ca", "/a%2f..", "/%2e%2e%2fa", "/a;x/..", "/.;",
		"/%00", "/\x00", "/a%00b", "/%c0%af", "/\xc0\xaf", "/%u0061", "/%25u0061", "/%U002F",
		"/a;x%2Fb", `/a;x\b`, "/a%3Bx%2Fb", "/a;x%252fb", "/;%2f", "/a%5Cb;x%5C",
	} {
		if got, isClear := CanonicalPath(path); isClear {
			t.Errorf("%q: %q, and no dot segment is seen", path, got)
		}
	}
}

var (
	triplet  = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	repeated = regexp.MustCompile(`/{2,}`)
	params   = regexp.MustCompile(`;[^/\\]*`)
)

// refCanonical takes one step after the other until nothing changes.
func refCanonical(path string) string {
	for {
		decoded := decodeIf(path, isUndone)
		if decoded == path {
			break
		}
		path = decoded
	}
	path = params.ReplaceAllString(path, "")
	path = repeated.ReplaceAllString(strings.ReplaceAll(path, `\`, "/"), "/")
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '%' && triplet.MatchString(path[i:min(i+3, len(path))]):
			b.WriteString(strings.ToUpper(path[i : i+3]))
			i += 2
		case isPlainPathByte(c):
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(0x100|uint64(c), 16)[1:]))
		}
	}
	return b.String()
}

// readOtherwise finds what is canonical and looked at again all the same.
var readOtherwise = regexp.MustCompile(`%(25|3F|23|00|C0|C1)`)

var dotSegment = regexp.MustCompile(`/\.{1,2}(/|$)`)

func checkCanonical(t *testing.T, path string) {
	t.Helper()
	got, isClear := CanonicalPath(path)
	if want := refCanonical(path); got != want || isClear && dotSegment.MatchString(want) {
		t.Fatalf("%q: %q, %v; want %q", path, got, isClear, want)
	}
	if again, _ := CanonicalPath(got); again != got {
		t.Fatalf("%q: %q, and that is %q", path, got, again)
	}
	if got == path && !isCanonicalPath(path) && !dotSegment.MatchString(path) && !readOtherwise.MatchString(path) {
		t.Fatalf("%q is canonical, and does not pass for it", path)
	}
	if isCanonicalPath(path) && (got != path || !isClear) {
		t.Fatalf("%q passes for canonical, and is %q, %v", path, got, isClear)
	}
}

func FuzzCanonicalPath(f *testing.F) {
	for _, s := range someParts {
		f.Add("/" + s)
		f.Add("/a/" + s + "/b" + s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if len(path) < 4096 {
			checkCanonical(t, "/"+path)
		}
	})
}

func TestCanonicalPathsAgreeWithTheReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		if path := randomPath(r); strings.HasPrefix(path, "/") {
			checkCanonical(t, path)
		}
	}
}

// undoings are what services do to paths, wherever it is to be done.
var undoings = []func(path string) string{
	func(path string) string { return repeated.ReplaceAllString(path, "/") },
	func(path string) string { return params.ReplaceAllString(path, "") },
	func(path string) string { return triplet.ReplaceAllStringFunc(path, strings.ToUpper) },
}

// undoWith does some of undoings and more, in any order.
func undoWith(r *rand.Rand, path string, more ...func(path string) string) string {
	all := slices.Concat(undoings, more)
	for range 1 + r.IntN(6) {
		path = pick(r, all)(path)
	}
	return path
}

// decodeIf decodes the triplets of the bytes for which ok says so.
func decodeIf(path string, ok func(c byte) bool) string {
	return triplet.ReplaceAllStringFunc(path, func(s string) string {
		if n, _ := strconv.ParseUint(s[1:], 16, 8); ok(byte(n)) {
			return string(rune(n))
		}
		return s
	})
}

// isUndone is what the reference decodes.
func isUndone(c byte) bool { return isPlainPathByte(c) || strings.IndexByte(`;\%`, c) >= 0 }

// undoSome does some of what services do to paths, in some places, and so gives a reading between the path as it came and its canonical form.
func undoSome(r *rand.Rand, path string) string {
	return undoWith(r, path,
		func(path string) string {
			return decodeIf(path, func(c byte) bool { return r.IntN(2) == 0 && isUndone(c) })
		},
		func(path string) string { return strings.ReplaceAll(path, `\`, "/") },
		func(path string) string { return strings.Replace(path, "//", "/", 1) })
}

// undoKinds undoes some kinds of things, each wherever it is: what is undone in one place and left in another is no reading.
func undoKinds(r *rand.Rand, path string) string {
	separators := strings.NewReplacer(`\`, "/", "%2F", "/", "%2f", "/", "%5C", "/", "%5c", "/")
	return undoWith(r, path,
		func(path string) string {
			return decodeIf(path, func(c byte) bool { return c != '/' && isPlainPathByte(c) })
		},
		separators.Replace,
		func(path string) string { return strings.ReplaceAll(path, "%25", "%") })
}

// A service that undoes only a part of what the canonical form undoes still serves a path for which the rule that decided was meant.
func TestNoReadingInBetweenBelongsToAnotherRule(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	differ := 0
	for range 3000 {
		rules := randomRules(t, r)
		compiled := compileRules(t, rules)
		for range 40 {
			q := Target{Authority: pick(r, someAuthorities), Path: withoutQuery(randomPath(r)), Route: pick(r, someRoutes)}
			if !strings.HasPrefix(q.Path, "/") {
				continue
			}
			rule, p := compiled.Pick(&q)
			if p.closed {
				continue
			}
			served := undoSome(r, q.Path)
			if names(rules, RegexPath) {
				served = undoKinds(r, q.Path)
			}
			if served != q.Path {
				differ++
			}
			if got := firstOf(rules, hostOf(q.Authority), served, q.Route); got != rule && !dotSegment.MatchString(served) {
				t.Fatalf("%q is decided by rule %d; a service that serves it as %q serves what rule %d is for, among %s", q.Path, rule, served, got, describe(rules))
			}
		}
	}
	if differ < 2000 {
		t.Errorf("only %d paths could be read in between", differ)
	}
}

func TestACanonicalPathIsAtMostThreeTimesAsLong(t *testing.T) {
	for _, unit := range []string{"%25", "%", "%2", "//", ";", "%2525", "%25%36%31", `\`, "/.", "%2e", "\xff"} {
		path := "/" + strings.Repeat(unit, 60_000/len(unit))
		if got, _ := CanonicalPath(path); len(got) > 3*len(path) {
			t.Errorf("%q…: %d bytes of %d", unit, len(got), len(path))
		}
	}
}
