//go:build !amd64

package kernel

// detect is the best level that the processor has.
func detect() Level { return Generic }
