package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
)

// mapping is a piece of a process's executable memory.
type mapping struct {
	from, to uint64
	file     string // empty for anonymous memory
}

// executable returns the executable memory of a process.
func executable(pid int) ([]mapping, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []mapping
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// from-to permissions offset device inode [file]
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || !strings.Contains(fields[1], "x") {
			continue
		}
		var m mapping
		if _, err := fmt.Sscanf(fields[0], "%x-%x", &m.from, &m.to); err != nil {
			return nil, err
		}
		if len(fields) > 5 {
			m.file = fields[5]
		}
		list = append(list, m)
	}
	return list, lines.Err()
}

// symbols names addresses of code that V8 compiled from a wasm module.
//
// V8 keeps no symbols for it that another program could read, but it puts a jump table in front of a module's code: one slot for each
// function that the module defines, in the module's order, each a jump to the function's code.
type symbols map[uint64]string

// slotSize is that of a slot on x86-64: a jump of five bytes (e9 and a distance), filled up with three breakpoints (cc).
const slotSize = 8

// findSymbols searches the anonymous executable memory of the process for the jump table of a module with these functions.
func findSymbols(pid int, memory []mapping, names []string) (symbols, error) {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	table := make([]byte, slotSize*len(names))
	for _, m := range memory {
		if m.file != "" || m.to-m.from < uint64(len(table)) {
			continue
		}
		if _, err := mem.ReadAt(table, int64(m.from)); err != nil {
			continue // not all that is mapped can be read
		}
		if s, ok := readJumpTable(table, m.from, names); ok {
			return s, nil
		}
	}
	return nil, errors.New("no jump table found: this V8 lays its code out differently")
}

// readJumpTable reads the table at address from; ok tells whether it is one.
func readJumpTable(table []byte, from uint64, names []string) (s symbols, ok bool) {
	s = symbols{}
	for i, name := range names {
		slot := table[slotSize*i : slotSize*(i+1)]
		if slot[0] != 0xe9 || string(slot[5:]) != "\xcc\xcc\xcc" {
			return nil, false
		}
		at := from + uint64(slotSize*i)
		distance := int32(binary.LittleEndian.Uint32(slot[1:]))
		s[at] = name
		s[at+5+uint64(int64(distance))] = name
	}
	return s, true
}
