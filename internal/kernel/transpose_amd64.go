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

// transposeWide transposes as many rows as a vector of 64 bytes has elements, of so many
// blocks of 16 bytes.
func transposeWide[T Float](dst []T, dstRow int, src []T, srcRow, blocks int) {
	size := sizeof[T]()
	rows, cols := 64/size, blocks*16/size
	_ = dst[(cols-1)*dstRow+rows-1]
	_ = src[(rows-1)*srcRow+cols-1]
	args := transposeArgs{unsafe.Pointer(&dst[0]), dstRow * size, unsafe.Pointer(&src[0]), srcRow * size, blocks}
	if size == 4 {
		transposeAVX51232(&args)
	} else {
		transposeAVX51264(&args)
	}
}

// masksAVX2 are the masks of two vectors for the first n bytes.
func masksAVX2(n int) [2]unsafe.Pointer {
	words := n / 4
	return [2]unsafe.Pointer{unsafe.Pointer(&maskAVX2[8-min(words, 8)]), unsafe.Pointer(&maskAVX2[8-max(words-8, 0)])}
}

// spreadArgs are the operands of spread. Strides are in bytes.
type spreadArgs struct {
	dst          unsafe.Pointer
	dstTile      int
	src          unsafe.Pointer
	srcRow       int
	steps        int
	masks        [2]unsafe.Pointer
	tiles, width int
}

// spreadAsm is spread for tiles of equal width.
func spreadAsm[T Float](dst []T, tile, step int, src []T, srcRow, width, tiles, steps int) {
	size := sizeof[T]()
	_ = dst[(tiles-1)*tile+steps*step-1]
	_ = src[(steps-1)*srcRow+tiles*width-1]
	args := spreadArgs{unsafe.Pointer(&dst[0]), tile * size, unsafe.Pointer(&src[0]), srcRow * size, steps, masksAVX2(width * size), tiles, width * size}
	if step*size == 32 {
		spreadAVX2_1(&args)
	} else {
		spreadAVX2_2(&args)
	}
}

// copyArgs are the operands of a copy of rows. The stride is in bytes.
type copyArgs struct {
	dst    unsafe.Pointer
	lines  int // of 64 bytes in a row
	src    unsafe.Pointer
	srcRow int
	rows   int
}

// copyRowsAsm is copyRows for rows of whole lines, if it can.
func copyRowsAsm[T Float](dst, src []T, row, cols, rows int) bool {
	size := sizeof[T]()
	if level != AVX512 || cols*size%lineBytes != 0 || cols == 0 || rows == 0 {
		return false
	}
	_, _ = dst[rows*cols-1], src[(rows-1)*row+cols-1]
	args := copyArgs{lines: cols * size / lineBytes, srcRow: row * size}
	some := max(1, copySome/(cols*size))
	for r := 0; r < rows; r += some {
		args.dst, args.src, args.rows = unsafe.Pointer(&dst[r*cols]), unsafe.Pointer(&src[r*row]), min(some, rows-r)
		callCopy(&args)
	}
	return true
}

// copySome is how many bytes, about, are copied in one call: assembly cannot be
// interrupted.
const copySome = 64 << 10

//go:noinline
func callCopy(args *copyArgs) { copyRowsAVX512(args) }
