package main

import "fmt"

// Pooling kernels work on a run of results of one row, for all channels, which
// lie together: for each result and each vector of channels they visit the taps
// of the window, row by row.

// The layout of poolArgs in pool_amd64.go.
const (
	poolX       = 8 * iota // the plane side: first tap of the first window
	poolY                  // the result side
	poolAt                 // indices, on the result side
	poolXStep              // bytes from a window to the next
	poolYStep              // bytes from a result to the next, and its indices
	poolRow                // bytes from a row of a window to the next
	poolTap                // bytes from a tap to the next in its row
	poolR                  // taps down and across
	poolS                  //
	poolCount              // results
	poolVectors            // of channels, the last one masked
	poolMask               // of the last one
	poolIndex              // of the first tap, 8 bytes
	poolIndexS             // from a tap to the next in its row
	poolIndexR             // from the last tap of a row to the first of the next
	poolIndexX             // from a window to the next
)

// pooling writes the kernels of both number types.
func pooling(f *file) {
	for _, t := range []number{float32s, float64s} {
		for _, kind := range []string{"maxIndex", "poolTake", "poolPut", "poolPutAdd"} {
			f.poolKernel(kind, t)
		}
	}
}

func (f *file) poolKernel(kind string, t number) {
	name := kind + f.name + t.suffix
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *poolArgs)\n", name)
	fmt.Fprintf(&f.text, "\n// func %s(args *poolArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	wide := f.bytes == 64
	move := "VMOVU" + t.p
	const (
		best  = 0 // largest so far, the value to put, or what was taken
		index = 1 // of the best, or as given
		tap   = 2 // index of this tap
		x     = 3
		u     = 4
		mask  = 5 // of this vector's lanes: AVX2
		steps = 6 // three: along a row, to the next row, to the next window
		first = 9 // index of the window's first tap
		all   = 10
	)
	v := f.v
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(poolX, "DI"), "SI")
	f.i("MOVQ", at(poolY, "DI"), "DX")
	f.i("MOVQ", at(poolAt, "DI"), "BX")
	f.i("MOVQ", at(poolCount, "DI"), "AX")
	f.i("VBROADCAST"+t.s, at(poolIndex, "DI"), v(first))
	for i, off := range []int{poolIndexS, poolIndexR, poolIndexX} {
		f.i("VBROADCAST"+t.s, at(off, "DI"), v(steps+i))
	}
	if wide {
		f.i("MOVQ", at(poolMask, "DI"), "CX")
		f.i("KMOVW", "CX", "K3") // of the last vector
		f.i("KXNORW", "K4", "K4", "K4")
	} else {
		f.i("VPCMPEQD", v(all), v(all), v(all))
	}
	load := func(addr string, to string) {
		if wide {
			f.i(move+".Z", addr, "K2", to)
		} else {
			f.i("VMASKMOV"+t.p, addr, v(mask), to)
		}
	}
	store := func(from, addr string) {
		if wide {
			f.i(move, from, "K2", addr)
		} else {
			f.i("VMASKMOV"+t.p, from, v(mask), addr)
		}
	}

	f.label("window")
	f.i("XORQ", "CX", "CX") // bytes of channels done
	f.i("MOVQ", at(poolVectors, "DI"), "R8")
	f.label("vector")
	// All lanes but in the last vector.
	f.i("CMPQ", "R8", "$1")
	if wide {
		f.i("KMOVW", "K4", "K2")
	} else {
		f.i("VMOVUPS", v(all), v(mask))
	}
	f.i("JNE", "full")
	if wide {
		f.i("KMOVW", "K3", "K2")
	} else {
		f.i("MOVQ", at(poolMask, "DI"), "R9")
		f.i("VMOVUPS", "(R9)", v(mask))
	}
	f.label("full")
	f.i("VMOVUPS", v(first), v(tap))
	f.i("LEAQ", "(SI)(CX*1)", "R9") // row
	switch kind {
	case "maxIndex":
		load("(R9)", v(best))
		f.i("VMOVUPS", v(tap), v(index))
	case "poolTake":
		load("(BX)(CX*1)", v(index))
		f.zero(best)
	default:
		load("(BX)(CX*1)", v(index))
		load("(DX)(CX*1)", v(best))
	}
	f.i("MOVQ", at(poolR, "DI"), "R10")
	f.label("row")
	f.i("MOVQ", "R9", "R11") // tap
	f.i("MOVQ", at(poolS, "DI"), "R12")
	f.label("tap")
	switch kind {
	case "maxIndex":
		// x > best, or x is the first NaN: not x <= best, and best is a number.
		load("(R11)", v(x))
		if wide {
			f.i("VCMP"+t.p, "$22", v(best), v(x), "K1")
			f.i("VCMP"+t.p, "$7", v(best), v(best), "K5")
			f.i("KANDW", "K1", "K5", "K1")
			f.i("VMOVU"+t.p, v(x), "K1", v(best))
			f.i("VMOVU"+t.p, v(tap), "K1", v(index))
		} else {
			f.i("VCMP"+t.p, "$22", v(best), v(x), v(u))
			f.i("VCMP"+t.p, "$7", v(best), v(best), v(all+1))
			f.i("VAND"+t.p, v(u), v(all+1), v(u))
			f.i("VBLENDV"+t.p, v(u), v(x), v(best), v(best))
			f.i("VBLENDV"+t.p, v(u), v(tap), v(index), v(index))
		}
	case "poolTake":
		load("(R11)", v(x))
		if wide {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), "K1")
			f.i("VMOVU"+t.p, v(x), "K1", v(best))
		} else {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), v(u))
			f.i("VBLENDV"+t.p, v(u), v(x), v(best), v(best))
		}
	case "poolPut":
		if wide {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), "K1")
			f.i("VMOVU"+t.p+".Z", v(best), "K1", v(x))
		} else {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), v(x))
			f.i("VAND"+t.p, v(best), v(x), v(x))
		}
		store(v(x), "(R11)")
	case "poolPutAdd":
		load("(R11)", v(x))
		if wide {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), "K1")
			f.i("VADD"+t.p, v(best), v(x), "K1", v(x))
		} else {
			f.i("VCMP"+t.p, "$0", v(tap), v(index), v(u))
			f.i("VADD"+t.p, v(best), v(x), v(all+1))
			f.i("VBLENDV"+t.p, v(u), v(all+1), v(x), v(x))
		}
		store(v(x), "(R11)")
	}
	f.i("VADD"+t.p, v(steps), v(tap), v(tap))
	f.i("ADDQ", at(poolTap, "DI"), "R11")
	f.i("DECQ", "R12")
	f.i("JNE", "tap")
	f.i("VADD"+t.p, v(steps+1), v(tap), v(tap))
	f.i("ADDQ", at(poolRow, "DI"), "R9")
	f.i("DECQ", "R10")
	f.i("JNE", "row")
	switch kind {
	case "maxIndex":
		store(v(index), "(BX)(CX*1)")
	case "poolTake":
		store(v(best), "(DX)(CX*1)")
	}
	f.i("ADDQ", fmt.Sprintf("$%d", f.bytes), "CX")
	f.i("DECQ", "R8")
	f.i("JNE", "vector")
	f.i("VADD"+t.p, v(steps+2), v(first), v(first))
	f.i("ADDQ", at(poolXStep, "DI"), "SI")
	f.i("ADDQ", at(poolYStep, "DI"), "DX")
	f.i("ADDQ", at(poolYStep, "DI"), "BX")
	f.i("DECQ", "AX")
	f.i("JNE", "window")
	f.i("VZEROUPPER")
	f.i("RET")
}
