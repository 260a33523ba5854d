package origin

import "testing"

func TestIsPublicSuffix(t *testing.T) {
	for host, want := range map[string]bool{
		"com": true, "co.uk": true, "github.io": true, "uk": true, "internal": true, "localhost": true, "example": true,
		"example.com": false, "example.co.uk": false, "a.github.io": false, "www.example.com": false,
		"s3.amazonaws.com": true, "amazonaws.com": false, "netlify.app": true, "pages.dev": true, "vercel.app": true,
		"blogspot.com": true, "herokuapp.com": true,
		"ck": true, "foo.ck": true, "www.ck": false, "a.foo.ck": false, // "*.ck" and its exception "!www.ck"
		"kawasaki.jp": true, "foo.kawasaki.jp": true, "city.kawasaki.jp": false,
		"compute.amazonaws.com": true, // every child of it is a suffix
		"xn--55qx5d.cn":         true, // in the list as 公司.cn
		"xn--fiqs8s":            true,
		"ac.jp":                 true,
	} {
		if got := isPublicSuffix(host); got != want {
			t.Errorf("isPublicSuffix(%q) = %v", host, got)
		}
	}
}
