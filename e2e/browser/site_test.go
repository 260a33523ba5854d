package browser_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"corsguard/e2e/envoy"
)

// Host names of the tests. The browser finds all of them on this machine.
const (
	app   = "app.example.test"
	api   = "api.example.test" // another origin than app, the same site
	other = "cdn.other.test"   // another site
	evil  = "evil.test"        // another one, which no policy knows
)

// A site is a listener of the Envoy. Every host name leads to every site: the port says which one is meant.
type site struct{ port string }

var sites atomic.Int64

// behind returns a new site behind the plugin with this policy.
func behind(t *testing.T, policy string) site {
	t.Helper()
	return through(t, corsguard(policy))
}

// corsguard is the plugin with a policy.
func corsguard(policy string) envoy.Object {
	return envoy.Plugin{Wasm: wasm, Config: []byte(policy), Name: "corsguard"}.Filter()
}

// through returns a new site behind these filters.
func through(t *testing.T, filters ...envoy.Object) site {
	t.Helper()
	name := fmt.Sprintf("%s_%d", strings.ReplaceAll(t.Name(), "/", "_"), sites.Add(1))
	s, err := serve(t.Context(), name, filters...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func serve(ctx context.Context, name string, filters ...envoy.Object) (site, error) {
	h := envoy.HCM{
		Filters: filters,
		Routes: []envoy.Object{
			envoy.Route("/down/", "down"), envoy.Route("/stage/", "stage"), envoy.Route("/echo.Echo/", "stage-h2"), envoy.Route("/", "upstream"),
		},
		TransportSocket: identity.transportSocket(),
	}
	refused, err := gateway.Put(ctx, h.Listener(name))
	if err != nil {
		return site{}, err
	}
	if why, bad := refused[name]; bad {
		return site{}, fmt.Errorf("listener %s was refused: %s\n%s", name, why, strings.Join(gateway.Log.Entries("[wasm]", "config error"), ""))
	}
	_, port, err := net.SplitHostPort(gateway.Addr(name))
	return site{port}, err
}

// origin returns the origin of a host of the site.
func (s site) origin(host string) string { return "https://" + host + ":" + s.port }

var urls atomic.Int64

// url returns the address of something that the upstream has, never the same one twice. The lines of answer are headers that the upstream adds
// each time, or "status: 403". In them, $origin stands for the Origin of the request.
func (s site) url(host, path string, answer ...string) string {
	query := url.Values{"n": {strconv.FormatInt(urls.Add(1), 10)}, "answer": answer}
	return s.origin(host) + path + "?" + query.Encode()
}
