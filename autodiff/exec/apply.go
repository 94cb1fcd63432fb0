package exec

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/parallel"
)

// Apply runs one operation on numbers: a program of its own for what lower
// writes, given operands of the shapes. It is for tests and for machines of
// other packages; it compiles anew each time.
func Apply[T Float](lower func(*Builder, []Value) Value, shapes [][]int, operands [][]T) ([]T, error) {
	b := newBuilder()
	in := make([]Value, len(shapes))
	for i, s := range shapes {
		in[i] = b.add(inputOp{slot: i, name: fmt.Sprintf("operand %d", i)}, s)
	}
	v := lower(b, in)
	if b.err != nil {
		return nil, b.err
	}
	b.g.outs = []Value{v}
	p, err := assemble[T](b.g, Options{Pool: parallel.New(1)})
	if err != nil {
		return nil, err
	}
	for i, x := range operands {
		if err := p.SetInput(i, x); err != nil {
			return nil, err
		}
	}
	if err := p.Run(); err != nil {
		return nil, err
	}
	return p.Output(0), nil
}
