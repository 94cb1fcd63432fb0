package kernel

import "unsafe"

// transposeArgs are the operands of a transpose. Strides are in bytes.
type transposeArgs struct {
	dst    unsafe.Pointer
	dstRow int
	src    unsafe.Pointer
	srcRow int
	blocks int
}

// transposeAsm transposes one row of blocks of 32 bytes squared.
func transposeAsm[T Float](dst []T, dstRow int, src []T, srcRow, blocks int) {
	size := sizeof[T]()
	step := 32 / size
	_ = dst[(blocks*step-1)*dstRow+step-1]
	_ = src[(step-1)*srcRow+blocks*step-1]
	args := transposeArgs{unsafe.Pointer(&dst[0]), dstRow * size, unsafe.Pointer(&src[0]), srcRow * size, blocks}
	if size == 4 {
		transposeAVX232(&args)
	} else {
		transposeAVX264(&args)
	}
}
