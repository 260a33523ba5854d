package browser

import (
	"strconv"
	"strings"
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

// cacheOf reads Access-Control-Max-Age as the browsers do, which take what is no number in different ways.
func cacheOf(a *Answer) Cache {
	value, _ := a.get(fetch.HeaderMaxAge)
	if value == "" {
		return Cache{DefaultMaxAge, DefaultMaxAge, DefaultMaxAge}
	}
	c := Cache{DefaultMaxAge, 0, DefaultMaxAge}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		c.Chromium = capped(max(seconds, 0), MaxAgeChromium)
	}
	if isDigits(value) {
		c.Firefox = capped(0, MaxAgeFirefox)
		if seconds, err := strconv.ParseInt(value, 10, 64); err != nil {
			c.Firefox = MaxAgeFirefox
		} else {
			c.Firefox = capped(seconds, MaxAgeFirefox)
		}
	}
	if seconds, err := strconv.ParseUint(strings.TrimPrefix(value, "+"), 10, 64); err == nil {
		c.Safari = capped(int64(min(seconds, 1<<40)), MaxAgeSafari)
	}
	return c
}

func capped(seconds int64, most time.Duration) time.Duration {
	return time.Duration(min(seconds, int64(most/time.Second))) * time.Second
}
