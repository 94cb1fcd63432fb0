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
	n                   int    // elements, at least 1
	p, q                uint64 // bits of numbers of the type that is computed in
	entry               int
}

// mapChunk is how many elements one call computes: some microseconds, as
// assembly cannot be interrupted.
const mapChunk = 4096

// mapAsm is Map1, Map2 and Map3 in assembly, if there is any for f. Operands that
// f does not have are nil.
func mapAsm[T Float](f Fn, dst, a, b, c []T, p, q float64) bool {
	if level == Generic || mapEntry[f] == 0 {
		return false
	}
	n := len(dst)
	if n == 0 {
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
	operand := func(x []T, k int) (unsafe.Pointer, int) {
		if len(x) == 1 && n != 1 {
			for i := range 64 / size {
				one[k][i] = x[0]
			}
			return unsafe.Pointer(&one[k]), 0
		}
		return unsafe.Pointer(&x[:n][0]), -1
	}
	args.a, args.aStep = operand(a, 0)
	if b != nil {
		args.b, args.bStep = operand(b, 1)
	}
	if c != nil {
		args.c, args.cStep = operand(c, 2)
	}
	args.dst = unsafe.Pointer(&dst[0])
	for {
		args.n = min(n, mapChunk)
		callMap(&args, size)
		if n -= args.n; n == 0 {
			return true
		}
		next := args.n * size
		args.dst = unsafe.Add(args.dst, next)
		args.a = unsafe.Add(args.a, next&args.aStep)
		if b != nil {
			args.b = unsafe.Add(args.b, next&args.bStep)
		}
		if c != nil {
			args.c = unsafe.Add(args.c, next&args.cStep)
		}
	}
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
