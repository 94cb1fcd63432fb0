package main

import "fmt"

// The layout of mapArgs in map_amd64.go.
const (
	mapDst = 8 * iota
	mapA
	mapB
	mapC
	mapAStep
	mapBStep
	mapCStep
	mapN
	mapRows
	mapDstRow
	mapARow
	mapBRow
	mapCRow
	mapP
	mapQ
	mapEntry
)

// A mapFn is an elementwise function: it reads a vector of each operand and
// gives one of results.
type mapFn struct {
	name  string // of the Fn
	arity int
	wide  bool // float32 is computed in lanes of float64
	code  func(b *body, x ...val) val
}

// maps writes all elementwise functions, a table of them and the function that
// jumps into it.
func maps(f *file) {
	for _, t := range []number{float32s, float64s} {
		table := fmt.Sprintf("maps%s%s", f.name, t.suffix)
		for i, fn := range mapFns {
			name := fmt.Sprintf("%s%s%s", lower(fn.name), f.name, t.suffix)
			f.mapLoop(name, t, fn)
			f.afterText("DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*i, name)
		}
		f.afterText("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", table, 8*len(mapFns))
		f.jump("map", "mapArgs", table, t, mapEntry)
	}
	f.tailMasks()
	if f.bytes == 32 {
		fmt.Fprintf(&f.decls, "\n// mapEntry has the place of each function in the tables of assembly, from 1.\nvar mapEntry = [NumFn]uint8{\n")
		for i, fn := range mapFns {
			fmt.Fprintf(&f.decls, "%s: %d,\n", fn.name, i+1)
		}
		fmt.Fprintf(&f.decls, "}\n")
		fmt.Fprintf(&f.decls, "\n// mapWide tells for each function whether float32 is computed in float64.\nvar mapWide = [NumFn]bool{\n")
		for _, fn := range mapFns {
			if fn.wide {
				fmt.Fprintf(&f.decls, "%s: true,\n", fn.name)
			}
		}
		fmt.Fprintf(&f.decls, "}\n")
	}
}

// jump writes the Go function that jumps to the entry that its arguments name,
// which finds them in DI.
func (f *file) jump(name, args, table string, t number, entry int) {
	fn := fmt.Sprintf("%s%s%s", name, f.name, t.suffix)
	fmt.Fprintf(&f.text, "\n// func %s(args *%s)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", fn, args, fn)
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(entry, "DI"), "AX")
	f.i("LEAQ", table+"<>(SB)", "BX")
	f.i("MOVQ", "(BX)(AX*8)", "AX")
	f.i("JMP", "AX")
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *%s)\n", fn, args)
}

// tailMasks are, for AVX2, 32 bytes of ones and then of zeros.
func (f *file) tailMasks() {
	if f.bytes != 32 {
		return
	}
	for i := range 4 {
		f.afterText("DATA tailMasks<>+%d(SB)/8, $-1\n", 8*i)
	}
	f.afterText("GLOBL tailMasks<>(SB), RODATA|NOPTR, $64\n")
}

// A stream is a slice that a loop reads or writes, vector by vector.
type stream struct {
	t     number // of its elements
	lanes number // of the vectors that they become
	ptr   string // register
	step  string // register with the bytes from one vector to the next, or ""
}

// at is the address of the vector k steps behind the pointer.
func (s stream) at(f *file, k int) string {
	switch {
	case k == 0:
		return "(" + s.ptr + ")"
	case s.step == "":
		return at(k*f.lanes(s.lanes)*s.t.bytes, s.ptr)
	case k == 1:
		return "(" + s.ptr + ")(" + s.step + "*1)"
	}
	panic("no address")
}

// advance moves the pointer k vectors on.
func (s stream) advance(f *file, k int) {
	switch {
	case s.step == "":
		f.i("ADDQ", fmt.Sprintf("$%d", k*f.lanes(s.lanes)*s.t.bytes), s.ptr)
	case k == 1:
		f.i("ADDQ", s.step, s.ptr)
	default:
		f.i("LEAQ", fmt.Sprintf("(%s)(%s*%d)", s.ptr, s.step, k), s.ptr)
	}
}

// half is register n of half the width.
func (f *file) half(n int) string {
	if f.bytes == 64 {
		return fmt.Sprintf("Y%d", n)
	}
	return fmt.Sprintf("X%d", n)
}

// tail is the vector register with the mask of the last vector, for AVX2.
func (f *file) tail() int { return f.regs - 1 }

// loadTo reads a vector of elements of t as lanes into register d; masked, only
// the elements that are left, and zeros.
func (f *file) loadTo(d int, addr string, t, lanes number, masked bool) {
	convert := t.bytes != lanes.bytes
	switch {
	case convert && masked && f.bytes == 64:
		f.i("VCVTPS2PD.Z", addr, "K1", f.v(d))
	case convert && masked:
		f.i("VMASKMOVPS", addr, f.half(f.tail()), f.half(d))
		f.i("VCVTPS2PD", f.half(d), f.v(d))
	case convert:
		f.i("VCVTPS2PD", addr, f.v(d))
	case masked && f.bytes == 64:
		f.i("VMOVU"+t.p+".Z", addr, "K1", f.v(d))
	case masked:
		f.i("VMASKMOV"+t.p, addr, f.v(f.tail()), f.v(d))
	default:
		f.i("VMOVU"+t.p, addr, f.v(d))
	}
}

