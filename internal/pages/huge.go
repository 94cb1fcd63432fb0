package pages

import "unsafe"

// Huge asks for large pages in the middle of a vector, which takes no more memory than it has. It is best asked before the
// vector is first written; small vectors are left alone.
func Huge[T float32 | float64](v []T) {
	if len(v) == 0 {
		return
	}
	begin := uintptr(unsafe.Pointer(&v[0]))
	size := uintptr(len(v)) * unsafe.Sizeof(v[0])
	from := (begin + pageBytes - 1) / pageBytes * pageBytes
	to := (begin + size) / pageBytes * pageBytes
	if to < from+2*pageBytes {
		return
	}
	advise(unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&v[0]), from-begin)), to-from))
}
