package origin

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/publicsuffix"
)

// xnetNames returns every name that x/net's list has a rule for, or for one below it. The package does not tell them, so its data is read: a tree of labels, nodes of 5 bytes, and
// ranges of children.
func xnetNames(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "golang.org/x/net/publicsuffix").Output()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "data", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	text, nodes, children := read("text"), read("nodes"), read("children")
	var names []string
	var walk func(low, high uint32, suffix string)
	walk = func(low, high uint32, suffix string) {
		for i := low; i < high; i++ {
			node := binary.BigEndian.Uint64(append([]byte{0, 0, 0}, nodes[5*i:5*i+5]...))
			length, offset, child := node&(1<<6-1), node>>6&(1<<16-1), node>>23&(1<<10-1)
			name := string(text[offset:offset+length]) + suffix
			names = append(names, name)
			below := binary.BigEndian.Uint32(children[4*child:])
			walk(below&(1<<14-1), below>>14&(1<<14-1), "."+name)
		}
	}
	const topLevel = 1450 // numTLD of its table.go
	walk(0, topLevel, "")
	return names
}

// What differs between the table, made from the list of October 2026, and x/net's list of February 2026, told from the names of the latter: suffixes that were withdrawn since, names
// of which all below became suffixes, and how many rules are in the table alone.
var (
	withdrawnSince = strings.Fields(`
	adaptable.app bookonline.app deta.app biz.at info.at vps.hrsn.au perspecta.cloud aliases121.com alpha-myqnapcloud.com dev-myqnapcloud.com
	mazeplay.com onfabrica.com pagexl.com reserve-online.com api.stdlib.com xnbay.com u2.xnbay.com u2-local.xnbay.com deta.dev cloudapps.digital
	london.cloudapps.digital on.crisp.email storj.farm demo.datacenter.fi paas.datacenter.fi uk0.bigv.io hzc.io on-acorn.io
	corsguard-no-such-name.on-acorn.io protonet.io aquila.it trentinosudtirol.it valdaosta.it corsguard-no-such-name.kh cryptonomic.net
	corsguard-no-such-name.cryptonomic.net audnedaln.no frei.no mayfirst.org gitapp.si knightpoint.systems ac.tj oya.to dh.bytemark.co.uk
	vm.bytemark.co.uk cc.nd.us lib.nd.us
	`)
	parentsSince = strings.Fields("aivencloud.com replit.dev teams.replit.dev")
)

const (
	addedSince = 396
	noSuchName = "corsguard-no-such-name."
)

func TestTheWholeTableAgreesWithXNet(t *testing.T) {
	names := xnetNames(t)
	known := map[uint64]bool{}
	both := 0
	var withdrawn []string
	for _, name := range names {
		for _, mark := range []string{"", "*.", "!", ">"} {
			known[folded(fnv(fnv(offset, mark), name))] = true
		}
		for _, host := range []string{name, noSuchName + name} {
			switch got, want := isPublicSuffix(host), isSuffixByXNet(host); {
			case got && !want && !slices.Contains(parentsSince, strings.TrimPrefix(host, noSuchName)):
				t.Errorf("%s is a public suffix by the table alone", host)
			case got:
				both++
			case want:
				withdrawn = append(withdrawn, host)
			}
		}
	}
	added := 0
	for _, hash := range unpackPSL() {
		if !known[hash] {
			added++
		}
	}
	if !slices.Equal(withdrawn, withdrawnSince) {
		t.Errorf("suffixes by x/net's list alone: %q", withdrawn)
	}
	if both < 10_000 || added != addedSince {
		t.Errorf("%d names are suffixes by both lists, and %d rules are in the table alone (%s)", both, added, publicsuffix.List)
	}
}