// storeFrom writes register r, a vector of t, masked only the elements that are
// left.
func (f *file) storeFrom(r int, addr string, t number, masked bool) {
	switch {
	case masked && f.bytes == 64:
		f.i("VMOVU"+t.p, f.v(r), "K1", addr)
	case masked:
		f.i("VMASKMOV"+t.p, f.v(r), f.v(f.tail()), addr)
	default:
		f.i("VMOVU"+t.p, f.v(r), addr)
	}
}

// load reads vector k of s.
func (b *body) load(s stream, k int, masked bool) val {
	addr := s.at(b.file, k)
	return b.new(false, func(_ []int, d int) { b.loadTo(d, addr, s.t, b.t, masked) })
}

// save writes v to vector k of s.
func (b *body) save(s stream, k int, masked bool, v val) {
	addr := s.at(b.file, k)
	if s.t.bytes != b.t.bytes {
		convert := "VCVTPD2PS"
		if b.bytes == 32 {
			convert = "VCVTPD2PSY"
		}
		v = b.new(false, func(r []int, d int) { b.i(convert, b.v(r[0]), b.half(d)) }, v)
		b.store(func(r []int, _ int) {
			switch {
			case masked && b.bytes == 64:
				b.i("VMOVUPS", b.half(r[0]), "K1", addr)
			case masked:
				b.i("VMASKMOVPS", b.half(r[0]), b.half(b.tail()), addr)
			default:
				b.i("VMOVUPS", b.half(r[0]), addr)
			}
		}, v)
		return
	}
	b.store(func(r []int, _ int) { b.storeFrom(r[0], addr, s.t, masked) }, v)
}

// newPins leaves a register for the mask of the tail.
func (f *file) newPins() *pins {
	if f.bytes == 64 {
		return &pins{}
	}
	return &pins{used: 1}
}

// setTail makes the mask of the DX elements of t that are left, of one vector at
// most. It uses AX.
func (f *file) setTail(t, lanes number) {
	if f.bytes == 64 {
		f.i("MOVQ", "$-1", "AX")
		f.i("BZHIQ", "DX", "AX", "AX")
		f.i("KMOVW", "AX", "K1")
		return
	}
	n := f.lanes(lanes)
	f.i("MOVQ", fmt.Sprintf("$%d", n), "AX")
	f.i("CMPQ", "DX", "AX")
	f.i("CMOVQLT", "DX", "AX")
	f.i("NEGQ", "AX")
	f.i("LEAQ", "tailMasks<>+32(SB)", "BX")
	f.i("VMOVUPS", fmt.Sprintf("(BX)(AX*%d)", t.bytes), f.v(f.regs-1))
}

// loop writes a loop over DX elements of t in lanes: the vectors of code, unroll
// at a time, then one by one and masked. begin comes between the numbers that
// stay in registers and the first vector.
func (f *file) loop(t, lanes number, unroll int, streams []stream, p *pins, begin func(), code func(b *body, k int, masked bool)) {
	main, last := f.newBody(lanes, p), f.newBody(lanes, p)
	for k := range unroll {
		code(main, k, false)
	}
	code(last, 0, true)
	f.loadPins(lanes, p)
	begin()
	step := unroll * f.lanes(lanes)
	f.i("SUBQ", fmt.Sprintf("$%d", step), "DX")
	f.i("JLT", "rest")
	f.text.WriteString("\tPCALIGN $32\n")
	f.label("loop")
	main.emit("loop")
	for _, s := range streams {
		s.advance(f, unroll)
	}
	f.i("SUBQ", fmt.Sprintf("$%d", step), "DX")
	f.i("JGE", "loop")
	f.label("rest")
	f.i("ADDQ", fmt.Sprintf("$%d", step), "DX")
	f.i("JLE", "done")
	f.label("tail")
	f.setTail(t, lanes)
	last.emit("tail")
	for _, s := range streams {
		s.advance(f, 1)
	}
	if unroll > 1 {
		f.i("SUBQ", fmt.Sprintf("$%d", f.lanes(lanes)), "DX")
		f.i("JGT", "tail")
	}
	f.label("done")
}

func (f *file) mapLoop(name string, t number, fn mapFn) {
	lanes := t
	unroll := 2
	if fn.wide {
		lanes, unroll = float64s, 1
	}
	fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
	dst := stream{t, lanes, "R8", ""}
	in := []stream{{t, lanes, "R9", "R12"}, {t, lanes, "R10", "R13"}, {t, lanes, "R11", "SI"}}[:fn.arity]
	for i, s := range in {
		f.i("MOVQ", fmt.Sprintf("$%d", f.lanes(lanes)*t.bytes), s.step)
		f.i("ANDQ", at(mapAStep+8*i, "DI"), s.step)
	}
	f.i("MOVQ", at(mapDst, "DI"), dst.ptr)
	for i, s := range in {
		f.i("MOVQ", at(mapA+8*i, "DI"), s.ptr)
	}
	f.i("MOVQ", at(mapRows, "DI"), "CX")
	begin := func() {
		f.label("row")
		f.i("MOVQ", at(mapN, "DI"), "DX")
	}
	f.loop(t, lanes, unroll, append([]stream{dst}, in...), f.newPins(), begin, func(b *body, k int, masked bool) {
		b.single = t.bytes == 4
		var x []val
		for _, s := range in {
			x = append(x, b.load(s, k, masked))
		}
		b.save(dst, k, masked, fn.code(b, x...))
	})
	f.i("DECQ", "CX")
	f.i("JEQ", "end")
	for i, s := range append([]stream{dst}, in...) {
		f.i("ADDQ", at(mapDstRow+8*i, "DI"), s.ptr)
	}
	f.i("JMP", "row")
	f.label("end")
	f.i("VZEROUPPER")
	f.i("RET")
}
