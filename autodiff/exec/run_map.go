package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// block is how many elements an expression of several functions works on at a
// time: its registers stay in the first-level cache.
const block = 1024

// bindMap runs an elementwise expression in pieces, of whole rows of the innermost
// axis that all operands walk with one stride.
func (m *machine[T]) bindMap(in *inst, o mapOp) step {
	out := m.operand(in.out)
	if t := m.bindTranspose(in, o, out); t != nil {
		return t
	}
	e := m.newExpr(o.code, in.in, 0)
	n := Size(out.shape)
	if n == 0 {
		return func() error { return nil }
	}
	if len(in.more) > 0 {
		return m.bindMapSums(in, e, out)
	}
	// Rows of a grain and more are cut, into whole blocks.
	unit := e.inner
	if unit > grain && unit == n {
		unit = block
	}
	count, each := pieces((n+unit-1)/unit, unit)
	each *= unit
	f := func(worker, i int) {
		lo, hi := i*each, min(n, (i+1)*each)
		e.begin(worker)
		e.span(worker, lo, e.dst[lo:hi])
	}
	return func() error { e.load(); e.dst = out.data(); m.pool.Run(count, f); return nil }
}

// bindMapSums is bindMap with the sums of columns of the result, piece by piece.
func (m *machine[T]) bindMapSums(in *inst, e *expr[T], out operand[T]) step {
	cols := out.shape[len(out.shape)-1]
	rows := Size(out.shape) / cols
	_, each := pieces(rows, cols)
	groups, each := cut(rows, max(each, (rows+sumGroups-1)/sumGroups))
	s := m.newColumnSum(in, groups)
	f := func(worker, i int) {
		lo, hi := i*each, min(rows, (i+1)*each)
		x := e.dst[lo*cols : hi*cols]
		e.begin(worker)
		e.span(worker, lo*cols, x)
		s.set(s.group(m.copy, i), x, hi-lo, cols)
	}
	return func() error {
		e.load()
		e.dst, s.first = out.data(), m.copy
		m.pool.Run(groups, f)
		s.finish(1, groups)
		return nil
	}
}

// sumGroups is how many groups of rows an elementwise result has at most that are
// added up apart.
const sumGroups = 16

// bindTranspose copies an operand that is contiguous along an axis, and not along
// the last, by transposes of the matrices of these two. It is nil for anything else.
func (m *machine[T]) bindTranspose(in *inst, o mapOp, out operand[T]) step {
	if len(o.code) != 1 || o.code[0].fn != Copy {
		return nil
	}
	x := m.operand(in.in[0])
	dims, strides := collapse(out.shape, [][]int{out.stride, x.stride})
	last := len(dims) - 1
	a := slices.Index(strides[1], 1)
	if a < 0 || a >= last || strides[1][last] <= 1 {
		return nil
	}
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
	regs  []int // the temporary of each function's result; -1 is where the value goes
	temps int
	args  []operand[T]
	at    int // of its scratch

	dims    []int   // of the runs
	strides [][]int // of each operand
	many    int
	rowStep []int // of each operand, from a row to the next
	inner   int
	step    []int // along a row
	read    []reading

	dst  []T
	src  [maxArgs][]T
	held []heldRow // of each worker
}

// newExpr is an expression of operands of one shape. Its scratch begins at at.
func (m *machine[T]) newExpr(code []mapFn, in []Value, at int) *expr[T] {
	e := &expr[T]{m: m, code: code, at: at}
	for _, v := range in {
		x := m.operand(v)
		e.args = append(e.args, x)
		e.strides = append(e.strides, x.stride)
	}
	// The elements are counted in row-major order, in which they go to their place.
	shape := m.g.shape(in[0])
	dims, strides := collapse(shape, append(e.strides, rowMajor(shape)))
	e.dims, e.strides = dims, strides[:len(in)]
	e.step, e.inner = e.take()
	if e.inner < block/4 && len(e.dims) > 0 {
		e.rowStep, e.many = e.take()
	} else {
		e.rowStep, e.many = make([]int, len(in)), 1
	}
	e.settle()
	m.needs(at + e.scratch())
	return e
}

