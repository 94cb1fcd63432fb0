package data

import (
	"fmt"
	"slices"
)

// Autoencode is d with its inputs as targets, in the shape of the inputs. Transforms that come after it change
// the inputs alone, so apply it last: Autoencode(Flatten(d)) rebuilds flat vectors.
func Autoencode(d Dataset) Dataset {
	if d == nil {
		return nil
	}
	return &autoencode{d}
}

type autoencode struct{ Dataset }

func (a *autoencode) Target() Target { return Target{Shape: a.Shape()} }

func (a *autoencode) Read32(x, y []float32, index []int) error { return readAuto(a, x, y, index) }
func (a *autoencode) Read64(x, y []float64, index []int) error { return readAuto(a, x, y, index) }

func readAuto[T Float](a *autoencode, x, y []T, index []int) error {
	if err := checkRead(a, x, y, index); err != nil {
		return err
	}
	if x == nil {
		return read(a.Dataset, y, nil, index)
	}
	if err := read(a.Dataset, x, nil, index); err != nil {
		return err
	}
	copy(y, x)
	return nil
}

// Flatten is d with every input as one vector.
func Flatten(d Dataset) Dataset {
	if d == nil {
		return nil
	}
	return &reshaped{Dataset: d, shape: []int{product(d.Shape())}}
}

// Reshape is d with its inputs in another shape of as many numbers; their order stays.
func Reshape(d Dataset, shape ...int) (Dataset, error) {
	if d == nil {
		return nil, errNil
	}
	size, err := checkShape("input", shape)
	if err != nil {
		return nil, err
	}
	if want := product(d.Shape()); len(shape) == 0 || size != want {
		return nil, fmt.Errorf("data: cannot reshape inputs of shape %v (%d numbers) to %v (%d numbers)", d.Shape(), want, shape, size)
	}
	return &reshaped{Dataset: d, shape: slices.Clip(slices.Clone(shape))}, nil
}

// reshaped reads through to the data set it wraps: the numbers of an example lie in the same order.
type reshaped struct {
	Dataset
	shape []int
}

func (r *reshaped) Shape() []int { return r.shape }

func (r *reshaped) affine(scale, shift float64) Dataset {
	return &reshaped{Dataset: applyAffine(r.Dataset, scale, shift), shape: r.shape}
}
