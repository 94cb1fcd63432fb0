package exec

import (
	"unsafe"

	"github.com/saddle-ml/saddle/internal/pages"
)

func sizeof[T Float]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// NewVector makes n zeros where programs are fastest at them: at a multiple of 64 bytes, and in large pages of memory if
// they are many. A program's arena is made by it; operands that a caller keeps may be.
func NewVector[T Float](n int) []T { return pages.Make[T](n) }
