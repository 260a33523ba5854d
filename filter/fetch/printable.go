package fetch

// Printable returns s as a log line can carry it: printable ASCII but for quotes and backslashes as it is, every other byte as \xhh.
func Printable(s string) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			out = append(out, '\\', 'x', digits[c>>4], digits[c&15])
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}
