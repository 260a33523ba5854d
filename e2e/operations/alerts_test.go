package operations

import (
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
)

const alertsFile = "docs/operations/alerts.yaml"

func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	groups, errs := rulefmt.Parse([]byte(read(t, alertsFile)), false, model.LegacyValidation)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var all []rulefmt.Rule
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// TestAlertsAreValid holds what promtool holds, and that nobody is woken up without being told why and what to do.
func TestAlertsAreValid(t *testing.T) {
	text := read(t, document)
	names := map[string]bool{}
	for _, r := range alerts(t) {
		if r.Alert == "" || names[r.Alert] || !strings.HasPrefix(r.Alert, "Corsguard") {
			t.Errorf("%q: no name, or there twice, or one that does not say whose alert it is", r.Alert)
		}
		names[r.Alert] = true
		if err := verify(r.Expr); err != nil {
			t.Errorf("%s: %v", r.Alert, err)
		}
		if s := r.Labels["severity"]; s != "critical" && s != "warning" && s != "info" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if r.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
		anchor, there := strings.CutPrefix(r.Annotations["runbook"], document+"#")
		if !there || !anchors(text)[anchor] {
			t.Errorf("%s: there is no %s", r.Alert, r.Annotations["runbook"])
		}
		if !strings.Contains(text, "`"+r.Alert+"`") {
			t.Errorf("%s does not say what %s means", document, r.Alert)
		}
	}
	for _, m := range regexp.MustCompile("`(Corsguard[A-Z]\\w+)`").FindAllStringSubmatch(text, -1) {
		if !names[m[1]] {
			t.Errorf("%s explains %s, which is no alert", document, m[1])
		}
	}
	if len(names) < 10 {
		t.Errorf("%d alerts", len(names))
	}
}

// anchors returns the anchors that the headings of a document make.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	drop := regexp.MustCompile(`[^a-z0-9 _-]`)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}
