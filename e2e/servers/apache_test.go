package servers_test

import "testing"

var apache = server{
	program: "apache2",
	args:    []string{"-X", "-d", "DIR", "-f", "FILE"},
	file: `
Listen ADDRESS:PORT
PidFile DIR/apache.pid
ErrorLog DIR/error.log
ServerName localhost
User nobody
Group nogroup
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule setenvif_module /usr/lib/apache2/modules/mod_setenvif.so
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
DocumentRoot DIR/www
SETTINGS
`,
}

func TestApache(t *testing.T) {
	apache.audit(t, []site{
		{
			// A much copied answer for several domains: its dots and its scheme are open.
			name: "copied for several domains",
			settings: `
				SetEnvIf Origin "https?://(www\.|app\.)?(example.com|example.net)$" AllowedOrigin=$0
				Header add Access-Control-Allow-Origin %{AllowedOrigin}e env=AllowedOrigin
				Header merge Vary Origin
				Header set Access-Control-Allow-Credentials true`,
			args: []string{"--origin", "https://app.example.com", "--credentials"},
			want: plus("answers-http-origin error", "origin-unescaped-dot note", "error-without-cors warning", "preflight-max-age-absent note"),
		},
		{
			name: "set twice",
			settings: `
				Header always set Access-Control-Allow-Origin "*"
				Header set Access-Control-Allow-Origin "*"`,
			want: plus("doubled-header error"),
		},
		{
			name: "right",
			settings: `
				SetEnvIf Origin "^https://app\.example\.com$" AllowedOrigin=$0
				Header always set Access-Control-Allow-Origin %{AllowedOrigin}e env=AllowedOrigin
				Header always set Access-Control-Allow-Credentials true env=AllowedOrigin
				Header always set Access-Control-Allow-Methods "GET, PUT" env=AllowedOrigin
				Header always set Access-Control-Allow-Headers content-type env=AllowedOrigin
				Header always set Access-Control-Max-Age 7200 env=AllowedOrigin
				Header always merge Vary Origin
				Header always set X-Content-Type-Options nosniff
				Header always set Cross-Origin-Resource-Policy same-site
				RewriteEngine On
				RewriteCond %{REQUEST_METHOD} =OPTIONS
				RewriteRule ^ - [R=204,L]`,
			args: known,
		},
	})
}
