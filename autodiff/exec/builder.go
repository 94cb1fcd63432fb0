package exec

import (
	"fmt"
	"slices"
)

// A Builder writes a program, an instruction at a time. It is what an
// operation lowers itself to (see [Op]). Shapes must fit exactly: broadcasting
// is said with [Builder.Broadcast].
//
// The first error sticks: later calls do nothing and give [None].
type Builder struct {
	g     *graph
	where string
	err   error
}

func newBuilder() *Builder { return &Builder{g: &graph{copies: 1}} }

// Err is the first error.
func (b *Builder) Err() error { return b.err }

// Shape is the shape of v. The caller must not change it.
func (b *Builder) Shape(v Value) []int {
	if v < 0 {
		return nil
	}
	return b.g.shape(v)
}

func (b *Builder) failf(format string, args ...any) Value {
	if b.err == nil {
		b.err = fmt.Errorf("exec: %w", fmt.Errorf(format, args...))
		if b.where != "" {
			b.err = fmt.Errorf("exec: %s: %w", b.where, fmt.Errorf(format, args...))
		}
	}
	return None
}

// ok tells whether the operands are all there.
func (b *Builder) ok(vs ...Value) bool {
	return b.err == nil && !slices.Contains(vs, None)
}

func (b *Builder) add(o op, shape []int, in ...Value) Value {
	if len(shape) > maxRank {
		return b.failf("%s: a tensor of %d axes; at most %d are supported", o, len(shape), maxRank)
	}
	return b.g.add(o, b.where, shape, in...)
}

// Const is a tensor with the given elements in row-major order. The caller
// must not change data afterwards.
func (b *Builder) Const(shape []int, data ...float64) Value {
	if !b.ok() {
		return None
	}
	if len(data) != Size(shape) {
		return b.failf("const: %d numbers for the shape %v", len(data), shape)
	}
	return b.add(constOp{data}, slices.Clone(shape))
}

// Fill is a tensor whose elements are all x.
func (b *Builder) Fill(x float64, shape ...int) Value {
	return b.Broadcast(b.Const(nil, x), shape)
}
