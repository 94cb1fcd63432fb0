package exec

import (
	"fmt"
	"strings"
)

// mapOp computes an elementwise expression of its operands: a list of
// functions of registers. Registers 0 ... n-1 are the n operands, the next are
// the results of the functions in order, and the last one is the value.
type mapOp struct{ code []mapFn }

type mapFn struct {
	fn      Fn
	arg     [3]int
	p, q    float64
	operand int // number of operands in use
}

func (o mapOp) String() string {
	var b strings.Builder
	b.WriteString("map(")
	for i, f := range o.code {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.fn.String())
		if f.p != 0 || f.q != 0 {
			fmt.Fprintf(&b, "[%g %g]", f.p, f.q)
		}
		if len(o.code) > 1 {
			for _, a := range f.arg[:f.operand] {
				fmt.Fprintf(&b, " r%d", a)
			}
		}
	}
	b.WriteByte(')')
	return b.String()
}

// Map1 is fn(x) for each element, with the settings p and q of functions that
// have them.
func (b *Builder) Map1(fn Fn, x Value, p, q float64) Value {
	return b.mapFn(fn, p, q, x)
}

// Map2 is fn(x, y) for each pair of elements of two tensors of one shape.
func (b *Builder) Map2(fn Fn, x, y Value) Value { return b.mapFn(fn, 0, 0, x, y) }

// Map3 is fn(x, y, z) for each triple of elements of three tensors of one
// shape.
func (b *Builder) Map3(fn Fn, x, y, z Value) Value { return b.mapFn(fn, 0, 0, x, y, z) }

func (b *Builder) mapFn(fn Fn, p, q float64, in ...Value) Value {
	if !b.ok(in...) {
		return None
	}
	shape := b.g.shape(in[0])
	for _, v := range in[1:] {
		if !sameShape(shape, b.g.shape(v)) {
			return b.failf("%s: shapes %v and %v differ", fn, shape, b.g.shape(v))
		}
	}
	f := mapFn{fn: fn, p: p, q: q, operand: len(in)}
	for i := range in {
		f.arg[i] = i
	}
	return b.add(mapOp{[]mapFn{f}}, shape, in...)
}
