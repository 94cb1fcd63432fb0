//go:build !amd64

package kernel

func winogradInAsm[T Float]([]T, int, []T, int, int, int) bool { return false }

func winogradOutAsm[T Float]([4][]T, int, []T, int, int, int) bool { return false }
