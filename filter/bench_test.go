package filter

import (
	"fmt"
	"strings"
	"testing"

	"corsguard/filter/config"
	"corsguard/filter/policy"
)

// manyOrigins and manyRules give configurations of a size.
func manyOrigins(n int) string {
	origins := make([]string, n)
	for i := range origins {
		origins[i] = fmt.Sprintf("%q", fmt.Sprintf("https://tenant-%d.example.com", i))
	}
	return `{"cors":{"allowOrigins":[` + strings.Join(origins, ",") + `],"allowCredentials":true}}`
}

func manyRules(n int) string {
	rules := make([]string, n)
	for i := range rules {
		rules[i] = fmt.Sprintf(`{"name":"tenant-%d","match":{"hosts":["tenant-%d.example.com"],"paths":[{"prefix":"/api"}]},"cors":{"allowOrigins":["https://tenant-%d.example.com"]}}`, i, i, i)
	}
	return `{"rules":[` + strings.Join(rules, ",") + `]}`
}

// costlyRules has n expressions, and behind them paths and origins that each of them has to be asked about.
func costlyRules(n int) string {
	numbered := func(n int, format string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(all, ",")
	}
	long := strings.Repeat("a", 900)
	return `{"cors":[{"allowOrigins":[` + numbered(n/2, `{"regex":"https://x%d-[a-z0-9.-]+\\.example\\.com"}`) + `]},{"allowOrigins":[` + numbered(20_000, `"https://y%d.example.com"`) + `]}],
		"rules":[{"name":"a","match":{"paths":[` + numbered(n/2, `{"regex":"/.*a.{100}%d"}`) + `]}},
		{"name":"b","match":{"hosts":[` + numbered(300, `"h%d.test"`) + `],"paths":[` + numbered(30, `{"exact":"/`+long+`%d-"}`) + `]}}]}`
}

// BenchmarkLoad is what a start of the plugin costs: from the document to the compiled policy.
func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct {
		name string
		doc  func(int) string
		n    int
	}{
		{"origins", manyOrigins, 10}, {"origins", manyOrigins, 10_000}, {"origins", manyOrigins, 100_000}, {"rules", manyRules, 1}, {"rules", manyRules, 1_000}, {"rules", manyRules, 10_000}, {"expressions", costlyRules, 60},
	} {
		data := []byte(c.doc(c.n))
		b.Run(fmt.Sprintf("%s/%d", c.name, c.n), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				spec, _, err := config.Parse(data)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := policy.Compile(&spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
