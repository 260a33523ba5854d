package servers_test

import "testing"

var haproxy = server{
	program: "haproxy",
	args:    []string{"-db", "-f", "FILE"},
	file: `
defaults
	mode http
	timeout connect 5s
	timeout client 10s
	timeout server 10s
frontend main
	bind ADDRESS:PORT
	http-request capture req.hdr(Origin) len 200
	SETTINGS
	http-request return status 204 if METH_OPTIONS
	http-request return status 404 if !{ path /v1/items }
	http-request return status 200 content-type application/json string "[]"
`,
}

func TestHAProxy(t *testing.T) {
	haproxy.audit(t, []site{
		{
			name: "the end of the origin",
			settings: `
	acl allowed capture.req.hdr(0) -m end example.com
	http-after-response set-header Access-Control-Allow-Origin %[capture.req.hdr(0)] if allowed
	http-after-response set-header Access-Control-Allow-Credentials true if allowed
	http-after-response set-header Access-Control-Allow-Methods "GET, PUT, TRACE" if allowed
	http-after-response set-header Access-Control-Allow-Headers content-type if allowed`,
			args: known,
			want: plus("origin-suffix-match error", "answers-http-origin error", "missing-vary-origin warning", "lists-forbidden-method note", "preflight-max-age-absent note"),
		},
		{
			name: "right",
			settings: `
	acl allowed capture.req.hdr(0) -m str https://app.example.com
	http-after-response set-header Access-Control-Allow-Origin %[capture.req.hdr(0)] if allowed
	http-after-response set-header Access-Control-Allow-Credentials true if allowed
	http-after-response set-header Access-Control-Allow-Methods "GET, PUT" if allowed
	http-after-response set-header Access-Control-Allow-Headers content-type if allowed
	http-after-response set-header Access-Control-Max-Age 600 if allowed
	http-after-response set-header Vary Origin
	http-after-response set-header X-Content-Type-Options nosniff
	http-after-response set-header Cross-Origin-Resource-Policy same-site`,
			args: known,
		},
	})
}
