package wasmhost

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
)

// WASI's error numbers, as Envoy returns them.
const (
	wasiBadFile      Result = 8
	wasiFault        Result = 21
	wasiInvalid      Result = 28
	wasiNoEntry      Result = 44
	wasiNotSupported Result = 58
	wasiNoSys        Result = 52
)

// wasiFunctions are the functions of wasi_snapshot_preview1 that Envoy 1.36 has. Later releases have more, all of which fail when called.
var wasiFunctions = []hostFunction{
	{name: "fd_write", typ: "(i32,i32,i32,i32)i32", wasi: true, run: fdWrite},
	{name: "fd_read", typ: "(i32,i32,i32,i32)i32", wasi: true, run: answer(wasiNoSys)},
	{name: "fd_seek", typ: "(i32,i64,i32,i32)i32", wasi: true, run: answer(OK)},
	{name: "fd_close", typ: "(i32)i32", wasi: true, run: answer(OK)},
	{name: "fd_fdstat_get", typ: "(i32,i32)i32", wasi: true, run: fdStatGet},
	{name: "fd_fdstat_set_flags", typ: "(i32,i32)i32", wasi: true, run: answer(wasiNoSys)},
	{name: "fd_prestat_get", typ: "(i32,i32)i32", wasi: true, run: answer(wasiBadFile)},
	{name: "fd_prestat_dir_name", typ: "(i32,i32,i32)i32", wasi: true, run: answer(wasiNoSys)},
	{name: "path_open", typ: "(i32,i32,i32,i32,i32,i64,i64,i32,i32)i32", wasi: true, run: answer(wasiNoEntry)},
	{name: "environ_get", typ: "(i32,i32)i32", wasi: true, run: answer(OK)},
	{name: "environ_sizes_get", typ: "(i32,i32)i32", wasi: true, run: noEntries},
	{name: "args_get", typ: "(i32,i32)i32", wasi: true, run: answer(OK)},
	{name: "args_sizes_get", typ: "(i32,i32)i32", wasi: true, run: noEntries},
	{name: "clock_time_get", typ: "(i32,i64,i32)i32", wasi: true, run: clockTimeGet},
	{name: "random_get", typ: "(i32,i32)i32", wasi: true, run: randomGet},
	{name: "sched_yield", typ: "()i32", wasi: true, run: answer(OK)},
	{name: "poll_oneoff", typ: "(i32,i32,i32,i32)i32", wasi: true, run: pollOneoff},
	{name: "proc_exit", typ: "(i32)", wasi: true, run: procExit},
}

func answer(result Result) func(*VM, []uint64) Result {
	return func(*VM, []uint64) Result { return result }
}

// fdWrite logs what goes to standard output as info and to standard error as error.
func fdWrite(v *VM, a []uint64) Result {
	level := Info
	switch a[0] {
	case 1:
	case 2:
		level = Error
	default:
		return wasiBadFile
	}
	var text strings.Builder
	for i := range a[2] {
		vector, ok := v.read(a[1]+8*i, 8)
		if !ok {
			return wasiFault
		}
		ptr, size := binary.LittleEndian.Uint32([]byte(vector)), binary.LittleEndian.Uint32([]byte(vector[4:]))
		part, ok := v.read(uint64(ptr), uint64(size))
		if !ok {
			return wasiFault
		}
		text.WriteString(part)
	}
	if text.Len() > 0 {
		v.logs = append(v.logs, Log{level, strings.TrimSuffix(text.String(), "\n")})
	}
	if !v.setWord(a[3], uint32(text.Len())) {
		return wasiFault
	}
	return OK
}

func fdStatGet(v *VM, a []uint64) Result {
	if a[0] != 1 && a[0] != 2 {
		return wasiBadFile
	}
	stat := make([]byte, 24)
	stat[8] = 64 // the right to write
	if !v.module.Memory().Write(uint32(a[1]), stat) {
		return wasiFault
	}
	return OK
}

// noEntries answers that there are no arguments, or no environment.
func noEntries(v *VM, a []uint64) Result {
	if !v.setWord(a[0], 0) || !v.setWord(a[1], 0) {
		return wasiFault
	}
	return OK
}

func clockTimeGet(v *VM, a []uint64) Result {
	var nanos int64
	switch a[0] {
	case 0:
		nanos = v.process.now().UnixNano()
	case 1:
		nanos = int64(v.process.sinceBegin())
	default:
		return wasiNotSupported
	}
	if v.word64(a[2], uint64(nanos)) != OK {
		return wasiFault
	}
	return OK
}

func randomGet(v *VM, a []uint64) Result {
	if a[1] > 64<<10 {
		return wasiInvalid
	}
	b := make([]byte, a[1])
	_, _ = rand.Read(b)
	if !v.module.Memory().Write(uint32(a[0]), b) {
		return wasiFault
	}
	return OK
}

// pollOneoff returns at once and without an event: nothing waits in a proxy's worker. Old releases fail it, and Go's runtime
// gives up then: a panic that nothing recovers sleeps so, for one.
func pollOneoff(v *VM, a []uint64) Result {
	if v.process.host.opts.Release == Envoy136 {
		return wasiNoSys
	}
	if !v.setWord(a[3], 0) {
		return wasiFault
	}
	return OK
}

// procExit only logs, as in Envoy: what comes after it in the module is not meant to run, and usually traps.
func procExit(v *VM, _ []uint64) Result {
	v.logs = append(v.logs, Log{Trace, "wasi_unstable proc_exit"})
	return OK
}
