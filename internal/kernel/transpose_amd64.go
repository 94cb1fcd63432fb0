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

// columnsArgs are the operands of a copy of columns. Strides are in bytes.
type columnsArgs struct {
	dst    unsafe.Pointer
	dstRow int
	src    unsafe.Pointer
	srcRow int
	rows   int
	masks  [2]unsafe.Pointer
}

// columnsAsm copies rows of width elements, of at most 64 bytes, to rows that are
// dstRow elements apart and as long as one vector or two.
func columnsAsm[T Float](dst []T, dstRow int, src []T, srcRow, width, rows int) {
	size := sizeof[T]()
	vectors := (width*size + 31) / 32
	_ = dst[(rows-1)*dstRow+vectors*32/size-1]
	_ = src[(rows-1)*srcRow+width-1]
	words := width * size / 4
	args := columnsArgs{dst: unsafe.Pointer(&dst[0]), dstRow: dstRow * size, src: unsafe.Pointer(&src[0]), srcRow: srcRow * size, rows: rows,
		masks: [2]unsafe.Pointer{unsafe.Pointer(&maskAVX2[8-min(words, 8)]), unsafe.Pointer(&maskAVX2[8-max(words-8, 0)])}}
	if vectors == 1 {
		columnsAVX2_1(&args)
	} else {
		columnsAVX2_2(&args)
	}
}
