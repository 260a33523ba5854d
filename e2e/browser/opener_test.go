package browser_test

import (
	"errors"
	"testing"
)

// TestOpener holds whether a page that a page of another origin opens in a window still has that page as its opener.
func TestOpener(t *testing.T) {
	t.Parallel()
	opener := open(t, bare.url(api, "/page"))
	for policy, kept := range map[string]string{
		`{"isolation": {"originAgentCluster": true}}`:                                 "true",
		`{"isolation": {"crossOriginOpenerPolicy": "unsafe-none"}}`:                   "true",
		`{"isolation": {"crossOriginOpenerPolicyReportOnly": "same-origin"}}`:         "true",
		`{"isolation": {"crossOriginOpenerPolicy": "same-origin"}}`:                   "false",
		`{"isolation": {"crossOriginOpenerPolicy": "same-origin-allow-popups"}}`:      "false",
		`{"isolation": {"crossOriginOpenerPolicy": "noopener-allow-popups"}}`:         "false",
		`{"mode": "shadow", "isolation": {"crossOriginOpenerPolicy": "same-origin"}}`: "true",
	} {
		window := behind(t, policy).url(app, "/window")
		eval[any](opener, "void open(%q)", window)
		until(t, actionLimit, func() error {
			for _, a := range backend.seen(t, window) {
				if a.method != "POST" {
					continue
				}
				if string(a.body) != kept {
					t.Errorf("with %s, the window has an opener: %s", policy, a.body)
				}
				return nil
			}
			return errors.New("the window does not tell whether it has an opener")
		})
	}
}
