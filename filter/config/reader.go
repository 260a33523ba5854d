package config

import (
	"strconv"

	"github.com/tidwall/gjson"

	"corsguard/filter/fetch"
	"corsguard/filter/policy"
)

// reader walks JSON and collects problems. gjson's accessors coerce, so none of them is used before the type is known.
type reader struct {
	errs  Error
	warns []Problem
	// mistakes and unwise count them all; no more than maxProblems of each are kept.
	mistakes, unwise int
	regexes          int // so far, in all lists
	sources          []policy.Source
}

// maxProblems bounds the mistakes that are reported of a configuration, and the warnings: each is a line in the log of every worker.
const maxProblems = 500

//go:noinline // the plugin's size is start-up time
func (r *reader) fail(path, raw, reason, fix string) {
	if r.mistakes++; r.mistakes <= maxProblems {
		r.errs = append(r.errs, Problem{Path: path, Value: shown(raw), Reason: reason, Fix: fix})
	}
}

//go:noinline // the plugin's size is start-up time
func (r *reader) warn(path, raw, reason, fix string) {
	if r.unwise++; r.unwise <= maxProblems {
		r.warns = append(r.warns, Problem{Path: path, Value: shown(raw), Reason: reason, Fix: fix})
	}
}

// more returns problems, and if there were more than are kept, one that says so.
func more(problems []Problem, all int) []Problem {
	if all <= len(problems) {
		return problems
	}
	return append(problems, Problem{Path: wholeDocument, Reason: "has " + strconv.Itoa(all-len(problems)) + " more of these", Fix: "mend those above first"})
}

func (r *reader) failAt(p place, reason, fix string) { r.fail(p.path, p.raw, reason, fix) }
func (r *reader) warnAt(p place, reason, fix string) { r.warn(p.path, p.raw, reason, fix) }

// field is a key that an object may have.
type field struct {
	name string
	read func(path string, v *gjson.Result)
}

// object reads the keys of v, which must be an object, in the order in which they stand. It reports whether v is one.
func (r *reader) object(path string, v *gjson.Result, fields []field) bool {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].name
	}
	return r.keys(path, v, names, func(i int, path string, v *gjson.Result) { fields[i].read(path, v) })
}

// keys reads the keys of v as object does, where one function reads them all: it is given the index among names, which is less code than a function for each. What it gets is not
// to be kept.
func (r *reader) keys(path string, v *gjson.Result, names []string, read func(i int, path string, v *gjson.Result)) bool {
	if !v.IsObject() {
		r.fail(path, v.Raw, "must be an object, is "+typeOf(v), "write {…}")
		return false
	}
	seen := map[string]bool{}
	v.ForEach(func(key, value gjson.Result) bool {
		at := Key(path, key.Str)
		switch i := indexOf(names, key.Str); {
		case i < 0 && r.mistakes >= maxProblems:
			r.mistakes++ // what was meant takes long to find out
		case i < 0:
			r.fail(at, value.Raw, "unknown key", suggest(key.Str, names))
		case seen[key.Str]:
			r.fail(at, value.Raw, "duplicate key", "write it once")
		default:
			seen[key.Str] = true
			read(i, at, &value)
		}
		return true
	})
	return true
}

// onlyKey returns how many keys the object v has, and the last of them with its value.
func onlyKey(v *gjson.Result) (keys int, key string, value *gjson.Result) {
	v.ForEach(func(k, inner gjson.Result) bool {
		keys++
		key, value = k.Str, &inner
		return true
	})
	return keys, key, value
}

// indexOf returns where name stands in names, -1 where it does not.
func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

// list reads the elements of v, which must be an array that is not empty. What read gets is not to be kept.
func (r *reader) list(path string, v *gjson.Result, read func(i int, v *gjson.Result)) {
	if !v.IsArray() {
		r.fail(path, v.Raw, "must be an array, is "+typeOf(v), "write […]")
		return
	}
	i := 0
	var element gjson.Result
	v.ForEach(func(_, value gjson.Result) bool {
		element = value
		read(i, &element)
		i++
		return true
	})
	if i == 0 {
		r.fail(path, v.Raw, "must not be empty", "list something, or leave the key out")
	}
}

func (r *reader) text(path string, v *gjson.Result) (string, bool) {
	if v.Type != gjson.String {
		r.fail(path, v.Raw, "must be a string, is "+typeOf(v), `write "…"`)
		return "", false
	}
	return v.Str, true
}

//go:noinline
func (r *reader) boolean(into *bool) func(string, *gjson.Result) {
	return func(path string, v *gjson.Result) { r.truth(path, v, into) }
}

// truth reads a boolean.
func (r *reader) truth(path string, v *gjson.Result, into *bool) {
	if v.Type != gjson.True && v.Type != gjson.False {
		r.fail(path, v.Raw, "must be a boolean, is "+typeOf(v), "write true or false")
		return
	}
	*into = v.Type == gjson.True
}

// integer reads a whole number of low…high. It may be written as 7200, 7200.0 or 7.2e3: a protobuf Struct knows doubles alone.
//
//go:noinline
func (r *reader) integer(into *int, low, high int) func(string, *gjson.Result) {
	return func(path string, v *gjson.Result) {
		fix := "write a whole number of " + strconv.Itoa(low) + " to " + strconv.Itoa(high)
		if v.Type != gjson.Number {
			r.fail(path, v.Raw, "must be a number, is "+typeOf(v), fix)
			return
		}
		// Written so that NaN fails too.
		if !(v.Num >= float64(low) && v.Num <= float64(high)) || v.Num != float64(int(v.Num)) {
			r.fail(path, v.Raw, "is out of range", fix)
			return
		}
		*into = int(v.Num)
	}
}

// choice reads one of names, and gives its index.
//
//go:noinline
func (r *reader) choice(names []string, chosen func(i int)) func(string, *gjson.Result) {
	return func(path string, v *gjson.Result) {
		if i := r.oneOf(path, v, names); i >= 0 {
			chosen(i)
		}
	}
}

// oneOf reads one of names, and returns its index, -1 where it is none.
func (r *reader) oneOf(path string, v *gjson.Result, names []string) int {
	s, ok := r.text(path, v)
	if !ok {
		return -1
	}
	i := indexOf(names, s)
	if i < 0 {
		r.fail(path, v.Raw, "is no value of this key", "write "+oneOf(names))
	}
	return i
}

func oneOf(names []string) string {
	s := ""
	for i, n := range names {
		switch {
		case i == 0:
		case i == len(names)-1:
			s += " or "
		default:
			s += ", "
		}
		s += `"` + n + `"`
	}
	return s
}

func typeOf(v *gjson.Result) string {
	switch v.Type {
	case gjson.Null:
		return "null"
	case gjson.True, gjson.False:
		return "a boolean"
	case gjson.Number:
		return "a number"
	case gjson.String:
		return "a string"
	}
	if v.IsArray() {
		return "an array"
	}
	return "an object"
}

// Element returns the path of element i of a list.
//
//go:noinline // the plugin's size is start-up time
func Element(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

const maxShownKey = 60

// Key returns the path of a key of the object at path, which is empty for the document; keys that are no plain words are quoted.
func Key(path, key string) string {
	plain := key != "" && len(key) <= maxShownKey
	for i := 0; i < len(key) && plain; i++ {
		c := key[i]
		plain = c > ' ' && c < 0x7f && c != '.' && c != '[' && c != ']' && c != '"' && c != '\\'
	}
	switch {
	case !plain:
		return path + "[" + fetch.Quoted(key, maxShownKey) + "]"
	case path == "":
		return key
	}
	return path + "." + key
}
