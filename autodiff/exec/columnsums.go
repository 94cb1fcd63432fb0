package exec

import (
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// columnSums makes the sums of the columns of a matrix, such as the gradient of a
// bias, a second result of the product or the elementwise instruction that writes the
// matrix: each block is added up when it has just been written.
func columnSums(g *graph) {
	given := make([]bool, len(g.code)) // by another instruction
	for i := range g.code {
		given[i] = g.sumsColumns(&g.code[i])
	}
	if !slices.Contains(given, true) {
		return
	}
	var code []inst
	for i, in := range g.code {
		if !given[i] {
			code = append(code, in)
		}
	}
	g.setCode(code) // in order still: a sum's readers stand behind its matrix
}

// sumDepth is how many multiplications for each element keep the blocks of a wide
// product so small that they are in the cache when they are done.
const sumDepth = 256

// sumsColumns makes the value of in a second result of what in reduces, if it can be.
func (g *graph) sumsColumns(in *inst) bool {
	o, ok := in.op.(reduceOp)
	if !ok || o.red != SumRed || o.code != nil {
		return false
	}
	base, off, _ := g.view(in.in[0])
	d, shape := g.def(base), g.shape(base)
	if len(shape) < 2 || d.late != in.late || d.out != base || len(d.more) > 0 || off != 0 {
		return false
	}
	cols := shape[len(shape)-1]
	switch p := d.op.(type) {
	case gemmOp:
		inner := 0
		for i := range p.pairs {
			s := g.shape(d.in[2*i])
			inner += s[len(s)-1]
		}
		if cols > kernel.UnitCols && inner < sumDepth {
			return false
		}
	case mapOp:
		if one(d.op, Copy) {
			return false // by transposes
		}
	default:
		return false
	}
	o.from = g.reduced(in)
	s := newReduceShape(o)
	if s.loop != byColumns || len(s.keep) != 1 || s.keep[0] != cols || !s.columnsFollow() || s.outs*s.ins != Size(shape) || s.ins == 0 {
		return false
	}
	d.more = []Value{in.out}
	return true
}

// columnSum is the sums of the columns of a matrix, taken in groups of rows by the
// instruction that writes it.
type columnSum[T Float] struct {
	m      *machine[T]
	out    operand[T]
	cols   int
	groups int
	part   []T // of each copy that is computed and each group
	first  int // copy that is computed
}

// newColumnSum is the second result of in, if it has one, in that many groups at most.
func (m *machine[T]) newColumnSum(in *inst, groups int) *columnSum[T] {
	if len(in.more) == 0 {
		return nil
	}
	out := m.operand(in.more[0])
	s := &columnSum[T]{m: m, out: out, cols: Size(out.shape), groups: groups}
	copies := 1
	if in.late {
		copies = m.copies
	}
	s.part = aligned[T](copies * groups * s.cols)
	m.extra += len(s.part)
	return s
}

// group is the place of the sums of a group.
func (s *columnSum[T]) group(copy, group int) []T {
	return s.part[((copy-s.first)*s.groups+group)*s.cols:][:s.cols]
}

// set sets sums to those of the rows of x, which are row elements apart.
func (s *columnSum[T]) set(sums, x []T, rows, row int) {
	copy(sums, x)
	if rows > 1 {
		kernel.AddRows(sums, x[row:], rows-1, row)
	}
}

// finish adds up the groups of the copies [first, first+n).
func (s *columnSum[T]) finish(n, groups int) {
	for c := range n {
		addUp(s.out.of(s.first+c), s.part[c*s.groups*s.cols:], groups)
	}
}
