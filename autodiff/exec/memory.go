package exec

import "unsafe"

func sizeof[T Float]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// aligned gives n zeros that begin at a multiple of 64 bytes, so that no
// vector of a kernel straddles two cache lines.
func aligned[T Float](n int) []T {
	if n == 0 {
		return nil
	}
	size := sizeof[T]()
	x := make([]T, n+64/size)
	skip := (64 - int(uintptr(unsafe.Pointer(&x[0]))%64)) % 64 / size
	return x[skip : skip+n : skip+n]
}
