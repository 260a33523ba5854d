package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"corsguard/e2e/envoy"
)

const statsPath = "/stats/prometheus?filter=corsguard"

// wantStats are counters that the steps leave, as envoy.yaml labels them.
var wantStats = []string{
	`corsguard{rule="default",kind="preflight",decision="allowed",reason="origin_allowed"} 1`,
	`corsguard{rule="default",kind="preflight",decision="refused",reason="origin_not_allowed"} 1`,
	`corsguard{rule="default",kind="actual",decision="allowed",reason="origin_allowed"} 3`,
	`corsguard{rule="default",kind="actual",decision="refused",reason="origin_not_allowed"} 1`,
	`corsguard{rule="public",kind="actual",decision="allowed",reason="any_origin"} 1`,
	`corsguard{rule="account",kind="no_origin",decision="refused",reason="cross_site_not_allowed"} 1`,
	`corsguard{rule="beta",kind="actual",decision="shadowed",reason="origin_not_allowed"} 1`,
	`corsguard{rule="default",kind="no_origin",decision="allowed",reason="no_origin"} 1`,
}

// checkStats waits until the counters are there.
func checkStats(ctx context.Context, admin envoy.Admin, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, statsLimit)
	defer cancel()
	for {
		text, err := admin.Get(ctx, statsPath)
		got := strings.Split(string(text), "\n")
		missing := slices.ContainsFunc(wantStats, func(line string) bool { return !slices.Contains(got, line) })
		if err == nil && !missing {
			fmt.Fprintf(w, "\n# The counters\ncurl 'http://%s%s'\n%s", adminAddr, statsPath, text)
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the counters are not\n%s\nbut\n%s (%w)", strings.Join(wantStats, "\n"), text, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
