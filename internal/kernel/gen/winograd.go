package main

import "fmt"

// Winograd's F(2x2, 3x3) works on tiles of 4 x 4 pixels, a vector of channels at
// a time: the input is B'dB with
//
//	B' = 1  0 -1  0      A' = 1 1  1  0
//	     0  1  1  0           0 1 -1 -1
//	     0 -1  1  0
//	     0  1  0 -1
//
// and the output A'mA, for sixteen products m of matrices.

// The layout of winogradArgs in winograd_amd64.go.
const (
	winoX       = 8 * iota // pixels in, or the first of 16 planes of products
	winoXRow               // bytes from a row of pixels to the next
	winoXPixel             // from a pixel to the next
	winoXTile              // from a tile to the next
	winoPlane              // from a plane to the next
	winoY                  // the first of 16 planes, or pixel (0, 0) out
	winoY01                // the other pixels
	winoY10                //
	winoY11                //
	winoYTile              // from a tile to the next
	winoTiles              // tiles
	winoVectors            // of channels, the last one masked
	winoMask
)

func winograd(f *file) {
	f.winogradIn()
	f.winogradOut()
}

// winogradLoop writes the loops over tiles and vectors of channels. CX counts the
// bytes of channels.
func (f *file) winogradLoop(name string, masked func(body func(last bool)), body func(last bool)) {
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *winogradArgs)\n", name)
	fmt.Fprintf(&f.text, "\n// func %s(args *winogradArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(winoTiles, "DI"), "AX")
	f.i("MOVQ", at(winoMask, "DI"), "BX")
	if f.bytes == 64 {
		f.i("KMOVW", "BX", "K1")
	} else {
		f.i("VMOVUPS", "(BX)", f.v(15))
	}
	masked(body)
}

// winogradVectors runs body for every vector of channels of a tile.
func (f *file) winogradVectors(body func(last bool)) {
	f.i("XORQ", "CX", "CX")
	f.i("MOVQ", at(winoVectors, "DI"), "BX")
	f.i("DECQ", "BX")
	f.i("JEQ", "last")
	f.label("vector")
	body(false)
	f.i("ADDQ", fmt.Sprintf("$%d", f.bytes), "CX")
	f.i("DECQ", "BX")
	f.i("JNE", "vector")
	f.label("last")
	body(true)
}

// get loads a vector, of the lanes in use if it is the last one.
func (f *file) get(addr string, last bool, r int) {
	switch {
	case !last:
		f.i("VMOVUPS", addr, f.v(r))
	case f.bytes == 64:
		f.i("VMOVUPS.Z", addr, "K1", f.v(r))
	default:
		f.i("VMASKMOVPS", addr, f.v(15), f.v(r))
	}
}

// put stores one.
func (f *file) put(r int, addr string, last bool) {
	switch {
	case !last:
		f.i("VMOVUPS", f.v(r), addr)
	case f.bytes == 64:
		f.i("VMOVUPS", f.v(r), "K1", addr)
	default:
		f.i("VMASKMOVPS", f.v(r), f.v(15), addr)
	}
}

