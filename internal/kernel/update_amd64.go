package kernel

import (
	"math"
	"unsafe"
)

// updateArgs are the operands of an update: slices of n elements and numbers of
// their type.
type updateArgs struct {
	slices  [maxSlices]unsafe.Pointer
	numbers [maxNumbers]uint64
	n       int
	entry   updateKind
	_       [2]uint32 // the floating-point control word, kept and changed
}

// updateChunk is how many elements one call computes: some microseconds.
const updateChunk = 4096

// updateAsm runs an update of n elements in assembly, if there is any.
func updateAsm[T Float](kind updateKind, n int, numbers [maxNumbers]T, slices [maxSlices][]T) bool {
	if level == Generic {
		return false
	}
	if n == 0 {
		return true
	}
	size := sizeof[T]()
	args := updateArgs{entry: kind}
	for i, c := range numbers {
		if size == 4 {
			args.numbers[i] = uint64(math.Float32bits(float32(c)))
		} else {
			args.numbers[i] = math.Float64bits(float64(c))
		}
	}
	for at := 0; at < n; at += args.n {
		args.n = min(n-at, updateChunk)
		for i, s := range slices {
			if s != nil {
				args.slices[i] = unsafe.Pointer(&s[:n][at])
			}
		}
		callUpdate(&args, size)
	}
	return true
}

// callUpdate is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callUpdate(args *updateArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		updateAVX51232(args)
	case level == AVX512:
		updateAVX51264(args)
	case size == 4:
		updateAVX232(args)
	default:
		updateAVX264(args)
	}
}
