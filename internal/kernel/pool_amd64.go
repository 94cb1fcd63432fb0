package kernel

import "unsafe"

// poolArgs are the operands of a pooling kernel; gen/pool.go says what they are.
type poolArgs struct {
	x, y, at     unsafe.Pointer
	xStep, yStep int
	row, tap     int
	r, s         int
	count        int
	vectors      int
	mask         uintptr
	// Indices, in the number type of the kernel.
	index, indexS, indexR, indexX uint64
}

func poolAsm[T Float](w *Window, c int, kind poolKind, x, y, at []T, count, r, s, first int) {
	size := sizeof[T]()
	lanes := 32 / size
	if level == AVX512 {
		lanes = 64 / size
	}
	_ = x[(first+(count-1)*w.StrideW+(r-1)*w.DilationH*w.W+(s-1)*w.DilationW)*c+c-1]
	vectors := (c + lanes - 1) / lanes
	args := poolArgs{
		x: unsafe.Pointer(&x[first*c]), at: unsafe.Pointer(&at[0]),
		xStep: w.StrideW * c * size, yStep: c * size, row: w.DilationH * w.W * c * size, tap: w.DilationW * c * size,
		r: r, s: s, count: count, vectors: vectors, mask: lastMask(c-(vectors-1)*lanes, size),
	}
	if y != nil {
		args.y = unsafe.Pointer(&y[0])
	}
	set(&args.index, T(first))
	set(&args.indexS, T(w.DilationW))
	set(&args.indexR, T(w.DilationH*w.W-s*w.DilationW))
	set(&args.indexX, T(w.StrideW))
	callPool(&args, kind, size)
}

// set puts a number into the first bytes of a word.
func set[T Float](word *uint64, v T) { *(*T)(unsafe.Pointer(word)) = v }

// callPool is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callPool(args *poolArgs, kind poolKind, size int) {
	wide := level == AVX512
	switch kind {
	case maxIndex:
		switch {
		case size == 4 && wide:
			maxIndexAVX51232(args)
		case size == 4:
			maxIndexAVX232(args)
		case wide:
			maxIndexAVX51264(args)
		default:
			maxIndexAVX264(args)
		}
	case poolTake:
		switch {
		case size == 4 && wide:
			poolTakeAVX51232(args)
		case size == 4:
			poolTakeAVX232(args)
		case wide:
			poolTakeAVX51264(args)
		default:
			poolTakeAVX264(args)
		}
	case poolPut:
		switch {
		case size == 4 && wide:
			poolPutAVX51232(args)
		case size == 4:
			poolPutAVX232(args)
		case wide:
			poolPutAVX51264(args)
		default:
			poolPutAVX264(args)
		}
	case poolPutAdd:
		switch {
		case size == 4 && wide:
			poolPutAddAVX51232(args)
		case size == 4:
			poolPutAddAVX232(args)
		case wide:
			poolPutAddAVX51264(args)
		default:
			poolPutAddAVX264(args)
		}
	}
}
