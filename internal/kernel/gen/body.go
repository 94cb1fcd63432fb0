package main

import (
	"fmt"
	"math"
	"strings"
)

// A body is straight-line vector code on values, each written once. When it is
// complete, emit gives every value a register until its last use. There is no
// spilling: code that needs more registers than there are is an error.
type body struct {
	*file
	t number // of the lanes
	// single says that results are rounded to float32, so that in lanes of float64
	// shorter approximations do.
	single bool
	ops    []op
	last   []int // the last op that uses each value
	pins   *pins
}

// val is a value in a register, or a number in memory that every lane reads.
type val struct {
	id   int
	mem  string
	mask bool // of AVX-512, in a K register
}

func (v val) reg() bool { return v.mem == "" }

type op struct {
	src []val
	dst val // its id is -1 for a store
	// put writes the instruction, given the registers of src (memory has -1) and
	// that of dst.
	put func(src []int, dst int)
	// Instructions that overwrite an operand have no put.
	fma  string // sign of product and sum, as in VFMADD
	tied string // name(src[1], src[2]) into src[0], which is used no more
}

// pins are numbers kept in registers throughout a kernel, from the last one down.
type pins struct {
	list []pin
	used int // registers
}

type pin struct {
	val
	number string
}

const pinned = 1 << 20 // ids of pins begin here

func (f *file) newBody(t number, p *pins) *body { return &body{file: f, t: t, pins: p} }

// pin loads a number before the loop.
func (b *body) pin(v val) val {
	if v.reg() {
		return v
	}
	for _, p := range b.pins.list {
		if p.number == v.mem {
			return p.val
		}
	}
	p := pin{val{id: pinned + b.regs - 1 - b.pins.used}, v.mem}
	b.pins.used++
	b.pins.list = append(b.pins.list, p)
	return p.val
}

// loadPins comes before the loops.
func (f *file) loadPins(t number, p *pins) {
	for _, p := range p.list {
		f.i("VBROADCAST"+t.s, p.number, f.v(p.id-pinned))
	}
}

// k is a constant, in every lane.
func (b *body) k(x float64) val {
	if b.t.bytes == 4 {
		return b.bits(uint64(math.Float32bits(float32(x))))
	}
	return b.bits(math.Float64bits(x))
}

// bits is a constant given by its bits.
func (b *body) bits(x uint64) val { return val{mem: b.file.constant(b.t, x)} }

// param is a number among the arguments.
func (b *body) param(offset int) val { return b.pin(val{mem: at(offset, "DI")}) }

func (b *body) new(mask bool, put func(src []int, dst int), src ...val) val {
	d := val{id: len(b.last), mask: mask}
	b.last = append(b.last, -1)
	b.ops = append(b.ops, op{src: src, dst: d, put: put})
	return d
}

func (b *body) store(put func(src []int, dst int), src ...val) {
	b.ops = append(b.ops, op{src: src, dst: val{id: -1}, put: put})
}

// arg is the assembly of an operand, and the suffix that it asks of its
// instruction: AVX-512 broadcasts one number from memory, AVX2 reads a vector of
// them.
func (b *body) arg(v val, reg int) (text, suffix string) {
	if v.reg() {
		return b.v(reg), ""
	}
	if b.bytes == 64 {
		return v.mem, ".BCST"
	}
	return v.mem, ""
}

// fresh is a number in a register of its own.
func (b *body) fresh(v val) val {
	return b.new(false, func(_ []int, d int) { b.i("VBROADCAST"+b.t.s, v.mem, b.v(d)) })
}

// inReg is v, loaded if it is in memory.
func (b *body) inReg(v val) val {
	if v.reg() {
		return v
	}
	return b.pin(v)
}

// op2 is name(x, y) for an instruction whose second operand may be memory.
func (b *body) op2(name string, x, y val) val {
	x = b.inReg(x)
	return b.new(false, func(s []int, d int) {
		text, suffix := b.arg(y, s[1])
		b.i(name+suffix, text, b.v(s[0]), b.v(d))
	}, x, y)
}

