package browser_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// reportLimit bounds the wait for a report. The browser has been told not to wait a minute.
const reportLimit = 90 * time.Second

// reporting is a policy of report-only headers that report to a URL.
const reporting = `{
	"isolation": {
		"crossOriginOpenerPolicyReportOnly": {"value": "same-origin", "reportTo": "collector"},
		"crossOriginEmbedderPolicyReportOnly": {"value": "require-corp", "reportTo": "collector"},
		"reportingEndpoints": {"collector": %q}
	},
	"securityHeaders": {"contentSecurityPolicyReportOnly": "script-src-elem 'none'; report-to collector"}
}`

// enforcing is the policy that it stands for.
const enforcing = `{
	"isolation": {
		"crossOriginOpenerPolicy": {"value": "same-origin", "reportTo": "collector"},
		"crossOriginEmbedderPolicy": {"value": "require-corp", "reportTo": "collector"},
		"reportingEndpoints": {"collector": %q}
	},
	"securityHeaders": {"contentSecurityPolicy": "script-src-elem 'none'; report-to collector"}
}`

// collecting lets pages of app report. Reports to another origin are CORS requests with a preflight, and this answers it.
const collecting = `{"cors": {"allowOrigins": ["https://app.example.test:*"], "allowHeaders": ["content-type"]}}`

// TestReports holds that what report-only headers would forbid is reported, and goes on; and that what the others forbid is reported too.
func TestReports(t *testing.T) {
	t.Parallel()
	collector := behind(t, collecting)
	for _, c := range []struct {
		name, policy          string
		isolation             isolation
		resources             string // outcome of an image and a script that the policy forbids
		disposition, ofScript string // as the reports have it
	}{
		{"report-only", reporting, notIsolated, "load", "reporting", "report"},
		{"enforced", enforcing, isolated, "error", "enforce", "enforce"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			collectorURL := collector.url("reports.example.test", "/reports")
			s := behind(t, fmt.Sprintf(c.policy, collectorURL))
			p := open(t, s.url(app, "/page"))
			if got := eval[isolation](p, "isolation()"); got != c.isolation {
				t.Errorf("the page is %+v", got)
			}
			forbidden, script := bare.url(api, "/image"), s.url(app, "/script.js")
			if got := eval[string](p, "image(%q)", forbidden); got != c.resources {
				t.Errorf("the image gave %s", got)
			}
			if got := eval[string](p, "script(%q)", script); got != c.resources {
				t.Errorf("the script gave %s", got)
			}
			window := s.url(app, "/page")
			eval[any](open(t, bare.url(api, "/page")), "void open(%q)", window)

			checkReports(t, collectorURL, map[string]func(report) bool{
				"the image": func(r report) bool {
					return r.Type == "coep" && r.Body.Type == "corp" && r.Body.BlockedURL == forbidden && r.Body.Disposition == c.disposition
				},
				"the script": func(r report) bool {
					return r.Type == "csp-violation" && r.Body.EffectiveDirective == "script-src-elem" && r.Body.Disposition == c.ofScript
				},
				"the opener": func(r report) bool {
					return r.Type == "coop" && r.Body.Type == "navigation-to-response" && r.URL == window && r.Body.Disposition == c.disposition
				},
			})
		})
	}
}

// checkReports waits until there is a report of everything.
func checkReports(t *testing.T, address string, of map[string]func(report) bool) {
	t.Helper()
	until(t, reportLimit, func() error {
		reports := backend.reports(t, address)
		var missing error
		for what, is := range of {
			if !slices.ContainsFunc(reports, is) {
				missing = errors.Join(missing, fmt.Errorf("no report of %s in %+v", what, reports))
			}
		}
		return missing
	})
}

// TestRefusedReports holds that reports need a collector whose policy takes them: without content-type among its headers, they never leave the browser.
func TestRefusedReports(t *testing.T) {
	t.Parallel()
	collector := behind(t, `{"rules": [
		{"name": "collector_without_headers", "match": {"hosts": ["reports.example.test"]}, "cors": {"allowOrigins": ["https://app.example.test:*"]}}
	]}`).url("reports.example.test", "/reports")
	p := open(t, behind(t, fmt.Sprintf(reporting, collector)).url(app, "/page"))
	if got := eval[string](p, "image(%q)", bare.url(api, "/image")); got != "load" {
		t.Errorf("the image gave %s", got)
	}
	waitForCounter(t, "corsguard.rule.collector_without_headers.kind.preflight.decision.refused.reason.header_not_allowed")
	none(t, collector)
}
