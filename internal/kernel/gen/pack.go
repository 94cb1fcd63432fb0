package main

import "fmt"

// The layout of transposeArgs in transpose_amd64.go.
const (
	argDst = 8 * iota
	argDstRow
	argSrc
	argSrcRow
	argBlocks
)

// The layout of spreadArgs in transpose_amd64.go.
const (
	argMask0 = 8 * (iota + 5)
	argMask1
	argTiles
	argWidth
)

// pack writes what brings operands of a product together.
func pack(f *file) {
	transposes(f)
	for nv := 1; nv <= 2; nv++ {
		f.spread(nv)
	}
}

// packing begins a function of arguments that start with a destination, a source and
// how often to go on.
func (f *file) packing(name, args string) {
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *%s)\n", name, args)
	fmt.Fprintf(&f.text, "\n// func %s(args *%s)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, args, name)
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(argDst, "DI"), "CX")
	f.i("MOVQ", at(argDstRow, "DI"), "DX")
	f.i("MOVQ", at(argSrc, "DI"), "SI")
	f.i("MOVQ", at(argSrcRow, "DI"), "R8")
	f.i("MOVQ", at(argBlocks, "DI"), "AX")
}

// spread writes copies of rows that fall into tiles, of at most nv vectors each, by
// masks: those of a tile to rows of nv vectors that follow each other. dstRow is from
// one tile to the next.
func (f *file) spread(nv int) {
	name := fmt.Sprintf("spread%s_%d", f.name, nv)
	f.packing(name, "spreadArgs")
	for j := range nv {
		f.i("MOVQ", at(argMask0+8*j, "DI"), "BX")
		f.i("VMOVUPS", "(BX)", f.v(14+j))
	}
	f.i("MOVQ", at(argWidth, "DI"), "R12")
	f.i("MOVQ", at(argTiles, "DI"), "R13")
	f.label("rows")
	f.i("MOVQ", "SI", "R9")
	f.i("MOVQ", "CX", "R10")
	f.i("MOVQ", "R13", "BX")
	f.label("tiles")
	// The rows may be pages apart.
	f.i("PREFETCHT0", "(R9)(R8*8)")
	for j := range nv {
		f.i("VMASKMOVPS", at(j*f.bytes, "R9"), f.v(14+j), f.v(j))
	}
	for j := range nv {
		f.i("VMOVUPS", f.v(j), at(j*f.bytes, "R10"))
	}
	f.i("ADDQ", "R12", "R9")
	f.i("ADDQ", "DX", "R10")
	f.i("DECQ", "BX")
	f.i("JNE", "tiles")
	f.i("ADDQ", "R8", "SI")
	f.i("ADDQ", fmt.Sprintf("$%d", nv*f.bytes), "CX")
	f.i("DECQ", "AX")
	f.i("JNE", "rows")
	f.i("VZEROUPPER")
	f.i("RET")
}

// packWide is what vectors of 64 bytes do better.
func packWide(f *file) {
	copies(f)
	for _, t := range []number{float32s, float64s} {
		f.transposeRows(t)
	}
}

// transposeRows writes transposes of as many rows as a vector has elements: quarters of
// 16 bytes from four rows at a time are put together while they are loaded, and become
// columns within the quarters. There are so many blocks of columns of 16 bytes.
func (f *file) transposeRows(t number) {
	f.packing("transpose"+f.name+t.suffix, "transposeArgs")
	n := 16 / t.bytes // rows and columns of what becomes columns within a quarter
	quarters := []string{"SI", "R11", "R12", "R13"}
	f.i("LEAQ", "(R8)(R8*2)", "R9")
	f.i("LEAQ", "(DX)(DX*2)", "R10")
	for q := 1; q < 4; q++ {
		f.i("LEAQ", fmt.Sprintf("(%s)(R8*%d)", quarters[q-1], n), quarters[q])
	}
	insert := map[int]string{4: "VINSERTF32X4", 8: "VINSERTF64X2"}[t.bytes]
	f.label("loop")
	for i := range n {
		for q, base := range quarters {
			from := "(" + base + ")" + []string{"", "(R8*1)", "(R8*2)", "(R9*1)"}[i]
			if q == 0 {
				f.i("VMOVUPS", from, fmt.Sprintf("X%d", i))
			} else {
				f.i(insert, fmt.Sprintf("$%d", q), from, f.v(i), f.v(i))
			}
		}
	}
	at := 0 // where pairs of rows are
	if n == 4 {
		at = 4
		for i := 0; i < n; i += 2 {
			f.i("VUNPCKLPS", f.v(i+1), f.v(i), f.v(at+i/2))
			f.i("VUNPCKHPS", f.v(i+1), f.v(i), f.v(at+2+i/2))
		}
	}
	for j := range n {
		op := []string{"VUNPCKLPD", "VUNPCKHPD"}[j%2]
		f.i(op, f.v(at+j/2*2+1), f.v(at+j/2*2), f.v(10))
		f.i("VMOVUPS", f.v(10), "(CX)"+[]string{"", "(DX*1)", "(DX*2)", "(R10*1)"}[j])
	}
	for _, base := range quarters {
		f.i("ADDQ", "$16", base)
	}
	f.i("LEAQ", fmt.Sprintf("(CX)(DX*%d)", n), "CX")
	f.i("DECQ", "AX")
	f.i("JNE", "loop")
	f.i("VZEROUPPER")
	f.i("RET")
}

