package browser_test

import (
	"fmt"
	"testing"
)

// TestShadow holds that in shadow mode, all is as without the plugin, while the plugin counts what it would refuse. What the same policy does when
// enforced is checked beside it.
func TestShadow(t *testing.T) {
	t.Parallel()
	const policy = `{
		"mode": %q,
		"rules": [{
			"name": "shadow_test_%[1]s", "match": {"hosts": ["*.example.test"]},
			"cors": {"allowOrigins": ["https://app.example.test:*"]},
			"isolation": {"preset": "cross-origin-isolated", "crossOriginResourcePolicy": "same-origin"},
			"securityHeaders": {"xContentTypeOptions": "nosniff"},
			"fetchMetadata": {}
		}]
	}`
	stranger := openAll(t, evil)
	for _, c := range []struct {
		mode      string
		isolation isolation
		fetch     int    // status of a fetch that the policy refuses and the upstream allows
		preflight int    // the same, of one with a preflight
		image     string // outcome of an image from another site
		counter   string
	}{
		{"shadow", notIsolated, 200, 200, "load", "shadowed"},
		{"enforce", isolated, 0, 0, "error", "refused"},
	} {
		t.Run(c.mode, func(t *testing.T) {
			s := behind(t, fmt.Sprintf(policy, c.mode))
			if got := eval[isolation](open(t, s.url(app, "/page")), "isolation()"); got != c.isolation {
				t.Errorf("the page is %+v", got)
			}
			p := stranger[evil].in(t)
			own := []string{allowAll, "access-control-allow-methods: PUT"}
			if got := eval[response](p, "read(%q)", s.url(api, "/data.json", own...)); got.Status != c.fetch {
				t.Errorf("a fetch of another origin gave %+v", got)
			}
			if got := eval[response](p, "read(%q, {method: 'PUT'})", s.url(api, "/data.json", own...)); got.Status != c.preflight {
				t.Errorf("a PUT of another origin gave %+v", got)
			}
			if got := eval[string](p, "image(%q)", s.url(api, "/image")); got != c.image {
				t.Errorf("an image of another site gave %s", got)
			}
			if got := eval[string](p, "script(%q)", s.url(api, "/script.js", "content-type: text/plain")); got != c.image {
				t.Errorf("a script of another site, labelled as text, gave %s", got)
			}
			prefix := "corsguard.rule.shadow_test_" + c.mode + ".kind."
			waitForCounter(t, prefix+"preflight.decision."+c.counter+".reason.origin_not_allowed")
			waitForCounter(t, prefix+"no_origin.decision."+c.counter+".reason.cross_site_not_allowed")
		})
	}
}

// waitForCounter waits until a counter of the plugin is there and not zero.
func waitForCounter(t *testing.T, name string) {
	t.Helper()
	until(t, tellLimit, func() error {
		stats, err := gateway.Admin.Stats(t.Context(), "corsguard")
		if err == nil && stats["wasmcustom."+name] == 0 {
			err = fmt.Errorf("%s is zero; there are %v", name, stats)
		}
		return err
	})
}
