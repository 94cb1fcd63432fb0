package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// block is how many elements an expression of several functions works on at a
// time: its registers stay in the first-level cache.
const block = 1024

// bindMap runs an elementwise expression row by row of the innermost axis that
// all operands walk with one stride.
func (m *machine[T]) bindMap(in *inst, o mapOp) step {
	out := m.operand(in.out)
	args := make([]operand[T], len(in.in))
	strides := [][]int{out.stride}
	for i, v := range in.in {
		args[i] = m.operand(v)
		strides = append(strides, args[i].stride)
	}
	dims, strides := collapse(out.shape, strides)
	if f := &o.code[0]; len(o.code) == 1 && f.fn == Copy && len(dims) > 1 {
		if a := slices.Index(strides[1], 1); a >= 0 && a < len(dims)-1 && strides[1][len(dims)-1] > 1 {
			return m.bindTranspose(args[0], out, dims, strides, a)
		}
	}
	inner := 1
	step1 := make([]int, len(strides)) // stride of each operand along a row
	if n := len(dims) - 1; n >= 0 {
		inner = dims[n]
		for i := range strides {
			step1[i] = strides[i][n]
			strides[i] = strides[i][:n]
		}
		dims = dims[:n]
	}
	rows := Size(dims)
	if inner == 0 || rows == 0 {
		return func() error { return nil }
	}
	regs, temps := registers(o.code, len(args))
	m.needs((temps + len(args)) * block)

	e := &expr[T]{m: m, code: o.code, regs: regs, temps: temps, out: out, args: args, step: step1, inner: inner}
	var count int
	if rows == 1 {
		// One long row: cut it by elements, in whole blocks.
		count, e.each = pieces((inner+block-1)/block, block)
		e.each *= block
		f := func(worker, i int) {
			var off [maxArgs]int
			e.row(worker, &off, i*e.each, min(inner, (i+1)*e.each))
		}
		return func() error { e.load(); m.pool.Run(count, f); return nil }
	}
	count, e.each = pieces(rows, inner)
	f := func(worker, i int) {
		w := walker{dims: dims, strides: strides}
		lo, hi := i*e.each, min(rows, (i+1)*e.each)
		for w.seek(lo); lo < hi; lo++ {
			e.row(worker, &w.off, 0, inner)
			w.next()
		}
	}
	return func() error { e.load(); m.pool.Run(count, f); return nil }
}

// bindTranspose copies an operand that is contiguous along axis a, and not along
// the last, by transposes of the matrices of these two.
func (m *machine[T]) bindTranspose(x, out operand[T], dims []int, strides [][]int, a int) step {
	last := len(dims) - 1
	rows, cols := dims[last], dims[a]
	srcRow, dstRow := strides[1][last], strides[0][a]
	without := func(s []int) []int { return slices.Concat(s[:a], s[a+1:last]) }
	dims, strides = without(dims), [][]int{without(strides[0]), without(strides[1])}
	n := Size(dims)
	// Matrices are cut by columns, which are rows of the result.
	count, each := cut(cols, max(16, grain/max(1, rows)))
	f := func(_, i int) {
		w := walker{dims: dims, strides: strides}
		w.seek(i / count)
		c := i % count * each
		kernel.Transpose(out.data()[w.off[0]+c*dstRow:], dstRow, x.data()[w.off[1]+c:], srcRow, rows, min(each, cols-c))
	}
	return func() error { m.pool.Run(n*count, f); return nil }
}

// expr is an elementwise expression at work.
type expr[T Float] struct {
	m     *machine[T]
	code  []mapFn
	regs  []int // the temporary of each function's result; -1 is the output
	temps int
	out   operand[T]
	args  []operand[T]
	step  []int // along a row: of the output, then of each operand
	inner int
	each  int

	dst []T
	src [maxArgs][]T
}

// load looks up the slices, which the caller may have replaced since the last
// run.
func (e *expr[T]) load() {
	e.dst = e.out.data()
	for i := range e.args {
		e.src[i] = e.args[i].data()
	}
}

// row computes the elements [lo, hi) of the row at the offsets off.
func (e *expr[T]) row(worker int, off *[maxArgs]int, lo, hi int) {
	if len(e.code) == 1 && e.step[0] == 1 && e.direct() {
		n, f := hi-lo, &e.code[0]
		e.call(f, e.dst[off[0]+lo:][:n], e.arg(f.arg[0], off, lo, n), e.arg(f.arg[1], off, lo, n), e.arg(f.arg[2], off, lo, n))
		return
	}
	mem := e.m.scratch(worker)
	var reg [maxArgs + maxCode][]T
	for ; lo < hi; lo += block {
		n := min(block, hi-lo)
		for i := range e.args {
			if e.step[i+1] <= 1 {
				reg[i] = e.arg(i, off, lo, n)
				continue
			}
			t := mem[(e.temps+i)*block:][:n]
			src, s := e.src[i][off[i+1]+lo*e.step[i+1]:], e.step[i+1]
			for j := range t {
				t[j] = src[j*s]
			}
			reg[i] = t
		}
		for c := range e.code {
			f := &e.code[c]
			dst := e.dst[off[0]+lo:][:n]
			if e.regs[c] >= 0 {
				dst = mem[e.regs[c]*block:][:n]
			}
			e.call(f, dst, reg[f.arg[0]], reg[f.arg[1]], reg[f.arg[2]])
			reg[len(e.args)+c] = dst
		}
	}
}

// direct tells whether every operand is a run of numbers or one number.
func (e *expr[T]) direct() bool {
	for _, s := range e.step[1:] {
		if s > 1 {
			return false
		}
	}
	return true
}

func (e *expr[T]) arg(i int, off *[maxArgs]int, lo, n int) []T {
	if i >= len(e.args) {
		return nil
	}
	o := off[i+1]
	if e.step[i+1] == 0 {
		return e.src[i][o : o+1]
	}
	return e.src[i][o+lo : o+lo+n]
}

func (e *expr[T]) call(f *mapFn, dst, a, b, c []T) {
	switch f.operand {
	case 1:
		if len(a) == 1 && len(dst) != 1 {
			kernel.Map1(f.fn, dst[:1], a, f.p, f.q)
			fill(dst[1:], dst[0])
			return
		}
		kernel.Map1(f.fn, dst, a, f.p, f.q)
	case 2:
		kernel.Map2(f.fn, dst, a, b)
	default:
		kernel.Map3(f.fn, dst, a, b, c)
	}
}

// maxCode bounds the functions of one expression and maxOperands its operands.
const (
	maxCode     = 32
	maxOperands = maxArgs - 1 // one is the output
)

// registers gives each function's result a temporary, reused after its last
// reader, and -1 to the last result, which goes to the output.
func registers(code []mapFn, args int) (regs []int, temps int) {
	last := make([]int, len(code))
	for c, f := range code {
		for _, a := range f.arg[:f.operand] {
			if a >= args {
				last[a-args] = c
			}
		}
	}
	regs = make([]int, len(code))
	var free []int
	for c := range code {
		for d := range c {
			if last[d] == c && regs[d] >= 0 {
				free = append(free, regs[d]) // an elementwise function may overwrite its operand
			}
		}
		switch {
		case c == len(code)-1:
			regs[c] = -1
		case len(free) > 0:
			regs[c], free = free[len(free)-1], free[:len(free)-1]
		default:
			regs[c] = temps
			temps++
		}
	}
	return regs, temps
}
