package pages

import "unsafe"

const lineBytes, pageBytes = 64, 2 << 20

// Aligned makes n zeros that begin at a multiple of 64 bytes, so that no vector of a kernel lies in two lines of a cache.
func Aligned[T float32 | float64](n int) []T { return from[T](n, lineBytes) }

// Make is Aligned, but vectors that fill an eighth of a large page have such pages for themselves: many small ones,
// besides being looked up one by one, compete for the same places of a cache by chance. That rounds them up to whole
// pages of 2 MB, so it is for what there are few of. Nothing depends on whether the system has large pages.
func Make[T float32 | float64](n int) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if n*size < pageBytes/8 {
		return Aligned[T](n)
	}
	x := from[T]((n*size+pageBytes-1)/pageBytes*pageBytes/size, pageBytes)
	advise(unsafe.Slice((*byte)(unsafe.Pointer(&x[0])), len(x)*size))
	return x[:n:n]
}

// from makes n zeros that begin at a multiple of bound bytes.
func from[T float32 | float64](n, bound int) []T {
	if n == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(*new(T)))
	x := make([]T, n+bound/size)
	skip := (bound - int(uintptr(unsafe.Pointer(&x[0]))%uintptr(bound))) % bound / size
	return x[skip : skip+n : skip+n]
}
