package servers_test

import "testing"

var nginx = server{
	program: "nginx",
	args:    []string{"-p", "DIR", "-c", "FILE", "-e", "DIR/error.log"},
	file: `
daemon off;
pid DIR/nginx.pid;
events { worker_connections 64; }
http {
	access_log off;
	default_type application/json;
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	SETTINGS
}
`,
}

func TestNginx(t *testing.T) {
	nginx.audit(t, []site{
		{
			// The snippet that most tutorials have, with *.
			name: "copied for everybody",
			settings: `server {
				listen ADDRESS:PORT;
				root DIR/www;
				location / {
					if ($request_method = 'OPTIONS') {
						add_header 'Access-Control-Allow-Origin' '*';
						add_header 'Access-Control-Allow-Methods' 'GET, POST, OPTIONS';
						add_header 'Access-Control-Allow-Headers' 'DNT,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range';
						add_header 'Access-Control-Max-Age' 1728000;
						return 204;
					}
					add_header 'Access-Control-Allow-Origin' '*';
					add_header 'Access-Control-Allow-Credentials' 'true';
				}
			}`,
			want: plus("answers-any-origin note", "wildcard-with-credentials warning", "error-without-cors warning", "preflight-max-age-above-caps note"),
		},
		{
			name: "reflecting",
			settings: `server {
				listen ADDRESS:PORT;
				root DIR/www;
				location / {
					add_header 'Access-Control-Allow-Origin' $http_origin always;
					add_header 'Access-Control-Allow-Credentials' 'true' always;
					add_header 'Access-Control-Allow-Methods' $http_access_control_request_method always;
					add_header 'Access-Control-Allow-Headers' $http_access_control_request_headers always;
					if ($request_method = 'OPTIONS') { return 204; }
				}
			}`,
			args: known,
			// An if of its own inherits add_header, so preflights are answered.
			want: plus("reflects-any-origin error", "missing-vary-origin warning", "answers-any-method warning", "answers-any-header warning", "preflight-max-age-absent note"),
		},
		{
			name: "a regular expression with an open end",
			settings: `server {
				listen ADDRESS:PORT;
				root DIR/www;
				location / {
					if ($http_origin ~* "^https?://(app|www)\.example\.com") { set $allowed $http_origin; }
					add_header 'Access-Control-Allow-Origin' $allowed;
				}
			}`,
			args: []string{"--origin", "https://app.example.com"},
			want: plus("origin-prefix-match warning", "answers-http-origin warning", "missing-vary-origin warning", "error-without-cors warning", "preflight-not-answered error"),
		},
		{
			name: "right",
			settings: `map $http_origin $allowed { default ""; "~^https://app\.example\.com$" $http_origin; } # a plain string would be compared without regard to case
			map $allowed $credentials { default "true"; "" ""; }
			map "$request_method:$allowed" $methods { default ""; "~^OPTIONS:." "GET, PUT"; }
			map "$request_method:$allowed" $headers { default ""; "~^OPTIONS:." "content-type"; }
			map "$request_method:$allowed" $age { default ""; "~^OPTIONS:." "7200"; }
			server {
				listen ADDRESS:PORT;
				root DIR/www;
				add_header Access-Control-Allow-Origin $allowed always;
				add_header Access-Control-Allow-Credentials $credentials always;
				add_header Access-Control-Allow-Methods $methods always;
				add_header Access-Control-Allow-Headers $headers always;
				add_header Access-Control-Max-Age $age always;
				add_header Vary Origin always;
				add_header X-Content-Type-Options nosniff always;
				add_header Cross-Origin-Resource-Policy same-site always;
				location / { if ($request_method = OPTIONS) { return 204; } }
			}`,
			args: known,
		},
	})
}
