package ops

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/saddle-ml/saddle/autodiff/exec"
)

// Do computes the operation on values, for Gorgonia's own machines. Package
// exec runs whole graphs, and faster.
func (o *Op) Do(values ...gorgonia.Value) (gorgonia.Value, error) {
	if len(values) != len(o.in) {
		return nil, fmt.Errorf("ops: %s: %d operands, want %d", o, len(values), len(o.in))
	}
	if o.dt == tensor.Float32 {
		return do[float32](o, values)
	}
	return do[float64](o, values)
}

func do[T exec.Float](o *Op, values []gorgonia.Value) (gorgonia.Value, error) {
	shapes, in := make([][]int, len(values)), make([][]T, len(values))
	for i, v := range values {
		if v == nil {
			return nil, fmt.Errorf("ops: %s: operand %d has no value", o, i)
		}
		shapes[i] = shapeOf(o.in[i])
		x, err := numbers[T](v)
		if err == nil && len(x) != size(shapes[i]) {
			err = fmt.Errorf("a value of shape %v, want %v", v.Shape(), shapes[i])
		}
		if err != nil {
			return nil, fmt.Errorf("ops: %s: operand %d: %w", o, i, err)
		}
		in[i] = x
	}
	out, err := exec.Apply(o.rule.Lower, shapes, in)
	if err != nil {
		return nil, err
	}
	if len(o.shape) > 0 {
		return tensor.New(tensor.WithShape(o.shape...), tensor.WithBacking(out)), nil
	}
	switch x := any(out[0]).(type) {
	case float32:
		return gorgonia.NewF32(x), nil
	case float64:
		return gorgonia.NewF64(x), nil
	}
	return nil, fmt.Errorf("ops: %s: numbers of type %T", o, out[0])
}

// numbers is the elements of v in row-major order.
func numbers[T exec.Float](v gorgonia.Value) ([]T, error) {
	if d, ok := v.(*tensor.Dense); ok && d.RequiresIterator() {
		v = d.Materialize().(*tensor.Dense)
	}
	switch x := v.Data().(type) {
	case []T:
		return x, nil
	case T:
		return []T{x}, nil
	default:
		return nil, fmt.Errorf("a value of type %T, want %T", x, []T(nil))
	}
}
