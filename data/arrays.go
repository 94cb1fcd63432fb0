package data

import (
	"fmt"

	"github.com/saddle-ml/saddle/internal/kernel"
)

// Arrays is a data set held in two slices.
type Arrays[T Float] struct {
	x, y        []T
	n           int
	shape       []int
	target      Target
	size, tsize int
}

var _ Dataset = (*Arrays[float32])(nil)

// New makes a data set of the examples stored one after another in x, each of the given shape, and their targets
// in y: class numbers when target.Classes is positive, otherwise target.Size() numbers each. It keeps x and y and
// does not copy them: do not change them afterwards.
func New[T Float](x []T, shape []int, y []T, target Target) (*Arrays[T], error) {
	size, err := checkShape("input", shape)
	if err != nil {
		return nil, err
	}
	if len(x)%size != 0 {
		return nil, fmt.Errorf("data: x has %d numbers, which is no whole number of examples of shape %v (%d numbers each)", len(x), shape, size)
	}
	n := len(x) / size
	in, out, err := checkSpec(n, shape, target)
	if err != nil {
		return nil, err
	}
	if len(y) != n*out.Size() {
		return nil, fmt.Errorf("data: y has %d numbers, %d targets (%v) take %d", len(y), n, out, n*out.Size())
	}
	if out.Classes > 0 {
		for i, v := range y {
			if err := checkClass(float64(v), out.Classes); err != nil {
				return nil, fmt.Errorf("data: example %d: %w", i, err)
			}
		}
	}
	return &Arrays[T]{x: x, y: y, n: n, shape: in, target: out, size: size, tsize: out.Size()}, nil
}

// Len is the number of examples.
func (a *Arrays[T]) Len() int { return a.n }

// Shape is the shape of one input.
func (a *Arrays[T]) Shape() []int { return a.shape }

// Target says what the targets are.
func (a *Arrays[T]) Target() Target { return a.target }

// Read32 copies examples to x and y; see Dataset.
func (a *Arrays[T]) Read32(x, y []float32, index []int) error { return readArrays(a, x, y, index) }

// Read64 copies examples to x and y; see Dataset.
func (a *Arrays[T]) Read64(x, y []float64, index []int) error { return readArrays(a, x, y, index) }

func readArrays[D, S Float](a *Arrays[S], x, y []D, index []int) error {
	if err := checkRead(a, x, y, index); err != nil {
		return err
	}
	gather(x, a.x, a.size, index)
	gather(y, a.y, a.tsize, index)
	return nil
}

// gather copies the rows of src named by index to dst, unless dst is nil.
func gather[D, S Float](dst []D, src []S, size int, index []int) {
	if dst == nil {
		return
	}
	if same, ok := any(src).([]D); ok {
		kernel.GatherRows(dst, same, size, index)
		return
	}
	for i, k := range index {
		convert(dst[i*size:(i+1)*size], src[k*size:(k+1)*size])
	}
}

// convert copies src to dst, which are equally long.
func convert[D, S Float](dst []D, src []S) {
	if same, ok := any(dst).([]S); ok {
		copy(same, src)
		return
	}
	src = src[:len(dst)]
	for j, v := range src {
		dst[j] = D(v)
	}
}
