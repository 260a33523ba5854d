package browser

import (
	"strconv"
	"time"

	"corsguard/filter/fetch"
)

// Longest times for which browsers keep the answer to a preflight, whatever it asks for, and the one where it asks for none.
const (
	MaxAgeChromium = 2 * time.Hour
	MaxAgeFirefox  = 24 * time.Hour
	MaxAgeSafari   = 10 * time.Minute
	DefaultMaxAge  = 5 * time.Second
)

// Cache is for how long each browser keeps the answer to a preflight.
type Cache struct{ Chromium, Firefox, Safari time.Duration }

// cacheOf reads Access-Control-Max-Age as the browsers do. Of what is no number, and not empty, Firefox keeps nothing; the others take it for none.
func cacheOf(a *Answer) Cache {
	value, _ := a.get(fetch.HeaderMaxAge)
	c := Cache{DefaultMaxAge, DefaultMaxAge, DefaultMaxAge}
	if value == "" {
		return c
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil {
		c.Chromium = capped(seconds, MaxAgeChromium)
	}
	if err == nil && seconds >= 0 {
		c.Safari = capped(seconds, MaxAgeSafari)
	}
	switch {
	case !isDigits(value):
		c.Firefox = 0
	case err != nil: // too large for one
		c.Firefox = MaxAgeFirefox
	default:
		c.Firefox = capped(seconds, MaxAgeFirefox)
	}
	return c
}

func capped(seconds int64, most time.Duration) time.Duration {
	return time.Duration(min(max(seconds, 0), int64(most/time.Second))) * time.Second
}
