package main

import "fmt"

// The layout of philoxArgs in random_amd64.go.
const (
	phiDst = 8 * iota
	phiGroups
	phiCounter
	phiRow
	phiStream
	phiFourth
	phiRate
	phiKeep
	phiEntry
	phiKeys // 20 words of 64 bits, two a round
)

// philox writes Philox4x32-10 with a counter in each lane of 64 bits, of which
// the high halves hold rubbish: 32-bit products and the words that come out do
// not see them. A group is one counter a lane, so 4 numbers.
func philox(f *file) {
	for _, t := range []number{float32s, float64s} {
		table := fmt.Sprintf("philox%s%s", f.name, t.suffix)
		for i, mask := range []bool{false, true} {
			name := fmt.Sprintf("%s%s%s", []string{"uniform", "dropout"}[i], f.name, t.suffix)
			fmt.Fprintf(&f.text, "\nTEXT %s<>(SB), NOSPLIT, $0-8\n", name)
			f.philoxLoop(t, mask)
			f.i("VZEROUPPER")
			f.i("RET")
			f.afterText("DATA %s<>+%d(SB)/8, $%s<>(SB)\n", table, 8*i, name)
		}
		f.afterText("GLOBL %s<>(SB), RODATA|NOPTR, $16\n", table)
		f.jump("philox", "philoxArgs", table, t, phiEntry)
	}
	// Counters go to the lanes so that interleaving the words of neighbours puts
	// the numbers in order.
	for i, lane := range map[int][]int{64: {0, 4, 1, 5, 2, 6, 3, 7}, 32: {0, 2, 1, 3}}[f.bytes] {
		f.afterText("DATA counters<>+%d(SB)/8, $%d\n", 8*i, lane)
	}
	f.afterText("GLOBL counters<>(SB), RODATA|NOPTR, $%d\n", f.bytes)
}

func (f *file) philoxLoop(t number, mask bool) {
	wide := f.bytes == 64
	// Registers 0 to 3 are the words, 4 and 5 products, 6 the counters, 7 and 8 the
	// multipliers, 9 to 11 the other words to begin with, 12 a factor, 13 and 14 the
	// rate and what is kept.
	const counters, mul, rest, factor, rate, kept = 6, 7, 9, 12, 13, 14
	f.i("MOVQ", at(phiDst, "DI"), "R8")
	f.i("MOVQ", at(phiGroups, "DI"), "CX")
	f.i("VPBROADCASTQ", at(phiCounter, "DI"), f.v(counters))
	f.i("VPADDQ", "counters<>(SB)", f.v(counters), f.v(counters))
	for i, m := range []uint64{0xD2511F53, 0xCD9E8D57} {
		f.i("VPBROADCASTQ", f.constant(float64s, m), f.v(mul+i))
	}
	for i := range 3 {
		f.i("VPBROADCASTQ", at(phiRow+8*i, "DI"), f.v(rest+i))
	}
	f.i("VBROADCAST"+t.s, f.constant(t, map[int]uint64{4: 0x33800000, 8: 0x3e70000000000000}[t.bytes]), f.v(factor)) // 2^-24
	if mask {
		f.i("VBROADCAST"+t.s, at(phiRate, "DI"), f.v(rate))
		f.i("VBROADCAST"+t.s, at(phiKeep, "DI"), f.v(kept))
	}
	if wide {
		f.i("MOVL", "$0xAAAA", "AX")
		f.i("KMOVW", "AX", "K2")
	}
	move := "VMOVDQA"
	if wide {
		move = "VMOVDQA64"
	}
	f.label("loop")
	f.i(move, f.v(counters), f.v(0))
	for i := range 3 {
		f.i(move, f.v(rest+i), f.v(1+i))
	}
	// w holds the registers of the words.
	w := [4]int{0, 1, 2, 3}
	p0, p1 := 4, 5
	for round := range 10 {
		f.i("VPMULUDQ", f.v(w[0]), f.v(mul), f.v(p0))
		f.i("VPMULUDQ", f.v(w[2]), f.v(mul+1), f.v(p1))
		f.i("VPSRLQ", "$32", f.v(p1), f.v(w[0]))
		f.i("VPSRLQ", "$32", f.v(p0), f.v(w[2]))
		for half := range 2 {
			key := at(phiKeys+16*round+8*half, "DI")
			word, with := w[2*half], w[2*half+1]
			if wide {
				f.i("VPTERNLOGQ.BCST", "$0x96", key, f.v(with), f.v(word))
				continue
			}
			f.i("VPXOR", f.v(with), f.v(word), f.v(word))
			f.i("VPBROADCASTQ", key, f.v(with))
			f.i("VPXOR", f.v(with), f.v(word), f.v(word))
		}
		// The low products are the new second and fourth words.
		w[1], w[3], p0, p1 = p1, p0, w[1], w[3]
	}
	a, b := w[0], w[2]
	for i, r := range []int{a, b} {
		f.i("VPSLLQ", "$32", f.v(w[2*i+1]), f.v(w[2*i+1]))
		if wide {
			f.i("VPBLENDMD", f.v(w[2*i+1]), f.v(r), "K2", f.v(r))
		} else {
			f.i("VPBLENDD", "$0xAA", f.v(w[2*i+1]), f.v(r), f.v(r))
		}
	}
	f.i("VPUNPCKLQDQ", f.v(b), f.v(a), f.v(p0))
	f.i("VPUNPCKHQDQ", f.v(b), f.v(a), f.v(p1))
	out := 0
	store := func(r int) {
		f.i("VMUL"+t.p, f.v(factor), f.v(r), f.v(r))
		switch {
		case mask && wide:
			f.i("VCMP"+t.p, "$0x1D", f.v(rate), f.v(r), "K3")
			f.i("VMOVAP"+t.p[1:]+".Z", f.v(kept), "K3", f.v(r))
		case mask:
			f.i("VCMP"+t.p, "$0x1D", f.v(rate), f.v(r), f.v(r))
			f.i("VANDPD", f.v(kept), f.v(r), f.v(r))
		}
		f.i("VMOVU"+t.p, f.v(r), at(out, "R8"))
		out += f.bytes
	}
	for _, r := range []int{p0, p1} {
		f.i("VPSRLD", "$8", f.v(r), f.v(r))
		if t.bytes == 4 {
			f.i("VCVTDQ2PS", f.v(r), f.v(r))
			store(r)
			continue
		}
		f.i("VCVTDQ2PD", f.half(r), f.v(a))
		store(a)
		if wide {
			f.i("VEXTRACTI64X4", "$1", f.v(r), f.half(r))
		} else {
			f.i("VEXTRACTI128", "$1", f.v(r), f.half(r))
		}
		f.i("VCVTDQ2PD", f.half(r), f.v(a))
		store(a)
	}
	f.i("ADDQ", fmt.Sprintf("$%d", out), "R8")
	// Eight or four counters further.
	if wide {
		f.i("VPADDQ.BCST", f.constant(float64s, 8), f.v(counters), f.v(counters))
	} else {
		f.i("VPADDQ", f.constant(float64s, 4), f.v(counters), f.v(counters))
	}
	f.i("DECQ", "CX")
	f.i("JNE", "loop")
}