// scratch is the number of elements of temporaries and of operands as they are read.
func (e *expr[T]) scratch() int { return (e.temps + len(e.args)) * block }

func (e *expr[T]) mem(worker int) []T { return e.m.scratch(worker)[e.at:] }

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
		s, r := e.step[i], e.rowStep[i]
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

// begin forgets the rows that a worker has repeated for an earlier piece: other
// instructions have used its scratch since.
func (e *expr[T]) begin(worker int) {
	for i := range e.args {
		e.held[worker].at[i] = -1
	}
}

// span computes elements from lo on into dst.
func (e *expr[T]) span(worker, lo int, dst []T) {
	if len(e.dims) == 0 {
		var off [maxArgs]int
		e.run(worker, &off, lo, dst)
		return
	}
	w := walker{dims: e.dims, strides: e.strides}
	run := e.many * e.inner
	w.seek(lo / run)
	for at := lo % run; len(dst) > 0; at = 0 {
		n := min(run-at, len(dst))
		e.run(worker, &w.off, at, dst[:n])
		dst = dst[n:]
		w.next()
	}
}

// run computes elements from lo on of the run at the offsets off.
func (e *expr[T]) run(worker int, off *[maxArgs]int, lo int, dst []T) {
	if e.many == 1 {
		e.row(worker, off, lo, dst)
		return
	}
	together := max(1, block/e.inner) // rows
	for len(dst) > 0 {
		r, c := lo/e.inner, lo%e.inner
		n := min(e.inner-c, len(dst))
		switch {
		case n < e.inner: // part of a row
			from := *off
			for i, s := range e.rowStep {
				from[i] += r * s
			}
			e.row(worker, &from, c, dst[:n])
		default:
			rows := min(len(dst)/e.inner, together)
			n = rows * e.inner
			e.rows(worker, off, r, rows, dst[:n])
		}
		dst = dst[n:]
		lo += n
	}
}

// rows computes the rows [r, r+n) of the run at the offsets off, which together
// fit a block.
func (e *expr[T]) rows(worker int, off *[maxArgs]int, r, n int, dst []T) {
	mem := e.mem(worker)
	size := n * e.inner
	var reg [maxArgs + maxCode][]T
	for i := range e.args {
		src := e.src[i][off[i]:]
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
			if at := &e.held[worker].at[i]; *at != off[i] { // else it is there from the last block
				*at = off[i]
				repeat(mem[(e.temps+i)*block:][:max(1, block/e.inner)*e.inner], src[:e.inner])
			}
			continue
		}
		src = src[r*e.rowStep[i]:]
		for k := range n {
			pick(t[k*e.inner:][:e.inner], src[k*e.rowStep[i]:], e.step[i])
		}
	}
	e.eval(mem, &reg, dst)
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

// load looks up the slices of the operands, which the caller may have replaced
// since the last run.
func (e *expr[T]) load() {
	for i := range e.args {
		e.src[i] = e.args[i].data()
	}
}

// row computes elements from lo on of the row at the offsets off.
func (e *expr[T]) row(worker int, off *[maxArgs]int, lo int, dst []T) {
	if len(e.code) == 1 && e.direct() {
		n, f := len(dst), &e.code[0]
		call(f, dst, e.arg(f.arg[0], off, lo, n), e.arg(f.arg[1], off, lo, n), e.arg(f.arg[2], off, lo, n))
		return
	}
	mem := e.mem(worker)
	var reg [maxArgs + maxCode][]T
	for len(dst) > 0 {
		n := min(block, len(dst))
		for i := range e.args {
			if e.step[i] <= 1 {
				reg[i] = e.arg(i, off, lo, n)
				continue
			}
			reg[i] = mem[(e.temps+i)*block:][:n]
			pick(reg[i], e.src[i][off[i]+lo*e.step[i]:], e.step[i])
		}
		e.eval(mem, &reg, dst[:n])
		dst = dst[n:]
		lo += n
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
	for _, s := range e.step {
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
	o := off[i]
	if e.step[i] == 0 {
		return e.src[i][o : o+1]
	}
	return e.src[i][o+lo : o+lo+n]
}

// maxCode bounds the functions of one expression.
const maxCode = 32

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
