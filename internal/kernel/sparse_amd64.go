package kernel

import "unsafe"

// sparseArgs are the operands of a sparse kernel. Strides are in bytes.
type sparseArgs struct {
	count, index, value unsafe.Pointer
	indexRow, valueRow  int
	b                   unsafe.Pointer
	bRow                int
	c                   unsafe.Pointer
	cRow                int
	rows                int
	mask                uintptr
	add                 int
	entry               int
}

func (s *strip[T]) asm(add bool) bool {
	if level == Generic {
		return false
	}
	size := sizeof[T]()
	lanes := tileOf[T]().lanes
	rows := len(s.count)
	vectors := (s.cols + lanes - 1) / lanes
	_ = s.c[(rows-1)*s.cRow+s.cols-1]
	args := sparseArgs{
		count: unsafe.Pointer(&s.count[0]), index: unsafe.Pointer(&s.index[0]), value: unsafe.Pointer(&s.value[0]),
		indexRow: s.room * 4, valueRow: s.room * size, b: unsafe.Pointer(&s.b[0]), bRow: s.bRow * size,
		cRow: s.cRow * size, mask: lastMask(s.cols-(vectors-1)*lanes, size), entry: vectors - 1,
	}
	if add {
		args.add = 1
	}
	// Some rows at a time: assembly cannot be interrupted.
	const some = 64
	for r := 0; r < rows; r += some {
		args.rows = min(some, rows-r)
		args.count, args.c = unsafe.Pointer(&s.count[r]), unsafe.Pointer(&s.c[r*s.cRow])
		args.index, args.value = unsafe.Pointer(&s.index[r*s.room]), unsafe.Pointer(&s.value[r*s.room])
		callSparse(&args, size)
	}
	return true
}

// callSparse is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callSparse(args *sparseArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		sparseAVX51232(args)
	case level == AVX512:
		sparseAVX51264(args)
	case size == 4:
		sparseAVX232(args)
	default:
		sparseAVX264(args)
	}
}

// compressArgs are the operands of the compression of a row.
type compressArgs struct {
	x            unsafe.Pointer
	n            int
	index, value unsafe.Pointer
	count        int
	table        unsafe.Pointer
}

// compressOrder has for each set of lanes, a bit each, those of the set and then
// others.
var compressOrder = func() *[256][8]int32 {
	var t [256][8]int32
	for set := range t {
		n := 0
		for lane := range int32(8) {
			if set>>lane&1 == 1 {
				t[set][n] = lane
				n++
			}
		}
	}
	return &t
}()

// compressAsm compresses what whole vectors there are: it gives the entries
// written and the numbers done.
func compressAsm[T Float](index []int32, value, row []T) (n, done int) {
	if level == Generic || sizeof[T]() != 4 {
		return 0, 0
	}
	lanes := 8
	if level == AVX512 {
		lanes = 16
	}
	if len(row) < lanes {
		return 0, 0
	}
	done = len(row) / lanes * lanes
	_, _ = index[done+lanes-1], value[done+lanes-1] // whole vectors are written
	args := compressArgs{x: unsafe.Pointer(&row[0]), n: done / lanes, index: unsafe.Pointer(&index[0]), value: unsafe.Pointer(&value[0]),
		table: unsafe.Pointer(compressOrder)}
	callCompress(&args)
	return args.count, done
}

//go:noinline
func callCompress(args *compressArgs) {
	if level == AVX512 {
		compressAVX512(args)
		return
	}
	compressAVX2(args)
}
