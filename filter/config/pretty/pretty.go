// Package pretty stands in for github.com/tidwall/pretty. gjson needs that one for its path modifiers @pretty and @ugly alone, and links it always, and
// with it encoding/json and reflect: a third of the plugin's size, which is start-up time and memory in Envoy. The configuration is read without
// paths, so none of this is ever called; a call is a mistake, and says so.
package pretty

// Options has the fields that gjson sets.
type Options struct {
	Width    int
	Prefix   string
	Indent   string
	SortKeys bool
}

// DefaultOptions is copied by gjson.
var DefaultOptions = &Options{}

const notHere = "pretty: not part of this build; gjson's modifiers are not available"

// Pretty panics.
func Pretty([]byte) []byte { panic(notHere) }

// PrettyOptions panics.
func PrettyOptions([]byte, *Options) []byte { panic(notHere) }

// Ugly panics.
func Ugly([]byte) []byte { panic(notHere) }
