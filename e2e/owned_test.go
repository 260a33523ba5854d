package e2e_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"corsguard/e2e/corpus"
	"corsguard/e2e/wire"
)

// check fails the test unless verify is content.
func check(t *testing.T, got wire.Response, status int, headers ...corpus.Header) {
	t.Helper()
	if err := verify(got, status, headers); err != nil {
		t.Error(err)
	}
}

// verify compares a response with the status and the complete set of owned headers that it must have.
func verify(got wire.Response, status int, headers []corpus.Header) error {
	err := compareOwned(got.Headers, headers)
	if got.Status != status {
		err = errors.Join(fmt.Errorf("status %d, want %d", got.Status, status), err)
	}
	return err
}

// compareOwned fails unless the owned ones among got are exactly want, each on one line. Vary is a list, and Envoy itself may have joined lines
// of it, so it compares element by element.
func compareOwned(got, want []corpus.Header) error {
	g, w := lines(got), lines(want)
	if g == w {
		return nil
	}
	return fmt.Errorf("CORS headers are\n%swant\n%s", g, w)
}

func lines(headers []corpus.Header) string {
	var b strings.Builder
	for _, h := range corpus.Owned(headers) {
		if h[0] == "vary" {
			h[1] = strings.Join(elements(h[1]), ", ")
		}
		fmt.Fprintf(&b, "\t%s: %s\n", h[0], h[1])
	}
	return b.String()
}

func elements(list string) []string {
	var out []string
	for e := range strings.SplitSeq(list, ",") {
		if e = strings.Trim(e, " \t"); e != "" {
			out = append(out, e)
		}
	}
	return out
}
