package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"corsguard/filter/origin"
)

// listing is a document as a host's patterns, in the order of the hosts' numbers; "" stands for every host.
type listing struct{ host, patterns string }

func fill(t testing.TB, f *Fetched, document []listing) {
	t.Helper()
	for _, l := range document {
		host := f.EveryHost()
		if l.host != "" {
			host = f.Host(l.host)
		}
		for _, text := range strings.Fields(l.patterns) {
			p, err := origin.ParsePattern(text)
			if err != nil {
				t.Fatal(err)
			}
			f.Add(host, &p)
		}
	}
}

// Hosts have numbers, and each number keeps its tables from document to document. The host that has the number next gets nothing of what the one before listed.
func TestAHostGetsNothingOfTheHostThatHadItsNumber(t *testing.T) {
	documents := [][]listing{
		{{"a.example", "https://a.test https://*.a.test https://pr-*.a.test https://a.test:* a://*"}, {"b.example", "https://b.test https://*.b.test"}},
		{{"b.example", "https://b.test https://*.b.test"}, {"a.example", "https://a.test https://*.a.test https://pr-*.a.test https://a.test:* a://*"}},
		{{"b.example", ""}, {"a.example", ""}},
		{{"c.example", ""}, {"d.example", ""}, {"a.example", "https://*.b.test"}},
		{{"", "https://*.b.test"}},
		{{"", "https://a.test https://a.test:*"}},
		{{"", ""}},
		nil,
		{{"b.example", "a://* https://b.test"}},
	}
	origins := []string{"https://a.test", "https://x.a.test", "https://pr-1.a.test", "https://a.test:7", "a://x", "https://b.test", "https://x.b.test", "https://", ""}
	f := NewFetched(0)
	for turn := range 200 {
		document := documents[(turn*turn+turn/7)%len(documents)]
		f.Reset()
		if turn%5 == 0 { // what was begun and given up
			fill(t, f, documents[turn%len(documents)])
			f.Reset()
		}
		fill(t, f, document)
		fresh := NewFetched(0)
		fill(t, fresh, document)
		if f.ByHost() != fresh.ByHost() || f.Hosts() != fresh.Hosts() {
			t.Fatalf("%v: %d hosts, %v", document, f.Hosts(), f.ByHost())
		}
		for _, from := range origins {
			for _, host := range []string{"a.example", "b.example", "c.example", "d.example", ""} {
				if got, want := f.lists(from, host), fresh.lists(from, host); got != want {
					t.Fatalf("turn %d: %s for %q: %v, and %v when new: %v", turn, from, host, got, want, document)
				}
			}
		}
	}
}

// A document with many patterns for a host leaves no tables behind for whichever host is the one of that number next, and so for all in the end.
// What is kept of the patterns of hosts is what the last document had, whoever had the numbers before, and nothing large.
func TestTablesAreKeptForNoMoreHostsThanHadPatterns(t *testing.T) {
	const hosts, withPatterns, turns = 1000, 25, 200
	r := rand.New(rand.NewPCG(1, 1))
	f := NewFetched(0)
	for turn := range turns {
		f.Reset()
		if len(f.patterns) > 0 || len(f.free) > withPatterns {
			t.Fatalf("%d hosts have tables and %d are kept, of %d with patterns", len(f.patterns), len(f.free), withPatterns)
		}
		for _, i := range r.Perm(hosts) { // a service that does not sort
			host := f.Host(fmt.Sprintf("h%d.example", i))
			if i < withPatterns {
				addWildcards(t, f, host, 1)
			}
		}
		if len(f.patterns) != withPatterns || turn > 0 && len(f.free) > 0 {
			t.Fatalf("%d hosts have tables and %d are kept, of %d with patterns", len(f.patterns), len(f.free), withPatterns)
		}
	}
	f.Reset()
	f.Reset()
	if len(f.free) > 0 {
		t.Errorf("%d tables are kept after a document that had none", len(f.free))
	}
}

func TestLargeTablesOfAHostAreNotKept(t *testing.T) {
	f := NewFetched(0)
	for turn := range 50 {
		f.Reset()
		if len(f.free) > 0 {
			t.Fatalf("turn %d: %d tables are kept", turn, len(f.free))
		}
		addWildcards(t, f, f.Host(fmt.Sprintf("h%d.example", turn)), 100)
	}
}

func addWildcards(t *testing.T, f *Fetched, host int32, n int) {
	t.Helper()
	for j := range n {
		p, err := origin.ParsePattern(fmt.Sprintf("https://*.a%d.test", j))
		if err != nil {
			t.Fatal(err)
		}
		f.Add(host, &p)
	}
}
