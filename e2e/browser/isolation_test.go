package browser_test

import "testing"

// isolation is whether a page or a worker is isolated from other origins, and whether it has SharedArrayBuffer. Error is for a worker that does not
// start.
type isolation struct {
	Isolated bool `json:"isolated"`
	Shared   bool `json:"shared"`
	Error    bool `json:"error"`
}

var (
	isolated    = isolation{Isolated: true, Shared: true}
	notIsolated = isolation{}
	notStarted  = isolation{Error: true}
)

// The beginnings of header lines.
const (
	coop = "cross-origin-opener-policy: "
	coep = "cross-origin-embedder-policy: "
	dip  = "document-isolation-policy: "
	corp = "cross-origin-resource-policy: "
)

// TestIsolationByUpstream holds what the headers do where no plugin is. One line too many switches isolation off, even one of the same value.
func TestIsolationByUpstream(t *testing.T) {
	t.Parallel()
	profile := newProfile(t)
	for _, c := range []struct {
		name    string
		headers []string
		want    isolation
	}{
		{"no header", nil, notIsolated},
		{"opener and embedder policy", []string{coop + "same-origin", coep + "require-corp"}, isolated},
		{"credentialless", []string{coop + "same-origin", coep + "credentialless"}, isolated},
		{"document isolation policy", []string{dip + "isolate-and-credentialless"}, isolated},
		{"opener policy alone", []string{coop + "same-origin"}, notIsolated},
		{"embedder policy alone", []string{coep + "require-corp"}, notIsolated},
		{"opener policy twice", []string{coop + "same-origin", coop + "same-origin", coep + "require-corp"}, notIsolated},
		{"embedder policy twice", []string{coop + "same-origin", coep + "require-corp", coep + "require-corp"}, notIsolated},
		{"document isolation policy twice", []string{dip + "isolate-and-credentialless", dip + "isolate-and-credentialless"}, notIsolated},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.in(t)
			p.load(bare.url(app, "/page", c.headers...))
			if got := eval[isolation](p, "isolation()"); got != c.want {
				t.Errorf("the page is %+v", got)
			}
		})
	}
}

// TestIsolation holds that a policy isolates pages and their workers, whatever the upstream sends.
func TestIsolation(t *testing.T) {
	t.Parallel()
	profile := newProfile(t)
	upstreams := map[string][]string{
		"sends nothing":  nil,
		"opts out":       {coop + "unsafe-none", coep + "unsafe-none", dip + "none"},
		"repeats itself": {coop + "same-origin", coop + "same-origin", coep + "require-corp", coep + "require-corp", dip + "none", dip + "none"},
	}
	for _, c := range []struct {
		name, policy string
		sent         map[string]string // the one value of each header
	}{
		{"preset", `{"isolation": {"preset": "cross-origin-isolated"}}`, map[string]string{
			"cross-origin-opener-policy":   "same-origin",
			"cross-origin-embedder-policy": "require-corp",
		}},
		{"credentialless", `{"isolation": {"crossOriginOpenerPolicy": "same-origin", "crossOriginEmbedderPolicy": "credentialless"}}`, map[string]string{
			"cross-origin-opener-policy":   "same-origin",
			"cross-origin-embedder-policy": "credentialless",
		}},
		{"document isolation policy", `{"isolation": {"documentIsolationPolicy": "isolate-and-credentialless"}}`, map[string]string{
			"document-isolation-policy": "isolate-and-credentialless",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := behind(t, c.policy)
			for name, own := range upstreams {
				t.Run("upstream "+name, func(t *testing.T) {
					p := profile.in(t)
					address := s.url(app, "/page", own...)
					p.load(address)
					if got := eval[isolation](p, "isolation()"); got != isolated {
						t.Errorf("the page is %+v", got)
					}
					if got := eval[isolation](p, "worker(%q)", s.url(app, "/worker.js", own...)); got != isolated {
						t.Errorf("its worker is %+v", got)
					}
					headers := eval[response](p, "read(%q)", address).Headers
					for name, want := range c.sent {
						if headers[name] != want {
							t.Errorf("%s: %q, want %q", name, headers[name], want)
						}
					}
				})
			}
		})
	}
}

// TestWorkerScript holds that the script of a worker needs the embedder policy too: of an isolated page, a worker whose script has none does not start.
func TestWorkerScript(t *testing.T) {
	t.Parallel()
	profile := newProfile(t)
	s := behind(t, `{
		"isolation": {"preset": "cross-origin-isolated"},
		"rules": [{"name": "plain", "match": {"paths": [{"prefix": "/plain"}]}, "isolation": null}]
	}`)
	for _, c := range []struct {
		name, page, script string
		want               isolation
	}{
		{"both with", "/page", "/worker.js", isolated},
		{"script without", "/page", "/plain/worker.js", notStarted},
		{"both without", "/plain/page", "/plain/worker.js", notIsolated},
		{"page without", "/plain/page", "/worker.js", notIsolated},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := profile.in(t)
			p.load(s.url(app, c.page))
			if got := eval[isolation](p, "worker(%q)", s.url(app, c.script)); got != c.want {
				t.Errorf("the worker is %+v, want %+v", got, c.want)
			}
		})
	}
}

// TestEmbedding holds what an embedder policy lets a page embed, and with which cookies.
func TestEmbedding(t *testing.T) {
	t.Parallel()
	const cookie = "a=b"
	for _, c := range []struct {
		name, policy string
		bare, opted  string // outcome of an image without and with a resource policy
		cookie       string // that goes with the image without
	}{
		{"none", `{"isolation": {"crossOriginOpenerPolicy": "same-origin"}}`, "load", "load", cookie},
		{"require-corp", `{"isolation": {"preset": "cross-origin-isolated"}}`, "error", "load", cookie},
		{"credentialless", `{"isolation": {"preset": "cross-origin-isolated", "crossOriginEmbedderPolicy": "credentialless"}}`, "load", "load", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := open(t, behind(t, c.policy).url(app, "/page"))
			eval[string](p, "document.cookie = %q", cookie+"; domain=example.test; secure")
			without, with := bare.url(api, "/image"), bare.url(api, "/image", corp+"cross-origin")
			if got := eval[string](p, "image(%q)", without); got != c.bare {
				t.Errorf("%s of the image without a resource policy", got)
			}
			if got := eval[string](p, "image(%q)", with); got != c.opted {
				t.Errorf("%s of the image with a resource policy", got)
			}
			if got := only(t, without).header.Get("cookie"); got != c.cookie {
				t.Errorf("cookie %q", got)
			}
		})
	}
}

// TestOriginAgentCluster holds that a policy settles whether an origin keeps its memory from the rest of its site, whatever the upstream says.
func TestOriginAgentCluster(t *testing.T) {
	t.Parallel()
	const keyed, unkeyed = `{"isolation": {"originAgentCluster": true}}`, `{"isolation": {"originAgentCluster": false}}`
	for policy, own := range map[string]string{keyed: "origin-agent-cluster: ?0", unkeyed: "origin-agent-cluster: ?1"} {
		p := open(t, behind(t, policy).url(app, "/page", own))
		if got, want := eval[bool](p, "originAgentCluster"), policy == keyed; got != want {
			t.Errorf("with %s, originAgentCluster is %v", policy, got)
		}
	}
}
