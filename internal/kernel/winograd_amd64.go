package kernel

import "unsafe"

// winogradArgs are the operands of a transform; gen/winograd.go says what they
// are.
type winogradArgs struct {
	x                          unsafe.Pointer
	xRow, xPixel, xTile, plane int
	y00, y01, y10, y11         unsafe.Pointer
	yTile                      int
	tiles, vectors             int
	mask                       uintptr
}

// winogradLanes is the number of float32 in a vector.
func winogradLanes() int {
	if level == AVX512 {
		return 16
	}
	return 8
}

func winogradInAsm[T Float](v []T, plane int, x []T, row, c, count int) bool {
	if level == Generic || sizeof[T]() != 4 {
		return false
	}
	_ = x[3*row+(2*count+2)*c-1]
	_ = v[15*plane+count*c-1]
	lanes := winogradLanes()
	args := winogradArgs{x: unsafe.Pointer(&x[0]), xRow: row * 4, xPixel: c * 4, xTile: 8 * c, plane: plane * 4,
		y00: unsafe.Pointer(&v[0]), yTile: c * 4, tiles: count, vectors: (c + lanes - 1) / lanes}
	args.mask = lastMask(c-(args.vectors-1)*lanes, 4)
	callWinograd(&args, true)
	return true
}

func winogradOutAsm[T Float](y [4][]T, step int, m []T, plane, k, count int) bool {
	if level == Generic || sizeof[T]() != 4 {
		return false
	}
	for _, to := range y {
		_ = to[(count-1)*step+k-1]
	}
	_ = m[15*plane+count*k-1]
	lanes := winogradLanes()
	args := winogradArgs{x: unsafe.Pointer(&m[0]), xTile: k * 4, plane: plane * 4,
		y00: unsafe.Pointer(&y[0][0]), y01: unsafe.Pointer(&y[1][0]), y10: unsafe.Pointer(&y[2][0]), y11: unsafe.Pointer(&y[3][0]),
		yTile: step * 4, tiles: count, vectors: (k + lanes - 1) / lanes}
	args.mask = lastMask(k-(args.vectors-1)*lanes, 4)
	callWinograd(&args, false)
	return true
}

// callWinograd is an ordinary call, so that the loop around it can be
// interrupted.
//
//go:noinline
func callWinograd(args *winogradArgs, in bool) {
	switch {
	case in && level == AVX512:
		winogradInAVX512(args)
	case in:
		winogradInAVX2(args)
	case level == AVX512:
		winogradOutAVX512(args)
	default:
		winogradOutAVX2(args)
	}
}
