//go:build corsguard_faults

package filter

import "strings"

// A build with the tag corsguard_faults panics where the request header x-fault says so: in the phase "request" or "response". It shows that one
// request's panic stays that request's. With "trap" the whole VM ends. It is never deployed.

const faultHeader = "x-fault"

var fault string

func requestFault() {
	value, _ := requestHeader(faultHeader)
	fault = string([]byte(value))
	if fault == "trap" {
		select {} // a fatal error in Go, which nothing contains
	}
	if fault == "request" {
		var nothing []int
		_ = nothing[len(fault)]
	}
}

func responseFault() {
	if fault == "response" {
		panic("fault")
	}
}

// fetchFault ends the VM that is the first to fetch from a source whose path has the parameter x-fault=trap: what blocks for ever is a fatal error in Go, which nothing contains.
func fetchFault(s *source) {
	if strings.Contains(s.Path, "x-fault=trap") && setSharedData("corsguard/fault", []byte("done"), absent) {
		logError("corsguard: fault: the VM ends while it fetches")
		select {}
	}
}
