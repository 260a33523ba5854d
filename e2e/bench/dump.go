package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// costs is what a callgrind dump says, added up.
type costs struct {
	objects   map[string]int64     // instructions by object file
	functions map[string]*function // of compiled code, by name
}

type function struct {
	name        string
	self, calls int64
}

// compiledCode is the object that callgrind puts code in that it knows no file for.
const compiledCode = "???"

// nameDump copies a dump, made with --dump-instr=yes and without compression, from in to out, names the functions that it can, and
// adds up.
func nameDump(in, out string, memory []mapping, names symbols) (*costs, error) {
	src, err := os.Open(in)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	dst, err := os.Create(out)
	if err != nil {
		return nil, err
	}
	defer dst.Close()
	buffered := bufio.NewWriter(dst)
	p := &costs{objects: map[string]int64{}, functions: map[string]*function{}}
	if err := p.read(src, buffered, memory, names); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(in), err)
	}
	if err := buffered.Flush(); err != nil {
		return nil, err
	}
	return p, dst.Close()
}

func (p *costs) read(src io.Reader, dst io.Writer, memory []mapping, names symbols) error {
	var (
		ob, object string    // as the dump says; as the memory map says for the current function
		current    *function // nil outside of compiled code
		callee     *function
		inclusive  bool // whether the next cost line is that of a call
	)
	lines := bufio.NewScanner(src)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		key, value, _ := strings.Cut(line, "=")
		switch {
		case key == "ob":
			ob = value
		case key == "fn":
			name, file := names.resolve(value, memory)
			line, object, current = "fn="+name, ob, nil
			if ob == compiledCode && file != "" {
				object = file
			} else if ob == compiledCode {
				current = p.function(name)
			}
		case key == "cfn":
			name, file := names.resolve(value, memory)
			line, callee = "cfn="+name, nil
			if file == "" {
				callee = p.function(name)
			}
		case key == "calls":
			count, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return err
			}
			if callee != nil {
				callee.calls += count
			}
			inclusive = true
		case strings.HasPrefix(line, "0x"):
			cost, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:], 10, 64)
			if err != nil {
				return err
			}
			if !inclusive {
				p.objects[object] += cost
				if current != nil {
					current.self += cost
				}
			}
			inclusive = false
		}
		if _, err := fmt.Fprintln(dst, line); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (p *costs) function(name string) *function {
	f := p.functions[name]
	if f == nil {
		f = &function{name: name}
		p.functions[name] = f
	}
	return f
}

// resolve names a function that callgrind names by its address, and tells the file that the address was loaded from, if from any.
// callgrind itself knows only a file's text section; Envoy's allocator lies in one of its own. Other names stay.
func (s symbols) resolve(fn string, memory []mapping) (name, file string) {
	digits, ok := strings.CutPrefix(fn, "0x")
	if !ok {
		return fn, ""
	}
	addr, err := strconv.ParseUint(digits, 16, 64)
	if err != nil {
		return fn, ""
	}
	for _, m := range memory {
		if m.from <= addr && addr < m.to {
			file = m.file
		}
	}
	if s[addr] != "" {
		fn = s[addr]
	}
	return fn, file
}
