package main

import "fmt"

// A tile kernel computes an mr x nv tile of C = A B, nv counted in vectors, the
// last one masked, from
//
//	A: mr rows at a stride, one element of each a step of k, broadcast
//	B: nv contiguous vectors a step of k
//
// All mr*nv sums live in registers over the whole of k. A and B may come in
// segments: after k steps both pointers jump and k steps follow again, which is
// how a convolution reads an image as if it were a matrix.

// The layout of tileArgs in tile_amd64.go.
const (
	argA = 8 * iota
	argB
	argC
	argARow
	argACol
	argBRow
	argCRow
	argK
	argSegments
	argAJump
	argBJump
	argMask
	argAdd
	argTile
	// AVX2
	argFull
	argCount
	argATile
	argCTile
	argAAt
	argCAt
	argAhead
	argAheadAt
	argAheadRow
	argAheadLen
	argAheadEach
	argAheadLeft
	// AVX512
	argNext
	argNextStep
)

// heights is the largest mr for each nv.
func (s isa) heights() []int {
	if s.bytes == 64 {
		return []int{14, 14, 9, 6}
	}
	return []int{10, 6}
}

// A walk is how a tile kernel goes through A and B.
type walk struct {
	suffix string
	aCol   int // elements from a step of k to the next in A, if they are known
	steps  int // at once, from the same running pointers
}

const packedRows = 8 // elements from a step to the next in packed A

// walks are those that there are kernels for: by strides in registers; with A as it
// lies, its rows contiguous; with AVX2, with A packed and, with AVX512, with its
// columns contiguous. AVX2's but the first are for a B near by. Where two threads
// share a core, a kernel is bound by the number of its instructions: several steps at
// once, and nothing asked for ahead, save some in each.
func (s isa) walks() []walk {
	if s.bytes == 64 {
		return []walk{{steps: 1}, {"_rows", 1, 4}, {"_cols", 0, 4}}
	}
	return []walk{{steps: 1}, {"_rows", 1, 8}, {"_packed", packedRows, 8}}
}

// gemm writes all tile kernels of both number types, a table of them and the
// function that jumps into it.
func gemm(f *file) {
	if f.bytes == 32 {
		f.ask()
	}
	for _, t := range []number{float32s, float64s} {
		var names []string
		for _, w := range f.walks() {
			for i, most := range f.heights() {
				for mr := 1; mr <= most; mr++ {
					name := fmt.Sprintf("tile%s%s_%dx%d%s", f.name, t.suffix, mr, i+1, w.suffix)
					names = append(names, name)
					f.tile(name, t, mr, i+1, w)
				}
			}
		}
		table := fmt.Sprintf("tiles%s%s", f.name, t.suffix)
		fmt.Fprintf(&f.text, "\n")
		for i, name := range names {
			fmt.Fprintf(&f.text, "DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*i, name)
		}
		fmt.Fprintf(&f.text, "GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", table, 8*len(names))
		fn := fmt.Sprintf("gemmTile%s%s", f.name, t.suffix)
		fmt.Fprintf(&f.text, "\n// func %s(args *tileArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", fn, fn)
		f.i("MOVQ", "args+0(FP)", "DI")
		f.i("MOVQ", at(argTile, "DI"), "AX")
		f.i("LEAQ", table+"<>(SB)", "BX")
		f.i("MOVQ", "(BX)(AX*8)", "AX")
		f.i("JMP", "AX")
		fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *tileArgs)\n", fn)
	}
}

