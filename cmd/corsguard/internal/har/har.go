// Package har reads HTTP archives (HAR 1.2) as browsers export them from their network tabs.
package har

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// Header is a header line.
type Header = [2]string

// Entry is a request and the response to it.
type Entry struct {
	Method          string
	URL             string
	RequestHeaders  []Header
	Status          int // 0 where the browser shows no response
	ResponseHeaders []Header
	HasCookies      bool // cookies were sent; that some came does not tell that the browser took them
}

// archive is what is read of the format: http://www.softwareishard.com/blog/har-12-spec/.
type archive struct {
	Log *struct {
		Entries []struct {
			Request struct {
				Method  string            `json:"method"`
				URL     string            `json:"url"`
				Headers []line            `json:"headers"`
				Cookies []json.RawMessage `json:"cookies"`
			} `json:"request"`
			Response struct {
				Status  int    `json:"status"`
				Headers []line `json:"headers"`
			} `json:"response"`
		} `json:"entries"`
	} `json:"log"`
}

type line struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Read returns the entries of an archive that are requests over http or https, in order. An error says where the archive is broken.
func Read(data []byte) ([]Entry, error) {
	var a archive
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &a); err != nil {
		return nil, at(data, err)
	}
	if a.Log == nil {
		return nil, errors.New("is no HTTP archive: it has no log")
	}
	var entries []Entry
	for i := range a.Log.Entries {
		e := &a.Log.Entries[i]
		if !strings.HasPrefix(e.Request.URL, "http://") && !strings.HasPrefix(e.Request.URL, "https://") {
			continue // data:, blob:, ws: and the like
		}
		entries = append(entries, Entry{
			Method: e.Request.Method, URL: e.Request.URL, RequestHeaders: lines(e.Request.Headers), Status: e.Response.Status, ResponseHeaders: lines(e.Response.Headers),
			HasCookies: len(e.Request.Cookies) > 0,
		})
	}
	if len(entries) == 0 {
		return nil, errors.New("holds no request over http or https")
	}
	return entries, nil
}

// lines leaves out the pseudo-headers of HTTP/2, which repeat the method and the URL.
func lines(from []line) []Header {
	var to []Header
	for _, l := range from {
		if !strings.HasPrefix(l.Name, ":") {
			to = append(to, Header{l.Name, l.Value})
		}
	}
	return to
}

// at adds the line and the column to an error of encoding/json.
func at(data []byte, err error) error {
	var offset int64
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset, err = kind.Offset, fmt.Errorf("%s cannot be a JSON %s", cmp.Or(kind.Field, "an archive"), kind.Value)
	default:
		return err
	}
	before := data[:min(max(offset-1, 0), int64(len(data)))]
	return fmt.Errorf("%d:%d: %w", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'), err)
}
