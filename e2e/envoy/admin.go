package envoy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Admin is the admin interface of an Envoy.
type Admin struct{ addr string }

// adminLimit bounds one answer. Envoy's main thread gives it, which an update with many listeners holds up.
const adminLimit = time.Minute

// Get returns the body of path. Any status but 200 is an error.
func (a Admin) Get(ctx context.Context, path string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+a.addr+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, body)
	}
	return body, err
}

// Stats returns the counters and gauges whose name the regular expression matches somewhere.
func (a Admin) Stats(ctx context.Context, name string) (map[string]int64, error) {
	body, err := a.Get(ctx, "/stats?filter="+url.QueryEscape(name))
	if err != nil {
		return nil, err
	}
	stats := map[string]int64{}
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), ": ")
		if value, err := strconv.ParseInt(text, 10, 64); err == nil { // a histogram or a text is neither
			stats[name] = value
		}
	}
	return stats, nil
}

// listeners returns the address of every listener, by name.
func (a Admin) listeners(ctx context.Context) (map[string]string, error) {
	body, err := a.Get(ctx, "/listeners?format=json")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Statuses []struct {
			Name  string `json:"name"`
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	addrs := map[string]string{}
	for _, l := range doc.Statuses {
		addrs[l.Name] = net.JoinHostPort(l.Local.Socket.Address, strconv.Itoa(l.Local.Socket.Port))
	}
	return addrs, nil
}

// refusals returns, by name of the listener, why the last update of it was refused.
func (a Admin) refusals(ctx context.Context) (map[string]string, error) {
	body, err := a.Get(ctx, "/config_dump?resource=dynamic_listeners")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Configs []struct {
			Name  string `json:"name"`
			Error *struct {
				Details string `json:"details"`
			} `json:"error_state"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	details := map[string]string{}
	for _, l := range doc.Configs {
		if l.Error != nil {
			details[l.Name] = l.Error.Details
		}
	}
	return details, nil
}
