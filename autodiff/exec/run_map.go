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
	e := &expr[T]{m: m, code: o.code, out: out, args: args}
	e.dims, e.strides = dims, strides
	e.step, e.inner = e.take()
	if e.inner < block/4 && len(e.dims) > 0 {
		e.rowStep, e.many = e.take()
	} else {
		e.rowStep, e.many = make([]int, len(strides)), 1
	}
	runs := Size(e.dims)
	if e.inner == 0 || e.many == 0 || runs == 0 {
		return func() error { return nil }
	}
	e.settle()
	m.needs((e.temps + len(args)) * block)
	var f func(worker, i int)
	var count int
	switch {
	case e.many > 1:
		// Short rows: as many of them at a time as a block holds.
		each := max(1, block/e.inner)
		blocks := (e.many + each - 1) / each
		var per int
		count, per = pieces(runs*blocks, each*e.inner)
		f = func(worker, i int) {
			w := walker{dims: e.dims, strides: e.strides}
			e.prepare(worker)
			for k := i * per; k < min(runs*blocks, (i+1)*per); k++ {
				if k == i*per || k%blocks == 0 {
					w.seek(k / blocks)
				}
				r := k % blocks * each
				e.rows(worker, &w.off, r, min(each, e.many-r))
			}
		}
	case runs == 1:
		// One long row: cut it by elements, in whole blocks.
		var each int
		count, each = pieces((e.inner+block-1)/block, block)
		each *= block
		f = func(worker, i int) {
			var off [maxArgs]int
			e.row(worker, &off, i*each, min(e.inner, (i+1)*each))
		}
	default:
		var each int
		count, each = pieces(runs, e.inner)
		f = func(worker, i int) {
			w := walker{dims: e.dims, strides: e.strides}
			lo, hi := i*each, min(runs, (i+1)*each)
			for w.seek(lo); lo < hi; lo++ {
				e.row(worker, &w.off, 0, e.inner)
				w.next()
			}
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
	count, each := cut(cols, max(8, grain/max(1, rows)))
	f := func(_, i int) {
		w := walker{dims: dims, strides: strides}
		w.seek(i / count)
		c := i % count * each
		kernel.Transpose(out.data()[w.off[0]+c*dstRow:], dstRow, x.data()[w.off[1]+c:], srcRow, rows, min(each, cols-c))
	}
	return func() error { m.pool.Run(n*count, f); return nil }
}

// expr is an elementwise expression at work on an index space: runs, which a
// walker steps through, of many rows of inner elements.
type expr[T Float] struct {
	m     *machine[T]
	code  []mapFn
	regs  []int // the temporary of each function's result; -1 is the output
	temps int
	out   operand[T]
	args  []operand[T]

	dims    []int   // of the runs
	strides [][]int // of the output, then of each operand
	many    int
	rowStep []int // from a row to the next, of the output and each operand
	inner   int
	step    []int // along a row
	read    []reading

	dst  []T
	src  [maxArgs][]T
	held []heldRow // of each worker
}

// reading is how an operand is read for several rows at once.
type reading uint8

const (
	readRun    reading = iota // its rows follow each other
	readNumber                // one number for all
	readRow                   // one row for all
	readRows                  // anything else
)

// heldRow says which rows a worker has repeated in its scratch.
type heldRow struct{ at [maxArgs]int }

// take removes the last axis and gives its strides and size.
func (e *expr[T]) take() (step []int, n int) {
	step = make([]int, len(e.strides))
	last := len(e.dims) - 1
	if last < 0 {
		return step, 1
	}
	n = e.dims[last]
	e.dims = e.dims[:last]
	strides := make([][]int, len(e.strides))
	for i, s := range e.strides {
		step[i] = s[last]
		strides[i] = s[:last]
	}
	e.strides = strides
	return step, n
}

// settle chooses how operands are read and where results go.
func (e *expr[T]) settle() {
	e.regs, e.temps = registers(e.code, len(e.args))
	e.held = make([]heldRow, e.m.pool.Workers())
	for i := range e.args {
		s, r := e.step[i+1], e.rowStep[i+1]
		how := readRows
		switch {
		case s == 0 && r == 0:
			how = readNumber
		case s == 1 && r == e.inner || e.inner == 1 && r == 1:
			how = readRun
		case s == 1 && r == 0:
			how = readRow
		}
		e.read = append(e.read, how)
	}
}

// prepare forgets the rows that a worker has repeated for an earlier piece.
func (e *expr[T]) prepare(worker int) {
	for i := range e.args {
		e.held[worker].at[i] = -1
	}
}

// rows computes the rows [r, r+n) of the run at the offsets off, which together
// fit a block.
func (e *expr[T]) rows(worker int, off *[maxArgs]int, r, n int) {
	mem := e.m.scratch(worker)
	size := n * e.inner
	var reg [maxArgs + maxCode][]T
	for i := range e.args {
		src := e.src[i][off[i+1]:]
		switch e.read[i] {
		case readNumber:
			reg[i] = src[:1]
			continue
		case readRun:
			reg[i] = src[r*e.inner:][:size]
			continue
		}
		t := mem[(e.temps+i)*block:][:size]
		reg[i] = t
		if e.read[i] == readRow {
			if at := &e.held[worker].at[i]; *at != off[i+1] { // else it is there from the last block
				*at = off[i+1]
				repeat(mem[(e.temps+i)*block:][:max(1, block/e.inner)*e.inner], src[:e.inner])
			}
			continue
		}
		src = src[r*e.rowStep[i+1]:]
		for k := range n {
			pick(t[k*e.inner:][:e.inner], src[k*e.rowStep[i+1]:], e.step[i+1])
		}
	}
	to := off[0] + r*e.inner
	e.eval(mem, &reg, e.dst[to:to+size])
}

// repeat fills t with x again and again.
func repeat[T Float](t, x []T) {
	n := copy(t, x)
	for n < len(t) {
		n += copy(t[n:], t[:n])
	}
}

// pick sets t to every s-th element of src.
func pick[T Float](t, src []T, s int) {
	switch s {
	case 0:
		fill(t, src[0])
	case 1:
		copy(t, src)
	default:
		for j := range t {
			t[j] = src[j*s]
		}
	}
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
		call(f, e.dst[off[0]+lo:][:n], e.arg(f.arg[0], off, lo, n), e.arg(f.arg[1], off, lo, n), e.arg(f.arg[2], off, lo, n))
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
			reg[i] = mem[(e.temps+i)*block:][:n]
			pick(reg[i], e.src[i][off[i+1]+lo*e.step[i+1]:], e.step[i+1])
		}
		e.eval(mem, &reg, e.dst[off[0]+lo:][:n])
	}
}

// eval computes the functions of the operands in reg, the last one into dst.
func (e *expr[T]) eval(mem []T, reg *[maxArgs + maxCode][]T, dst []T) {
	for c := range e.code {
		f := &e.code[c]
		to := dst
		if e.regs[c] >= 0 {
			to = mem[e.regs[c]*block:][:len(dst)]
		}
		call(f, to, reg[f.arg[0]], reg[f.arg[1]], reg[f.arg[2]])
		reg[len(e.args)+c] = to
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