// ask writes what asks, before each tile, for its share of the rows ahead.
func (f *file) ask() {
	fmt.Fprintf(&f.text, "\nTEXT ask%s<>(SB), NOSPLIT, $0-0\n", f.name)
	f.i("MOVQ", at(argAheadLeft, "DI"), "AX")
	f.i("TESTQ", "AX", "AX")
	f.i("JEQ", "done")
	f.i("MOVQ", at(argAheadEach, "DI"), "CX")
	f.i("CMPQ", "CX", "AX")
	f.i("CMOVQGT", "AX", "CX")
	f.i("SUBQ", "CX", "AX")
	f.i("MOVQ", "AX", at(argAheadLeft, "DI"))
	f.i("MOVQ", at(argAhead, "DI"), "SI")
	f.i("ADDQ", at(argAheadAt, "DI"), "SI")
	f.label("row")
	f.i("MOVQ", "SI", "DX")
	f.i("MOVQ", at(argAheadLen, "DI"), "AX")
	f.label("line")
	f.i("PREFETCHT0", "(DX)")
	f.i("ADDQ", "$64", "DX")
	f.i("SUBQ", "$64", "AX")
	f.i("JGT", "line")
	f.i("ADDQ", at(argAheadRow, "DI"), "SI")
	f.i("DECQ", "CX")
	f.i("JNE", "row")
	f.i("SUBQ", at(argAhead, "DI"), "SI")
	f.i("MOVQ", "SI", at(argAheadAt, "DI"))
	f.label("done")
	f.i("RET")
}

// rows gives the address of each of the rows in A, from two running pointers
// and odd multiples of the row stride.
func rows(mr int) []string {
	offsets := []string{"", "(R8*1)", "(R8*2)", "(R9*1)", "(R8*4)", "(R10*1)", "(R9*2)", "(R11*1)"}
	var list []string
	for i := range mr {
		base := "(SI)"
		if i >= 8 {
			base = "(R12)"
		}
		list = append(list, base+offsets[i%8])
	}
	return list
}

