//go:build corsguard_faults

package filter

// A build with the tag corsguard_faults panics where the request header x-fault says so: in the phase "request" or "response". It shows that one
// request's panic stays that request's. It is never deployed.

const faultHeader = "x-fault"

var fault string

func requestFault() {
	value, _ := requestHeader(faultHeader)
	fault = string([]byte(value))
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
