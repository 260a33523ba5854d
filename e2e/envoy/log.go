package envoy

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"sync"
)

// logLimit bounds what is kept of an Envoy's output. Later lines are dropped.
const logLimit = 64 << 20

// Log keeps what an Envoy prints. It is an io.Writer of its log, safe for concurrent use; the zero value is empty.
type Log struct {
	mu       sync.Mutex
	buf, out bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) { return l.write(&l.buf, p) }

// Out returns the writer for what Envoy prints beside its log. It is kept apart: Docker passes both on in pieces, and one would come into the middle of a line of the other.
func (l *Log) Out() io.Writer { return outWriter{l} }

type outWriter struct{ log *Log }

func (w outWriter) Write(p []byte) (int, error) { return w.log.write(&w.log.out, p) }

func (l *Log) write(to *bytes.Buffer, p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := logLimit - to.Len(); room > 0 {
		to.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}

// String returns the log, and then what Envoy has printed beside it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String() + l.out.String()
}

// entries returns the log alone.
func (l *Log) entries() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// An entry begins with Envoy's timestamp; the lines that follow belong to it.
var entryStart = regexp.MustCompile(`(?m)^\[\d{4}-\d\d-\d\d `)

// Entries returns the log's entries that contain all of words, each with its continuation lines.
func (l *Log) Entries(words ...string) []string {
	text := l.entries()
	starts := entryStart.FindAllStringIndex(text, -1)
	var found []string
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		if entry := text[at[0]:end]; containsAll(entry, words) {
			found = append(found, entry)
		}
	}
	return found
}

// Tail returns the last n lines of the log.
func (l *Log) Tail(n int) string {
	lines := strings.Split(strings.TrimRight(l.entries(), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func containsAll(s string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(s, w) {
			return false
		}
	}
	return true
}
