package servers_test

import "testing"

var caddy = server{
	program: "caddy",
	args:    []string{"run", "--adapter", "caddyfile", "--config", "FILE"},
	file: `{
	admin off
	auto_https off
}
http://:PORT {
	bind ADDRESS
	SETTINGS
	@missing not path /v1/items
	respond @missing 404
	respond "[]"
}
`,
}

func TestCaddy(t *testing.T) {
	caddy.audit(t, []site{
		{
			name: "reflecting",
			settings: `
	header Access-Control-Allow-Origin {header.origin}
	header Access-Control-Allow-Credentials true
	header Access-Control-Max-Age 600`,
			args: []string{"--origin", "https://app.example.com", "--credentials"},
			want: plus("reflects-any-origin error", "missing-vary-origin warning"),
		},
		{
			name: "a regular expression with an open end",
			settings: `
	@allowed header_regexp origin Origin ^https://app\.example\.com
	header @allowed Access-Control-Allow-Origin {header.origin}
	header @allowed Access-Control-Max-Age 600
	header Vary Origin`,
			args: []string{"--origin", "https://app.example.com"},
			want: plus("origin-prefix-match warning"),
		},
		{
			name: "right",
			settings: `
	@allowed header Origin https://app.example.com
	header @allowed {
		Access-Control-Allow-Origin https://app.example.com
		Access-Control-Allow-Credentials true
		Access-Control-Allow-Methods "GET, PUT"
		Access-Control-Allow-Headers content-type
		Access-Control-Max-Age 600
	}
	header Vary Origin
	header X-Content-Type-Options nosniff
	header Cross-Origin-Resource-Policy same-site
	@preflight method OPTIONS
	respond @preflight 204`,
			args: known,
		},
	})
}
