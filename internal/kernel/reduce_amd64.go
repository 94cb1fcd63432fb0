package kernel

import "unsafe"

// reduceArgs are the operands of a reduction kernel. Rows are bytes apart; a
// result and a shift have 8 bytes a row.
type reduceArgs struct {
	x, y, out  unsafe.Pointer
	xRow, yRow int
	shift      unsafe.Pointer
	rows, cols int
	entry      reduceKind
}

// reduceWork is how many elements one call takes: some microseconds.
const reduceWork = 8192

// reduceAsm takes rows of cols elements of x, and of y if it is not nil, to one
// number each in out, in assembly if there is any.
func reduceAsm[T Float, R float64 | int](kind reduceKind, out []R, x, y []T, shift []float64, rows, cols int) bool {
	if level == Generic {
		return false
	}
	if rows == 0 || cols == 0 {
		return rows == 0
	}
	_ = x[rows*cols-1]
	size := sizeof[T]()
	args := reduceArgs{x: unsafe.Pointer(&x[0]), xRow: cols * size, cols: cols, entry: kind}
	if kind != scaleRed {
		_ = out[rows-1]
		args.out = unsafe.Pointer(&out[0])
	}
	if y != nil {
		_ = y[rows*cols-1]
		args.y, args.yRow = unsafe.Pointer(&y[0]), cols*size
	}
	if shift != nil {
		_ = shift[rows-1]
		args.shift = unsafe.Pointer(&shift[0])
	}
	for each := max(1, reduceWork/cols); ; {
		args.rows = min(rows, each)
		callReduce(&args, size)
		if rows -= args.rows; rows == 0 {
			return true
		}
		args.x = unsafe.Add(args.x, args.rows*args.xRow)
		if args.out != nil {
			args.out = unsafe.Add(args.out, args.rows*8)
		}
		if y != nil {
			args.y = unsafe.Add(args.y, args.rows*args.yRow)
		}
		if shift != nil {
			args.shift = unsafe.Add(args.shift, args.rows*8)
		}
	}
}

// dotRowsAsm is dotRows in assembly, if there is any, for n of at most sumBlock.
func dotRowsAsm[T Float](out []float64, x []T, row int, y []T, n int) bool {
	if level == Generic || len(out) == 0 || n == 0 {
		return false
	}
	size := sizeof[T]()
	_, _ = x[(len(out)-1)*row+n-1], y[n-1]
	args := reduceArgs{y: unsafe.Pointer(&y[0]), xRow: row * size, cols: n, entry: dotRed}
	for r := 0; r < len(out); r += args.rows {
		args.rows = min(len(out)-r, max(1, reduceWork/n))
		args.x, args.out = unsafe.Pointer(&x[r*row]), unsafe.Pointer(&out[r])
		callReduce(&args, size)
	}
	return true
}

// squaresAsm is the sum of the squares of rows of n elements, some thousands in all, in
// assembly if there is any.
func squaresAsm[T Float](x []T, row, rows, n int) (sum float64, ok bool) {
	if level == Generic {
		return 0, false
	}
	size := sizeof[T]()
	_ = x[(rows-1)*row+n-1]
	args := reduceArgs{x: unsafe.Pointer(&x[0]), out: unsafe.Pointer(&sum), xRow: row * size, rows: rows, cols: n, entry: squareBlockRed}
	callReduce(&args, size)
	return sum, true
}

// addRowsAsm is AddRows in assembly, if there is any.
func addRowsAsm[T Float](dst, x []T, rows, row int) bool {
	if level == Generic {
		return false
	}
	size, cols := sizeof[T](), len(dst)
	_ = x[(rows-1)*row+cols-1]
	args := reduceArgs{xRow: row * size, entry: addRed}
	for c := 0; c < cols; c += args.cols {
		args.cols = min(cols-c, reduceWork/4)
		args.out = unsafe.Pointer(&dst[c])
		for r := 0; r < rows; r += args.rows {
			args.rows = min(rows-r, 2*reduceWork/args.cols)
			args.x = unsafe.Pointer(&x[r*row+c])
			callReduce(&args, size)
		}
	}
	return true
}

// callReduce is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callReduce(args *reduceArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		reduceAVX51232(args)
	case level == AVX512:
		reduceAVX51264(args)
	case size == 4:
		reduceAVX232(args)
	default:
		reduceAVX264(args)
	}
}
