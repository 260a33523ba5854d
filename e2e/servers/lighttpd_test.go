package servers_test

import "testing"

var lighttpd = server{
	program: "lighttpd",
	args:    []string{"-D", "-f", "FILE"},
	file: `
server.modules = ("mod_setenv")
server.bind = "ADDRESS"
server.port = PORT
server.document-root = "DIR/www"
server.errorlog = "DIR/error.log"
mimetype.assign = ("" => "application/json")
SETTINGS
`,
}

func TestLighttpd(t *testing.T) {
	lighttpd.audit(t, []site{
		{
			name: "copied for everybody",
			settings: `setenv.add-response-header = (
	"Access-Control-Allow-Origin" => "*",
	"Access-Control-Allow-Credentials" => "true",
	"Access-Control-Allow-Headers" => "*",
	"Access-Control-Allow-Methods" => "*"
)`,
			args: []string{"--origin", "https://app.example.com"},
			want: plus("answers-any-origin note", "wildcard-with-credentials warning", "preflight-max-age-absent note", "answers-any-method note", "answers-any-header note"),
		},
		{
			name: "right",
			settings: `setenv.set-response-header = ("Vary" => "Origin", "X-Content-Type-Options" => "nosniff", "Cross-Origin-Resource-Policy" => "same-site")
$REQUEST_HEADER["Origin"] == "https://app.example.com" {
	setenv.add-response-header = (
		"Access-Control-Allow-Origin" => "https://app.example.com",
		"Access-Control-Allow-Credentials" => "true",
		"Access-Control-Allow-Methods" => "GET, PUT",
		"Access-Control-Allow-Headers" => "content-type",
		"Access-Control-Max-Age" => "600"
	)
}`,
			args: known,
		},
	})
}
