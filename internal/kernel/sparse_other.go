//go:build !amd64

package kernel

func (s *strip[T]) asm(_, _ int, _ bool) {}

func (s *Sparse[T]) compressAsm(_, _ []int32, _, _ []T, _, _ int) bool { return false }
