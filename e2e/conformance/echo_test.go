package conformance_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

// startEcho builds the suite's own upstream, which answers with what it was asked, runs it until the test ends, and returns its address.
func startEcho(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "echo-basic")
	if out, err := exec.Command("go", "build", "-o", path, "sigs.k8s.io/gateway-api/conformance/echo-basic").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// It takes ports by number alone, so one that is free now may be another's a moment later.
	var err error
	for range 3 {
		var addr string
		if addr, err = runEcho(t, path); err == nil {
			return addr
		}
	}
	t.Fatal(err)
	return ""
}

func runEcho(t *testing.T, path string) (addr string, err error) {
	plain, err := freePort()
	if err != nil {
		return "", err
	}
	h2c, err := freePort()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), "HTTP_PORT="+plain, "H2C_PORT="+h2c, "NAMESPACE="+suite.InfrastructureNamespace, "POD_NAME=infra-backend-v1")
	if err := cmd.Start(); err != nil {
		return "", err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	addr = net.JoinHostPort("127.0.0.1", plain)
	for {
		resp, err := http.Get("http://" + addr + "/health")
		if err == nil {
			resp.Body.Close()
			t.Cleanup(func() { cmd.Process.Kill(); <-exited })
			return addr, nil
		}
		select {
		case <-exited:
			return "", fmt.Errorf("echo-basic ended: %v", cmd.ProcessState)
		case <-ctx.Done():
			cmd.Process.Kill()
			<-exited
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}
