package browser_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"corsguard/e2e/repo"
)

// foretold is what `corsguard explain` says of the browser.
type foretold struct {
	Allowed  bool
	Failure  string
	Chromium string
}

// TestExplain holds that the console of a browser whose request goes through Envoy and the plugin says what the command says of the same policy and the same request. Without the
// plugin it would not: what is foretold of a refusal does not happen there, since the upstream allows everybody.
func TestExplain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	command, err := repo.BuildCommand(dir)
	if err != nil {
		t.Fatal(err)
	}
	said := &console{}
	pages := openAll(t, app, evil)
	pages["null"] = newProfile(t)
	pages["null"].load(bare.url(app, "/page", "content-security-policy: sandbox allow-scripts"))
	for _, p := range pages {
		if err := chromedp.Listen(p.ctx, said.note); err != nil {
			t.Fatal(err)
		}
	}
	const withoutCredentials = `{"cors": {"allowOrigins": ["https://app.example.test:*"]}}`
	const allowNull = `{"cors": {"allowNull": true}}`
	policies := map[string]string{}
	served := map[string]site{}
	for i, policy := range []string{appPolicy, withoutCredentials, allowNull} {
		policies[policy] = filepath.Join(dir, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(policies[policy], []byte(policy), 0o644); err != nil {
			t.Fatal(err)
		}
		served[policy] = behind(t, policy)
	}
	for _, c := range []struct {
		name, policy, from, failure string
		method, credentials         string
		headers                     [][2]string
	}{
		{"simple", appPolicy, app, "", "GET", "same-origin", nil},
		{"credentialed", appPolicy, app, "", "GET", "include", nil},
		{"preflighted", appPolicy, app, "", "PUT", "include", [][2]string{{"x-token", "1"}}},
		{"refused origin", appPolicy, evil, "missing-allow-origin", "GET", "same-origin", nil},
		{"refused origin, preflighted", appPolicy, evil, "missing-allow-origin", "PUT", "same-origin", nil},
		{"refused method", appPolicy, app, "method-not-allowed", "DELETE", "same-origin", nil},
		{"refused header", appPolicy, app, "header-not-allowed", "GET", "same-origin", [][2]string{{"x-other", "1"}}},
		{"refused value of a header", appPolicy, app, "header-not-allowed", "POST", "same-origin", [][2]string{{"content-type", "application/json"}}},
		{"refused credentials", withoutCredentials, app, "allow-credentials-not-true", "GET", "include", nil},
		{"refused null", appPolicy, "null", "missing-allow-origin", "GET", "same-origin", nil},
		{"refused null, preflighted", appPolicy, "null", "missing-allow-origin", "PUT", "same-origin", nil},
		{"allowed null", allowNull, "null", "", "GET", "same-origin", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin := "null"
			if c.from != "null" {
				origin = bare.origin(c.from)
			}
			// An upstream that lets everybody through, were it not for the plugin.
			address := served[c.policy].url(api, "/data.json", allowOrigin, allowCredentials)
			args := []string{"explain", policies[c.policy], "--output", "json", "--url", address, "--origin", origin, "--method", c.method, "--credentials=" + c.credentials}
			for _, h := range c.headers {
				args = append(args, "--header", h[0]+": "+h[1])
			}
			want := explain(t, command, args)
			if want.Failure != c.failure || want.Allowed != (c.failure == "") {
				t.Errorf("the command says %+v", want)
			}

			init := object{"method": c.method, "credentials": c.credentials, "headers": object{}}
			for _, h := range c.headers {
				init["headers"].(object)[h[0]] = h[1]
			}
			p := pages[c.from].in(t)
			if got := eval[response](p, "read(%q, %s)", address, asJSON(init)); (got.Status == 200) != want.Allowed {
				t.Errorf("the page got %+v", got)
			}
			var texts []string
			if want.Chromium != "" {
				texts = []string{want.Chromium}
			}
			until(t, tellLimit, func() error {
				if got := said.about(address); !slices.Equal(got, texts) {
					return fmt.Errorf("the console says\n%q, the command says\n%q", got, texts)
				}
				return nil
			})

			if c.method == "GET" && c.headers == nil {
				address := bare.url(api, "/data.json", allowOrigin, allowCredentials)
				if got := eval[response](p, "read(%q, %s)", address, asJSON(init)); got.Status != 200 {
					t.Errorf("without the plugin, the page got %+v", got)
				}
			}
		})
	}
}

func explain(t *testing.T, command string, args []string) foretold {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), command, args...).Output()
	var document struct{ Reports []struct{ Browser foretold } }
	if err := errors.Join(err, json.Unmarshal(out, &document)); err != nil || len(document.Reports) != 1 {
		t.Fatalf("%v\n%s", err, out)
	}
	return document.Reports[0].Browser
}