// op1 is name(x).
func (b *body) op1(name string, x val) val {
	return b.new(false, func(s []int, d int) { b.i(name, b.v(s[0]), b.v(d)) }, b.inReg(x))
}

// op1i is name(x) with an immediate.
func (b *body) op1i(name string, imm int, x val) val {
	return b.new(false, func(s []int, d int) { b.i(name, fmt.Sprintf("$%d", imm), b.v(s[0]), b.v(d)) }, b.inReg(x))
}

// commute puts a number in memory second.
func commute(x, y val) (val, val) {
	if !x.reg() {
		return y, x
	}
	return x, y
}

func (b *body) add(x, y val) val { x, y = commute(x, y); return b.op2("VADD"+b.t.p, x, y) }
func (b *body) mul(x, y val) val { x, y = commute(x, y); return b.op2("VMUL"+b.t.p, x, y) }
func (b *body) sub(x, y val) val { return b.op2("VSUB"+b.t.p, x, y) }
func (b *body) div(x, y val) val { return b.op2("VDIV"+b.t.p, x, y) }
func (b *body) sqrt(x val) val   { return b.op1("VSQRT"+b.t.p, x) }

// max is x > y ? x : y, so y if either is NaN or both are zeros; min is x < y.
func (b *body) max(x, y val) val { return b.op2("VMAX"+b.t.p, x, y) }
func (b *body) min(x, y val) val { return b.op2("VMIN"+b.t.p, x, y) }

func (b *body) and(x, y val) val { x, y = commute(x, y); return b.op2("VAND"+b.t.p, x, y) }
func (b *body) or(x, y val) val  { x, y = commute(x, y); return b.op2("VOR"+b.t.p, x, y) }
func (b *body) xor(x, y val) val { x, y = commute(x, y); return b.op2("VXOR"+b.t.p, x, y) }

func (b *body) sign() val { return b.bits(1 << (8*b.t.bytes - 1)) }
func (b *body) abs(x val) val {
	return b.and(x, b.bits(1<<(8*b.t.bytes-1)-1))
}
func (b *body) neg(x val) val { return b.xor(x, b.sign()) }

// withSign is x, which is not negative, with the sign of s.
func (b *body) withSign(x, s val) val { return b.or(x, b.and(s, b.sign())) }

// Integers in lanes of 64 bits.
func (b *body) addq(x, y val) val { x, y = commute(x, y); return b.op2("VPADDQ", x, y) }
func (b *body) subq(x, y val) val { return b.op2("VPSUBQ", x, y) }
func (b *body) shl(x val, n int) val {
	return b.op1i("VPSLLQ", n, x)
}
func (b *body) shr(x val, n int) val { return b.op1i("VPSRLQ", n, x) }

// round rounds to an integer: mode 1 is down, 2 up.
func (b *body) round(x val, mode int) val {
	name := "VROUND"
	if b.bytes == 64 {
		name = "VRNDSCALE"
	}
	return b.op1i(name+b.t.p, mode|8, x)
}

// Predicates of cmp. If either is NaN only unordered, notEqual and notLess hold.
const (
	equal     = 0x00
	apart     = 0x0C
	notEqual  = 0x04
	unordered = 0x03
	notLess   = 0x15
	less      = 0x11
	lessEqual = 0x12
	greaterEq = 0x1D
	greater   = 0x1E
)

// cmp compares; what it gives is for blend and keep.
func (b *body) cmp(predicate int, x, y val) val {
	x = b.inReg(x)
	return b.new(b.bytes == 64, func(s []int, d int) {
		text, suffix := b.arg(y, s[1])
		to := b.v(d)
		if b.bytes == 64 {
			to = fmt.Sprintf("K%d", d)
		}
		b.i("VCMP"+b.t.p+suffix, fmt.Sprintf("$%d", predicate), text, b.v(s[0]), to)
	}, x, y)
}

