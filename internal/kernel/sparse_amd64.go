package kernel

import "unsafe"

// sparseArgs are the operands of a sparse kernel. Strides are in bytes.
type sparseArgs struct {
	mark         unsafe.Pointer
	end, markRow int
	index        unsafe.Pointer
	indexRow     int
	value        unsafe.Pointer
	valueRow     int
	b            unsafe.Pointer
	bRow         int
	c            unsafe.Pointer
	cRow         int
	rows         int
	mask         uintptr
	add          int
	entry        int
}

// asm multiplies the blocks of columns [from, to) of all rows.
func (s *strip[T]) asm(from, to int, add bool) {
	size := sizeof[T]()
	lanes := tileOf[T]().lanes
	rows := len(s.mark) / s.marks
	vectors := (s.cols + lanes - 1) / lanes
	_ = s.c[(rows-1)*s.cRow+s.cols-1]
	args := sparseArgs{
		end: (to - from) * 4, markRow: s.marks * 4, indexRow: s.room * 4, valueRow: s.room * size, b: unsafe.Pointer(&s.b[0]), bRow: s.bRow * size,
		cRow: s.cRow * size, mask: lastMask(s.cols-(vectors-1)*lanes, size), entry: vectors - 1,
	}
	if s.cols == vectors*lanes {
		args.entry += stripVectors // which need no mask
	}
	if add {
		args.add = 1
	}
	// Some rows at a time: assembly cannot be interrupted.
	const some = 64
	for r := 0; r < rows; r += some {
		args.rows = min(some, rows-r)
		args.mark, args.c = unsafe.Pointer(&s.mark[r*s.marks+from]), unsafe.Pointer(&s.c[r*s.cRow])
		args.index, args.value = unsafe.Pointer(&s.index[r*s.room]), unsafe.Pointer(&s.value[r*s.room])
		callSparse(&args, size)
	}
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

// compressArgs are the operands of the compression of rows.
type compressArgs struct {
	x        unsafe.Pointer
	xRow     int
	n        int
	mask     uintptr
	index    unsafe.Pointer
	indexRow int
	value    unsafe.Pointer
	mark     unsafe.Pointer
	block    int
	rows     int
	table    unsafe.Pointer
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

// compressAsm compresses rows of numbers, row elements apart, if it can.
func (s *Sparse[T]) compressAsm(mark, index []int32, value, x []T, row, rows int) bool {
	if level == Generic || sizeof[T]() != 4 {
		return false
	}
	lanes := 8
	if level == AVX512 {
		lanes = 16
	}
	n := (s.cols + lanes - 1) / lanes
	// Whole vectors are written, for which a row has room.
	_, _, _, _ = mark[rows*(s.blocks+1)-1], index[rows*s.room-1], value[rows*s.room-1], x[(rows-1)*row+s.cols-1]
	args := compressArgs{xRow: row * 4, n: n, mask: lastMask(s.cols-(n-1)*lanes, 4), indexRow: s.room * 4,
		block: s.block / lanes, table: unsafe.Pointer(compressOrder)}
	some := max(1, compressSome/s.cols)
	for r := 0; r < rows; r += some {
		args.rows = min(some, rows-r)
		args.x, args.mark = unsafe.Pointer(&x[r*row]), unsafe.Pointer(&mark[r*(s.blocks+1)])
		args.index, args.value = unsafe.Pointer(&index[r*s.room]), unsafe.Pointer(&value[r*s.room])
		callCompress(&args)
	}
	return true
}

// compressSome is how many numbers, about, are compressed in one call: assembly
// cannot be interrupted.
const compressSome = 64 << 10

//go:noinline
func callCompress(args *compressArgs) {
	if level == AVX512 {
		compressAVX512(args)
		return
	}
	compressAVX2(args)
}
