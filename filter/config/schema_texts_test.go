package config

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"corsguard/filter/headervalue"
)

// takes reports whether a schema that is about texts takes s. It knows what such schemas have, and no more.
func takes(t *testing.T, node schemaNode, s string) bool {
	t.Helper()
	for keyword, value := range node {
		ok := true
		switch keyword {
		case "pattern":
			ok = matches(value.(string), s)
		case "maxLength":
			ok = len(s) <= int(value.(float64))
		case "minLength":
			ok = len(s) >= int(value.(float64))
		case "enum":
			ok = slices.Contains(value.([]any), any(s))
		case "not":
			ok = !takes(t, value.(schemaNode), s)
		case "anyOf":
			ok = slices.ContainsFunc(value.([]any), func(sub any) bool { return takes(t, sub.(schemaNode), s) })
		case "allOf":
			ok = !slices.ContainsFunc(value.([]any), func(sub any) bool { return !takes(t, sub.(schemaNode), s) })
		case "type", "title", "description", "examples", "$comment":
		default:
			t.Fatalf("%s is not understood", keyword)
		}
		if !ok {
			return false
		}
	}
	return true
}

var compiled = map[string]*regexp.Regexp{}

func matches(pattern, s string) bool {
	re := compiled[pattern]
	if re == nil {
		re = regexp.MustCompile(pattern)
		compiled[pattern] = re
	}
	return re.MatchString(s)
}

// Values of headers, URLs and names are read by code that the schema's patterns repeat. They may take more than is read, and never less. The texts are made of
// pieces of such values, so that many are nearly good.
func TestTheSchemaTakesTheTextsThatAreRead(t *testing.T) {
	defs := readSchema(t)["$defs"].(schemaNode)
	header := func(check func(string) []headervalue.Finding) func(string) bool {
		return func(s string) bool {
			return !slices.ContainsFunc(check(s), func(f headervalue.Finding) bool { return !f.Warning })
		}
	}
	for name, test := range map[string]struct {
		isRead func(string) bool
		pieces string // with two spaces between them, and · for a space
		same   bool   // the schema takes no more than is read
	}{
		"endpointName": {isEndpointName, "a  b9  *  _  -  .  A  é  ·  0  =  " + longName, true},
		"endpoint": {func(s string) bool { return checkEndpoint(s) == "" }, "https://  HTTPS://  http://  /  //  a.example  A.Example  localhost  x.localhost  127.0.0.1  127.1  [::1]  [::2]  :1  :443  :0  :8443  " +
			"user@  ?x=y  #z  %41  ·  \"  \\  <  é  .  _  -  ~  [  ]  '", false},
		"contentSecurityPolicy": {header(func(s string) []headervalue.Finding { return headervalue.ContentSecurityPolicy(s, false) }), "default-src  script-src  style-src-elem  Script-Src  frame-ancestors  sandbox  report-to  " +
			"report-uri  upgrade-insecure-requests  require-trusted-types-for  trusted-types  webrtc  script-scr  ;  ;·  ;·  ;·img-src·  ;·font-src·  ·;·  ·  ·  ·  ·  ·'self'  ·'none'  'SELF'  self  none  'unsafe-inline'  'unsafe-hashes'  'strict-dynamic'  " +
			"'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='  'nonce-abc'  sha256-x  https:  data:  https://a.example  *.example.com  *  a.example:443  a.example:*  a.example/x/  A.Example/%41'  //x  a_b  allow-scripts  " +
			"allow-Forms  name  /reports  'script'  'allow'  'allow-duplicates'  ,  é", false},
		"strictTransportSecurity": {header(headervalue.StrictTransportSecurity), "max-age=  Max-Age·=·  max-age  0  31536000  2147483647  2147483648  \"  ;  ;·  ;  ·  includeSubDomains  INCLUDESUBDOMAINS  preload  preload  =  ,", false},
		"referrerPolicy":          {header(headervalue.ReferrerPolicy), "no-referrer  no-referrer-when-downgrade  same-origin  origin  strict-origin  origin-when-cross-origin  unsafe-url  Origin  ,  ,  ,·  ·,  ·  -", false},
		"permissionsPolicy": {header(headervalue.PermissionsPolicy), "camera  geolocation  x-y*.1  Camera  =  =()  =()  =*  =self  =(*)  (  )  (self  ·self  self)  *  \"https://a.example\"  \"https://*.a.example:8443/\"  \"data:\"  \"a.example\"  \"  " +
			",  ,·  ,  ·  ;report-to=x  ;·report-to=\"\"  ;x  'self'  https://a.example  none  é", false},
		"xContentTypeOptions": {header(headervalue.ContentTypeOptions), "nosniff  NoSniff  ·  ,", true},
		"xFrameOptions":       {header(headervalue.FrameOptions), "DENY  SAMEORIGIN  deny  ALLOW-FROM  ·  ,", true},
		"xXssProtection":      {header(headervalue.XSSProtection), "0  1  ;  mode=block  ·", true},
	} {
		pieces := strings.Split(test.pieces, "  ")
		node := defs[name].(schemaNode)
		r := rand.New(rand.NewPCG(5, 5))
		var isRead, isTaken int
		for range 20_000 {
			n := 1 + r.IntN(3)
			if r.IntN(2) == 0 {
				n += r.IntN(8)
			}
			text := ""
			for range n {
				text += pick(r, pieces)
			}
			text = strings.ReplaceAll(text, "·", " ")
			read, taken := test.isRead(text), takes(t, node, text)
			if read && !taken || test.same && read != taken {
				t.Fatalf("%s: %q is read: %v, and the schema takes it: %v", name, text, read, taken)
			}
			if read {
				isRead++
			}
			if taken {
				isTaken++
			}
		}
		// The patterns are worth their length as long as little is taken that is not read.
		if isRead < 80 || isTaken > 2*isRead {
			t.Errorf("%s: %d are read, the schema takes %d", name, isRead, isTaken)
		}
	}
	for url, isEndpoint := range map[string]bool{"/x": true, "x": false} {
		if p := problemAt(with(t, []any{"isolation", "reportingEndpoints", longName}, url), ""); (p == nil) != isEndpoint {
			t.Errorf("%s is an endpoint: %v", url, p)
		}
	}
}
