package headervalue

import (
	"strings"
	"testing"
	"time"
)

// examples are values without a finding, for each function.
var examples = map[string]string{
	"csp":         "default-src 'self' https://a.example/x; object-src 'none'",
	"csp-report":  "default-src 'self' https://a.example/x; report-to x",
	"hsts":        "max-age=31536000; includeSubDomains",
	"nosniff":     "nosniff",
	"frame":       "SAMEORIGIN",
	"referrer":    "no-referrer, strict-origin",
	"permissions": `camera=(self "https://a.example"), usb=()`,
	"xss":         "0",
}

func TestWhatIsNoPlainValueIsRefusedEverywhere(t *testing.T) {
	const long = "is longer than 8192 bytes"
	for check, example := range examples {
		assertFindings(t, check, example)
		assertFindings(t, check, "", finding{"is empty", "leave the key out", false})
		for _, value := range []string{" ", "  ", " " + example, example + " ", " " + example + " "} {
			assertFindings(t, check, value, finding{"begins or ends with a space", "leave the space out", false})
		}
		for _, value := range []string{strings.Repeat(" ", 8193), strings.Repeat("x", 8193), example + strings.Repeat(" ", 8193), strings.Repeat("\n", 100000)} {
			assertFindings(t, check, value, finding{long, "shorter", false})
		}
		for b := 0; b < 256; b++ {
			want := finding{"outside of ASCII", "xn--", false}
			switch {
			case b == '\r' || b == '\n':
				want = finding{"a line break", "on one line", false}
			case b < ' ' || b == 0x7f:
				want = finding{"a control character", "leave it out", false}
			case b < 0x7f:
				continue
			}
			c := string([]byte{byte(b)})
			half := len(example) / 2
			for _, value := range []string{c, c + example, example + c, example[:half] + c + example[half:], c + c + c} {
				assertFindings(t, check, value, want)
			}
		}
		for _, value := range []string{"é", "‘self’", "bücher.example", example + "\u2028", "\ufeff" + example, example + "\u202e", "\xff\xfe"} {
			assertFindings(t, check, value, finding{"outside of ASCII", "xn--", false})
		}
		for _, value := range []string{example + "\r\nset-cookie: a=b", "\r\n\r\n", example + "\n", "\n" + example} {
			assertFindings(t, check, value, finding{"a line break", "on one line", false})
		}
	}
}

func TestAValueOfThe8192thByteIsRead(t *testing.T) {
	value := "default-src 'self' https://a.example/"
	value += strings.Repeat("x", 8192-len(value))
	assertFindings(t, "csp", value)
	assertFindings(t, "csp", value+"x", finding{"is longer than 8192 bytes", "shorter", false})
	assertFindings(t, "csp", value[:8190]+"/?", finding{query, "without it", false})
	assertFindings(t, "permissions", "camera=("+strings.Repeat(" ", 8183)+")")
	assertFindings(t, "hsts", strings.Repeat(";", 8182)+" max-age=1")
	assertFindings(t, "referrer", strings.Repeat(",", 8186)+"origin")
}

