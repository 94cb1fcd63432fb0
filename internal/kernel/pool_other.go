//go:build !amd64

package kernel

func poolAsm[T Float](*Window, int, poolKind, []T, []T, []T, int, int, int, int) {}