func (f *file) tile(name string, t number, mr, nv int, w walk) {
	wide := f.bytes == 64
	acc := func(i, j int) string { return f.v(i*nv + j) }
	// Behind the sums: nv vectors of B, then what rows of A are broadcast to. AVX2
	// keeps the mask in the last register.
	free := mr * nv
	b := func(j int) string { return f.v(free + j) }
	last := f.regs
	mask := ""
	if !wide {
		last--
		mask = f.v(last)
	}
	spare := last - free - nv
	bc := func(i int) string { return f.v(free + nv + i%spare) }
	embedded := wide && nv == 1
	// Columns of A are contiguous: a number is at the same place from its column in each.
	cols := wide && w.aCol == 0 && w.steps > 1
	tall := mr > 8 && !cols // the rows take two running pointers

	fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
	rowsAhead := wide && w.aCol > 0
	if rowsAhead {
		f.i("MOVQ", at(argNextStep, "DI"), "BX")
	} else {
		f.i("MOVQ", at(argACol, "DI"), "BX")
	}
	f.i("MOVQ", at(argBRow, "DI"), "R13")
	if cols {
		f.i("LEAQ", "(BX)(BX*2)", "R8")
	} else {
		f.i("MOVQ", at(argARow, "DI"), "R8")
		if mr > 3 {
			f.i("LEAQ", "(R8)(R8*2)", "R9")
		}
		if mr > 5 {
			f.i("LEAQ", "(R8)(R8*4)", "R10")
		}
		if mr > 7 {
			f.i("LEAQ", "(R9)(R8*4)", "R11")
		}
	}
	if w.steps > 1 {
		f.i("LEAQ", "(R13)(R13*2)", "R14")
	}
	if wide {
		f.i("MOVQ", at(argMask, "DI"), "AX")
		f.i("KMOVW", "AX", "K1")
		f.i("MOVQ", at(argNext, "DI"), "CX")
	} else {
		f.i("MOVQ", at(argMask, "DI"), "AX")
		f.i("VMOVUPS", "(AX)", mask)
		f.label("tile")
		f.i("CALL", "ask"+f.name+"<>(SB)")
	}
	f.i("MOVQ", at(argA, "DI"), "SI")
	if !wide {
		f.i("ADDQ", at(argAAt, "DI"), "SI")
	}
	f.i("MOVQ", at(argB, "DI"), "DX")
	f.i("MOVQ", at(argSegments, "DI"), "R15")
	if tall {
		f.i("LEAQ", "(SI)(R8*8)", "R12")
	}
	for i := range mr * nv {
		if wide {
			f.i("VPXORQ", f.v(i), f.v(i), f.v(i))
		} else {
			f.i("VXORPS", f.v(i), f.v(i), f.v(i))
		}
	}
	move := "VMOVUPS"
	if t.bytes == 8 {
		move = "VMOVUPD"
	}
	// inA is where row i is in A in the step after u others, which the running pointers
	// are at.
	inA := func(i, u int) string {
		switch {
		case cols:
			return fmt.Sprint(i*t.bytes) + []string{"(SI)", "(SI)(BX*1)", "(SI)(BX*2)", "(SI)(R8*1)"}[u]
		case u > 0:
			return fmt.Sprint(u*w.aCol*t.bytes) + rows(mr)[i]
		}
		return rows(mr)[i]
	}
	step := func(u int, loaded func()) {
		row := []string{"(DX)", "(CX)"}[u/4] + []string{"", "(R13*1)", "(R13*2)", "(R14*1)"}[u%4]
		for j := range nv {
			addr := fmt.Sprint(j*f.bytes) + row
			switch {
			case j < nv-1:
				f.i(move, addr, b(j))
			case wide:
				f.i(move+".Z", addr, "K1", b(j))
			default:
				f.i("VMASKMOV"+t.p, addr, mask, b(j))
			}
		}
		loaded()
		for i := range mr {
			if embedded {
				f.i("VFMADD231"+t.p+".BCST", inA(i, u), b(0), acc(i, 0))
				continue
			}
			f.i("VBROADCAST"+t.s, inA(i, u), bc(i))
			for j := range nv {
				f.i("VFMADD231"+t.p, b(j), bc(i), acc(i, j))
			}
		}
	}
	// ask asks for what comes after the tile, in the step after u others. Rows of A that
	// come from far are too many streams, and its columns too far apart, for the processor
	// to see them coming.
	ask := func(u int) {
		switch {
		case cols:
			f.i("PREFETCHT1", []string{"(CX)", "(CX)(BX*1)", "(CX)(BX*2)", "(CX)(R8*1)"}[u])
		case rowsAhead && 64*u < mr*w.steps*w.aCol*t.bytes: // what the rows take in all steps
			f.i("PREFETCHT1", at(64*u, "CX"))
		case wide && !rowsAhead:
			f.i("PREFETCHT1", "(CX)")
			f.i("ADDQ", at(argNextStep, "DI"), "CX")
		}
	}
	// add moves a pointer n strides on.
	add := func(n int, stride, to string) {
		if n == 1 {
			f.i("ADDQ", stride, to)
		} else {
			f.i("LEAQ", fmt.Sprintf("(%s)(%s*%d)", to, stride, n), to)
		}
	}
	// inAForward moves the running pointers in A on to the step after n others.
	inAForward := func(n int) {
		if cols {
			add(n, "BX", "SI")
			add(n, "BX", "CX")
			return
		}
		by := "BX"
		if w.aCol > 0 {
			by = fmt.Sprintf("$%d", n*w.aCol*t.bytes)
		}
		f.i("ADDQ", by, "SI")
		if tall {
			f.i("ADDQ", by, "R12")
		}
	}
	f.label("segment")
	f.i("MOVQ", at(argK, "DI"), "AX")
	if w.steps > 1 {
		f.i("SUBQ", fmt.Sprintf("$%d", w.steps), "AX")
		f.i("JLT", "few")
		if !wide {
			f.i("PCALIGN", "$32")
		}
		f.label("some")
		if w.steps > 4 {
			f.i("LEAQ", "(DX)(R13*4)", "CX") // the fifth step
		}
		for u := range w.steps {
			step(u, func() { ask(u) })
		}
		if rowsAhead {
			f.i("ADDQ", "BX", "CX")
		}
		add(w.steps, "R13", "DX")
		inAForward(w.steps)
		f.i("SUBQ", fmt.Sprintf("$%d", w.steps), "AX")
		f.i("JGE", "some")
		f.label("few")
		f.i("ADDQ", fmt.Sprintf("$%d", w.steps), "AX")
		f.i("JEQ", "done")
	}
	if !wide {
		f.i("PCALIGN", "$32")
	}
	f.label("loop")
	step(0, func() {
		if w.steps > 1 {
			return
		}
		add(1, "R13", "DX")
		if !wide && nv == 2 {
			// More than the first-level cache holds, where there are many steps.
			f.i("PREFETCHT0", "(DX)(R13*8)")
		}
		ask(0)
	})
	if w.steps > 1 {
		add(1, "R13", "DX")
	}
	inAForward(1)
	f.i("DECQ", "AX")
	f.i("JNE", "loop")
	if w.steps > 1 {
		f.label("done")
	}
	f.i("ADDQ", at(argAJump, "DI"), "SI")
	if tall {
		f.i("ADDQ", at(argAJump, "DI"), "R12")
	}
	if cols {
		f.i("ADDQ", at(argAJump, "DI"), "CX")
	}
	f.i("ADDQ", at(argBJump, "DI"), "DX")
	f.i("DECQ", "R15")
	f.i("JNE", "segment")

	f.i("MOVQ", at(argC, "DI"), "CX")
	if !wide {
		f.i("ADDQ", at(argCAt, "DI"), "CX")
	}
	f.i("MOVQ", at(argCRow, "DI"), "R15")
	f.i("CMPQ", at(argAdd, "DI"), "$0")
	f.i("JEQ", "store")
	f.i("MOVQ", "CX", "DX")
	for i := range mr {
		for j := range nv {
			addr := at(j*f.bytes, "DX")
			switch {
			case j < nv-1:
				f.i("VADD"+t.p, addr, acc(i, j), acc(i, j))
			case wide:
				f.i("VADD"+t.p, addr, acc(i, j), "K1", acc(i, j))
			default:
				f.i("VMASKMOV"+t.p, addr, mask, b(0))
				f.i("VADD"+t.p, b(0), acc(i, j), acc(i, j))
			}
		}
		if i < mr-1 {
			f.i("ADDQ", "R15", "DX")
		}
	}
	f.label("store")
	// A masked store of AVX2 takes as long as a dozen others on some processors.
	if !wide {
		f.i("CMPQ", at(argFull, "DI"), "$0")
		f.i("JEQ", "part")
		for i := range mr {
			for j := range nv {
				f.i(move, acc(i, j), at(j*f.bytes, "CX"))
			}
			if i < mr-1 {
				f.i("ADDQ", "R15", "CX")
			}
		}
		f.i("JMP", "next")
		f.label("part")
	}
	for i := range mr {
		for j := range nv {
			addr := at(j*f.bytes, "CX")
			switch {
			case j < nv-1:
				f.i(move, acc(i, j), addr)
			case wide:
				f.i(move, acc(i, j), "K1", addr)
			default:
				f.i("VMASKMOV"+t.p, acc(i, j), mask, addr)
			}
		}
		if i < mr-1 {
			f.i("ADDQ", "R15", "CX")
		}
	}
	if !wide {
		f.label("next")
		for _, m := range [][2]int{{argAAt, argATile}, {argCAt, argCTile}} {
			f.i("MOVQ", at(m[1], "DI"), "AX")
			f.i("ADDQ", "AX", at(m[0], "DI"))
		}
		f.i("DECQ", at(argCount, "DI"))
		f.i("JNE", "tile")
	}
	f.i("VZEROUPPER")
	f.i("RET")
}
