package browser_test

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// theatre plays what an ordinary answer cannot: events, a WebSocket, a font, gRPC. It speaks HTTP/1.1 and HTTP/2 without TLS.
type theatre struct {
	addr   string
	server http.Server
}

func startTheatre() (*theatre, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /stage/events", events)
	mux.HandleFunc("GET /stage/font", sendFont)
	mux.HandleFunc("GET /stage/socket", socket)
	mux.HandleFunc("POST /echo.Echo/{method}", echo)
	s := &theatre{addr: listener.Addr().String(), server: http.Server{Handler: mux, Protocols: &http.Protocols{}, ReadHeaderTimeout: idleLimit}}
	s.server.Protocols.SetHTTP1(true)
	s.server.Protocols.SetUnencryptedHTTP2(true)
	go s.server.Serve(listener) // returns when it is closed
	return s, nil
}

// events sends one event, which has the cookie that came.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("content-type", "text/event-stream")
	fmt.Fprintf(w, "data: cookie %s\n\n", r.Header.Get("cookie"))
}

// fontFile is a font with one letter, made for the tests.
const fontFile = "AAEAAAAKAIAAAwAgT1MvMnY5dTUAAACsAAAAYGNtYXAADAB0AAABDAAAACxnbHlm6/MO+QAAATgAAAAgaGVhZGEKQtkAAAFYAAAANmhoZWEFFgEvAAABkAAAACRobXR4A+gAAAAAAbQAAAAI" +
	"bG9jYQAQAAAAAAG8AAAABm1heHAABAAFAAABxAAAACBuYW1lABQEgwAAAeQAAAAUcG9zdAADAAAAAAH4AAAAIAAEAfQBkAAFAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAA" +
	"AAAAAAAAAABub25lAEAAQQBBAyD/OAAAAyAAyAAAAAEAAAAAAfQB9AAAACAAAAAAAAEAAwABAAAADAAEACAAAAAEAAQAAQAAAEH//wAAAEH////AAAEAAAAAAAEAAAAAAfQB9AACAAABAQEAAAH0/gwA" +
	"AAAAAfQAAAAAAQAAAAEAAAAAAABfDzz1AAMD6AAAAAAAAAAAAAAAAAAAAAAAAAAAAfQB9AAAAAgAAgAAAAAAAAABAAADIP84AAAB9AAAAAAB9AABAAAAAAAAAAAAAAAAAAAAAgH0AAAB9AAAAAAAAAAQ" +
	"AAAAAQAAAAIABAABAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAAAEAEgADAAEECQABAAIAAAB0AAMAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

func sendFont(w http.ResponseWriter, _ *http.Request) {
	font, err := base64.StdEncoding.DecodeString(fontFile)
	if err != nil {
		panic(err)
	}
	w.Header().Set("content-type", "font/ttf")
	_, _ = w.Write(font) // who has gone away needs none
}

// socket opens a WebSocket, says one word and closes it (RFC 6455, sections 4.2.2 and 5.2).
func socket(w http.ResponseWriter, r *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err) // over HTTP/2: a mistake of the test's routes
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(actionLimit))
	const magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	sum := sha1.Sum([]byte(r.Header.Get("sec-websocket-key") + magic))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	io.WriteString(conn, "\x81\x05hello\x88\x02\x03\xe8")
	io.Copy(io.Discard, conn) // until the browser has closed it
}

// echo is a gRPC service of one method: Say sends its message back. Every other one is unknown, and gets an answer that is trailers alone.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	if err != nil {
		return
	}
	w.Header().Set("content-type", "application/grpc+proto")
	if r.ProtoMajor != 2 || strings.HasPrefix(r.Header.Get("content-type"), "application/grpc-web") || len(body) < 5 || int(binary.BigEndian.Uint32(body[1:])) != len(body)-5 {
		w.Header().Set("grpc-status", "3")
		w.Header().Set("grpc-message", fmt.Sprintf("%s %s with %d bytes is no gRPC", r.Proto, r.Header.Get("content-type"), len(body)))
		return
	}
	if !strings.HasSuffix(r.URL.Path, "/Say") {
		w.Header().Set("grpc-status", "12")
		w.Header().Set("grpc-message", "unknown method")
		return
	}
	w.Header().Set("trailer", "grpc-status, grpc-message")
	_, _ = w.Write(body) // who has gone away needs none
	w.Header().Set("grpc-status", "0")
	w.Header().Set("grpc-message", "said")
}
