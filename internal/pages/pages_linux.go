package pages

import (
	"syscall"
	"unsafe"
)

const (
	hugePage = 2 << 20
	advice   = 14 // MADV_HUGEPAGE, which package syscall has no name for
)

// Huge asks for pages of 2 MB for a vector, of which they fit into the middle. It is best asked before the vector is
// first written. Its elements stay as they are, and nothing depends on the answer: small vectors are left alone, and a
// system that has no such pages says no.
func Huge[T float32 | float64](v []T) {
	if len(v) == 0 {
		return
	}
	begin := uintptr(unsafe.Pointer(&v[0]))
	size := uintptr(len(v)) * unsafe.Sizeof(v[0])
	from := (begin + hugePage - 1) / hugePage * hugePage
	to := (begin + size) / hugePage * hugePage
	if to < from+2*hugePage {
		return
	}
	inside := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&v[0]), from-begin)), to-from)
	_ = syscall.Madvise(inside, advice)
}
