package plain_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"corsguard/e2e/corpus"
	"corsguard/e2e/plain"
	"corsguard/e2e/upstream"
)

// TestTheFilesAnswer holds what comes out over TLS, to the last header of CORS: past authentication for preflights, and readable where it denies.
func TestTheFilesAnswer(t *testing.T) {
	t.Parallel()
	token := token(t)
	d := adapt(t)
	// An upstream that does CORS badly.
	careless := upstream.Answer{Headers: []corpus.Header{
		{"access-control-allow-origin", "*"}, {"access-control-allow-origin", "*"}, {"access-control-allow-credentials", "true"}, {"x-content-type-options", "nosniff"},
	}}
	for _, file := range []string{plain.Static, plain.HTTP3} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			id := t.Name()
			backend.On(id, careless)
			p := d.start(t, file)
			at := addr(t, p, plain.Edge)
			offered := 0
			if file == plain.HTTP3 {
				checkQUIC(t, addr(t, p, plain.EdgeQUIC))
				offered = 1
			}
			for _, protocol := range protocols {
				c := connect(t, protocol, at)
				for _, q := range append(slices.Clone(questions), question{true, evil, false}, question{false, evil, true}, question{false, evil, false}) {
					r := q.request(token)
					r.Headers = append(r.Headers, corpus.Header{upstream.CaseHeader, id})
					got := do(t, c, r)
					if got, want := owned(got), version(0).answer(q); got != want {
						t.Errorf("%s, %+v:\n%swant\n%s", protocol, q, got, want)
					}
					if offers := got.Get("alt-svc"); len(offers) != offered {
						t.Errorf("%s, %+v: alt-svc: %q", protocol, q, offers)
					}
					if challenge := got.Get("www-authenticate"); (len(challenge) == 1) != (got.Status == 401) {
						t.Errorf("%s, %+v: www-authenticate: %q", protocol, q, challenge)
					}
				}
			}
			for _, seen := range backend.Seen(id) {
				if seen.Method != http.MethodGet {
					t.Errorf("%s came to the upstream", seen.Method)
				}
			}
		})
	}
}

// checkQUIC holds that somebody speaks QUIC there: asked for a version that does not exist, a server names those that it has (RFC 9000, section 6). What a client of HTTP/3 gets, the
// tests with a browser hold.
func checkQUIC(t *testing.T, addr string) {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(exchangeLimit))
	ours, theirs := []byte("8 bytes!"), []byte("8 others")
	// A long header: version, and both connection ids, each behind its length. What is shorter than 1200 bytes gets no answer.
	hello := slices.Concat([]byte{0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8}, theirs, []byte{8}, ours, make([]byte, 1200))
	if _, err := conn.Write(hello); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 1500)
	n, err := conn.Read(answer)
	if err != nil {
		t.Fatal(err)
	}
	answer = answer[:n]
	head := slices.Concat([]byte{0, 0, 0, 0, 8}, ours, []byte{8}, theirs)
	if n < 1+len(head) || answer[0]&0x80 == 0 || !bytes.Equal(answer[1:1+len(head)], head) {
		t.Fatalf("no version negotiation: %x", answer)
	}
	versions := answer[1+len(head):]
	for len(versions) >= 4 {
		if binary.BigEndian.Uint32(versions) == 1 {
			return
		}
		versions = versions[4:]
	}
	t.Errorf("QUIC version 1 is not among those of %x", answer)
}
