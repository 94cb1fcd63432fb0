package kernel

import "unsafe"

// tileArgs are the operands of a tile kernel. Strides are in bytes.
type tileArgs struct {
	a, b, c      unsafe.Pointer
	aRow, aCol   int // from a row of A to the next, and from a k to the next
	bRow, cRow   int
	k            int // steps in a segment, at least 1
	segments     int
	aJump, bJump int     // behind each segment
	mask         uintptr // AVX512: the lanes of the last vector; AVX2: their address
	add          int     // 0: C = A B, else C += A B
	tile         int
	_            [3]int
}

// The first tile of each number of vectors, in the order of the generator.
var (
	firstAVX2   = []int{0, 10}
	firstAVX512 = []int{0, 14, 28, 37}
)

var (
	tileAVX2x32   = tileShape{8, []int{10, 6}}
	tileAVX2x64   = tileShape{4, []int{10, 6}}
	tileAVX512x32 = tileShape{16, []int{14, 14, 9, 6}}
	tileAVX512x64 = tileShape{8, []int{14, 14, 9, 6}}
)

func tileOf[T Float]() tileShape {
	switch wide := sizeof[T]() == 8; level {
	case AVX512:
		if wide {
			return tileAVX512x64
		}
		return tileAVX512x32
	case AVX2:
		if wide {
			return tileAVX2x64
		}
		return tileAVX2x32
	}
	return goTile
}

// maskAVX2 has, from 8-n on, n words of ones and then zeros.
var maskAVX2 = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// lastMask is the mask for a last vector of n elements of size bytes.
func lastMask(n, size int) uintptr {
	if level == AVX512 {
		return 1<<n - 1
	}
	return uintptr(unsafe.Pointer(&maskAVX2[8-n*size/4]))
}

// tileAsm computes a panel with the processor's kernels, if it has any.
func tileAsm[T Float](g *Gemm[T], rows, tiles, nv, cols int, a, b []T, brow int, c []T, add bool) bool {
	if level == Generic {
		return false
	}
	size := sizeof[T]()
	// What the kernels touch, checked once.
	_ = a[(rows-1)*g.a.Row+(g.k-1)*g.a.Col]
	_ = b[(g.k-1)*brow+cols-1]
	_ = c[(rows-1)*g.c+cols-1]
	args := tileArgs{
		b:    unsafe.Pointer(&b[0]),
		aRow: g.a.Row * size, aCol: g.a.Col * size, bRow: brow * size, cRow: g.c * size,
		k: g.k, segments: 1, mask: lastMask(cols-(nv-1)*g.tile.lanes, size),
	}
	if add {
		args.add = 1
	}
	first := firstAVX2
	if level == AVX512 {
		first = firstAVX512
	}
	for r := 0; tiles > 0; tiles-- {
		h := (rows - r + tiles - 1) / tiles
		args.a, args.c = unsafe.Pointer(&a[r*g.a.Row]), unsafe.Pointer(&c[r*g.c])
		args.tile = first[nv-1] + h - 1
		callTile(&args, size)
		r += h
	}
	return true
}

// callTile is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callTile(args *tileArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		gemmTileAVX51232(args)
	case level == AVX512:
		gemmTileAVX51264(args)
	case size == 4:
		gemmTileAVX232(args)
	default:
		gemmTileAVX264(args)
	}
}

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
