package kernel

import (
	"math"
	"unsafe"
)

// mapArgs are the operands of an elementwise function. A step is -1, or 0 for an
// operand that is one number, given as a block full of it.
type mapArgs struct {
	dst, a, b, c        unsafe.Pointer
	aStep, bStep, cStep int
	n, rows             int // elements of a row and rows, at least 1
	dstRow, aRow        int // bytes from the last vector of a row to the next row
	bRow, cRow          int
	p, q                uint64 // bits of numbers of the type that is computed in
	entry               int
}

// mapChunk is how many elements one call computes: some microseconds, as
// assembly cannot be interrupted.
const mapChunk = 4096

// mapAsm is Map1, Map2 and Map3 in assembly, if there is any for f. Operands that
// f does not have are nil.
func mapAsm[T Float](f Fn, dst, a, b, c []T, p, q float64) bool {
	return mapRowsAsm(f, Rows[T]{X: dst}, Rows[T]{X: a}, Rows[T]{X: b}, Rows[T]{X: c}, 1, len(dst), p, q)
}

// mapRowsAsm is MapRows in assembly, if there is any for f.
func mapRowsAsm[T Float](f Fn, dst, a, b, c Rows[T], rows, cols int, p, q float64) bool {
	if level == Generic || mapEntry[f] == 0 {
		return false
	}
	if rows == 0 || cols == 0 {
		return true
	}
	size := sizeof[T]()
	args := mapArgs{entry: int(mapEntry[f]) - 1}
	switch f {
	case LeakyRelu, Elu, Clamp:
		if size == 4 && !mapWide[f] {
			args.p, args.q = uint64(math.Float32bits(float32(p))), uint64(math.Float32bits(float32(q)))
		} else {
			args.p, args.q = math.Float64bits(p), math.Float64bits(q)
		}
	}
	var one [3][64 / 4]T
	args.dst, args.dstRow = unsafe.Pointer(&dst.X[:(rows-1)*dst.Row+cols][0]), dst.Row*size
	args.a, args.aStep, args.aRow = mapOperand(a, &one[0], rows, cols)
	if b.X != nil {
		args.b, args.bStep, args.bRow = mapOperand(b, &one[1], rows, cols)
	}
	if c.X != nil {
		args.c, args.cStep, args.cRow = mapOperand(c, &one[2], rows, cols)
	}
	if rows == 1 && cols <= mapChunk {
		args.n, args.rows = cols, 1
		callMap(&args, size)
		return true
	}
	first, each := args, max(1, mapChunk/cols)
	if each > 1 { // what whole vectors of a row go on by is taken off
		vector := 64
		if level == AVX2 {
			vector = 32
		}
		if mapWide[f] && size == 4 {
			vector /= 2
		}
		on := (cols*size + vector - 1) / vector * vector
		args.dstRow -= on
		args.aRow -= on & args.aStep
		args.bRow -= on & args.bStep
		args.cRow -= on & args.cStep
	}
	for r := 0; r < rows; r += each {
		for i := 0; i < cols; i += args.n {
			args.n, args.rows = min(cols-i, mapChunk), min(rows-r, each)
			args.dst = unsafe.Add(first.dst, r*first.dstRow+i*size)
			args.a = unsafe.Add(first.a, r*first.aRow+i*size&args.aStep)
			if first.b != nil {
				args.b = unsafe.Add(first.b, r*first.bRow+i*size&args.bStep)
			}
			if first.c != nil {
				args.c = unsafe.Add(first.c, r*first.cRow+i*size&args.cStep)
			}
			callMap(&args, size)
		}
	}
	return true
}

// mapOperand gives where an operand begins, the step of mapArgs, and the bytes from a
// row to the next. One number fills a block.
func mapOperand[T Float](x Rows[T], block *[64 / 4]T, rows, cols int) (at unsafe.Pointer, step, row int) {
	size := sizeof[T]()
	if len(x.X) == 1 && rows*cols != 1 {
		for i := range 64 / size {
			block[i] = x.X[0]
		}
		return unsafe.Pointer(block), 0, 0
	}
	return unsafe.Pointer(&x.X[:(rows-1)*x.Row+cols][0]), -1, x.Row * size
}

// callMap is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callMap(args *mapArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		mapAVX51232(args)
	case level == AVX512:
		mapAVX51264(args)
	case size == 4:
		mapAVX232(args)
	default:
		mapAVX264(args)
	}
}
