package kernel

import "unsafe"

// gatherArgs are the operands of the conversion of a row of bytes.
type gatherArgs struct {
	dst, src     unsafe.Pointer
	n            int // a multiple of the lanes of float64, at least one vector
	scale, shift float64
	ahead        unsafe.Pointer
	aheadN       int // bytes, 0 for none
}

// gatherAsm converts as many bytes as it can, and tells how many; it may ask for
// the row ahead.
func gatherAsm[T Float](dst []T, src, ahead []byte, t *ByteTable[T]) int {
	if level == Generic {
		return 0
	}
	lanes := 4
	if level == AVX512 {
		lanes = 8
	}
	n := len(src) &^ (lanes - 1)
	if !t.linear || n == 0 {
		if len(ahead) > 0 {
			prefetch(&ahead[0], lines(min(len(ahead), gatherReach)), lineBytes)
		}
		return 0
	}
	args := gatherArgs{scale: t.scale, shift: t.shift}
	if len(ahead) > 0 {
		args.ahead, args.aheadN = unsafe.Pointer(&ahead[0]), min(len(ahead), gatherReach)
	}
	dst = dst[:n]
	for at := 0; at < n; at += args.n {
		args.n = min(n-at, mapChunk)
		args.dst, args.src = unsafe.Pointer(&dst[at]), unsafe.Pointer(&src[at])
		callGather(&args, sizeof[T]())
		args.aheadN = 0
	}
	return n
}

// prefetchRow asks for a row that will be read soon. It is an ordinary call, so that
// the loop around it can be interrupted.
//
//go:noinline
func prefetchRow[T Float](row []T) {
	if level != Generic {
		prefetch((*byte)(unsafe.Pointer(&row[0])), lines(min(len(row)*sizeof[T](), gatherReach)), lineBytes)
	}
}

// prefetchColumns asks for the lines where some rows of x begin, row elements apart. It
// is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func prefetchColumns[T Float](x []T, row, rows int) {
	if level != Generic && rows > 0 {
		prefetch((*byte)(unsafe.Pointer(&x[0])), rows, row*sizeof[T]())
	}
}

const lineBytes = 64

// lines is how many lines of memory so many bytes take that begin at one.
func lines(bytes int) int { return (bytes + lineBytes - 1) / lineBytes }

// callGather is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callGather(args *gatherArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		gatherAVX51232(args)
	case level == AVX512:
		gatherAVX51264(args)
	case size == 4:
		gatherAVX232(args)
	default:
		gatherAVX264(args)
	}
}
