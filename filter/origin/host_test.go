package origin

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/idna"
)

func TestIsIPv6AgreesWithNetip(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	accepted := 0
	check := func(s string) {
		if got, want := isIPv6(s), refIPv6(s); got != want {
			t.Fatalf("isIPv6(%q) = %v, netip says %v", s, got, want)
		} else if got {
			accepted++
		}
	}
	// All ways to have zero pieces, each with other pieces of 1 to 4 digits.
	for zeros := range 256 {
		var b [16]byte
		for i := range 8 {
			if zeros>>i&1 == 0 {
				b[2*i], b[2*i+1] = byte(r.IntN(256))>>r.IntN(8), byte(1+r.IntN(255))
			}
		}
		addr := netip.AddrFrom16(b)
		check(addr.String())
		check(addr.StringExpanded())
		check(strings.Replace(addr.StringExpanded(), "0000:0000", ":", 1))
		check(strings.Replace(addr.String(), "::", ":0:", 1))
		check(strings.Replace(addr.String(), "::", "::0:", 1))
	}
	pieces := []string{"0", "1", "a", "ff", "0db8", "2001", "12345", "", "A", "1.2.3.4", "%", "g"}
	for range 200000 {
		parts := make([]string, r.IntN(10))
		for i := range parts {
			parts[i] = pieces[min(r.IntN(len(pieces)), r.IntN(len(pieces)))]
		}
		s := strings.Join(parts, ":")
		if r.IntN(2) == 0 {
			s = strings.Replace(s, ":", "::", 1)
		}
		check(s)
	}
	if accepted < 1000 {
		t.Errorf("%d addresses were accepted: the generator does not reach them", accepted)
	}
}

func TestIsIPv6TakesMappedAddressesAsTheURLStandardWritesThem(t *testing.T) {
	for s, want := range map[string]bool{
		"::ffff:102:304": true, "::ffff:0:0": true, "::ffff:0:1": true, "::ffff:1.2.3.4": false, "::1.2.3.4": false, "::ffff:0102:304": false, "::": true, "::1": true, "1::": true,
		"1:2:3:4:5:6:7:8": true, "1:2:3:4:5:6:7:0": true, "1:2:3:4:5:6::": true, "1:2:3:4:5:6:0:0": false, "0:1:0:1:0:1:0:1": true, "1:0:0:2:0:0:0:3": false, "1:0:0:2::3": true,
		"1::2:0:0:3:4": true, "1:0:0:2::3:4": false, "": false,
	} {
		if isIPv6(s) != want || refIPv6(s) != want {
			t.Errorf("isIPv6(%q) = %v, the reference %v", s, isIPv6(s), refIPv6(s))
		}
	}
}

// refPunycode reports whether s decodes, and x/net/idna encodes what it decodes to as s.
func refPunycode(s string) bool {
	u, err := idna.Punycode.ToUnicode("xn--" + s)
	if err != nil || isASCII(u) {
		return false
	}
	back, err := idna.Punycode.ToASCII(u)
	return err == nil && back == "xn--"+s
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

func TestIsPunycodeAgreesWithIDNA(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	accepted := 0
	check := func(s string) {
		if got, want := isPunycode(s), refPunycode(s); got != want {
			t.Fatalf("isPunycode(%q) = %v, idna says %v", s, got, want)
		} else if got {
			accepted++
		}
	}
	runes := []rune("abz019-äßéλж中文日本語한글😀\u0301\u200d\U0010ffff\u0080")
	for range 20000 {
		u := make([]rune, 1+r.IntN(12))
		for i := range u {
			if u[i] = runes[r.IntN(len(runes))]; r.IntN(4) == 0 {
				u[i] = rune(0x80 + r.IntN(0x10000-0x2000-0x80))
			}
		}
		label, err := idna.Punycode.ToASCII(string(u))
		if ace, ok := strings.CutPrefix(label, "xn--"); err == nil && ok && len(label) <= MaxLabel {
			check(ace)
			at := r.IntN(len(ace))
			check(ace[:at] + ace[at+1:])
			check(ace[:at] + string("abyz059-"[r.IntN(8)]) + ace[at+1:])
		}
	}
	for range 200000 {
		b := make([]byte, r.IntN(12))
		for i := range b {
			b[i] = "abcdefghijklmnopqrstuvwxyz0123456789--------"[r.IntN(44)]
		}
		check(string(b))
	}
	if accepted < 10000 {
		t.Errorf("%d labels were accepted: the generator does not reach them", accepted)
	}
}

func TestIsPunycodeRefusesWhatNoEncoderWrites(t *testing.T) {
	for s, want := range map[string]bool{
		"mnchen-3ya": true, "55qx5d": true, "fiqs8s": true, "p1ai": true, "4ca": true, "--1da": true,
		"": false, "-": false, "--": false, "a-": false, "abc-": false, "-abc": false, "0": false, "99999999": false, "zzzzzzzzzzzz": false,
		"MNCHEN-3YA": false, "mnchen-3y": false, "mnchen-3_a": false, strings.Repeat("9", 59): false, strings.Repeat("a", 59): true,
	} {
		if got := isPunycode(s); got != want || refPunycode(s) != want {
			t.Errorf("isPunycode(%q) = %v, the reference says %v", s, got, refPunycode(s))
		}
	}
}

func FuzzHost(f *testing.F) {
	for _, s := range []string{"a.b", "1.2.3.4", "0x7f.1", "[::1]", "[1:0:0:2::3]", "[::ffff:1.2.3.4]", "xn--mnchen-3ya", "xn---", "-a-", "_dmarc.a", "a..b", "1.2.3.4.", "[]", "]["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, host, port, ok := refParse("x://" + s)
		if got, want := isHost(s), ok && host == s && port == ""; got != want {
			t.Fatalf("isHost(%q) = %v", s, got)
		}
		if got, want := isIPv6(s), refIPv6(s); got != want {
			t.Fatalf("isIPv6(%q) = %v", s, got)
		}
		// What decodes to a label with the prefix, x/net/idna would decode once more.
		if len(s) < MaxLabel && isWildcardText(s) && !strings.HasPrefix(s, "xn--") {
			if got, want := isPunycode(s), refPunycode(s); got != want {
				t.Fatalf("isPunycode(%q) = %v", s, got)
			}
		}
	})
}
