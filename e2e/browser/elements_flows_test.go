package browser_test

import "testing"

// TestEventSource holds that a page gets events of another origin, with its cookies, where the policy allows both.
func TestEventSource(t *testing.T) {
	t.Parallel()
	const script = `new Promise(resolve => {
		const source = new EventSource(%q, {withCredentials: %t});
		const end = got => { source.close(); resolve(got); };
		source.onmessage = e => end(e.data);
		source.onerror = () => end("error");
	})`
	const without = `{"cors": {"allowOrigins": ["https://app.example.test:*"]}}`
	pages := openAll(t, app, evil)
	eval[string](pages[app], "document.cookie = %q", "session=1; domain=example.test; secure")
	s, anonymous := behind(t, appPolicy), behind(t, without)
	for _, c := range []struct {
		name, from  string
		site        site
		credentials bool
		want        string
	}{
		{"with credentials", app, s, true, "cookie session=1"},
		{"without credentials", app, s, false, "cookie "},
		{"with credentials that are not allowed", app, anonymous, true, "error"},
		{"without credentials where none are allowed", app, anonymous, false, "cookie "},
		{"refused origin", evil, s, false, "error"},
		{"no plugin", app, bare, false, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eval[string](pages[c.from].in(t), script, c.site.origin(api)+"/stage/events", c.credentials); got != c.want {
				t.Errorf("the page got %q", got)
			}
		})
	}
}

// TestFont holds that a page has letters of another origin where the policy allows it: fonts are always asked for by CORS.
func TestFont(t *testing.T) {
	t.Parallel()
	const script = `new FontFace("one-letter", "url(%s)").load().then(f => f.status, e => e.name)`
	pages := openAll(t, app, evil)
	s := behind(t, `{"cors": {"allowOrigins": ["https://app.example.test:*"]}}`)
	for _, c := range []struct {
		name, from string
		site       site
		want       string
	}{
		{"allowed origin", app, s, "loaded"},
		{"refused origin", evil, s, "NetworkError"},
		{"any origin", evil, behind(t, `{"cors": {"allowOrigins": ["*"]}}`), "loaded"},
		{"no plugin", app, bare, "NetworkError"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eval[string](pages[c.from].in(t), script, c.site.origin(api)+"/stage/font"); got != c.want {
				t.Errorf("the font is %q", got)
			}
		})
	}
}

// TestCanvas holds that a page may read the pixels of an image that it asked for by CORS and that the policy allows; of one that it only embeds, it may not, whatever the policy says.
func TestCanvas(t *testing.T) {
	t.Parallel()
	const script = `new Promise(resolve => {
		const image = new Image();
		if (%t) image.crossOrigin = "use-credentials";
		image.onerror = () => resolve("error");
		image.onload = () => {
			const context = document.createElement("canvas").getContext("2d");
			context.drawImage(image, 0, 0);
			try {
				resolve("pixels " + context.getImageData(0, 0, 1, 1).data.length);
			} catch (e) {
				resolve(e.name);
			}
		};
		image.src = %q;
	})`
	pages := openAll(t, app, evil)
	s := behind(t, appPolicy)
	for _, c := range []struct {
		name, from  string
		site        site
		crossOrigin bool
		want        string
	}{
		{"allowed origin", app, s, true, "pixels 4"},
		{"allowed origin, not asked for by CORS", app, s, false, "SecurityError"},
		{"refused origin", evil, s, true, "error"},
		{"refused origin, not asked for by CORS", evil, s, false, "SecurityError"},
		{"no plugin", app, bare, true, "error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := eval[string](pages[c.from].in(t), script, c.crossOrigin, c.site.url(api, "/image")); got != c.want {
				t.Errorf("the page has %q", got)
			}
		})
	}
}
