package regex

import (
	"regexp"
	"strings"
	"testing"
)

// accepted holds expressions with strings that they match and strings that they do not.
var accepted = []struct {
	text, matches, misses string // strings separated by spaces; "" stands for the empty one
}{
	{`https://.*\.example\.com`, `https://a.example.com https://a/.example.com`, `https://example.com https://a.example.com. https://a.examplexcom`},
	{`https://pr-[0-9]+\.preview\.example\.com`, `https://pr-17.preview.example.com`, `https://pr-.preview.example.com`},
	{`/v[0-9]+/.*`, `/v1/ /v12/a/b`, `/v/ /v1`},
	{`^https://a\.test$`, `https://a.test`, `https://a.testx xhttps://a.test`},
	{``, `""`, `a`}, {`a|`, `"" a`, `aa`}, {`(a|)b`, `b ab`, `a aab`}, {`()`, `""`, `a`}, {`|`, `""`, `|`}, {`a||b`, `a b ""`, `ab`},
	{`a*`, `"" a aaa`, `b ab`}, {`a+?`, `a aa`, `""`}, {`a??b`, `b ab`, `aab`}, {`a*?`, `"" aa`, `b`}, {`a{2}?`, `aa`, `a aaa`},
	{`a{2}`, `aa`, `a aaa`}, {`a{2,}`, `aa aaaaa`, `a`}, {`a{1,3}`, `a aa aaa`, `"" aaaa`}, {`a{0}`, `""`, `a`}, {`a{0}b`, `b`, `ab`}, {`a{0,}`, `"" aa`, `b`}, {`(ab){0,2}`, `"" ab abab`, `ababab`},
	{`a{,2}`, `a{,2}`, `a aa ""`}, {`a{`, `a{`, `a`}, {`{`, `{`, `""`}, {`a{01}`, `a{01}`, `a`}, {`a{1`, `a{1`, `a`}, {`a{1,`, `a{1,`, `a`}, {`a{1,x}`, `a{1,x}`, `a`}, {`a{1,02}`, `a{1,02}`, `a`}, {`a{-1}`, `a{-1}`, `a`},
	{`a{}*`, `a{ a{}}`, `a`}, {`}`, `}`, `{`}, {`]`, `]`, `[`}, {`{,2}`, `{,2}`, `""`}, {`a*{,2}`, `aa{,2}`, `aa`}, {`a{1,2`, `a{1,2`, `aa`},
	{`(a*)*`, `"" aaa`, `b`}, {`(a|)*b`, `b aab`, `a`}, {`((a*)*|b)*`, `"" aba`, `c`}, {`(a*)+`, `"" a`, `b`}, {`(?:){9}a`, `a`, `""`}, {`(()|())*`, `""`, `a`}, {`(a?){3}`, `"" aa aaa`, `aaaa`},
	{`^*a`, `a`, `aa`}, {`(^a)*`, `"" a`, `aa`}, {`(a$)*`, `"" a`, `aa`}, {`(^a|b)+`, `a b ab abb`, `ba`}, {`(a|b$)+`, `ab aab b`, `ba`}, {`a^b`, ``, `ab a^b ""`}, {`a$b`, ``, `ab`}, {`^$`, `""`, `a`}, {`$^`, `""`, `a`},
	{`\Aa\z`, `a`, `aa`}, {`(a|^)b`, `ab b`, `bb`}, {`a($|b)`, `a ab`, `abb`}, {`(^){3}a{2}($){2}`, `aa`, `a`}, {`(?:^|x)*a`, `a xa xxa`, `ya`}, {`(^|a)(b|$)`, `"" a b ab`, `ba`},
	{`[]a]`, `] a`, `[ []a]`}, {`[^]a]`, `b ^ [`, `] a`}, {`[a-]`, `a -`, `b`}, {`[-a]`, `a -`, `b`}, {`[a-c-e]`, `a b c - e`, `d`}, {`[+--]`, `+ , -`, `.`}, {`[--/]`, `- . /`, `+`}, {`[^-]`, `a`, `-`},
	{`[\]\\\-^]`, `] \ - ^`, `a`}, {`[\d.]`, `1 .`, `d \`}, {`[^\d]`, `a`, `1`}, {`[\d-z]`, `1 - z`, `a`}, {`[\w-]+`, `a-B_9`, `a.b`}, {`[\x2d-\x2f]`, `- . /`, `0`}, {`[[:alpha:]-]`, `a -`, `1`}, {`[[:^alpha:]]`, `1 .`, `a`},
	{`[[:alpha]`, `[ : a`, `b`}, {`[a[]`, `a [`, `]`}, {`[+-[:alpha:]]`, `+] A] a]`, `b] a`}, {`[[:word:]]`, `_ a 9`, `-`}, {`[[:punct:]]`, "! / : @ [ ` { ~", `a 1`}, {`[[:xdigit:]]+`, `09afAF`, `g`},
	{`[$^.|*+?(){]`, `$ ^ . | * + ? ( ) {`, `a`}, {`[^a-z]`, `A 1`, `a m z`}, {`[\t\x{41}]`, "A \t", `t`},
	{`\.`, `.`, `a`}, {`\x41`, `A`, `a x41`}, {`\x{41}`, `A`, `a`}, {`\x{000041}`, `A`, `a`}, {`\_\-\/\@\"`, `_-/@"`, `\_`}, {`\\`, `\`, `\\`}, {`\ta`, "\ta", `ta`}, {`\w+`, `aZ_9`, `a-`}, {`\W`, `- .`, `a _`}, {`\S+`, `a.-`, "\t"}, {`\D`, `a`, `1`}, {`\s`, "\t \f", `a`},
	{`(?i)abc`, `abc ABC aBc`, `abd`}, {`(?i)[a-c]+`, `aBC`, `d D`}, {`(?i)[^a]`, `b B 1`, `a A`}, {`(?i)[[:upper:]]`, `a A`, `1`}, {`(?i)[[:^lower:]]`, `1 .`, `a A`}, {`(?i)\x41`, `a A`, `b`}, {`(?i)`, `""`, `a`}, {`(?i)K`, `k K`, `s`}, {`(?i)[@-B]`, "@ a b A B", "` c C"},
	{`(?:a|b)c`, `ac bc`, `abc`}, {`(?P<n>a)`, `a`, `n`}, {`(?<n_1>a)`, `a`, `n`}, {`(?P<n>a)(?P<nn>b)(?P<N>)`, `ab`, `aa`},
	{`[^\d\D]`, ``, `a 1 ""`}, {`a[^\d\D]|b`, `b`, `a`}, {`[[:^ascii:]]`, ``, `a`}, {`.`, "a \t", "\n \"\""}, {`[^a]`, "\n", `a`}, {`a.c`, `abc a.c`, "a\nc ac"},
	{`(((((((((a)))))))))`, `a`, `b`}, {`[a-z]{256}`, strings.Repeat("q", 256), strings.Repeat("q", 255)},
}

func fields(s string) []string {
	var all []string
	for _, f := range strings.Split(s, " ") {
		switch f {
		case "":
		case `""`:
			all = append(all, "")
		default:
			all = append(all, f)
		}
	}
	return all
}

func TestAcceptedExpressionsMatchWhatRE2Does(t *testing.T) {
	for _, c := range accepted {
		r, err := Compile(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if r.String() != c.text {
			t.Errorf("%q prints as %q", c.text, r.String())
		}
		reference := whole(c.text)
		if reference == nil {
			t.Errorf("%q: RE2 refuses it", c.text)
			continue
		}
		for want, list := range map[bool]string{true: c.matches, false: c.misses} {
			for _, s := range fields(list) {
				if got := r.Match(s); got != want || reference.MatchString(s) != want {
					t.Errorf("%q matches %q: %v, RE2 says %v", c.text, s, got, reference.MatchString(s))
				}
			}
		}
	}
}

// refused holds what is refused, and a word of the reason. Those that RE2 takes are marked: the reason must be a restriction that is meant.
var refused = []struct {
	text, reason string
	byRE2        bool
}{
	{strings.Repeat("a", MaxLen+1), "longer", false}, {"é", "ASCII", false}, {"\xff", "ASCII", true}, {`\x80`, "ASCII", false}, {`\x{e9}`, "ASCII", false}, {`[\xff]`, "ASCII", false}, {`\x{110000}`, "ASCII", true}, {`\é`, "ASCII", true},
	{`*`, "nothing before", true}, {`a|*`, "nothing before", true}, {`(*a)`, "nothing before", true}, {`(|+)`, "nothing before", true}, {`?`, "nothing before", true}, {`{2}`, "nothing before", true}, {`a|{2,}`, "nothing before", true}, {`(?i)*`, "nothing before", true}, {`(?:?)`, "nothing before", true},
	{`a**`, "repeats a repeat", true}, {`a+*`, "repeats a repeat", true}, {`a??*`, "repeats a repeat", true}, {`a*??`, "repeats a repeat", true}, {`a{2}{3}`, "repeats a repeat", true}, {`a{2}*`, "repeats a repeat", true}, {`a*{2}`, "repeats a repeat", true}, {`^**`, "repeats a repeat", true},
	{`a{1001}`, "1000 times", true}, {`a{2,1001}`, "1000 times", true}, {`a{99999999999999999999}`, "1000 times", true}, {`a{1001,}`, "1000 times", true}, {`a{3,2}`, "least count", true},
	{`a{257}`, "256 states", false}, {`((((a{99}){99}){99}){99})`, "256 states", true}, {`((((a{99}){99}){99}`, "256 states", true}, {`(a{0}){900}`, "256 states", false}, {`((){100}){100}`, "256 states", true}, {`(^{1000}){1000}`, "256 states", true}, {`(a{16}){17}`, "256 states", false}, {`[a-z]{200}[0-9]{57}`, "256 states", false}, {`(a|b){129}`, "256 states", false},
	{strings.Repeat("a", MaxStates+1), "256 states", false}, {strings.Repeat("(", 51) + strings.Repeat(")", 51), "50 groups", false},
	{`(`, "not closed", true}, {`(a`, "not closed", true}, {`(?:a`, "not closed", true}, {`(a|`, "not closed", true}, {`)`, "closes nothing", true}, {`a)(b`, "closes nothing", true}, {`a)|(b`, "closes nothing", true}, {`())`, "closes nothing", true},
	{`[`, "class that is not closed", true}, {`[a`, "class that is not closed", true}, {`[]`, "class that is not closed", true}, {`[^]`, "class that is not closed", true}, {`[^`, "class that is not closed", true}, {`[a-`, "class that is not closed", true}, {`[[:alpha:]`, "class that is not closed", true},
	{`[z-a]`, "runs backwards", true}, {`[a--]`, "runs backwards", true}, {`[a-[:alpha:]]`, "runs backwards", true}, {`[[:alfa:]]`, "named class", true}, {`[[:]:]]`, "named class", true}, {`[[::]]`, "named class", true}, {`[[:^:]]`, "named class", true}, {`[[:Alpha:]]`, "named class", true}, {`[[:alpha]x[:]y:]]`, "named class", true},
	{`[a-\d]`, "escape that means nothing", true}, {`\`, "backslash", true}, {`a\`, "backslash", true}, {`[\`, "backslash", true}, {`\y`, "means nothing", true}, {`[\y]`, "means nothing", true}, {`\H`, "means nothing", true},
	{`\b`, "word boundary", false}, {`a\B`, "word boundary", false}, {`[\b]`, "word boundary", true}, {`\pL`, "Unicode class", false}, {`\P{Greek}`, "Unicode class", false}, {`[\pN]`, "Unicode class", false}, {`\C`, `\C`, true}, {`\Qa.b\E`, `\Q`, false}, {`\E`, `\E`, true},
	{`\Z`, "where none can be", true}, {`[\A]`, "where none can be", true}, {`[\z]`, "where none can be", true}, {`\G`, "where none can be", true},
	{`\1`, "octal", true}, {`(a)\1`, "octal", true}, {`\12`, "octal", false}, {`\0`, "octal", false}, {`[\012]`, "octal", false}, {`\8`, "octal", true},
	{`\x`, `\x`, true}, {`\x4`, `\x`, true}, {`\x4g`, `\x`, true}, {`\x{`, `\x`, true}, {`\x{}`, `\x`, true}, {`\x{41`, `\x`, true}, {`\x{4g}`, `\x`, true}, {`[\x4]`, `\x`, true},
	{`a(?i)b`, "flag", false}, {`(?i:a)`, "flag", false}, {`(?s)a`, "flag", false}, {`(?m)^a`, "flag", false}, {`(?U)a`, "flag", false}, {`(?-i)a`, "flag", false}, {`(?is)a`, "flag", false}, {`(?i)(?i)a`, "flag", false}, {` (?i)a`, "flag", false}, {`(?`, "flag", true}, {`(?#a)`, "flag", true}, {`(?>a)`, "flag", true}, {`(?'n'a)`, "flag", true}, {`(?P=n)`, "flag", true}, {`(?P`, "flag", true},
	{`(?=a)`, "ahead", true}, {`(?!a)`, "ahead", true}, {`(?<=a)`, "ahead", true}, {`(?<!a)b`, "ahead", true}, {`(?P<>a)`, "name", true}, {`(?<a b>c)`, "name", true}, {`(?P<a`, "name", true}, {`(?P<n>a)(?P<n>b)`, "same name", false}, {`(?P<n>(?<n>))`, "same name", false}, {`(?P<a>`, "not closed", true}, {`(?<`, "name", true},
}

func TestRefusedExpressionsSayWhy(t *testing.T) {
	for _, c := range refused {
		r, err := Compile(c.text)
		if err == nil {
			t.Errorf("%q is accepted", c.text)
			continue
		}
		e, ok := err.(*Error)
		if !ok || r != nil {
			t.Errorf("%q: %T, %v", c.text, err, r)
			continue
		}
		if !strings.Contains(e.Reason, c.reason) || e.Fix == "" || e.Error() != e.Reason+"; "+e.Fix {
			t.Errorf("%q: %q, want %q", c.text, e.Error(), c.reason)
		}
		if byRE2 := whole(c.text) == nil; byRE2 != c.byRE2 {
			t.Errorf("%q: RE2 refuses it: %v", c.text, byRE2)
		}
		if !c.byRE2 && !isRestriction(e.Reason) {
			t.Errorf("%q: RE2 takes it, and %q is no restriction", c.text, e.Reason)
		}
	}
}

// whole compiles text with Go's regexp, to match whole strings; nil if that refuses it.
func whole(text string) *regexp.Regexp {
	if _, err := regexp.Compile(text); err != nil {
		return nil
	}
	reference, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil
	}
	return reference
}

// isRestriction reports whether reason is that of something that RE2 has.
func isRestriction(reason string) bool {
	for _, part := range []string{"longer than", "outside of ASCII", "256 states", "50 groups", "word boundary", "Unicode class", `has \Q`, "octal", "a flag", "the same name"} {
		if strings.Contains(reason, part) {
			return true
		}
	}
	return false
}

func TestMatchingAllocatesNothing(t *testing.T) {
	for _, text := range []string{`https://.*\.example\.com(:[0-9]+)?`, `((a?){16}){16}`, `.*.*.*.*x`} {
		r := compile(t, text)
		s := "https://" + strings.Repeat("a.", 100) + "example.com:8080"
		if n := testing.AllocsPerRun(100, func() { r.Match(s); r.Match("") }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func compile(t *testing.T, text string) *Regexp {
	t.Helper()
	r, err := Compile(text)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return r
}

// The same walk as Match's, counted: a backtracking matcher would take exponential time for these.
func TestTheWorkOfAMatchIsBounded(t *testing.T) {
	s := strings.Repeat("a", 1000) + "!"
	for _, text := range []string{`(a*)*b`, `((a?){16}){16}`, `(a|a)*b`, `(.*)(.*)(.*)(.*)(.*)[^a!]`, `(a|b|ab)*c`, `[a-z]{1,250}b`} {
		r := compile(t, text)
		most := len(s) * len(r.follow)
		left := most
		if r.MatchWithin(s, &left) || left < 0 || left > most-10 {
			t.Errorf("%q: %d of %d steps are left", text, left, most)
		}
	}
}

func TestAMatchEndsWhereNoPlaceIsLeft(t *testing.T) {
	left := 2
	if compile(t, `https://a\.test`).MatchWithin(strings.Repeat("x", 1<<20), &left) || left != 2 {
		t.Errorf("steps are taken behind a first byte that no match has: %d of 2 are left", left)
	}
	if compile(t, `x*`).MatchWithin(strings.Repeat("x", 1<<20), &left) || left >= 0 {
		t.Error("a megabyte that matches takes two steps")
	}
}

// What would be large when it is written out is refused before it is.
func TestTheWorkOfCompilingIsBounded(t *testing.T) {
	for _, text := range []string{
		`((((a{99}){99}){99}){99})`, `(((((((((((a{9}){9}){9}){9}){9}){9}){9}){9}){9}){9}){9}`, strings.Repeat("(", 50) + strings.Repeat("){1000}", 50), `((((a{0}){1000}){1000}){1000})`,
		strings.Repeat("(a|", 50) + strings.Repeat(")*", 50), `((a?){16}){16}`, `(a*){256}`, strings.Repeat("(", 250), strings.Repeat("[", 512), `[` + strings.Repeat(`[:^alpha:]`, 50) + `]`,
	} {
		if n := testing.AllocsPerRun(5, func() {
			if r, err := Compile(text); err == nil {
				r.Samples(100)
			}
		}); n > 20000 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func TestSamplesAreDistinctMatchesFromEveryPart(t *testing.T) {
	for _, c := range accepted {
		r := compile(t, c.text)
		all := r.Samples(64)
		seen := map[string]bool{}
		for _, s := range all {
			if !r.Match(s) || !whole(c.text).MatchString(s) || seen[s] {
				t.Errorf("%q: sample %q", c.text, s)
			}
			seen[s] = true
		}
		if len(all) > 64 || (len(all) == 0) != (c.matches == "") {
			t.Errorf("%q: %d samples", c.text, len(all))
		}
	}
	for _, c := range []struct{ text, want string }{
		{`https://(app|admin)\.example\.(com|org)(:[0-9]+)?`, "https://app.example.com https://admin.example.com https://app.example.org https://app.example.com:1 https://app.example.com:11"},
		{`(a|b|c|d|e|f|g)(h|i)`, "ah bh ch dh eh fh gh ai"},
		{`x(ab){2,}`, "xabab xababab"},
		{`[a-z0-9.-]+`, "a 1 - . aa"},
	} {
		have := " " + strings.Join(compile(t, c.text).Samples(64), " ") + " "
		for _, want := range fields(c.want) {
			if !strings.Contains(have, " "+want+" ") {
				t.Errorf("%q: %q lacks %q", c.text, have, want)
			}
		}
	}
}

func TestFewSamplesStillComeFromEveryAlternative(t *testing.T) {
	all := strings.Join(compile(t, `[a-z0-9.]{9}|https://(b|c|d)\.[a-z.]+|q{5}`).Samples(12), " ")
	for _, part := range []string{"aaaaaaaaa", "https://", "qqqqq"} {
		if !strings.Contains(all, part) {
			t.Errorf("%q lacks %q", all, part)
		}
	}
	if n := len(compile(t, `(a|b|c|d){60}`).Samples(10)); n != 10 {
		t.Errorf("%d samples", n)
	}
	if n := len(compile(t, `a`).Samples(0)); n != 0 {
		t.Errorf("%d samples of none", n)
	}
}

func TestMatchingIsBoundedInSteps(t *testing.T) {
	for _, c := range []struct{ text, s string }{{`a*`, "aaaaaaaaaa"}, {`(a|b|ab)*c?`, "abababababab"}, {`.*a.{50}`, strings.Repeat("a", 200)}, {`abc`, "abc"}, {`a{0,40}b`, strings.Repeat("a", 30)}} {
		r, err := Compile(c.text)
		if err != nil {
			t.Fatal(err)
		}
		const ample = 1 << 20
		left := ample
		want := r.Match(c.s)
		if got := r.MatchWithin(c.s, &left); got != want || left < 0 {
			t.Fatalf("%s, %q: %v with %d steps left, want %v", c.text, c.s, got, left, want)
		}
		needed := ample - left
		if worst := len(c.s) * MaxStates; needed <= 0 || needed > worst {
			t.Errorf("%s, %q: %d steps", c.text, c.s, needed)
		}
		for _, steps := range []int{needed, needed - 1, 1, 0} {
			left := steps
			got := r.MatchWithin(c.s, &left)
			if enough := steps >= needed; got != (want && enough) || (left < 0) == enough {
				t.Errorf("%s, %q with %d of %d steps: %v, %d left", c.text, c.s, steps, needed, got, left)
			}
		}
	}
}
