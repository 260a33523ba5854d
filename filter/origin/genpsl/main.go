// Command genpsl writes the table of public suffixes that the plugin carries: the hashes of the rules of the Public Suffix List, sorted.
//
//	go run ./filter/origin/genpsl -list /usr/share/publicsuffix/public_suffix_list.dat -out filter/origin/psl.bin
//
// The list is the one of Debian's publicsuffix package. Rules with letters outside of ASCII are put into their xn-- form, as patterns have them.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"
	"strings"

	"golang.org/x/net/idna"
)

func main() {
	list := flag.String("list", "/usr/share/publicsuffix/public_suffix_list.dat", "the Public Suffix List")
	out := flag.String("out", "filter/origin/psl.bin", "the table to write")
	flag.Parse()
	if err := run(*list, *out); err != nil {
		fmt.Fprintln(os.Stderr, "genpsl:", err)
		os.Exit(1)
	}
}

func run(list, out string) error {
	f, err := os.Open(list)
	if err != nil {
		return err
	}
	defer f.Close()
	var hashes []uint32
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		rule, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
		if rule == "" || strings.HasPrefix(rule, "//") {
			continue
		}
		ascii, err := toASCII(rule)
		if err != nil {
			return fmt.Errorf("rule %q: %w", rule, err)
		}
		h := fnv.New32a()
		h.Write([]byte(ascii))
		hashes = append(hashes, h.Sum32())
	}
	if err := lines.Err(); err != nil {
		return err
	}
	slices.Sort(hashes)
	hashes = slices.Compact(hashes)
	table := make([]byte, 0, 4*len(hashes))
	for _, h := range hashes {
		table = binary.BigEndian.AppendUint32(table, h)
	}
	return os.WriteFile(out, table, 0o644)
}

// toASCII keeps the marks of exception and wildcard rules, "!" and "*.", in front.
func toASCII(rule string) (string, error) {
	mark := ""
	for _, m := range []string{"!", "*."} {
		if strings.HasPrefix(rule, m) {
			mark, rule = m, rule[len(m):]
		}
	}
	ascii, err := idna.Punycode.ToASCII(strings.ToLower(rule))
	return mark + ascii, err
}
