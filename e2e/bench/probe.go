package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"
)

// probe sends one request of the kind on a connection of its own and returns the status. The answer must be what the subject is there for: one that
// fails here would otherwise be measured doing nothing.
func probe(addr string, s subject, k kind) (status int, err error) {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return 0, err
	}
	if _, err := conn.Write(k.request); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if err := s.check(k, resp); err != nil {
		return 0, fmt.Errorf("%s, kind %s: %w", s.name, k.name, err)
	}
	return resp.StatusCode, nil
}

// check reports how the answer to a request of the kind differs from what s has to answer.
func (s subject) check(k kind, resp *http.Response) error {
	if s.denies == k.name {
		if resp.StatusCode != http.StatusForbidden {
			return fmt.Errorf("answered %q, due is a 403", resp.Status)
		}
		return nil
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("answered %q", resp.Status)
	}
	local := resp.Header.Get("Etag") == "" // which the upstream sends
	switch s.duty {
	case toUpstream:
		return checkUpstream(resp)
	case toPolicy:
		if granted := resp.Header.Get("Access-Control-Allow-Origin") != ""; granted != k.granted {
			return fmt.Errorf("an Access-Control-Allow-Origin is there: %t, due: %t", granted, k.granted)
		}
		if local != k.local {
			return fmt.Errorf("answered without the upstream: %t, due: %t", local, k.local)
		}
	}
	if local {
		return nil
	}
	for _, h := range s.sets {
		if got := resp.Header.Values(h.name); len(got) != 1 || got[0] != h.value {
			return fmt.Errorf("%s is %q, due: %q, once", h.name, got, h.value)
		}
	}
	return nil
}

// checkUpstream reports how the answer differs from the upstream's, apart from what any Envoy adds.
func checkUpstream(resp *http.Response) error {
	want, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(upstreamResponse)), nil)
	if err != nil {
		return err
	}
	for _, name := range []string{"Date", "Server", "X-Envoy-Upstream-Service-Time"} {
		resp.Header.Del(name)
		want.Header.Del(name)
	}
	for name := range resp.Header {
		if _, ok := want.Header[name]; !ok {
			return fmt.Errorf("%s is not the upstream's", name)
		}
	}
	for name, values := range want.Header {
		if got := resp.Header[name]; !slices.Equal(got, values) {
			return fmt.Errorf("%s is %q, the upstream's %q", name, got, values)
		}
	}
	return nil
}
