// Command probe is a module that does what its test tells it: each callback runs a script, one host call a line, and logs the results.
// It speaks the ABI by itself, so that the host is tested by nothing but the host's own doing.
//
// The request's header x-script is the script of the request phase, the response's that of the response phase, the configuration that
// of proxy_on_configure.
package main

import (
	"strconv"
	"strings"
	"unsafe"
)

func main() {}

// What the host writes into must not be on a goroutine's stack: proxy_on_memory_allocate runs during a host call.
var (
	outPtr, outSize uint32
	outWide         uint64
	kept            = map[uint32][]byte{}
	garbage         [][]byte
	root            uint32
)

//go:wasmimport env proxy_log
func hostLog(level uint32, ptr unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_header_map_value
func hostGet(kind uint32, key unsafe.Pointer, keySize uint32, ptr, size unsafe.Pointer) uint32

//go:wasmimport env proxy_add_header_map_value
func hostAdd(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_replace_header_map_value
func hostReplace(kind uint32, key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_remove_header_map_value
func hostRemove(kind uint32, key unsafe.Pointer, keySize uint32) uint32

//go:wasmimport env proxy_get_header_map_pairs
func hostPairs(kind uint32, ptr, size unsafe.Pointer) uint32

//go:wasmimport env proxy_set_header_map_pairs
func hostSetPairs(kind uint32, pairs unsafe.Pointer, size uint32) uint32

//go:wasmimport env proxy_get_header_map_size
func hostMapSize(kind uint32, size unsafe.Pointer) uint32

//go:wasmimport env proxy_get_buffer_bytes
func hostBuffer(kind, start, length uint32, ptr, size unsafe.Pointer) uint32

//go:wasmimport env proxy_get_property
func hostProperty(path unsafe.Pointer, pathSize uint32, ptr, size unsafe.Pointer) uint32

//go:wasmimport env proxy_set_property
func hostSetProperty(path unsafe.Pointer, pathSize uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_send_local_response
func hostLocal(status uint32, details unsafe.Pointer, detailsSize uint32, body unsafe.Pointer, bodySize uint32,
	pairs unsafe.Pointer, pairsSize uint32, grpc int32) uint32

//go:wasmimport env proxy_set_effective_context
func hostEffective(id uint32) uint32

//go:wasmimport env proxy_set_tick_period_milliseconds
func hostTickPeriod(period uint32) uint32

//go:wasmimport env proxy_define_metric
func hostDefine(kind uint32, name unsafe.Pointer, nameSize uint32, id unsafe.Pointer) uint32

//go:wasmimport env proxy_increment_metric
func hostIncrement(id uint32, offset int64) uint32

//go:wasmimport env proxy_record_metric
func hostRecord(id uint32, value uint64) uint32

//go:wasmimport env proxy_get_metric
func hostMetric(id uint32, value unsafe.Pointer) uint32

//go:wasmimport env proxy_get_shared_data
func hostShared(key unsafe.Pointer, keySize uint32, ptr, size, cas unsafe.Pointer) uint32

//go:wasmimport env proxy_set_shared_data
func hostSetShared(key unsafe.Pointer, keySize uint32, value unsafe.Pointer, valueSize uint32, cas uint32) uint32

//go:wasmimport env proxy_register_shared_queue
func hostRegister(name unsafe.Pointer, nameSize uint32, token unsafe.Pointer) uint32

//go:wasmimport env proxy_enqueue_shared_queue
func hostEnqueue(token uint32, value unsafe.Pointer, valueSize uint32) uint32

//go:wasmimport env proxy_dequeue_shared_queue
func hostDequeue(token uint32, ptr, size unsafe.Pointer) uint32

//go:wasmimport env proxy_continue_stream
func hostContinue(kind uint32) uint32

//go:wasmimport env proxy_close_stream
func hostClose(kind uint32) uint32

//go:wasmimport env proxy_http_call
func hostCall(cluster unsafe.Pointer, clusterSize uint32, headers unsafe.Pointer, headersSize uint32, body unsafe.Pointer, bodySize uint32,
	trailers unsafe.Pointer, trailersSize uint32, timeout uint32, token unsafe.Pointer) uint32

//go:wasmexport proxy_abi_version_0_2_1
func abiVersion() {}

//go:wasmexport proxy_on_memory_allocate
func allocate(size uint32) uint32 {
	b := make([]byte, size)
	ptr := uint32(uintptr(unsafe.Pointer(unsafe.SliceData(b))))
	kept[ptr] = b
	return ptr
}

//go:wasmexport proxy_on_context_create
func contextCreate(id, rootID uint32) {
	log("context " + itoa(id) + " of " + itoa(rootID))
	if rootID == 0 {
		root = id
	}
}

//go:wasmexport proxy_on_vm_start
func vmStart(id, size uint32) uint32 {
	buffer("vm_start", 7)
	return 1
}

//go:wasmexport proxy_on_configure
func configure(id, size uint32) uint32 {
	config, _ := buffer("configure", 7)
	if config == "refuse" {
		return 0
	}
	run(config)
	return 1
}

//go:wasmexport proxy_on_tick
func tick(id uint32) { log("tick " + itoa(id)) }

//go:wasmexport proxy_on_queue_ready
func queueReady(id, token uint32) {
	log("queue_ready " + itoa(token))
	status := hostDequeue(token, unsafe.Pointer(&outPtr), unsafe.Pointer(&outSize))
	value := taken()
	log("dequeue " + itoa(status) + " " + value)
}

//go:wasmexport proxy_on_request_headers
func requestHeaders(id, count, end uint32) uint32 {
	log("request_headers " + itoa(id) + " " + itoa(count) + " " + itoa(end))
	return run(header(0))
}

//go:wasmexport proxy_on_response_headers
func responseHeaders(id, count, end uint32) uint32 {
	log("response_headers " + itoa(id) + " " + itoa(count) + " " + itoa(end))
	return run(header(2))
}

//go:wasmexport proxy_on_http_call_response
func callResponse(id, token, headers, bodySize, trailers uint32) {
	log("http_call_response " + itoa(id) + " " + itoa(token) + " " + itoa(headers) + " " + itoa(bodySize) + " " + itoa(trailers))
	run("get 6 :status; get 6 x-answer; get 7 :status; buffer 4")
}

//go:wasmexport proxy_on_log
func onLog(id uint32) { log("log " + itoa(id)) }

//go:wasmexport proxy_on_done
func onDone(id uint32) uint32 {
	log("done " + itoa(id))
	return 1
}

//go:wasmexport proxy_on_delete
func onDelete(id uint32) { log("delete " + itoa(id)) }

func itoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func str(s string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
}

func log(s string) {
	ptr, size := str(s)
	hostLog(2, ptr, size)
}

// taken returns what the last host call gave, and forgets it.
func taken() string {
	b := kept[outPtr][:outSize]
	delete(kept, outPtr)
	outPtr, outSize = 0, 0
	return string(b)
}

func header(kind uint32) string {
	key, size := str("x-script")
	if hostGet(kind, key, size, unsafe.Pointer(&outPtr), unsafe.Pointer(&outSize)) != 0 {
		return ""
	}
	return taken()
}

func buffer(who string, kind uint32) (string, uint32) {
	status := hostBuffer(kind, 0, 1<<20, unsafe.Pointer(&outPtr), unsafe.Pointer(&outSize))
	value := taken()
	log(who + " buffer " + itoa(kind) + " " + itoa(status) + " " + strconv.Quote(value))
	return value, status
}

// run runs a script, whose lines are separated by ";" and their words by blanks, and returns the action that it asks for.
func run(script string) (action uint32) {
	for line := range strings.SplitSeq(script, ";") {
		word := append(strings.Fields(line), "", "", "", "")
		if word[0] == "" {
			continue
		}
		kind := number(word[1])
		a, aSize := str(word[2])
		b, bSize := str(word[3])
		ptr, size := unsafe.Pointer(&outPtr), unsafe.Pointer(&outSize)
		var status uint32
		switch word[0] {
		case "return":
			action = kind
			continue
		case "panic":
			panic("asked to")
		case "spin":
			for {
				outWide++
			}
		case "garbage":
			for range kind {
				garbage = append(garbage[:0], make([]byte, 1<<16))
			}
			continue
		case "get":
			status = hostGet(kind, a, aSize, ptr, size)
		case "add":
			status = hostAdd(kind, a, aSize, b, bSize)
		case "replace":
			status = hostReplace(kind, a, aSize, b, bSize)
		case "remove":
			status = hostRemove(kind, a, aSize)
		case "pairs":
			status = hostPairs(kind, ptr, size)
		case "setpairs":
			pairs := pack(word[2], word[3])
			status = hostSetPairs(kind, unsafe.Pointer(&pairs[0]), uint32(len(pairs)))
		case "size":
			status = hostMapSize(kind, size)
			log(line + " = " + itoa(status) + " " + itoa(outSize))
			outSize = 0
			continue
		case "buffer":
			buffer("script", kind)
			continue
		case "property":
			path, pathSize := str(strings.ReplaceAll(word[1], ".", "\x00"))
			status = hostProperty(path, pathSize, ptr, size)
		case "setproperty":
			status = hostSetProperty(a, aSize, b, bSize)
		case "local":
			pairs := pack("X-Local", word[3])
			status = hostLocal(kind, a, aSize, a, aSize, unsafe.Pointer(&pairs[0]), uint32(len(pairs)), -1)
		case "effective":
			status = hostEffective(kind)
		case "tickperiod":
			status = hostTickPeriod(kind)
		case "define":
			status = hostDefine(kind, a, aSize, ptr)
			log(line + " = " + itoa(status) + " " + itoa(outPtr))
			outPtr = 0
			continue
		case "increment":
			status = hostIncrement(kind, int64(signed(word[2])))
		case "record":
			status = hostRecord(kind, uint64(signed(word[2])))
		case "metric":
			status = hostMetric(kind, unsafe.Pointer(&outWide))
			log(line + " = " + itoa(status) + " " + strconv.FormatUint(outWide, 10))
			continue
		case "shared":
			status = hostShared(a, aSize, ptr, size, unsafe.Pointer(&outWide))
			log(line + " cas " + strconv.FormatUint(outWide, 10))
		case "setshared":
			status = hostSetShared(a, aSize, b, bSize, kind)
		case "httpcall":
			pairs := pack(":method", "GET", ":path", "/", ":authority", "a.test", "x-more", word[3])
			if word[3] != "" {
				pairs = []byte(strings.Replace(string(pairs), word[3], strings.Repeat("x", len(word[3])), 1))
			}
			status = hostCall(a, aSize, unsafe.Pointer(&pairs[0]), uint32(len(pairs)), a, 0, a, 0, kind, ptr)
			log(line + " = " + itoa(status) + " " + itoa(outPtr))
			outPtr = 0
			continue
		case "register":
			status = hostRegister(a, aSize, unsafe.Pointer(&outWide))
		case "enqueue":
			status = hostEnqueue(kind, a, aSize)
		case "continue":
			status = hostContinue(kind)
		case "close":
			status = hostClose(kind)
		default:
			panic("unknown command " + word[0])
		}
		log(strings.TrimSpace(line) + " = " + itoa(status) + " " + strconv.Quote(taken()))
	}
	return action
}

func number(s string) uint32 { return uint32(signed(s)) }

func signed(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// pack lays out pairs of names and values, which are short.
func pack(texts ...string) []byte {
	b := []byte{byte(len(texts) / 2), 0, 0, 0}
	for _, text := range texts {
		b = append(b, byte(len(text)), 0, 0, 0)
	}
	for _, text := range texts {
		b = append(append(b, text...), 0)
	}
	return b
}
