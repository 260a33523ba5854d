package main

import (
	"net"
	"strings"
	"testing"
)

// TestCheck holds what the printed curl lines promise.
func TestCheck(t *testing.T) {
	var out, errs strings.Builder
	if code := run([]string{"-check"}, &out, &errs); code != 0 {
		t.Errorf("exit code %d\n%s\n%s", code, out.String(), errs.String())
	}
	t.Log(out.String())
}

// TestTakenPort holds that a port that another process has is named.
func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", gatewayAddr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out, errs strings.Builder
	if code := run(nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), "needs "+gatewayAddr) {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}