func (f *file) winogradIn() {
	name := "winogradIn" + f.name
	v := f.v
	row := []string{"(SI)(CX*1)", "(R8)(CX*1)", "(R9)(CX*1)", "(R10)(CX*1)"} // of pixels, at column j after moving
	f.winogradLoop(name, func(body func(bool)) {
		f.i("MOVQ", at(winoX, "DI"), "SI")
		f.i("MOVQ", at(winoXRow, "DI"), "R11")
		f.i("LEAQ", "(SI)(R11*1)", "R8")
		f.i("LEAQ", "(SI)(R11*2)", "R9")
		f.i("LEAQ", "(R8)(R11*2)", "R10")
		f.i("MOVQ", at(winoXPixel, "DI"), "R11")
		f.i("MOVQ", at(winoY, "DI"), "DX")
		f.i("MOVQ", at(winoPlane, "DI"), "R12")
		f.label("tile")
		f.winogradVectors(body)
		f.i("MOVQ", at(winoXTile, "DI"), "R13")
		for _, r := range []string{"SI", "R8", "R9", "R10"} {
			f.i("ADDQ", "R13", r)
		}
		f.i("ADDQ", at(winoYTile, "DI"), "DX")
		f.i("DECQ", "AX")
		f.i("JNE", "tile")
		f.i("VZEROUPPER")
		f.i("RET")
	}, func(last bool) {
		// A row of B'd at a time: registers 0-3 are its columns.
		f.i("LEAQ", "(DX)(CX*1)", "R13")
		for _, pair := range []struct {
			a, b int
			op   string
		}{{0, 2, "VSUBPS"}, {1, 2, "VADDPS"}, {2, 1, "VSUBPS"}, {1, 3, "VSUBPS"}} {
			f.i("MOVQ", "CX", "R15")
			for j := range 4 {
				f.get(row[pair.a], last, j)
				f.get(row[pair.b], last, 4)
				f.i(pair.op, v(4), v(j), v(j))
				if j < 3 {
					f.i("ADDQ", "R11", "CX")
				}
			}
			f.i("MOVQ", "R15", "CX")
			f.i("VSUBPS", v(2), v(0), v(5))
			f.i("VADDPS", v(2), v(1), v(6))
			f.i("VSUBPS", v(1), v(2), v(7))
			f.i("VSUBPS", v(3), v(1), v(8))
			for j := range 4 {
				f.put(5+j, "(R13)", last)
				f.i("ADDQ", "R12", "R13")
			}
		}
	})
}

func (f *file) winogradOut() {
	name := "winogradOut" + f.name
	v := f.v
	f.winogradLoop(name, func(body func(bool)) {
		f.i("MOVQ", at(winoX, "DI"), "SI")
		f.i("MOVQ", at(winoPlane, "DI"), "R12")
		f.i("MOVQ", at(winoY, "DI"), "R8")
		f.i("MOVQ", at(winoY01, "DI"), "R9")
		f.i("MOVQ", at(winoY10, "DI"), "R10")
		f.i("MOVQ", at(winoY11, "DI"), "R11")
		f.label("tile")
		f.winogradVectors(body)
		f.i("ADDQ", at(winoXTile, "DI"), "SI")
		for _, r := range []string{"R8", "R9", "R10", "R11"} {
			f.i("ADDQ", at(winoYTile, "DI"), r)
		}
		f.i("DECQ", "AX")
		f.i("JNE", "tile")
		f.i("VZEROUPPER")
		f.i("RET")
	}, func(last bool) {
		// Column j of A'm: rows 0 and 1 in registers j and 4+j.
		f.i("LEAQ", "(SI)(CX*1)", "R13")
		for j := range 4 {
			// m[i][j] is plane 4i+j: R13 walks along the first row.
			f.i("LEAQ", "(R13)(R12*4)", "R15")
			f.get("(R13)", last, 8)
			f.get("(R15)", last, 9)
			f.get("(R15)(R12*4)", last, 10)
			f.get("(R15)(R12*8)", last, 11)
			f.i("VADDPS", v(9), v(8), v(j))
			f.i("VADDPS", v(10), v(j), v(j))
			f.i("VSUBPS", v(10), v(9), v(4+j))
			f.i("VSUBPS", v(11), v(4+j), v(4+j))
			f.i("ADDQ", "R12", "R13")
		}
		for i, to := range [][2]string{{"(R8)(CX*1)", "(R9)(CX*1)"}, {"(R10)(CX*1)", "(R11)(CX*1)"}} {
			f.i("VADDPS", v(4*i+1), v(4*i), v(8))
			f.i("VADDPS", v(4*i+2), v(8), v(8))
			f.i("VSUBPS", v(4*i+2), v(4*i+1), v(9))
			f.i("VSUBPS", v(4*i+3), v(9), v(9))
			f.put(8, to[0], last)
			f.put(9, to[1], last)
		}
	})
}