// copies writes copies of rows of so many lines of 64 bytes, which follow each other
// then.
func copies(f *file) {
	f.packing("copyRows"+f.name, "copyArgs")
	f.label("row")
	f.i("MOVQ", "SI", "R9")
	f.i("MOVQ", "DX", "BX")
	f.label("line")
	// The rows may be pages apart.
	f.i("PREFETCHT0", "(R9)(R8*8)")
	f.i("VMOVUPS", "(R9)", f.v(0))
	f.i("VMOVUPS", f.v(0), "(CX)")
	f.i("ADDQ", "$64", "R9")
	f.i("ADDQ", "$64", "CX")
	f.i("DECQ", "BX")
	f.i("JNE", "line")
	f.i("ADDQ", "R8", "SI")
	f.i("DECQ", "AX")
	f.i("JNE", "row")
	f.i("VZEROUPPER")
	f.i("RET")
}

// transposes writes transposes of one block row: s rows of src, each of blocks*s
// elements, become blocks*s rows of s elements, for s = 8 float32 or 4 float64.
// Vectors of 32 bytes are as fast here as any.
func transposes(f *file) {
	for _, t := range []number{float32s, float64s} {
		name := "transpose" + f.name + t.suffix
		f.packing(name, "transposeArgs")
		f.i("LEAQ", "(R8)(R8*2)", "R9")
		f.i("LEAQ", "(DX)(DX*2)", "R10")
		f.i("LEAQ", "(SI)(R8*4)", "R11")
		f.label("loop")
		row := func(base, far, stride, triple string, i int) string {
			if i >= 4 {
				base = far
			}
			return "(" + base + ")" + []string{"", "(" + stride + "*1)", "(" + stride + "*2)", "(" + triple + "*1)"}[i%4]
		}
		if t.bytes == 8 {
			for i := range 4 {
				f.i("VMOVUPD", row("SI", "R11", "R8", "R9", i), f.v(i))
			}
			for i := range 2 {
				f.i("VUNPCKLPD", f.v(2*i+1), f.v(2*i), f.v(4+2*i))
				f.i("VUNPCKHPD", f.v(2*i+1), f.v(2*i), f.v(5+2*i))
			}
			for i := range 2 {
				f.i("VPERM2F128", "$0x20", f.v(6+i), f.v(4+i), f.v(8+i))
				f.i("VPERM2F128", "$0x31", f.v(6+i), f.v(4+i), f.v(10+i))
			}
			for i := range 4 {
				f.i("VMOVUPD", f.v(8+i), row("CX", "", "DX", "R10", i))
			}
			f.i("ADDQ", "$32", "SI")
			f.i("LEAQ", "(CX)(DX*4)", "CX")
		} else {
			for i := range 8 {
				f.i("VMOVUPS", row("SI", "R11", "R8", "R9", i), f.v(i))
			}
			// Pairs of rows, then fours, then halves.
			for i := range 4 {
				f.i("VUNPCKLPS", f.v(2*i+1), f.v(2*i), f.v(8+2*i))
				f.i("VUNPCKHPS", f.v(2*i+1), f.v(2*i), f.v(9+2*i))
			}
			for h := range 2 {
				for i := range 2 {
					a, b := f.v(8+4*h+i), f.v(10+4*h+i)
					f.i("VSHUFPS", "$0x44", b, a, f.v(4*h+2*i))
					f.i("VSHUFPS", "$0xEE", b, a, f.v(4*h+2*i+1))
				}
			}
			for i := range 4 {
				f.i("VPERM2F128", "$0x20", f.v(4+i), f.v(i), f.v(8+i))
				f.i("VPERM2F128", "$0x31", f.v(4+i), f.v(i), f.v(12+i))
			}
			f.i("LEAQ", "(CX)(DX*4)", "R12")
			for i := range 8 {
				f.i("VMOVUPS", f.v(8+i), row("CX", "R12", "DX", "R10", i))
			}
			f.i("ADDQ", "$32", "SI")
			f.i("ADDQ", "$32", "R11")
			f.i("LEAQ", "(CX)(DX*8)", "CX")
		}
		f.i("DECQ", "AX")
		f.i("JNE", "loop")
		f.i("VZEROUPPER")
		f.i("RET")
	}
}
