package main

import "fmt"

// The layout of updateArgs in update_amd64.go: five slices and seven numbers.
const (
	updSlices  = 0
	updNumbers = 40
	updN       = 96
	updEntry   = 104
	updMXCSR   = 112 // the control word as it was, and as it is here
)

// An update computes new elements of some of its slices from the elements of all.
type update struct {
	name   string
	slices int
	out    []int // those that code gives, in order
	flush  bool  // float32 that are too small for a full precision count as 0
	code   func(b *body, x []val, c func(int) val) []val
}

// Products and sums are rounded one by one, as in plain Go, so that both give the
// same bits.
var updateKernels = []update{
	// y = y + a x
	{"axpy", 2, []int{0}, false, func(b *body, x []val, c func(int) val) []val {
		return []val{b.add(x[0], b.mul(x[1], c(0)))}
	}},
	// z = a x + b y
	{"axpby", 3, []int{0}, false, func(b *body, x []val, c func(int) val) []val {
		return []val{b.add(b.mul(x[1], c(0)), b.mul(x[2], c(1)))}
	}},
	// y = y + a (x - y)
	{"lerp", 2, []int{0}, false, func(b *body, x []val, c func(int) val) []val {
		return []val{b.add(x[0], b.mul(b.sub(x[1], x[0]), c(0)))}
	}},
	// x = x - rate (g + decay x)
	{"sgd", 2, []int{0}, false, func(b *body, x []val, c func(int) val) []val {
		d := b.add(x[1], b.mul(x[0], c(1)))
		return []val{b.sub(x[0], b.mul(d, c(0)))}
	}},
	// d = g + decay x; m = mu m + fresh d; x = x - (ofGrad d + ofBuffer m)
	{"momentum", 3, []int{0, 2}, false, func(b *body, x []val, c func(int) val) []val {
		d := b.add(x[1], b.mul(x[0], c(2)))
		m := b.add(b.mul(x[2], c(0)), b.mul(d, c(1)))
		return []val{b.sub(x[0], b.add(b.mul(d, c(3)), b.mul(m, c(4)))), m}
	}},
	{"adam", 4, []int{0, 2, 3}, true, func(b *body, x []val, c func(int) val) []val {
		m, v := adamMoments(b, x, c)
		return []val{adamStep(b, x[0], m, v, c), m, v}
	}},
	{"adamMax", 5, []int{0, 2, 3, 4}, true, func(b *body, x []val, c func(int) val) []val {
		m, v := adamMoments(b, x, c)
		u := b.orMask(b.cmp(unordered, x[4], v), b.and(b.max(x[4], v), b.max(v, x[4])))
		return []val{adamStep(b, x[0], m, u, c), m, v, u}
	}},
}

// adamMoments are g = g + coupled x, m = m + fresh1 (g - m) and
// v = beta2 v + fresh2 g g. The numbers are those of AdamCoefficients in order.
func adamMoments(b *body, x []val, c func(int) val) (m, v val) {
	g := b.add(x[1], b.mul(x[0], c(5)))
	m = b.add(x[2], b.mul(b.sub(g, x[2]), c(0)))
	v = b.add(b.mul(x[3], c(1)), b.mul(b.mul(g, c(2)), g))
	return m, v
}

// adamStep is keep x - rate m / (sqrt(v) + eps).
func adamStep(b *body, x, m, v val, c func(int) val) val {
	step := b.div(b.mul(m, c(3)), b.add(b.sqrt(v), c(4)))
	return b.sub(b.mul(x, c(6)), step)
}

// updates writes them, tables and the functions that jump into them.
func updates(f *file) {
	for _, t := range []number{float32s, float64s} {
		table := fmt.Sprintf("updates%s%s", f.name, t.suffix)
		for i, u := range updateKernels {
			name := fmt.Sprintf("%s%s%s", u.name, f.name, t.suffix)
			fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
			var s []stream
			for k := range u.slices {
				ptr := []string{"R8", "R9", "R10", "R11", "R12"}[k]
				f.i("MOVQ", at(updSlices+8*k, "DI"), ptr)
				s = append(s, stream{t, t, ptr, ""})
			}
			flush := u.flush && t == float32s
			if flush {
				// Flush to zero and denormals are zero: their roots and quotients take many
				// times as long as others.
				f.i("STMXCSR", at(updMXCSR, "DI"))
				f.i("MOVL", at(updMXCSR, "DI"), "AX")
				f.i("ORL", "$0x8040", "AX")
				f.i("MOVL", "AX", at(updMXCSR+4, "DI"))
				f.i("LDMXCSR", at(updMXCSR+4, "DI"))
			}
			f.i("MOVQ", at(updN, "DI"), "DX")
			f.loop(t, t, 1, s, f.newPins(), func(b *body, k int, masked bool) {
				var x []val
				for _, s := range s {
					x = append(x, b.load(s, k, masked))
				}
				out := u.code(b, x, func(i int) val { return b.param(updNumbers + 8*i) })
				for i, v := range out {
					b.save(s[u.out[i]], k, masked, v)
				}
			})
			if flush {
				f.i("LDMXCSR", at(updMXCSR, "DI"))
			}
			f.i("VZEROUPPER")
			f.i("RET")
			f.afterText("DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*i, name)
		}
		f.afterText("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", table, 8*len(updateKernels))
		f.jump("update", "updateArgs", table, t, updEntry)
	}
	f.tailMasks()
}
