package main

import "fmt"

// A sparse kernel multiplies rows of a sparse matrix, each a list of numbers and
// their columns, by a strip of nv vectors of a dense one, whose sums live in
// registers over the entries of a row.

// The layout of sparseArgs in sparse_amd64.go.
const (
	sparseMark     = 8 * iota // of each row, the entries before those to multiply, 4 bytes
	sparseEnd                 // from there to the entries up to their end, bytes
	sparseMarkRow             // bytes from a row to the next
	sparseIndex               // columns of the entries, 4 bytes
	sparseIndexRow            //
	sparseValue               //
	sparseValueRow            //
	sparseB
	sparseBRow
	sparseC
	sparseCRow
	sparseRows
	sparseMask
	sparseAdd
	sparseEntry
)

// strips is the largest number of vectors of a strip.
const strips = 8

func sparse(f *file) {
	for _, t := range []number{float32s, float64s} {
		table := fmt.Sprintf("strips%s%s", f.name, t.suffix)
		// With a mask for the last vector, and with all its lanes in use.
		for entry := range 2 * strips {
			nv, full := entry%strips+1, entry >= strips
			name := fmt.Sprintf("strip%s%s_%d", f.name, t.suffix, nv)
			switch {
			case full && f.bytes == 64: // where masks cost nothing
			case full:
				name += "full"
				fallthrough
			default:
				f.strip(name, t, nv, full)
			}
			f.afterText("DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*entry, name)
		}
		f.afterText("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", table, 8*2*strips)
		f.jump("sparse", "sparseArgs", table, t, sparseEntry)
	}
	if f.bytes == 64 {
		f.compress()
	} else {
		f.compressByTable()
	}
}

// strip is the kernel of nv vectors, all lanes of the last of which are in use if full.
func (f *file) strip(name string, t number, nv int, full bool) {
	wide := f.bytes == 64
	v := f.v
	const number, part, mask = 8, 9, 15
	fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
	if !full {
		f.i("MOVQ", at(sparseMask, "DI"), "AX")
		if wide {
			f.i("KMOVW", "AX", "K1")
		} else {
			f.i("VMOVUPS", "(AX)", v(mask))
		}
	}
	f.i("MOVQ", at(sparseMark, "DI"), "R9")
	f.i("MOVQ", at(sparseIndex, "DI"), "R10")
	f.i("MOVQ", at(sparseValue, "DI"), "R11")
	f.i("MOVQ", at(sparseB, "DI"), "BX")
	f.i("MOVQ", at(sparseBRow, "DI"), "R13")
	f.i("MOVQ", at(sparseC, "DI"), "CX")
	f.i("MOVQ", at(sparseRows, "DI"), "R12")
	f.i("MOVQ", at(sparseEnd, "DI"), "R15")
	f.i("MOVLQSX", "(R9)", "R14")
	f.i("MOVLQSX", "(R9)(R15*1)", "R15")
	f.label("row")
	f.i("LEAQ", "(R10)(R14*4)", "SI")
	f.i("LEAQ", fmt.Sprintf("(R11)(R14*%d)", t.bytes), "DX")
	f.i("MOVQ", "R15", "R8")
	f.i("SUBQ", "R14", "R8") // entries
	// The next row's marks, so that its lists are not waited for. Those of the last
	// row are followed by lists, which are not used.
	f.i("ADDQ", at(sparseMarkRow, "DI"), "R9")
	f.i("MOVQ", at(sparseEnd, "DI"), "R15")
	f.i("MOVLQSX", "(R9)", "R14")
	f.i("MOVLQSX", "(R9)(R15*1)", "R15")
	f.i("CMPQ", at(sparseAdd, "DI"), "$0")
	f.i("JEQ", "zero")
	f.i("TESTQ", "R8", "R8")
	f.i("JEQ", "next")
	for j := range nv {
		addr := at(j*f.bytes, "CX")
		switch {
		case full || j < nv-1:
			f.i("VMOVU"+t.p, addr, v(j))
		case wide:
			f.i("VMOVU"+t.p+".Z", addr, "K1", v(j))
		default:
			f.i("VMASKMOV"+t.p, addr, v(mask), v(j))
		}
	}
	f.i("JMP", "lists")
	f.label("zero")
	for j := range nv {
		f.zero(j)
	}
	f.i("TESTQ", "R8", "R8")
	f.i("JEQ", "store")
	f.label("lists")
	// The next row's lists, which are about as long, begin far away.
	f.i("MOVQ", at(sparseIndexRow, "DI"), "AX")
	f.i("PREFETCHT0", "(SI)(AX*1)")
	f.i("PREFETCHT0", "64(SI)(AX*1)")
	f.i("MOVQ", at(sparseValueRow, "DI"), "AX")
	for i := range 2 * t.bytes / 4 {
		f.i("PREFETCHT0", fmt.Sprintf("%d(DX)(AX*1)", 64*i))
	}
	// This row's own go on in the next block, and come from a more distant cache.
	f.i("PREFETCHT1", "64(SI)(R8*4)")
	f.i("PREFETCHT1", fmt.Sprintf("64(DX)(R8*%d)", t.bytes))
	// One register counts up to 0 and walks both.
	f.i("LEAQ", "(SI)(R8*4)", "SI")
	f.i("LEAQ", fmt.Sprintf("(DX)(R8*%d)", t.bytes), "DX")
	f.i("NEGQ", "R8")
	f.label("entry")
	f.i("MOVLQSX", "(SI)(R8*4)", "AX")
	f.i("IMULQ", "R13", "AX")
	f.i("VBROADCAST"+t.s, fmt.Sprintf("(DX)(R8*%d)", t.bytes), v(number))
	f.i("ADDQ", "BX", "AX")
	for j := range nv {
		addr := at(j*f.bytes, "AX")
		switch {
		case full || j < nv-1:
			f.i("VFMADD231"+t.p, addr, v(number), v(j))
		case wide:
			f.i("VFMADD231"+t.p, addr, v(number), "K1", v(j))
		default:
			f.i("VMASKMOV"+t.p, addr, v(mask), v(part))
			f.i("VFMADD231"+t.p, v(part), v(number), v(j))
		}
	}
	f.i("ADDQ", "$1", "R8")
	f.i("JNE", "entry")
	f.label("store")
	for j := range nv {
		addr := at(j*f.bytes, "CX")
		switch {
		case full || j < nv-1:
			f.i("VMOVU"+t.p, v(j), addr)
		case wide:
			f.i("VMOVU"+t.p, v(j), "K1", addr)
		default:
			f.i("VMASKMOV"+t.p, v(j), v(mask), addr)
		}
	}
	f.label("next")
	f.i("ADDQ", at(sparseIndexRow, "DI"), "R10")
	f.i("ADDQ", at(sparseValueRow, "DI"), "R11")
	f.i("ADDQ", at(sparseCRow, "DI"), "CX")
	f.i("DECQ", "R12")
	f.i("JNE", "row")
	f.i("VZEROUPPER")
	f.i("RET")
}

// The layout of compressArgs in sparse_amd64.go.
const (
	compressX     = 8 * iota
	compressXRow  // bytes from a row to the next
	compressN     // vectors of a row, the last of which may be a part
	compressMask  // of the last
	compressIndex // of the entries
	compressIndexRow
	compressValue
	compressMark  // 0 and the entries up to the end of each block, of each row
	compressBlock // vectors of a block
	compressRows
	compressTable // AVX2
)

// compress writes the numbers of float32 rows that are not 0, and their places. It
// writes whole vectors, whose rest is written again or never read: compressing
// into memory itself takes a hundred cycles on some processors.
func (f *file) compress() {
	f.compressing(func() {
		f.i("MOVQ", at(compressMask, "DI"), "AX")
		f.i("KMOVW", "AX", "K2")
		f.i("MOVL", "$16", "BX")
		f.i("VPBROADCASTD", "BX", "Z2")
		f.i("VPXORQ", "Z3", "Z3", "Z3")
	}, func() {
		f.i("VMOVDQU32", "countTo16<>(SB)", "Z1")
	}, func(last bool) {
		if last {
			f.i("VMOVUPS.Z", "(SI)", "K2", "Z0")
		} else {
			f.i("VMOVUPS", "(SI)", "Z0")
		}
		f.i("VCMPPS", "$4", "Z3", "Z0", "K1") // not equal, or no number
		f.i("KMOVW", "K1", "BX")
		f.i("VCOMPRESSPS", "Z0", "K1", "Z4")
		f.i("VPCOMPRESSD", "Z1", "K1", "Z5")
		f.i("VMOVUPS", "Z4", "(R9)")
		f.i("VMOVDQU32", "Z5", "(R8)")
	}, "Z2", "Z1")
	for i := range 16 {
		f.afterText("DATA countTo16<>+%d(SB)/4, $%d\n", 4*i, i)
	}
	f.afterText("GLOBL countTo16<>(SB), RODATA|NOPTR, $64\n")
}

// compressByTable is the same with AVX2: a table has for each of the 256 sets of
// lanes the order that puts them first.
func (f *file) compressByTable() {
	f.compressing(func() {
		f.i("MOVQ", at(compressMask, "DI"), "AX")
		f.i("VMOVUPS", "(AX)", "Y8")
		f.i("MOVQ", at(compressTable, "DI"), "R11")
		f.i("MOVL", "$8", "BX")
		f.i("VMOVD", "BX", "X2")
		f.i("VPBROADCASTD", "X2", "Y2")
		f.i("VXORPS", "Y3", "Y3", "Y3")
	}, func() {
		f.i("VMOVDQU", "8160(R11)", "Y1") // all lanes in order
	}, func(last bool) {
		if last {
			f.i("VMASKMOVPS", "(SI)", "Y8", "Y0")
		} else {
			f.i("VMOVUPS", "(SI)", "Y0")
		}
		f.i("VCMPPS", "$4", "Y3", "Y0", "Y4")
		f.i("VMOVMSKPS", "Y4", "BX")
		f.i("MOVL", "BX", "CX")
		f.i("SHLQ", "$5", "CX")
		f.i("VMOVDQU", "(R11)(CX*1)", "Y5")
		f.i("VPERMPS", "Y0", "Y5", "Y6")
		f.i("VPERMD", "Y1", "Y5", "Y7")
		f.i("VMOVUPS", "Y6", "(R9)")
		f.i("VMOVDQU", "Y7", "(R8)")
	}, "Y2", "Y1")
}

// compressing is what both have around their own: begin sets constants, row the
// places of the first vector, and vector compresses one from SI to R9, its places
// to R8, and leaves the set of lanes in BX. step is added to the places of the lanes
// in each.
func (f *file) compressing(begin, row func(), vector func(last bool), step, places string) {
	name := "compress" + f.name
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *compressArgs)\n", name)
	fmt.Fprintf(&f.text, "\n// func %s(args *compressArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	advance := func() {
		f.i("POPCNTL", "BX", "BX")
		f.i("LEAQ", "(R9)(BX*4)", "R9")
		f.i("LEAQ", "(R8)(BX*4)", "R8")
	}
	mark := func() {
		f.i("MOVQ", "R8", "DX")
		f.i("SUBQ", "R10", "DX")
		f.i("SHRQ", "$2", "DX")
		f.i("MOVL", "DX", "(R12)")
		f.i("ADDQ", "$4", "R12")
	}
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(compressX, "DI"), "R14")
	f.i("MOVQ", at(compressIndex, "DI"), "R10")
	f.i("MOVQ", at(compressValue, "DI"), "R15")
	f.i("MOVQ", at(compressMark, "DI"), "R12")
	begin()
	f.label("row")
	f.i("MOVQ", "R14", "SI")
	f.i("MOVQ", "R10", "R8")
	f.i("MOVQ", "R15", "R9")
	mark()
	row()
	f.i("MOVQ", at(compressBlock, "DI"), "R13")
	f.i("MOVQ", at(compressN, "DI"), "AX")
	f.i("DECQ", "AX")
	f.i("JEQ", "last")
	f.i("PCALIGN", "$32")
	f.label("loop")
	vector(false)
	advance()
	f.i("VPADDD", step, places, places)
	f.i("ADDQ", fmt.Sprintf("$%d", f.bytes), "SI")
	f.i("DECQ", "R13")
	f.i("JNE", "more")
	mark()
	f.i("MOVQ", at(compressBlock, "DI"), "R13")
	f.label("more")
	f.i("DECQ", "AX")
	f.i("JNE", "loop")
	f.label("last")
	vector(true)
	advance()
	mark()
	f.i("ADDQ", at(compressXRow, "DI"), "R14")
	f.i("ADDQ", at(compressIndexRow, "DI"), "R10")
	f.i("ADDQ", at(compressIndexRow, "DI"), "R15") // values have 4 bytes too
	f.i("DECQ", at(compressRows, "DI"))
	f.i("JNE", "row")
	f.i("VZEROUPPER")
	f.i("RET")
}
