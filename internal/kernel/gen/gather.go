package main

import "fmt"

// The layout of gatherArgs in gather_amd64.go.
const (
	gatDst = 8 * iota
	gatSrc
	gatN
	gatScale
	gatShift
	gatAhead
	gatAheadN
)

// gathers write the conversion of a row of bytes, whole vectors of it, to numbers
// scale b + shift, computed in float64 with two roundings. First they ask for
// another row of bytes, which will be read soon.
func gathers(f *file) {
	for _, t := range []number{float32s, float64s} {
		fn := fmt.Sprintf("gather%s%s", f.name, t.suffix)
		fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *gatherArgs)\n", fn)
		fmt.Fprintf(&f.text, "\n// func %s(args *gatherArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", fn, fn)
		f.i("MOVQ", "args+0(FP)", "DI")
		f.i("MOVQ", at(gatAhead, "DI"), "CX")
		f.i("MOVQ", at(gatAheadN, "DI"), "DX")
		f.i("TESTQ", "DX", "DX")
		f.i("JLE", "fetched")
		f.label("fetch")
		f.i("PREFETCHT0", "(CX)")
		f.i("ADDQ", "$64", "CX")
		f.i("SUBQ", "$64", "DX")
		f.i("JGT", "fetch")
		f.label("fetched")
		f.i("MOVQ", at(gatDst, "DI"), "R8")
		f.i("MOVQ", at(gatSrc, "DI"), "R9")
		f.i("MOVQ", at(gatN, "DI"), "DX")
		f.i("VBROADCASTSD", at(gatScale, "DI"), f.v(2))
		f.i("VBROADCASTSD", at(gatShift, "DI"), f.v(3))
		f.label("loop")
		f.i("VPMOVZXBD", "(R9)", f.half(0))
		f.i("VCVTDQ2PD", f.half(0), f.v(0))
		f.i("VMULPD", f.v(2), f.v(0), f.v(0))
		f.i("VADDPD", f.v(3), f.v(0), f.v(0))
		n := f.lanes(float64s)
		switch {
		case t.bytes == 8:
			f.i("VMOVUPD", f.v(0), "(R8)")
		case f.bytes == 64:
			f.i("VCVTPD2PS", f.v(0), y(0))
			f.i("VMOVUPS", y(0), "(R8)")
		default:
			f.i("VCVTPD2PSY", f.v(0), x(0))
			f.i("VMOVUPS", x(0), "(R8)")
		}
		f.i("ADDQ", fmt.Sprintf("$%d", n*t.bytes), "R8")
		f.i("ADDQ", fmt.Sprintf("$%d", n), "R9")
		f.i("SUBQ", fmt.Sprintf("$%d", n), "DX")
		f.i("JGT", "loop")
		f.i("VZEROUPPER")
		f.i("RET")
	}
	if f.bytes == 32 {
		fn := "prefetch"
		fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(p *byte, lines, step int)\n", fn)
		fmt.Fprintf(&f.text, "\n// func %s(p *byte, lines, step int)\nTEXT ·%s(SB), NOSPLIT, $0-24\n", fn, fn)
		f.i("MOVQ", "p+0(FP)", "CX")
		f.i("MOVQ", "lines+8(FP)", "DX")
		f.i("MOVQ", "step+16(FP)", "SI")
		f.label("loop")
		f.i("PREFETCHT0", "(CX)")
		f.i("ADDQ", "SI", "CX")
		f.i("DECQ", "DX")
		f.i("JGT", "loop")
		f.i("RET")
	}
}
