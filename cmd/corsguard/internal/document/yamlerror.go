package document

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	yamlMessage   = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)
)

// syntaxError returns err with its place. The package tells a line, which is often that of the beginning of what is broken: so the line is looked for behind which nothing is valid
// any more, and the column is that of what is usually wrong in it.
func (r *yamlReader) syntaxError(err error) *SyntaxError {
	reason, reported := err.Error(), 0
	if found := yamlMessage.FindStringSubmatch(reason); found != nil {
		reason = found[2]
		number, _ := strconv.Atoi(found[1]) // 0 where there is none
		reported = max(0, min(number, len(r.lines))-1)
	}
	start := r.lines[r.brokenLine(reported)]
	line, _, _ := strings.Cut(r.t.data[start:], "\n")
	column := len(line) - len(strings.TrimLeft(line, " "))
	switch {
	case strings.Contains(reason, "mapping values are not allowed"):
		column = max(column, strings.LastIndex(line+" ", ": "))
	case strings.Contains(reason, "cannot start any token") && strings.Contains(line, "\t"):
		column = strings.Index(line, "\t")
	}
	if anchor := unknownAnchor.FindStringSubmatch(reason); anchor != nil {
		column = max(column, strings.Index(line, "*"+anchor[1]))
	}
	return &SyntaxError{r.t, start + column, "is not valid YAML: " + reason}
}

// maxReparsed bounds the bytes that are read again to find a mistake. In larger files its place is the one that the package tells.
const maxReparsed = 48 << 20

// ends are how many lines after one that looks broken what it opens may end.
var ends = [...]int{64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2}

// brokenLine returns the index of the first line with which the text is no valid YAML any more, however it goes on. What spans lines, such as a list in brackets, is invalid up to its
// end: so after a line that looks broken it is tried whether a later end is valid again. Where that takes too long it returns reported.
func (r *yamlReader) brokenLine(reported int) int {
	budget := maxReparsed
	valid := func(lines int) bool { // the first lines
		end := len(r.t.data)
		if lines < len(r.lines) {
			end = r.lines[lines]
		}
		budget -= end
		return budget > 0 && isYAML(r.t.data[:end])
	}
	for low := 0; budget > 0; {
		high := len(r.lines)
		for low+1 < high {
			if mid := (low + high) / 2; valid(mid) {
				low = mid
			} else {
				high = mid
			}
		}
		broken := low
		for _, n := range ends {
			if low == broken && low+n <= len(r.lines) && valid(low+n) {
				low += n
			}
		}
		if low == broken && budget > 0 {
			return min(low, len(r.lines)-1)
		}
	}
	return reported
}

func isYAML(data string) bool {
	decoder := yaml.NewDecoder(strings.NewReader(data))
	for {
		var document yaml.Node
		if err := decode(decoder, &document); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}
