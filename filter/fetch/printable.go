package fetch

// Quoted returns at most the first limit bytes of s between quotes, as a log line can carry them: printable ASCII but for quotes and backslashes as it
// is, every other byte as \xhh; an ellipsis follows where s was cut.
func Quoted(s string, limit int) string {
	cut := ""
	if len(s) > limit {
		s, cut = s[:limit], "…"
	}
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			out = append(out, '\\', 'x', digits[c>>4], digits[c&15])
		} else {
			out = append(out, c)
		}
	}
	return "\"" + string(out) + "\"" + cut
}
