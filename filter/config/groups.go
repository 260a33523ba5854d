package config

import (
	"github.com/tidwall/gjson"

	"corsguard/filter/origin"
)

// The keys that hold for all groups of an array, since they are about requests that no group knows, or must not depend on which one does.
const (
	sharedPreflightStatus = iota
	sharedRefusedPreflight
	sharedRefusedOrigin
	sharedMissingOrigin
	sharedUpstreamHeaders
	numShared
)

// shareable reads a shared key by read, and remembers where it is written. One with a mistake does not count.
func (r *reader) shareable(b *block, key int, read func(string, *gjson.Result)) func(string, *gjson.Result) {
	return func(path string, v *gjson.Result) {
		before := r.mistakes
		read(path, v)
		if r.mistakes == before {
			b.shared[key] = place{path, v.Raw}
		}
	}
}

// share gives all groups the shared keys that one of them has.
func (r *reader) share(blocks []*block) {
	for key := 0; key < numShared; key++ {
		var from *block
		for _, b := range blocks {
			switch {
			case b.shared[key].path == "":
			case from == nil:
				from = b
			case !b.sameShared(from, key):
				r.failAt(b.shared[key], "differs from "+from.shared[key].path+", and the key holds for all groups of the array", "write it in one group")
			}
		}
		if from == nil {
			continue
		}
		for _, b := range blocks {
			b.takeShared(from, key)
		}
	}
}

func (b *block) sameShared(from *block, key int) bool {
	switch key {
	case sharedPreflightStatus:
		return b.PreflightStatus == from.PreflightStatus
	case sharedRefusedPreflight:
		return b.OnRefusedPreflight == from.OnRefusedPreflight
	case sharedRefusedOrigin:
		return b.OnRefusedOrigin == from.OnRefusedOrigin
	case sharedMissingOrigin:
		return b.OnMissingOrigin == from.OnMissingOrigin
	}
	return b.UpstreamHeaders == from.UpstreamHeaders
}

func (b *block) takeShared(from *block, key int) {
	switch key {
	case sharedPreflightStatus:
		b.PreflightStatus = from.PreflightStatus
	case sharedRefusedPreflight:
		b.OnRefusedPreflight = from.OnRefusedPreflight
	case sharedRefusedOrigin:
		b.OnRefusedOrigin = from.OnRefusedOrigin
	case sharedMissingOrigin:
		b.OnMissingOrigin = from.OnMissingOrigin
	case sharedUpstreamHeaders:
		b.UpstreamHeaders = from.UpstreamHeaders
	}
}

// maxCheckSteps bounds what regular expressions may cost where groups are compared. Origins that are left over then are taken as they are: who wins does not depend on it.
const maxCheckSteps = 20_000_000

// checkGroups refuses what can never win because an earlier group takes all of it.
func (r *reader) checkGroups(blocks []*block) {
	if len(blocks) < 2 {
		return
	}
	const fix = "move the group before those, or leave this out"
	var earlier origin.Set
	steps := maxCheckSteps
	anyAt, nullAt := "", ""
	for i, b := range blocks {
		if anyAt != "" {
			r.fail(b.path, "", "never wins: "+anyAt+" allows any origin", "move it before that one, or leave it out")
			continue
		}
		b.inOrder(func(j int) {
			if steps < 0 {
				return
			}
			if verdict, g := earlier.MatchWithin(b.AllowOrigins.Exact[j], &steps); verdict == origin.Listed {
				r.failAt(b.exactPlace(j), "never wins: "+blocks[g].path+" takes it", fix)
			}
		}, func(j int) {
			p := &b.AllowOrigins.Patterns[j]
			if earlier.Covers(p) {
				r.failAt(b.patternPlace(j), "never wins: an earlier group takes all that it matches", fix)
			}
			if p.Kind == origin.Any {
				anyAt = b.path
			}
		})
		switch {
		case b.AllowNull && nullAt != "":
			r.failAt(*b.null, "never wins: "+nullAt+" takes the null origin", fix)
		case b.AllowNull:
			nullAt = b.path
		}
		earlier.AddList(&b.AllowOrigins, int32(i))
	}
}