// negative is the mask of the lanes whose sign bit is set.
func (b *body) negative(x val) val {
	if b.bytes != 64 {
		return x
	}
	name := "VPMOVD2M"
	if b.t.bytes == 8 {
		name = "VPMOVQ2M"
	}
	return b.new(true, func(s []int, d int) { b.i(name, b.v(s[0]), fmt.Sprintf("K%d", d)) }, x)
}

// blend is m ? x : y.
func (b *body) blend(m, x, y val) val {
	y = b.inReg(y)
	if m.mask {
		return b.new(false, func(s []int, d int) {
			text, suffix := b.arg(x, s[1])
			b.i("VBLENDM"+b.t.p+suffix, text, b.v(s[2]), fmt.Sprintf("K%d", s[0]), b.v(d))
		}, m, x, y)
	}
	return b.new(false, func(s []int, d int) {
		text, _ := b.arg(x, s[1])
		b.i("VBLENDV"+b.t.p, b.v(s[0]), text, b.v(s[2]), b.v(d))
	}, m, x, y)
}

// orMask is NaN in the lanes of m and x in others.
func (b *body) orMask(m, x val) val {
	if !m.mask {
		return b.or(m, x)
	}
	return b.blend(m, b.bits(1<<(8*b.t.bytes-1)*2-1), x)
}

// keep is m ? x : 0.
func (b *body) keep(m, x val) val {
	if !m.mask {
		return b.and(m, x)
	}
	x = b.inReg(x)
	return b.new(false, func(s []int, d int) {
		b.i("VMOVAP"+b.t.p[1:]+".Z", b.v(s[1]), fmt.Sprintf("K%d", s[0]), b.v(d))
	}, m, x)
}

// Products and sums with one rounding. A number in memory may stand anywhere.
func (b *body) fma(x, y, z val) val  { return b.fused("VFMADD", x, y, z) }  // x y + z
func (b *body) fms(x, y, z val) val  { return b.fused("VFMSUB", x, y, z) }  // x y - z
func (b *body) fnma(x, y, z val) val { return b.fused("VFNMADD", x, y, z) } // z - x y

func (b *body) fused(name string, x, y, z val) val {
	x, y = commute(x, y)
	if !y.reg() && !z.reg() {
		z = b.fresh(z)
	}
	d := val{id: len(b.last)}
	b.last = append(b.last, -1)
	b.ops = append(b.ops, op{src: []val{x, y, z}, dst: d, fma: name})
	return d
}

// poly is c[0] + c[1] x + ..., by Horner's rule.
func (b *body) poly(x val, c []float64) val {
	n := len(c) - 1
	p := b.fresh(b.k(c[n]))
	for i := n - 1; i >= 0; i-- {
		p = b.fma(p, x, b.k(c[i]))
	}
	return p
}

// constant is a number in read-only memory: one for AVX-512, a vector for AVX2.
func (f *file) constant(t number, bits uint64) string {
	key := fmt.Sprintf("%d:%x", t.bytes, bits)
	off, ok := f.constants[key]
	if !ok {
		off = f.constBytes
		if f.constants == nil {
			f.constants = map[string]int{}
		}
		f.constants[key] = off
		n := 1
		if f.bytes == 32 {
			n = f.lanes(t)
		}
		for range n {
			fmt.Fprintf(&f.constText, "DATA numbers<>+%d(SB)/%d, $0x%x\n", f.constBytes, t.bytes, bits)
			f.constBytes += t.bytes
		}
	}
	return fmt.Sprintf("numbers<>+%d(SB)", off)
}

// writeConstants comes at the end of a file.
func (f *file) writeConstants() {
	if f.constBytes > 0 {
		fmt.Fprintf(&f.text, "\n%sGLOBL numbers<>(SB), RODATA|NOPTR, $%d\n", f.constText.String(), f.constBytes)
	}
}

// lower is a name as in labels.
func lower(s string) string { return strings.ToLower(s[:1]) + s[1:] }
