package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// functionNames returns the names of the functions that a module defines, in order, imported ones left out. A module that was linked
// without symbols (-ldflags=-s) has no name section; its functions are then called by their index.
func functionNames(file string) ([]string, error) {
	module, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if len(module) < 8 || string(module[:4]) != "\x00asm" {
		return nil, fmt.Errorf("%s is no wasm module", file)
	}
	var imported, defined int
	names := map[int]string{}
	for r := bytes.NewReader(module[8:]); r.Len() > 0; {
		id, body, err := section(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		switch id {
		case 0:
			err = nameSection(body, names)
		case 2:
			imported, err = importedFunctions(body)
		case 3:
			defined, err = uleb(body)
		}
		if err != nil {
			return nil, fmt.Errorf("%s, section %d: %w", file, id, err)
		}
	}
	list := make([]string, defined)
	for i := range list {
		if list[i] = names[imported+i]; list[i] == "" {
			list[i] = fmt.Sprintf("wasm function %d", imported+i)
		}
	}
	return list, nil
}

// section reads an id, a length and that many bytes: the frame of a section, and of the name section's parts.
func section(r *bytes.Reader) (id byte, body *bytes.Reader, err error) {
	if id, err = r.ReadByte(); err != nil {
		return 0, nil, err
	}
	data, err := vector(r)
	return id, bytes.NewReader(data), err
}

// vector reads a length and that many bytes.
func vector(r *bytes.Reader) ([]byte, error) {
	n, err := uleb(r)
	if err != nil {
		return nil, err
	}
	if n > r.Len() {
		return nil, io.ErrUnexpectedEOF
	}
	data := make([]byte, n)
	_, err = io.ReadFull(r, data)
	return data, err
}

func uleb(r *bytes.Reader) (int, error) {
	v, err := binary.ReadUvarint(r)
	if err == nil && v > 1<<32-1 {
		err = errors.New("number out of range")
	}
	return int(v), err
}

// nameSection collects function names from a custom section, if it is the one called "name".
func nameSection(r *bytes.Reader, names map[int]string) error {
	if title, err := vector(r); err != nil || string(title) != "name" {
		return err
	}
	for r.Len() > 0 {
		id, body, err := section(r)
		if err != nil {
			return err
		}
		if id != 1 { // 1 is the part with function names
			continue
		}
		n, err := uleb(body)
		if err != nil {
			return err
		}
		for range n {
			index, err := uleb(body)
			if err != nil {
				return err
			}
			name, err := vector(body)
			if err != nil {
				return err
			}
			names[index] = string(name)
		}
	}
	return nil
}

// importedFunctions counts the functions in an import section.
func importedFunctions(r *bytes.Reader) (functions int, err error) {
	n, err := uleb(r)
	if err != nil {
		return 0, err
	}
	for range n {
		for range 2 { // module and name
			if _, err := vector(r); err != nil {
				return 0, err
			}
		}
		what, err := r.ReadByte()
		if err != nil {
			return 0, err
		}
		if what != 0 {
			return 0, fmt.Errorf("import of sort %d, where only functions are understood", what)
		}
		if _, err := uleb(r); err != nil { // type
			return 0, err
		}
		functions++
	}
	return functions, nil
}
