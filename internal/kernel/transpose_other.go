//go:build !amd64

package kernel

func transposeAsm[T Float]([]T, int, []T, int, int) {}

func spreadAsm[T Float]([]T, int, int, []T, int, int, int, int) {}
