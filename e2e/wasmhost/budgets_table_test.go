package wasmhost_test

import (
	"fmt"
	"strings"
)

// asks is the cost of a request phase: host calls, and for so many of them the module allocates memory for what they give.
func asks(allocations int, calls ...string) string {
	memory := ""
	if allocations > 0 {
		memory = fmt.Sprintf("on_memory_allocate %d, ", allocations)
	}
	return strings.Join(calls, ", ") + " | on_context_create 1, " + memory + "on_request_headers 1"
}

// edits is the cost of a response phase in which the headers are read at once, and then what must change is written.
func edits(calls ...string) string {
	return strings.Join(calls, ", ") + " | on_memory_allocate 1, on_response_headers 1"
}

const (
	// The filter's own reply comes by, and is compared with what was sent: a route may have added headers.
	ownReply = "get_header_map_pairs 1 | on_memory_allocate 1, on_response_headers 1"
	nothing  = " | "
)

// budgets are what each kind of request costs. No kind costs anything when its stream ends: the plugin exports no callback for it.
var budgets = []budget{
	{name: "no Origin", config: plain,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "no Origin, upstream with Vary", config: plain, response: withVary,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("get_header_map_pairs 1", "replace_header_map_value 1")},
	{name: "no Origin, upstream with CORS headers", config: plain, response: withCORS,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("get_header_map_pairs 1", "remove_header_map_value 2")},
	{name: "allowed", config: plain, request: lines(allowedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "allowed, upstream with Vary", config: plain, request: lines(allowedOrigin), response: withVary,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 3", "get_header_map_pairs 1", "replace_header_map_value 1")},
	{name: "allowed, upstream with CORS headers", config: plain, request: lines(allowedOrigin), response: withCORS,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 2", "get_header_map_pairs 1", "remove_header_map_value 1", "replace_header_map_value 1")},
	{name: "refused", config: plain, request: lines(refusedOrigin),
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "refused, upstream with Vary", config: plain, request: lines(refusedOrigin), response: withVary,
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: edits("get_header_map_pairs 1", "replace_header_map_value 1")},
	{name: "refused, upstream with CORS headers", config: plain, request: lines(refusedOrigin), response: withCORS,
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: edits("get_header_map_pairs 1", "remove_header_map_value 2")},
	{name: "refused, logged", config: logging, request: lines(refusedOrigin),
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2", "log 1", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "refused and denied", config: denying, request: lines(refusedOrigin),
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},
	{name: "same-origin", config: denying, request: lines(sameOrigin),
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "same-origin, upstream with CORS headers", config: denying, request: lines(sameOrigin), response: withCORS,
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2"),
		onResponse: edits("get_header_map_pairs 1", "remove_header_map_value 2")},
	{name: "preflight allowed", config: plain, method: "OPTIONS", request: lines(allowedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1"),
		onResponse: ownReply},
	{name: "preflight refused and answered", config: plain, method: "OPTIONS", request: lines(refusedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},
	{name: "preflight refused and denied", config: denying, method: "OPTIONS", request: lines(refusedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},
	{name: "preflight refused and forwarded", config: forwarding, method: "OPTIONS", request: lines(refusedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "any origin", config: anyConfig, request: lines(refusedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 2", "get_header_map_pairs 1")},
	{name: "any origin, no Origin", config: anyConfig,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("add_header_map_value 2", "get_header_map_pairs 1")},
	{name: "any origin, upstream with CORS headers", config: anyConfig, request: lines(refusedOrigin), response: withCORS,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1", "remove_header_map_value 1")},
	{name: "any origin, preflight", config: anyConfig, method: "OPTIONS", request: lines(refusedOrigin, asksPUT),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},

	// A header costs a write. Those of a policy for https alone cost a question, for the scheme.
	{name: "headers: no Origin", config: withHeaders,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "headers: allowed", config: withHeaders, request: lines(allowedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 7", "get_header_map_pairs 1")},
	{name: "headers: the upstream has them", config: withHeaders, request: lines(allowedOrigin), response: withOurs,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "headers: the upstream has others", config: withHeaders, request: lines(allowedOrigin), response: withTheirs,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 5", "get_header_map_pairs 1", "remove_header_map_value 1", "replace_header_map_value 2")},
	{name: "headers: refused and denied", config: withHeadersDenying, request: lines(refusedOrigin),
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},
	{name: "headers, one for https: allowed", config: withHSTS, request: lines(allowedOrigin),
		onRequest:  asks(2, "get_header_map_value 3"),
		onResponse: edits("add_header_map_value 5", "get_header_map_pairs 1")},
	{name: "headers, CORS off", config: headersAlone,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},

	// A resource isolation policy asks where a request comes from, unless CORS allows it.
	{name: "fetch metadata: allowed", config: isolating, request: lines(allowedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "fetch metadata: no Origin, same site", config: isolating,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "fetch metadata: no Origin, another site", config: isolating, request: lines(crossSite), without: "sec-fetch-site",
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1", "set_property 1"),
		onResponse: ownReply},
	{name: "fetch metadata reported: no Origin, another site", config: reporting, request: lines(crossSite), without: "sec-fetch-site",
		onRequest:  asks(2, "get_header_map_pairs 1", "get_header_map_value 2", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},

	// Origins that were fetched cost what others cost, but that the host is asked for where it matters.
	{name: "source: no Origin", config: fetching, fetched: fetchedList,
		onRequest:  asks(0, "get_header_map_value 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "source: allowed by the list", config: fetching, fetched: fetchedList, request: lines(allowedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "source: allowed by the document", config: fetching, fetched: fetchedList, request: lines(fetchedOrigin),
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "source: refused", config: fetching, fetched: fetchedList, request: lines(refusedOrigin),
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "source: preflight allowed", config: fetching, fetched: fetchedList, method: "OPTIONS", request: lines(fetchedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2", "send_local_response 1"),
		onResponse: ownReply},
	{name: "source that gave nothing yet: refused", config: fetching, request: lines(fetchedOrigin),
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	// What is not enforced touches no response.
	{name: "shadow: allowed", config: shadowing, request: lines(allowedOrigin), response: withCORS,
		onRequest:  asks(1, "get_header_map_value 2"),
		onResponse: " | on_response_headers 1"},
	{name: "shadow: refused", config: shadowing, request: lines(refusedOrigin), response: withCORS,
		onRequest:  asks(2, "get_header_map_value 3", "set_property 1"),
		onResponse: " | on_response_headers 1"},
	{name: "shadow: preflight", config: shadowing, method: "OPTIONS", request: lines(allowedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(3, "get_header_map_pairs 1", "get_header_map_value 2"),
		onResponse: " | on_response_headers 1"},
	{name: "off", config: modeOff, request: lines(refusedOrigin), response: withCORS,
		onRequest:  " | on_context_create 1, on_request_headers 1",
		onResponse: " | on_response_headers 1"},

	// A rule by route adds a question to what is asked anyway.
	{name: "CORS off", config: off, request: lines(allowedOrigin), response: withCORS,
		onRequest:  asks(1, "get_header_map_pairs 1"),
		onResponse: " | on_response_headers 1"},
	{name: "rule by route: no Origin", config: byRoute, route: "api",
		onRequest:  asks(1, "get_header_map_value 1", "get_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "rule by route: allowed", config: byRoute, route: "api", request: lines(allowedOrigin),
		onRequest:  asks(2, "get_header_map_value 2", "get_property 1"),
		onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
	{name: "rule by route: refused", config: byRoute, route: "api", request: lines(refusedOrigin),
		onRequest:  asks(3, "get_header_map_value 3", "get_property 1", "set_property 1"),
		onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
	{name: "rule by route: preflight allowed", config: byRoute, route: "api", method: "OPTIONS", request: lines(allowedOrigin, asksPUT, asksHeaders),
		onRequest:  asks(4, "get_header_map_pairs 1", "get_header_map_value 2", "get_property 1", "send_local_response 1"),
		onResponse: ownReply},
}

// byHeaders is what a rule costs that asks for a host or a path: all request headers are read, at once, instead of some one by one.
func byHeaders(name, config string) []budget {
	return []budget{
		{name: name + ": no Origin", config: config,
			onRequest:  asks(1, "get_header_map_pairs 1"),
			onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
		{name: name + ": allowed", config: config, request: lines(allowedOrigin),
			onRequest:  asks(1, "get_header_map_pairs 1"),
			onResponse: edits("add_header_map_value 4", "get_header_map_pairs 1")},
		{name: name + ": refused", config: config, request: lines(refusedOrigin),
			onRequest:  asks(1, "get_header_map_pairs 1", "set_property 1"),
			onResponse: edits("add_header_map_value 1", "get_header_map_pairs 1")},
		{name: name + ": preflight allowed", config: config, method: "OPTIONS", request: lines(allowedOrigin, asksPUT, asksHeaders),
			onRequest:  asks(1, "get_header_map_pairs 1", "send_local_response 1"),
			onResponse: ownReply},
	}
}

// A tick costs a call for each counter that moved, and some to find out which contexts the host has forgotten.
const (
	idleTick = "set_effective_context 1 | on_tick 1"
	busyTick = "increment_metric 1, set_effective_context 1 | on_tick 1"

	// Of each source the state is looked at.
	sourceTick  = "get_shared_data 1, set_effective_context 1 | on_memory_allocate 1, on_tick 1"
	sourcesTick = "get_shared_data 3, set_effective_context 1 | on_memory_allocate 3, on_tick 1"
)
