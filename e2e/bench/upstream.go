package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// upstreamFlag makes the command serve as the upstream instead of measuring; startUpstream starts itself so. A process of its own
// keeps the upstream's garbage collector away from the load client's clock.
const upstreamFlag = "serve-upstream"

const upstreamBody = `{"items":[{"id":1,"name":"first"},{"id":2,"name":"second"}],"next":null}` + "\n"

// upstreamResponse is what the upstream answers to everything: the headers of an ordinary API response, none of them about CORS.
var upstreamResponse = []byte(strings.Join([]string{
	"HTTP/1.1 200 OK",
	"date: Thu, 01 Jan 2026 00:00:00 GMT",
	"content-type: application/json; charset=utf-8",
	"content-length: " + strconv.Itoa(len(upstreamBody)),
	"cache-control: private, max-age=60",
	`etag: "5d8c72a5edda8"`,
	"vary: Accept-Encoding",
	"x-content-type-options: nosniff",
	"x-request-id: 0f4c1d2e-7a55-4b7c-9a0e-3f2b8d6c1a90",
	"", upstreamBody,
}, "\r\n"))

// serveUpstream listens on a free port, prints it on stdout, and answers until stdin ends, which it does when the parent goes.
func serveUpstream(stdin io.Reader, stdout io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answer(c)
		}
	}()
	fmt.Fprintln(stdout, l.Addr().(*net.TCPAddr).Port)
	_, err = io.Copy(io.Discard, stdin)
	return err
}

// answer serves one connection. Requests have no bodies, and Envoy waits for a response before it sends the next one.
func answer(c net.Conn) {
	defer c.Close()
	buf, n := make([]byte, 16<<10), 0
	for n < len(buf) {
		got, err := c.Read(buf[n:])
		if err != nil {
			return
		}
		n += got
		if !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			continue
		}
		n = 0
		if _, err := c.Write(upstreamResponse); err != nil {
			return
		}
	}
}

// startUpstream starts the upstream as a child process and returns its port and what stops it.
func startUpstream(ctx context.Context) (port int, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-"+upstreamFlag)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return 0, nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return 0, nil, err
	}
	if err := cmd.Start(); err != nil {
		return 0, nil, err
	}
	stop = func() {
		stdin.Close()
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		defer kill.Stop()
		cmd.Wait()
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		port, err = strconv.Atoi(strings.TrimSpace(line))
	}
	if err != nil {
		stop()
		return 0, nil, fmt.Errorf("the upstream did not say its port: %w", err)
	}
	return port, stop, nil
}
