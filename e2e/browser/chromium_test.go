package browser_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
)

const (
	// browserStartLimit bounds the start of the browser.
	browserStartLimit = 3 * time.Minute
	// browserStopLimit is what the browser gets to close before it is killed.
	browserStopLimit = time.Minute
)

// findBrowser returns the path of the browser: CHROMIUM, or the first of the usual names on PATH.
func findBrowser() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			err = fmt.Errorf("CHROMIUM: %w", err)
		}
		return found, err
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Chromium on PATH: install one (Debian: apt-get install chromium), or set CHROMIUM to the path of a Chromium or Chrome, 137 or later")
}

// browser is a running Chromium without a window. close must be called once.
type browser struct {
	ctx    context.Context
	cancel func()
	log    *os.File
}

// startBrowser starts the browser with a profile of its own in dir, and these flags on its command line.
func startBrowser(ctx context.Context, path, dir string, flags map[string]any) (*browser, error) {
	home := filepath.Join(dir, "home")
	if err := os.Mkdir(home, 0o755); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "chromium.log"))
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path),
		chromedp.CombinedOutput(log),
		chromedp.UserDataDir(filepath.Join(dir, "profile")),
		chromedp.Env("HOME=" + home), // certificate databases and crash reports are kept there
	}
	for name, value := range flags {
		options = append(options, chromedp.Flag(name, value))
	}
	allocator, cancelAllocator := chromedp.NewExecAllocator(ctx, options...)
	tab, cancelTab := chromedp.NewContext(allocator)
	b := &browser{ctx: tab, cancel: func() { cancelTab(); cancelAllocator() }, log: log}

	// The first action starts the browser, and the browser lives as long as its context.
	giveUp := time.AfterFunc(browserStartLimit, b.cancel)
	defer giveUp.Stop()
	if err := chromedp.Do(tab); err != nil {
		printed, _ := os.ReadFile(log.Name())
		b.cancel()
		return nil, errors.Join(fmt.Errorf("%s does not start: %w\n%s", path, err, printed), log.Close())
	}
	version, err := chromedp.CallBrowser(tab, cdpbrowser.GetVersion, cdp.Empty{})
	if err != nil {
		b.cancel()
		return nil, errors.Join(err, log.Close())
	}
	fmt.Printf("with %s, %s\n", version.Product, path)
	return b, nil
}

// flags returns the browser's command line.
func flags() map[string]any {
	return map[string]any{
		"headless":    true,
		"no-sandbox":  os.Getuid() == 0, // it has none to offer to root
		"disable-gpu": true,

		// Nothing but the sites of the tests is to be found.
		"host-resolver-rules": "MAP *.test 127.0.0.1, MAP * ~NOTFOUND",
		// An error that is ignored for one key leaves the sites as trustworthy as others, which isolation and reports need.
		"ignore-certificate-errors-spki-list": identity.pin,
		// Reports leave within a second; else it is a minute.
		"short-reporting-delay": true,

		// Tabs that nobody looks at run as fast as others.
		"disable-background-timer-throttling":    true,
		"disable-backgrounding-occluded-windows": true,
		"disable-renderer-backgrounding":         true,

		"disable-background-networking": true,
		"disable-component-update":      true,
		"disable-default-apps":          true,
		"disable-dev-shm-usage":         true, // containers have little of it
		"disable-extensions":            true,
		"disable-popup-blocking":        true,
		"disable-quic":                  true,
		"disable-sync":                  true,
		"no-default-browser-check":      true,
		"no-first-run":                  true,
		"password-store":                "basic",
	}
}

// close ends the browser, this one and no other.
func (b *browser) close() error {
	limit, cancel := context.WithTimeout(b.ctx, browserStopLimit)
	defer cancel()
	err := chromedp.Cancel(limit)
	b.cancel()
	return errors.Join(err, b.log.Close())
}
