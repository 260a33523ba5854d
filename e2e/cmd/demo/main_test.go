package main

import (
	"net"
	"strings"
	"testing"
	"time"
)

// patience is how long other tests on this machine, of another copy of the repository, may have the ports of envoy.yaml.
const patience = 2 * time.Minute

// TestCheck holds what the printed curl lines promise.
func TestCheck(t *testing.T) {
	for start := time.Now(); ; time.Sleep(time.Second) {
		var out, errs strings.Builder
		code := run([]string{"-check"}, &out, &errs)
		if strings.Contains(errs.String(), "which another process has") && time.Since(start) < patience {
			continue
		}
		if code != 0 {
			t.Errorf("exit code %d\n%s\n%s", code, out.String(), errs.String())
		}
		t.Log(out.String())
		return
	}
}

// TestTakenPort holds that a port that another process has is named.
func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", gatewayAddr)
	for start := time.Now(); err != nil && time.Since(start) < patience; l, err = net.Listen("tcp", gatewayAddr) {
		time.Sleep(time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out, errs strings.Builder
	if code := run(nil, &out, &errs); code != 1 || !strings.Contains(errs.String(), "needs "+gatewayAddr) {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}
