package filter

import (
	"math/rand/v2"

	"corsguard/filter/policy"
)

// random returns one of 0…policy.Million-1. The generator is the runtime's, which the host seeds.
func random() uint32 { return rand.Uint32N(policy.Million) }
