package kernel

import "unsafe"

// depthwiseArgs are the operands of a depthwise kernel; gen/depthwise.go says what
// they are.
type depthwiseArgs struct {
	x, w, y      unsafe.Pointer
	xStep, yStep int
	row, tap     int
	wStep        int
	r, s, count  int
	mask         uintptr
	add          int
}

func depthwiseAsm[T Float](d *depthwise, y, x, w []T, add bool) {
	size := sizeof[T]()
	lanes := 32 / size
	if level == AVX512 {
		lanes = 64 / size
	}
	args := depthwiseArgs{xStep: d.xStep * size, yStep: d.yStep * size, row: d.row * size, tap: d.tap * size,
		wStep: d.c * size, r: d.r, s: d.s, count: d.n}
	if add {
		args.add = 1
	}
	for at := 0; at < d.c; at += lanes {
		args.x, args.w, args.y = unsafe.Pointer(&x[at]), unsafe.Pointer(&w[at]), unsafe.Pointer(&y[at])
		args.mask = lastMask(min(lanes, d.c-at), size)
		callDepthwise(&args, size)
	}
}

// callDepthwise is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callDepthwise(args *depthwiseArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		depthwiseAVX51232(args)
	case level == AVX512:
		depthwiseAVX51264(args)
	case size == 4:
		depthwiseAVX232(args)
	default:
		depthwiseAVX264(args)
	}
}
