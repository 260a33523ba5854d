package main

import (
	"cmp"
	"math"
	"slices"
)

// median returns the middle value of v, or the mean of the middle two; v has at least one element and stays as it is.
func median[T ~int64 | ~float64](v []T) T {
	s := slices.Sorted(slices.Values(v))
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}

// percentile returns the smallest element of sorted that at least the fraction p of all elements do not exceed.
func percentile[T cmp.Ordered](sorted []T, p float64) T {
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// extent returns the least and the greatest element of v.
func extent[T cmp.Ordered](v []T) (least, greatest T) {
	return slices.Min(v), slices.Max(v)
}

// medianInterval returns the interval that covers the median of what v is a sample of in 95 of 100 cases, whatever its distribution (by the sign test).
func medianInterval[T cmp.Ordered](v []T) (from, to T) {
	s := slices.Sorted(slices.Values(v))
	n := float64(len(s))
	cut := max(0, int(math.Floor((n-1.96*math.Sqrt(n))/2)))
	return s[cut], s[len(s)-1-cut]
}
