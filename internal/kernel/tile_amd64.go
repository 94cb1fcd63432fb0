package kernel

import "unsafe"

// tileArgs are the operands of a tile kernel. Strides are in bytes.
type tileArgs struct {
	a, b, c      unsafe.Pointer
	aRow, aCol   int // from a row of A to the next, and from a step of k to the next
	bRow, cRow   int
	k            int // steps in a segment, at least 1
	segments     int
	aJump, bJump int     // behind each segment
	mask         uintptr // AVX512: the lanes of the last vector; AVX2: their address
	add          int     // 0: C = A B, else C += A B
	tile         int     // number in the generator's order

	// AVX2 alone.
	full         int // whether all lanes of the last vector are in use
	tiles        int // tiles of this height, at least 1
	aTile, cTile int // from one to the next in A and C
	aAt, cAt     int // where the next one begins
	ahead        unsafe.Pointer
	aheadAt      int // where the next of the rows ahead begins
	aheadRow     int
	aheadLen     int
	aheadEach    int // of them for a tile
	aheadLeft    int

	// AVX512 alone: what the tile asks for in each of its steps, for those to come.
	next     uintptr
	nextStep int
}

var (
	tileAVX2x32   = tileShape{8, []int{10, 6}, 16}
	tileAVX2x64   = tileShape{4, []int{10, 6}, 8}
	tileAVX512x32 = tileShape{16, []int{14, 14, 9, 6}, UnitCols}
	tileAVX512x64 = tileShape{8, []int{14, 14, 9, 6}, UnitCols}

	// The first tile of each number of vectors.
	firstAVX2   = []int{0, 10}
	firstAVX512 = []int{0, 14, 28, 37}
)

// How many of the generator's tiles are of one walk.
const (
	walkAVX2   = 16
	walkAVX512 = 43
)

// nearBytes is the size of B up to which it stays in the second-level cache.
const nearBytes = 256 << 10

// walk is how the kernels go through A and B, in the generator's order.
func (b *block) walk(size int) int {
	switch {
	case level == AVX512 && b.aCol == 1:
		return 1
	case level == AVX512 && b.aRow == 1:
		return 2
	case level != AVX2 || b.slab == 0 && b.segments*(b.k*b.bRow+b.bJump)*size > nearBytes:
	case b.aCol == 1:
		return 1
	case b.aCol == packedRows:
		return 2
	}
	return 0
}

func tileOf[T Float]() tileShape {
	switch wide := sizeof[T]() == 8; level {
	case AVX512:
		if wide {
			return tileAVX512x64
		}
		return tileAVX512x32
	case AVX2:
		if wide {
			return tileAVX2x64
		}
		return tileAVX2x32
	}
	return goTile
}

// maskAVX2 has, from 8-n on, n words of ones and then zeros.
var maskAVX2 = [16]int32{-1, -1, -1, -1, -1, -1, -1, -1}

// lastMask is the mask for a last vector of n elements of size bytes.
func lastMask(n, size int) uintptr {
	if level == AVX512 {
		return 1<<n - 1
	}
	return uintptr(unsafe.Pointer(&maskAVX2[8-n*size/4]))
}

// tilesAsm computes a strip of nv vectors, last of whose lanes are in use in the
// last one, with the processor's kernels, and asks for the rows ahead meanwhile.
func tilesAsm[T Float](b *block, ahead rowsAhead, tiles, nv, last int, x, y, c []T, add bool) {
	size := sizeof[T]()
	args := tileArgs{
		b:    unsafe.Pointer(&y[0]),
		aRow: b.aRow * size, aCol: b.aCol * size, bRow: b.bRow * size, cRow: b.cRow * size,
		k: b.k, segments: b.segments, aJump: b.aJump * size, bJump: b.bJump * size, mask: lastMask(last, size),
	}
	if add {
		args.add = 1
	}
	if last*size == 32 {
		args.full = 1
	}
	first, most := 0, 1
	if level == AVX512 {
		first = b.walk(size)*walkAVX512 + firstAVX512[nv-1]
	} else {
		first, most = b.walk(size)*walkAVX2+firstAVX2[nv-1], max(callSteps/(b.k*b.segments), 1)
		args.ahead, args.aheadAt, args.aheadRow, args.aheadLen, args.aheadLeft = ahead.from, 0, ahead.row, ahead.len, ahead.n
		args.aheadEach = (ahead.n + tiles - 1) / tiles
	}
	tall := b.rows % tiles // of one row more than the others
	for r, t := 0, 0; t < tiles; {
		h, alike := b.rows/tiles, tiles-t
		if t < tall {
			h, alike = h+1, tall-t
		}
		n := min(alike, most)
		args.tiles = n // which the kernel counts down
		at, aTile := r*b.aRow, h*b.aRow
		if b.tiles > 0 {
			at, aTile = t*b.aTile, b.aTile
		}
		args.a, args.c = unsafe.Pointer(&x[at]), unsafe.Pointer(&c[r*b.cRow])
		if level == AVX512 {
			args.next, args.nextStep = b.next(uintptr(args.a), h, size)
			some := ahead.part(t, t+1, tiles)
			for i := range some.n {
				prefetch((*byte)(unsafe.Add(some.from, i*some.row)), lines(some.len), lineBytes)
			}
		}
		args.aAt, args.cAt, args.aTile, args.cTile = 0, 0, aTile*size, h*args.cRow
		args.tile = first + h - 1
		callTile(&args, size)
		r, t = r+n*h, t+n
	}
}

// next gives where in A a tile of h rows at a begins to ask for what later ones read,
// and how far it goes on with each step of k: over the h rows behind its own, or, where
// the rows of A are its columns, by the line behind its own in each, some steps ahead.
// It may leave A, as nothing is read there.
func (b *block) next(a uintptr, h, size int) (from uintptr, step int) {
	steps := b.k * b.segments
	switch {
	case b.aCol == 1:
		steps = max(steps/atOnce, 1)
		return a + uintptr(h*b.aRow*size), (h*b.aRow*size + steps - 1) / steps
	case b.aRow == 1:
		a += 64
	}
	return a + uintptr(8*b.aCol*size), b.aCol * size
}

// atOnce is how many steps the kernels of AVX512 take together where the rows of A are
// contiguous, asking for what lies ahead once.
const atOnce = 4

// callSteps is how many steps of k a call takes at most: less than 100 microseconds.
const callSteps = 1 << 15

// callTile is an ordinary call, so that the loop around it can be interrupted.
//
//go:noinline
func callTile(args *tileArgs, size int) {
	switch {
	case level == AVX512 && size == 4:
		gemmTileAVX51232(args)
	case level == AVX512:
		gemmTileAVX51264(args)
	case size == 4:
		gemmTileAVX232(args)
	default:
		gemmTileAVX264(args)
	}
}