// repeated are values of 8 KiB that are one thing again and again.
func repeated() (values []string) {
	for _, part := range []string{
		";", "'", `"`, "(", ")", ",", ":", "/", "*", "=", "-", ".", "%", "\\", "a", "0", "?", "#",
		"; ", " ;", "''", `"" `, "( ", ") (", "a ", "a;", "a,", "a=", "a=(),", "a=*,", "b;a=(", "(a", `("`, `"\`, "a:", "a/", "*.", "a.", "%4", "'self' ", "self ", "'x' ",
		"default-src ", "default-src;", "default-src x;", "script-src 'none' x;", "plugin-types;", "img-sr ", "img-sr;", "scrpt-src-elm;", "upgrade-insecure-requests ",
		"'sha256-x' ", "'nonce-x' ", "nonce-", "report-to a b;", "sandbox allow-x ", "trusted-types 'x' ", "https://", "https://a.example:99999 ", "[::1] ",
		"max-age=1;", "max-ag;", "includeSubDomain;", "no-referer,", "origin,", "camera=(self) ", "camera=(self),", "camra=(),", "camera=none,", "camera=();report-to=a,",
		"a=(self self self self),", "camera 'none'; ", "ALLOW-FROM ",
	} {
		value := strings.Repeat(part, 8192/len(part))
		values = append(values, strings.Trim(value, " "), strings.Trim("default-src "+value, " ")[:8180], strings.Trim("sandbox "+value, " ")[:8180],
			strings.Trim("trusted-types "+value, " ")[:8180], strings.Trim("camera=("+value, " ")[:8180], strings.Trim("max-age="+value, " ")[:8180])
	}
	return values
}

func TestHostileValuesAreReadQuicklyAndWithFewFindings(t *testing.T) {
	for _, value := range repeated() {
		for check, f := range checks {
			var found []Finding
			// Most take less than a millisecond. What grows with the square takes seconds, and each time; a stall of the machine ends.
			best := time.Hour
			for try := 0; try < 5 && best > time.Second; try++ {
				start := time.Now()
				found = f(strings.Trim(value, " "))
				best = min(best, time.Since(start))
			}
			if best > time.Second {
				t.Errorf("%s %.40q took %v", check, value, best)
			}
			assertWellFormed(t, strings.Trim(value, " "), found)
			if r, ok := random[check]; ok {
				agrees(t, check, r.reference, strings.Trim(value, " "))
			}
		}
	}
}

func TestAMistakeBehindManyWarningsIsFound(t *testing.T) {
	value := "img-src" + strings.Repeat(" 'unsafe-inline'", 400)
	if found := ContentSecurityPolicy(value, false); len(found) != maxFindings || len(errorsOf(found)) != 0 {
		t.Errorf("%d findings, %d errors", len(found), len(errorsOf(found)))
	}
	if found := ContentSecurityPolicy(value+" self", false); len(found) != maxFindings+1 || len(errorsOf(found)) != 1 {
		t.Errorf("%d findings, %d errors", len(found), len(errorsOf(found)))
	}
	if found := ContentSecurityPolicy(value+strings.Repeat(" self", 100), false); len(found) != 2*maxFindings {
		t.Errorf("%d findings", len(found))
	}
}

func TestMessagesQuoteTheBeginningOfWhatIsLong(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for check, value := range map[string]string{
		"csp": long + " 'self'", "csp-report": "script-src '" + long + "'", "hsts": long + "=1", "referrer": long, "permissions": long + " 'none", "frame": long,
	} {
		for _, f := range checks[check](value) {
			if len(f.Reason) > 300 || len(f.Fix) > 300 || strings.Contains(f.Reason, long[:65]) {
				t.Errorf("%s: %+v", check, f)
			}
		}
	}
	found := StrictTransportSecurity("max-age=1; " + long)
	if len(found) != 1 || !strings.Contains(found[0].Reason, `"`+long[:64]+`…"`) {
		t.Errorf("%+v", found)
	}
}

// $ and % stand for something in messages, and may stand in values too.
func TestMessagesTakeValuesAsTheyAre(t *testing.T) {
	assertFindings(t, "csp", "default-src $ %", finding{`"$" in default-src`, "write hosts", false}, finding{`"%" in default-src`, "write hosts", false})
	assertFindings(t, "csp", "$%", finding{`has the directive "$%", which`, "write one", false})
	assertFindings(t, "csp", "script-src '%$;'", finding{`'%$ in script-src`, "quotes", false}, finding{"the directive ',", "write one", false})
	assertFindings(t, "permissions", "%=()", finding{`has "%=()" where`, "features", false})
	assertFindings(t, "referrer", "a; b", finding{`has "a; b", which`, "write one", false})
}
