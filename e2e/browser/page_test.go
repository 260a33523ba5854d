package browser_test

import (
	"context"
	_ "embed"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"corsguard/e2e/suite"
)

const (
	// actionLimit bounds whatever a page is asked to do.
	actionLimit = 90 * time.Second
	// tellLimit bounds the wait for what the browser tells of it afterwards, and for the plugin's counters, which come once a second.
	tellLimit = time.Minute
)

// page is a tab with a document, for one test at a time, which its methods fail. The end of the test that opened it closes it.
type page struct {
	t *testing.T
	*tab
}

type tab struct {
	ctx context.Context

	mu      sync.Mutex // over what the browser tells while it loads
	urls    map[network.RequestID]string
	loads   map[string]int64                       // status by URL
	failure map[string]*network.EventLoadingFailed // by URL
}

// newProfile returns an empty page in a profile of its own: no cookies, nothing cached.
func newProfile(t *testing.T) *page {
	return newPage(chromium.ctx, t, chromedp.WithNewBrowserContext())
}

// open opens a page in a profile of its own.
func open(t *testing.T, address string) *page {
	t.Helper()
	p := newProfile(t)
	p.load(address)
	return p
}

// openAll opens a page of each host, all in one new profile, for the tests inside t; see [page.in].
func openAll(t *testing.T, hosts ...string) map[string]*page {
	t.Helper()
	profile := newProfile(t)
	pages := map[string]*page{}
	for _, host := range hosts {
		pages[host] = newPage(profile.ctx, t)
		pages[host].load(bare.url(host, "/page"))
	}
	return pages
}

// in returns the same page for a test inside the one that opened it.
func (p *page) in(t *testing.T) *page { return &page{t, p.tab} }

// load navigates from nowhere, as if the user had typed the address.
func (p *page) load(address string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, actionLimit)
	defer cancel()
	response, err := chromedp.Run(ctx, chromedp.NavigateResponse(address))
	if err != nil {
		p.t.Fatal(err)
	}
	if response.Status != 200 {
		p.t.Fatalf("%s has status %d", address, response.Status)
	}
}

// newPage returns an empty page in the profile of parent, another page or the browser.
func newPage(parent context.Context, t *testing.T, options ...chromedp.ContextOption) *page {
	p := &page{t, &tab{urls: map[network.RequestID]string{}, loads: map[string]int64{}, failure: map[string]*network.EventLoadingFailed{}}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(p.note))...)
	t.Cleanup(cancel)
	p.ctx = ctx
	// The first action opens the tab, which lives as long as the context of that action.
	giveUp := time.AfterFunc(actionLimit, cancel)
	defer giveUp.Stop()
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("a tab does not open: %v", err)
	}
	return p
}

// note keeps what the browser tells of its loads. Preflights are told of apart, under the URL of the request that they are for.
func (x *tab) note(event any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Type != network.ResourceTypePreflight {
			x.urls[e.RequestID] = e.Request.URL
		}
	case *network.EventResponseReceived:
		if address := x.urls[e.RequestID]; address != "" {
			x.loads[address] = e.Response.Status
		}
	case *network.EventLoadingFailed:
		if address := x.urls[e.RequestID]; address != "" {
			x.failure[address] = e
		}
	}
}

// whyFailed returns how the browser says that a load failed.
func (p *page) whyFailed(address string) network.EventLoadingFailed {
	p.t.Helper()
	var why *network.EventLoadingFailed
	until(p.t, tellLimit, func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if why = p.failure[address]; why == nil {
			return fmt.Errorf("the browser does not say that %s failed; status %d", address, p.loads[address])
		}
		return nil
	})
	return *why
}

// status returns the status of a load.
func (p *page) status(address string) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.loads[address]
}

// library has the functions that the scripts of the tests are made of.
//
//go:embed library.js
var library string

// eval runs a script in a page, as its own, and returns what its promise gives.
func eval[T any](p *page, format string, args ...any) T {
	p.t.Helper()
	script := "(async () => {" + library + "\nreturn " + fmt.Sprintf(format, args...) + "})()"
	ctx, cancel := context.WithTimeout(p.ctx, actionLimit)
	defer cancel()
	got, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise, asUser))
	if err != nil {
		p.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return got
}

// asUser lets a script do what takes a click of the user, such as opening a window.
func asUser(params *runtime.EvaluateParams) {
	yes := true
	params.UserGesture = &yes
}

// follow runs a script that navigates the page away, and returns the status of what it arrives at.
func (p *page) follow(format string, args ...any) int64 {
	p.t.Helper()
	script := "{" + library + "\n" + fmt.Sprintf(format, args...) + "; undefined}"
	ctx, cancel := context.WithTimeout(p.ctx, actionLimit)
	defer cancel()
	response, err := chromedp.RunResponse(ctx, chromedp.Evaluate[chromedp.Void](script, asUser))
	if err != nil {
		p.t.Fatalf("%s: %v", fmt.Sprintf(format, args...), err)
	}
	return response.Status
}

var until = suite.Until
