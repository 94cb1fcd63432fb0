package main

import "fmt"

// A depthwise kernel convolves a vector of channels, each with its own weights:
// it computes a run of results, up to four at a time, whose sums live in registers
// over all taps.

// The layout of depthwiseArgs in depthwise_amd64.go.
const (
	depX     = 8 * iota // first tap of the first result
	depW                // weight of that tap
	depY                // first result
	depXStep            // bytes from a result's taps to those of the next
	depYStep            // bytes from a result to the next
	depRow              // bytes from a row of taps to the next
	depTap              // bytes from a tap to the next in its row
	depWStep            // bytes from a weight to the next
	depR                // taps down and across
	depS                //
	depCount            // results
	depMask             // of the lanes in use
	depAdd              // 0: set the results, else add to them
)

func depthwise(f *file) {
	for _, t := range []number{float32s, float64s} {
		f.depthwiseKernel(t)
	}
}

func (f *file) depthwiseKernel(t number) {
	const (
		most = 4 // results at a time
		w    = most
		x    = most + 1
		mask = most + 2
	)
	name := "depthwise" + f.name + t.suffix
	fmt.Fprintf(&f.decls, "\n//go:noescape\nfunc %s(args *depthwiseArgs)\n", name)
	fmt.Fprintf(&f.text, "\n// func %s(args *depthwiseArgs)\nTEXT ·%s(SB), NOSPLIT, $0-8\n", name, name)
	wide := f.bytes == 64
	v := f.v
	f.i("MOVQ", "args+0(FP)", "DI")
	f.i("MOVQ", at(depX, "DI"), "SI")
	f.i("MOVQ", at(depY, "DI"), "CX")
	f.i("MOVQ", at(depXStep, "DI"), "R8")
	f.i("LEAQ", "(R8)(R8*2)", "R9")
	f.i("MOVQ", at(depYStep, "DI"), "DX")
	f.i("MOVQ", at(depCount, "DI"), "AX")
	f.i("MOVQ", at(depMask, "DI"), "BX")
	if wide {
		f.i("KMOVW", "BX", "K1")
	} else {
		f.i("VMOVUPS", "(BX)", v(mask))
	}
	load := func(addr, to string) {
		if wide {
			f.i("VMOVU"+t.p+".Z", addr, "K1", to)
		} else {
			f.i("VMASKMOV"+t.p, addr, v(mask), to)
		}
	}
	for n := most; n >= 1; n-- {
		here, next := fmt.Sprintf("results%d", n), fmt.Sprintf("fewer%d", n)
		f.label(here)
		f.i("CMPQ", "AX", fmt.Sprintf("$%d", n))
		f.i("JLT", next)
		f.i("CMPQ", at(depAdd, "DI"), "$0")
		f.i("JEQ", fmt.Sprintf("zero%d", n))
		f.i("MOVQ", "CX", "R11")
		for i := range n {
			load("(R11)", v(i))
			if i < n-1 {
				f.i("ADDQ", "DX", "R11")
			}
		}
		f.i("JMP", fmt.Sprintf("begin%d", n))
		f.label(fmt.Sprintf("zero%d", n))
		for i := range n {
			f.zero(i)
		}
		f.label(fmt.Sprintf("begin%d", n))
		f.i("MOVQ", at(depW, "DI"), "BX")
		f.i("MOVQ", "SI", "R10")
		f.i("MOVQ", at(depR, "DI"), "R13")
		f.label(fmt.Sprintf("row%d", n))
		f.i("MOVQ", "R10", "R11")
		f.i("MOVQ", at(depS, "DI"), "R12")
		f.label(fmt.Sprintf("tap%d", n))
		load("(BX)", v(w))
		for i, addr := range []string{"(R11)", "(R11)(R8*1)", "(R11)(R8*2)", "(R11)(R9*1)"}[:n] {
			if wide {
				f.i("VFMADD231"+t.p, addr, v(w), "K1", v(i))
			} else {
				load(addr, v(x))
				f.i("VFMADD231"+t.p, v(x), v(w), v(i))
			}
		}
		f.i("ADDQ", at(depTap, "DI"), "R11")
		f.i("ADDQ", at(depWStep, "DI"), "BX")
		f.i("DECQ", "R12")
		f.i("JNE", fmt.Sprintf("tap%d", n))
		f.i("ADDQ", at(depRow, "DI"), "R10")
		f.i("DECQ", "R13")
		f.i("JNE", fmt.Sprintf("row%d", n))
		for i := range n {
			if wide {
				f.i("VMOVU"+t.p, v(i), "K1", "(CX)")
			} else {
				f.i("VMASKMOV"+t.p, v(i), v(mask), "(CX)")
			}
			f.i("ADDQ", "DX", "CX")
			f.i("ADDQ", "R8", "SI")
		}
		f.i("SUBQ", fmt.Sprintf("$%d", n), "AX")
		f.i("JMP", here)
		f.label(next)
	}
	f.i("VZEROUPPER")
	f.i("RET")
}
