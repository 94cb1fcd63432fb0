package pages

import "unsafe"

const lineBytes, pageBytes = 64, 2 << 20

// Make makes n zeros that begin at a multiple of 64 bytes, so that no vector of a kernel lies in two lines of a cache. If
// they fill an eighth of a large page they have such pages for themselves: many small ones, besides being looked up one by
// one, compete for the same places of a cache by chance. Small vectors cost no more than those of make, and nothing
// depends on whether the system has large pages.
func Make[T float32 | float64](n int) []T {
	if n == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(*new(T)))
	bound, room := lineBytes, n
	if n*size >= pageBytes/8 {
		bound, room = pageBytes, (n*size+pageBytes-1)/pageBytes*pageBytes/size
	}
	x := make([]T, room+bound/size)
	skip := (bound - int(uintptr(unsafe.Pointer(&x[0]))%uintptr(bound))) % bound / size
	x = x[skip : skip+room]
	if bound == pageBytes {
		advise(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), room*size))
	}
	return x[:n:n]
}
