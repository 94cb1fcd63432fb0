package main

import "fmt"

// The layout of reduceArgs in reduce_amd64.go.
const (
	redX = 8 * iota
	redY
	redOut
	redXRow
	redYRow
	redShift
	redRows
	redCols
	redEntry
)

// A reduction kernel takes each row of a matrix, of at least one column, to a
// number. Element i of a row belongs to lane i mod n of n lanes, n the same for
// AVX2 and AVX-512, and the lanes are added in halves, so that both give the same
// bits.
//
// Registers: SI and R8 are the rows of x and y, R9 is the place of the result, R11
// that of the row's shift, R10 counts rows; CX and R13 run along the rows and DX
// counts elements; AX and BX are scratch.

// reductions writes all of them, tables and the functions that jump into them.
func reductions(f *file) {
	kernels := []struct {
		name string
		code func(f *file, t number)
	}{
		{"sum", func(f *file, t number) { f.sums(t, false, false) }},
		{"dot", func(f *file, t number) { f.sums(t, true, false) }},
		{"max", func(f *file, t number) { f.extremes(t, true, false) }},
		{"min", func(f *file, t number) { f.extremes(t, false, false) }},
		{"argMax", func(f *file, t number) { f.extremes(t, true, true) }},
		{"expSum", func(f *file, t number) { f.expSums(t, false) }},
		{"expSumStore", func(f *file, t number) { f.expSums(t, true) }},
		{"scale", (*file).scaleRows},
		{"add", (*file).addRows},
		{"square", func(f *file, t number) { f.sums(t, true, true) }},
		{"squareBlock", (*file).squareBlock},
	}
	for _, t := range []number{float32s, float64s} {
		table := fmt.Sprintf("reductions%s%s", f.name, t.suffix)
		for i, r := range kernels {
			name := fmt.Sprintf("%s%s%s", r.name, f.name, t.suffix)
			fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
			f.i("MOVQ", at(redX, "DI"), "SI")
			f.i("MOVQ", at(redY, "DI"), "R8")
			f.i("MOVQ", at(redOut, "DI"), "R9")
			f.i("MOVQ", at(redShift, "DI"), "R11")
			f.i("MOVQ", at(redRows, "DI"), "R10")
			r.code(f, t)
			f.i("VZEROUPPER")
			f.i("RET")
			f.afterText("DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*i, name)
		}
		f.afterText("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", table, 8*len(kernels))
		f.jump("reduce", "reduceArgs", table, t, redEntry)
	}
	f.tailMasks()
}

// eachRow writes the loop over rows. one computes the row of DX elements at CX and
// R13 and stores its result.
func (f *file) eachRow(one func()) {
	f.label("row")
	f.i("MOVQ", "SI", "CX")
	f.i("MOVQ", "R8", "R13")
	f.i("MOVQ", at(redCols, "DI"), "DX")
	one()
	f.i("ADDQ", at(redXRow, "DI"), "SI")
	f.i("ADDQ", at(redYRow, "DI"), "R8")
	f.i("ADDQ", "$8", "R9")
	f.i("ADDQ", "$8", "R11")
	f.i("DECQ", "R10")
	f.i("JNE", "row")
}

// alongRow writes a loop over the elements of a row: n groups of lanes at a time,
// then those that are left, each group in its place and masked.
func (f *file) alongRow(t, lanes number, n int, group func(j int, masked bool)) {
	all := fmt.Sprintf("$%d", n*f.lanes(lanes))
	f.i("SUBQ", all, "DX")
	f.i("JLT", "rest")
	f.label("loop")
	for j := range n {
		group(j, false)
	}
	step := fmt.Sprintf("$%d", n*f.lanes(lanes)*t.bytes)
	f.i("ADDQ", step, "CX")
	f.i("ADDQ", step, "R13")
	f.i("SUBQ", all, "DX")
	f.i("JGE", "loop")
	f.label("rest")
	f.i("ADDQ", all, "DX")
	for j := range n {
		f.i("JLE", "end")
		f.setTail(t, lanes)
		group(j, true)
		f.i("SUBQ", fmt.Sprintf("$%d", f.lanes(lanes)), "DX")
	}
	f.label("end")
}

func (f *file) zero(r int) {
	if f.bytes == 64 {
		f.i("VPXORQ", f.v(r), f.v(r), f.v(r))
	} else {
		f.i("VXORPS", f.v(r), f.v(r), f.v(r))
	}
}

func x(r int) string { return fmt.Sprintf("X%d", r) }
func y(r int) string { return fmt.Sprintf("Y%d", r) }

// addLanes adds n registers of float64 lanes and then the lanes, in halves, into
// the lowest lane of register 0. It uses register n.
func (f *file) addLanes(n int) {
	parts := 1 // registers of one half
	if f.bytes == 32 {
		parts = 2
	}
	for half := n / 2; half >= parts; half /= 2 {
		for r := range half {
			f.i("VADDPD", f.v(r+half), f.v(r), f.v(r))
		}
	}
	if f.bytes == 64 {
		f.i("VEXTRACTF64X4", "$1", f.v(0), y(n))
		f.i("VADDPD", y(n), y(0), y(0))
	} else {
		f.i("VADDPD", y(1), y(0), y(0))
	}
	f.i("VEXTRACTF128", "$1", y(0), x(n))
	f.i("VADDPD", x(n), x(0), x(0))
	f.i("VPERMILPD", "$1", x(0), x(n))
	f.i("VADDSD", x(n), x(0), x(0))
}

// sums are sums of x, of x y, or where that is the same, of its squares, in 32 lanes.
func (f *file) sums(t number, product, same bool) {
	n := 32 / f.lanes(float64s)
	f.eachRow(func() {
		for j := range n {
			f.zero(j)
		}
		f.alongRow(t, float64s, n, func(j int, masked bool) {
			off := j * f.lanes(float64s) * t.bytes
			f.loadTo(n, at(off, "CX"), t, float64s, masked)
			other := n
			if product && !same {
				other = n + 1
				f.loadTo(other, at(off, "R13"), t, float64s, masked)
			}
			if product {
				f.addProduct(t, n, other, j)
			} else {
				f.i("VADDPD", f.v(n), f.v(j), f.v(j))
			}
		})
		f.addLanes(n)
		f.i("VMOVSD", x(0), "(R9)")
	})
}

// addProduct adds the product of float64 registers a and b, which were of type t, to
// register sum. It overwrites a.
func (f *file) addProduct(t number, a, b, sum int) {
	if t.bytes == 4 { // products are exact: one rounding is as good as two
		f.i("VFMADD231PD", f.v(b), f.v(a), f.v(sum))
		return
	}
	f.i("VMULPD", f.v(b), f.v(a), f.v(a))
	f.i("VADDPD", f.v(a), f.v(sum), f.v(sum))
}

// squareBlock is the sum of the squares of all rows, in lanes that go on from row to row.
func (f *file) squareBlock(t number) {
	n := 32 / f.lanes(float64s)
	for j := range n {
		f.zero(j)
	}
	f.label("row")
	f.i("MOVQ", "SI", "CX")
	f.i("MOVQ", at(redCols, "DI"), "DX")
	f.alongRow(t, float64s, n, func(j int, masked bool) {
		f.loadTo(n, at(j*f.lanes(float64s)*t.bytes, "CX"), t, float64s, masked)
		f.addProduct(t, n, n, j)
	})
	f.i("ADDQ", at(redXRow, "DI"), "SI")
	f.i("DECQ", "R10")
	f.i("JNE", "row")
	f.addLanes(n)
	f.i("VMOVSD", x(0), "(R9)")
}

// extremes are minima: min keeps the sign of zeros and NaN if both orders of its
// operands are ored. A maximum is a minimum of x with its sign turned; that of
// arguments is -1 if there is a NaN.
func (f *file) extremes(t number, most, arg bool) {
	const acc = 4 // registers 0 to 3 are accumulators
	in, other, signs, start := acc, acc+1, acc+2, acc+3
	logic := func(op string) string {
		return "V" + op + t.p
	}
	least := func(from, to int) {
		f.i("VMIN"+t.p, f.v(from), f.v(to), f.v(other))
		f.i("VMIN"+t.p, f.v(to), f.v(from), f.v(to))
		f.i(logic("OR"), f.v(other), f.v(to), f.v(to))
	}
	sign, inf := uint64(1)<<31, uint64(0x7f800000)
	if t.bytes == 8 {
		sign, inf = 1<<63, 0x7ff<<52
	}
	f.i("VBROADCAST"+t.s, f.constant(t, sign), f.v(signs))
	f.i("VBROADCAST"+t.s, f.constant(t, inf), f.v(start))
	load := func(addr string, masked bool) {
		switch {
		case masked && f.bytes == 64:
			f.i("VMOVAP"+t.p[1:], f.v(start), f.v(in))
			f.i("VMOVU"+t.p, addr, "K1", f.v(in))
			if most {
				f.i(logic("XOR"), f.v(signs), f.v(in), "K1", f.v(in))
			}
			return
		case masked:
			f.i("VMASKMOV"+t.p, addr, f.v(f.tail()), f.v(in))
			if most {
				f.i(logic("XOR"), f.v(signs), f.v(in), f.v(in))
			}
			f.i("VBLENDV"+t.p, f.v(f.tail()), f.v(in), f.v(start), f.v(in))
			return
		}
		f.i("VMOVU"+t.p, addr, f.v(in))
		if most {
			f.i(logic("XOR"), f.v(signs), f.v(in), f.v(in))
		}
	}
	f.eachRow(func() {
		for j := range acc {
			f.i("VMOVAP"+t.p[1:], f.v(start), f.v(j))
		}
		f.alongRow(t, t, acc, func(j int, masked bool) {
			load(at(j*f.bytes, "CX"), masked)
			least(in, j)
		})
		least(1, 0)
		least(3, 2)
		least(2, 0)
		// Every lane gets the least of all, by exchanging ever smaller parts.
		if f.bytes == 64 {
			f.i("VSHUFF64X2", "$0x4E", f.v(0), f.v(0), f.v(1))
			least(1, 0)
			f.i("VSHUFF64X2", "$0xB1", f.v(0), f.v(0), f.v(1))
		} else {
			f.i("VPERM2F128", "$1", f.v(0), f.v(0), f.v(1))
		}
		least(1, 0)
		f.i("VPERMILPD", map[int]string{64: "$0x55", 32: "$5"}[f.bytes], f.v(0), f.v(1))
		least(1, 0)
		if t.bytes == 4 {
			f.i("VPERMILPS", "$0xB1", f.v(0), f.v(1))
			least(1, 0)
		}
		if !arg {
			if most {
				f.i(logic("XOR"), f.v(signs), f.v(0), f.v(0))
			}
			if t.bytes == 4 {
				f.i("VCVTSS2SD", x(0), x(0), x(0))
			}
			f.i("VMOVSD", x(0), "(R9)")
			return
		}
		f.i("VUCOMI"+t.s, x(0), x(0))
		f.i("JPS", "nan")
		// The masked lanes have infinities, which only a row of infinities equals, and
		// that in its first element.
		f.i("MOVQ", "SI", "CX")
		f.i("XORQ", "R13", "R13")
		f.i("MOVQ", at(redCols, "DI"), "R12")
		f.label("search")
		f.i("MOVQ", fmt.Sprintf("$%d", f.lanes(t)), "DX")
		f.i("CMPQ", "R12", "DX")
		f.i("CMOVQLT", "R12", "DX")
		f.setTail(t, t)
		load(at(0, "CX"), true)
		if f.bytes == 64 {
			f.i("VCMP"+t.p, "$0", f.v(0), f.v(in), "K2")
			f.i("KMOVW", "K2", "AX")
		} else {
			f.i("VCMP"+t.p, "$0", f.v(0), f.v(in), f.v(in))
			f.i("VMOVMSK"+t.p, f.v(in), "AX")
		}
		f.i("TESTL", "AX", "AX")
		f.i("JNE", "found")
		f.i("ADDQ", fmt.Sprintf("$%d", f.bytes), "CX")
		f.i("ADDQ", fmt.Sprintf("$%d", f.lanes(t)), "R13")
		f.i("SUBQ", fmt.Sprintf("$%d", f.lanes(t)), "R12")
		f.i("JGT", "search")
		f.label("nan")
		f.i("MOVQ", "$-1", "(R9)")
		f.i("JMP", "next")
		f.label("found")
		f.i("TZCNTL", "AX", "AX")
		f.i("ADDQ", "R13", "AX")
		f.i("MOVQ", "AX", "(R9)")
		f.label("next")
	})
}

// expSums are sums of e^(x - shift), in 8 lanes; store also writes the terms to
// the row of y.
func (f *file) expSums(t number, store bool) {
	n := 8 / f.lanes(float64s) // accumulators, from the last register down
	p := f.newPins()
	var acc []int
	for range n {
		p.used++
		acc = append(acc, f.regs-p.used)
	}
	p.used++
	shift := f.regs - p.used
	group := func(j int, masked bool) *body {
		b := f.newBody(float64s, p)
		b.single = t.bytes == 4
		v := b.load(stream{t, float64s, "CX", ""}, j, masked)
		v = b.expNeg(b.sub(v, val{id: pinned + shift}))
		if store {
			b.save(stream{t, float64s, "R13", ""}, j, masked, v)
		}
		if masked && f.bytes == 32 {
			if t.bytes == 4 {
				wide := b.new(false, func(_ []int, d int) { b.i("VPMOVSXDQ", b.half(b.tail()), b.v(d)) })
				v = b.and(wide, v)
			} else {
				v = b.and(val{id: pinned + b.tail()}, v)
			}
		}
		b.store(func(r []int, _ int) {
			if masked && f.bytes == 64 {
				b.i("VADDPD", b.v(r[0]), b.v(acc[j]), "K1", b.v(acc[j]))
			} else {
				b.i("VADDPD", b.v(r[0]), b.v(acc[j]), b.v(acc[j]))
			}
		}, v)
		return b
	}
	var main, rest []*body
	for j := range n {
		main, rest = append(main, group(j, false)), append(rest, group(j, true))
	}
	f.loadPins(float64s, p)
	f.eachRow(func() {
		for _, r := range acc {
			f.zero(r)
		}
		f.i("VBROADCASTSD", "(R11)", f.v(shift))
		f.alongRow(t, float64s, n, func(j int, masked bool) {
			if masked {
				rest[j].emit("rest")
			} else {
				main[j].emit("loop")
			}
		})
		for j, r := range acc {
			f.i("VMOVAPD", f.v(r), f.v(j))
		}
		f.addLanes(n)
		f.i("VMOVSD", x(0), "(R9)")
	})
}

// scaleRows multiplies each row of x by its shift.
func (f *file) scaleRows(t number) {
	f.eachRow(func() {
		f.i("VMOVSD", "(R11)", x(0))
		if t.bytes == 4 {
			f.i("VCVTSD2SS", x(0), x(0), x(0))
		}
		f.i("VBROADCAST"+t.s, x(0), f.v(0))
		f.alongRow(t, t, 1, func(_ int, masked bool) {
			f.loadTo(1, "(CX)", t, t, masked)
			f.i("VMUL"+t.p, f.v(0), f.v(1), f.v(1))
			f.storeFrom(1, "(CX)", t, masked)
		})
	})
}

// addRows adds the rows of x, one after another, to the row of the result.
func (f *file) addRows(t number) {
	const n = 8 // vectors at a time
	columns := func(n int, masked bool) {
		for j := range n {
			f.loadTo(j, at(j*f.bytes, "R9"), t, t, masked)
		}
		f.i("MOVQ", "SI", "CX")
		f.i("MOVQ", at(redRows, "DI"), "R10")
		inner := "rows"
		if masked {
			inner = "rowsLeft"
		}
		f.label(inner)
		for j := range n {
			if masked {
				f.loadTo(n+j, at(j*f.bytes, "CX"), t, t, masked)
				f.i("VADD"+t.p, f.v(n+j), f.v(j), f.v(j))
			} else {
				f.i("VADD"+t.p, at(j*f.bytes, "CX"), f.v(j), f.v(j))
			}
		}
		f.i("ADDQ", at(redXRow, "DI"), "CX")
		f.i("DECQ", "R10")
		f.i("JNE", inner)
		for j := range n {
			f.storeFrom(j, at(j*f.bytes, "R9"), t, masked)
		}
		step := fmt.Sprintf("$%d", n*f.bytes)
		f.i("ADDQ", step, "SI")
		f.i("ADDQ", step, "R9")
	}
	all, one := fmt.Sprintf("$%d", n*f.lanes(t)), fmt.Sprintf("$%d", f.lanes(t))
	f.i("MOVQ", at(redCols, "DI"), "DX")
	f.i("SUBQ", all, "DX")
	f.i("JLT", "rest")
	f.label("loop")
	columns(n, false)
	f.i("SUBQ", all, "DX")
	f.i("JGE", "loop")
	f.label("rest")
	f.i("ADDQ", all, "DX")
	f.i("JLE", "end")
	f.label("left")
	f.setTail(t, t)
	columns(1, true)
	f.i("SUBQ", one, "DX")
	f.i("JGT", "left")
	f.label("end")
}
