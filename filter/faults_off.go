//go:build !corsguard_faults

package filter

// requestFault and responseFault are where a build for tests panics on demand. This is not one.
func requestFault()      {}
func responseFault()     {}
func fetchFault(*source) {}
