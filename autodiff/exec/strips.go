package exec

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// strips moves what a wide product of the second stage is multiplied with into its
// epilogue, where that is known in the first: the mask or derivative that a
// linearisation saves. Blocks of a wide product have parts of rows, and parts of the
// rows of another matrix, each in a page of its own, come more slowly than a pass over
// the result costs. So the first stage writes the mask as the blocks read it, the rows
// of a strip of columns one after another.
func strips(g *graph) {
	s := &stripper{g: g, uses: g.uses(), made: map[string]Value{}}
	for i := range g.code[:len(g.code):len(g.code)] {
		s.join(i)
	}
	if len(s.made) > 0 {
		g.sort()
	}
}

// maxStripped is how many matrices in strips an epilogue reads at most: each is one
// more stream.
const maxStripped = 2

type stripper struct {
	g    *graph
	uses [][]int          // as the program was given
	made map[string]Value // matrices in strips, by their expressions
}

// join moves instruction i into the product that it reads, if it can.
func (s *stripper) join(i int) {
	g := s.g
	in := g.code[i]
	m, ok := in.op.(mapOp)
	if !ok || !in.late || len(g.shape(in.out)) != 2 {
		return
	}
	for k, v := range in.in {
		d := *g.def(v)
		o, ok := d.op.(gemmOp)
		if !ok || d.out != v || !d.late || o.code != nil || len(s.uses[v]) != 1 || slices.Contains(g.outs, v) || g.shape(v)[1] <= kernel.UnitCols {
			continue
		}
		e, ok := s.split(&in, m, k)
		if !ok {
			continue
		}
		pairs, sparse := d.in[:2*o.pairs], d.in[2*o.pairs:]
		operands := slices.Concat(pairs, e.operands)
		for _, part := range e.parts {
			operands = append(operands, s.strip(part, in.where, g.shape(in.out)))
		}
		o.code, o.strips = e.code, len(e.parts)
		to := &g.code[i] // the program has grown
		to.op, to.in = o, slices.Concat(operands, sparse)
		return
	}
}

// stripped is an expression of a product as its epilogue.
type stripped struct {
	code     []mapFn
	operands []Value // that are the same for all rows
	parts    []part  // what the first stage knows
}

// part is an expression of matrices of the first stage: code has registers as a map
// of in has. Without code it is the one matrix in in.
type part struct {
	code []mapFn
	in   []Value
}

// split makes the expression m of in, whose operand k is a product, one of the
// product, operands that are the same for all rows, and parts that the first stage
// knows. There is none if it has anything else.
func (s *stripper) split(in *inst, m mapOp, k int) (e stripped, ok bool) {
	g, n := s.g, len(in.in)
	shape := g.shape(in.out)
	early := make([]bool, n+len(m.code))  // the first stage knows it
	matrix := make([]bool, n+len(m.code)) // it is not the same for all rows
	for j, v := range in.in {
		if j == k {
			continue
		}
		base, _, stride := g.view(v)
		early[j], matrix[j] = !g.late(base), stride[0] != 0 && shape[0] > 1
		if matrix[j] && !early[j] || base == in.in[k] {
			return e, false
		}
	}
	for c, f := range m.code {
		early[n+c] = true
		for _, a := range f.arg[:f.operand] {
			early[n+c] = early[n+c] && early[a]
			matrix[n+c] = matrix[n+c] || matrix[a]
		}
	}
	// Registers of the epilogue: the product, the operands, the parts, its functions.
	var parts, operands, functions []int
	use := func(r int) {
		switch {
		case r == k:
		case early[r] && matrix[r]:
			parts = insert(parts, r)
		case r < n:
			operands = insert(operands, r)
		}
	}
	for c, f := range m.code {
		r := n + c
		if early[r] && matrix[r] {
			continue
		}
		functions = append(functions, r)
		for _, a := range f.arg[:f.operand] {
			use(a)
		}
	}
	if len(parts) == 0 || len(parts) > maxStripped || early[len(early)-1] {
		return e, false
	}
	order := slices.Concat([]int{k}, operands, parts, functions)
	for _, r := range functions {
		f := m.code[r-n]
		for a := range f.arg[:f.operand] {
			f.arg[a] = slices.Index(order, f.arg[a])
		}
		e.code = append(e.code, f)
	}
	for _, r := range operands {
		e.operands = append(e.operands, in.in[r])
	}
	for _, r := range parts {
		e.parts = append(e.parts, expression(in, m, r))
	}
	return e, true
}

// insert adds r to a list that may have it.
func insert(list []int, r int) []int {
	if slices.Contains(list, r) {
		return list
	}
	return append(list, r)
}

// expression is the value of register r of the map m of in.
func expression(in *inst, m mapOp, r int) part {
	n := len(in.in)
	if r < n {
		return part{in: []Value{in.in[r]}}
	}
	need := make([]bool, n+len(m.code))
	need[r] = true
	var operands, functions []int
	for c := r - n; c >= 0; c-- {
		if !need[n+c] {
			continue
		}
		functions = append(functions, n+c)
		for _, a := range m.code[c].arg[:m.code[c].operand] {
			need[a] = true
		}
	}
	slices.Reverse(functions)
	var p part
	for a := range n {
		if need[a] {
			operands = append(operands, a)
			p.in = append(p.in, in.in[a])
		}
	}
	order := slices.Concat(operands, functions)
	for _, r := range functions {
		f := m.code[r-n]
		for a := range f.arg[:f.operand] {
			f.arg[a] = slices.Index(order, f.arg[a])
		}
		p.code = append(p.code, f)
	}
	return p
}

// strip is a part in strips, which the first stage makes once for all that read it.
func (s *stripper) strip(p part, where string, shape []int) Value {
	key := fmt.Sprint(mapOp{p.code}, p.in)
	if v, ok := s.made[key]; ok {
		return v
	}
	x := p.in[0]
	if p.code != nil {
		x = s.g.add(mapOp{p.code}, where, shape, p.in...)
	}
	v := s.g.add(stripsOp{}, where, shape, x)
	s.made[key] = v
	return v
}

// stripsOp copies a matrix so that the rows of each strip of kernel.UnitCols columns
// follow each other, strip by strip.
type stripsOp struct{}

func (stripsOp) String() string { return "strips" }

// stripOf tells where the row r of the strip that has column c begins in a matrix of
// rows rows and cols columns that lies in strips, and how many columns the strip has.
func stripOf(rows, cols, r, c int) (at, width int) {
	first := c / kernel.UnitCols * kernel.UnitCols
	width = min(kernel.UnitCols, cols-first)
	return first*rows + r*width, width
}

func (m *machine[T]) bindStrips(in *inst) step {
	x, out := m.operand(in.in[0]), m.operand(in.out)
	rows, cols := x.shape[0], x.shape[1]
	count, each := pieces(rows, cols)
	f := func(_, i int) {
		src, dst := x.data(), out.data()
		for c := 0; c < cols; c += kernel.UnitCols {
			for r := i * each; r < min(rows, (i+1)*each); r++ {
				at, width := stripOf(rows, cols, r, c)
				pick(dst[at:][:width], src[r*x.stride[0]+c*x.stride[1]:], x.stride[1])
			}
		}
	}
	return func() error { m.pool.Run(count, f); return nil }
}
