package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// findFirefox returns the path of Firefox: FIREFOX, or the first of the usual names on PATH.
func findFirefox() (string, error) {
	if path := os.Getenv("FIREFOX"); path != "" {
		found, err := exec.LookPath(path)
		if err != nil {
			err = fmt.Errorf("FIREFOX: %w", err)
		}
		return found, err
	}
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("no Firefox on PATH: install one (Debian: apt-get install firefox-esr), or set FIREFOX to the path of one")
}

// firefox is a running Firefox without a window, with one tab, driven by Marionette, its own remote protocol: messages are JSON behind their length.
type firefox struct {
	t *testing.T
	*marionette
}

type marionette struct {
	conn net.Conn
	from *bufio.Reader
	last int // the number of the last command
}

// in returns the same Firefox for a test inside the one that started it.
func (f *firefox) in(t *testing.T) *firefox { return &firefox{t, f.marionette} }

// startFirefox starts Firefox with a profile of its own. The end of the test closes it.
func startFirefox(t *testing.T) *firefox {
	t.Helper()
	path, err := findFirefox()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	profile := filepath.Join(dir, "profile")
	if err := os.Mkdir(profile, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	command := exec.CommandContext(ctx, path, "--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile)
	command.Env = append(os.Environ(), "HOME="+dir, "MOZ_CRASHREPORTER_DISABLE=1")
	command.WaitDelay = browserStopLimit
	var printed bytes.Buffer
	command.Stdout, command.Stderr = &printed, &printed
	if err := command.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	f := &firefox{t, &marionette{}}
	t.Cleanup(func() {
		// Asked to quit, Firefox ends all of its processes, which write to the profile to the last.
		if f.conn != nil {
			_, _ = f.call("Marionette:Quit", map[string]any{"flags": []string{"eForceQuit"}}) // it is killed below where it does not quit
			f.conn.Close()
			kill := time.AfterFunc(browserStopLimit, cancel)
			defer kill.Stop()
		} else {
			cancel()
		}
		command.Wait() // its status says nothing: it may have been killed
		cancel()
	})
	until(t, browserStartLimit, func() error {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err != nil {
			return fmt.Errorf("%s does not start: %w", path, err)
		}
		f.conn, err = net.Dial("tcp", net.JoinHostPort("127.0.0.1", strings.TrimSpace(string(port))))
		return err
	})
	f.from = bufio.NewReader(f.conn)
	if _, err := f.read(); err != nil { // the greeting
		t.Fatal(err)
	}
	var session struct {
		Capabilities struct{ BrowserVersion string }
	}
	f.into(&session, "WebDriver:NewSession", map[string]any{"acceptInsecureCerts": true})
	fmt.Printf("with Firefox %s, %s\n", session.Capabilities.BrowserVersion, path)
	return f
}

// preferences of the profile: nothing but the sites of the tests is to be found, and nothing is asked for on the side.
const preferences = `
user_pref("marionette.port", 0);
user_pref("network.dns.forceResolve", "127.0.0.1");
user_pref("network.http.http3.enable", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("services.settings.server", "data:,");
user_pref("app.update.disabledForTesting", true);
user_pref("browser.startup.page", 0);
user_pref("browser.shell.checkDefaultBrowser", false);
`

// call has Firefox do something, and returns what comes of it.
func (m *marionette) call(command string, parameters map[string]any) (json.RawMessage, error) {
	m.last++
	message := asJSON([]any{0, m.last, command, parameters})
	if err := m.conn.SetDeadline(time.Now().Add(actionLimit)); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(m.conn, "%d:%s", len(message), message); err != nil {
		return nil, err
	}
	answer, err := m.read()
	if err != nil {
		return nil, err
	}
	var parts [4]json.RawMessage // kind, number, error, result
	if err := json.Unmarshal(answer, &parts); err != nil {
		return nil, err
	}
	if string(parts[2]) != "null" {
		return nil, fmt.Errorf("%s: %s", command, parts[2])
	}
	return parts[3], nil
}

func (m *marionette) read() ([]byte, error) {
	length, err := m.from.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return nil, err
	}
	message := make([]byte, n)
	_, err = io.ReadFull(m.from, message)
	return message, err
}

// into is call for what must not fail, and reads the result.
func (f *firefox) into(result any, command string, parameters map[string]any) {
	f.t.Helper()
	got, err := f.call(command, parameters)
	if err == nil && result != nil {
		err = json.Unmarshal(got, result)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// eval runs a script in the page, which has the functions of the library, and returns what its promise gives.
func (f *firefox) eval(script string) json.RawMessage {
	f.t.Helper()
	var got struct{ Value json.RawMessage }
	f.into(&got, "WebDriver:ExecuteScript", map[string]any{"script": library + "\nreturn " + script, "args": []any{}, "sandbox": nil})
	return got.Value
}

// load navigates as if the user had typed the address.
func (f *firefox) load(address string) {
	f.t.Helper()
	f.into(nil, "WebDriver:Navigate", map[string]any{"url": address})
}

// messages returns what the console says, from its beginning, and clears it.
func (f *firefox) messages() []string {
	f.t.Helper()
	f.into(nil, "Marionette:SetContext", map[string]any{"value": "chrome"})
	var got struct{ Value []string }
	f.into(&got, "WebDriver:ExecuteScript", map[string]any{"args": []any{}, "script": `
		const said = Services.console.getMessageArray().map(m => m instanceof Ci.nsIScriptError ? m.errorMessage : m.message);
		Services.console.reset();
		return said;`})
	f.into(nil, "Marionette:SetContext", map[string]any{"value": "content"})
	return got.Value
}
