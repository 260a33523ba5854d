package browser_test

import (
	"reflect"
	"testing"
)

// response is what a page may read of a response, or how its fetch failed.
type response struct {
	Status  int               `json:"status"`
	Type    string            `json:"type"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	Error   string            `json:"error"`
}

// failed is a fetch of which the page learns nothing.
var failed = response{Error: "TypeError"}

func checkResponse(t *testing.T, got, want response) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the page got %+v, want %+v", got, want)
	}
}

// only returns the one request of a URL that came as far as the upstream.
func only(t *testing.T, address string) arrival {
	t.Helper()
	all := backend.seen(t, address)
	if len(all) != 1 {
		t.Fatalf("%d requests of %s came to the upstream", len(all), address)
	}
	return all[0]
}

// none checks that no request of a URL came as far as the upstream.
func none(t *testing.T, address string) {
	t.Helper()
	if all := backend.seen(t, address); len(all) > 0 {
		t.Errorf("%s of %s came to the upstream", all[0].method, address)
	}
}
