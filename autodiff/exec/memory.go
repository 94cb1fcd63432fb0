package exec

import (
	"unsafe"

	"github.com/saddle-ml/saddle/internal/pages"
)

func sizeof[T Float]() int {
	var x T
	return int(unsafe.Sizeof(x))
}

// aligned makes n zeros of which a program has many: outputs and partial sums, one for each parameter.
func aligned[T Float](n int) []T { return pages.Aligned[T](n) }

// NewVector makes n zeros where programs are fastest at them: at a multiple of 64 bytes, and from 256 KB on in pages of 2 MB
// that hold nothing else, so it is for what there are few of. A program's arena is made by it; operands that a caller
// keeps may be.
func NewVector[T Float](n int) []T { return pages.Make[T](n) }
