package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Float is the type of the numbers a batch is made of.
type Float interface{ float32 | float64 }

// Dataset is a finite set of examples with random access. It is safe for concurrent reads, and reading an
// example twice gives the same bits, so that a resumed run sees what the first one saw.
//
// The slices returned by Shape and inside Target belong to the data set: read them, do not change them.
type Dataset interface {
	// Len is the number of examples, at least one.
	Len() int
	// Shape is the shape of one example's input, for instance [1 28 28].
	Shape() []int
	// Target says what the targets are.
	Target() Target
	// Read32 copies the input of example index[i] to x[i*size:] and its target to y[i*Target().Size():], where
	// size is the product of Shape. A nil x or y leaves that part out. Any order and any repetition of
	// indices is allowed.
	Read32(x, y []float32, index []int) error
	// Read64 is Read32 in float64.
	Read64(x, y []float64, index []int) error
}

// Target describes the target of one example: a class number when Classes is positive, otherwise real numbers
// of the given shape (no shape means a single number).
type Target struct {
	Classes int   // number of classes; a class is 0 to Classes-1
	Shape   []int // shape of a real-valued target; empty when Classes is positive
}

// Size is how many numbers one target takes in y: 1 for a class, otherwise the product of Shape.
func (t Target) Size() int {
	if t.Classes > 0 {
		return 1
	}
	size := 1
	for _, d := range t.Shape {
		size *= d
	}
	return size
}

func (t Target) String() string {
	if t.Classes > 0 {
		return fmt.Sprintf("%d classes", t.Classes)
	}
	return fmt.Sprintf("real numbers of shape %v", t.Shape)
}

// Read copies examples index[0], index[1], ... of d to x and y. The lengths must be exactly
// len(index)*size and len(index)*d.Target().Size(); a nil x or y leaves that part out.
func Read[T Float](d Dataset, x, y []T, index []int) error {
	if d == nil {
		return errNil
	}
	if err := checkRead(d, x, y, index); err != nil {
		return err
	}
	return read(d, x, y, index)
}

var errNil = errors.New("data: the data set is nil")

// read dispatches without checks.
func read[T Float](d Dataset, x, y []T, index []int) error {
	switch x := any(x).(type) {
	case []float32:
		return d.Read32(x, any(y).([]float32), index)
	case []float64:
		return d.Read64(x, any(y).([]float64), index)
	}
	return nil
}

// checkRead holds what every Read promises to check, so that no index or length can make it panic.
func checkRead[T Float](d Dataset, x, y []T, index []int) error {
	size, tsize := product(d.Shape()), d.Target().Size()
	if x != nil && len(x) != len(index)*size {
		return fmt.Errorf("data: x has room for %d numbers, %d examples of shape %v take %d", len(x), len(index), d.Shape(), len(index)*size)
	}
	if y != nil && len(y) != len(index)*tsize {
		return fmt.Errorf("data: y has room for %d numbers, %d targets (%v) take %d", len(y), len(index), d.Target(), len(index)*tsize)
	}
	return checkIndex(index, d.Len())
}

func checkIndex(index []int, n int) error {
	for i, k := range index {
		if uint(k) >= uint(n) {
			return fmt.Errorf("data: index[%d] is %d, the data set has examples 0 to %d", i, k, n-1)
		}
	}
	return nil
}

func product(shape []int) int {
	size := 1
	for _, d := range shape {
		size *= d
	}
	return size
}

// maxNumbers bounds every size that is computed, so that a mistyped one is an error and no failed allocation.
const maxNumbers = min(1<<44, math.MaxInt/8)

// checkShape returns the number of elements of a shape whose dimensions are all positive.
func checkShape(what string, shape []int) (int, error) {
	size := 1
	for _, d := range shape {
		if d <= 0 {
			return 0, fmt.Errorf("data: %s shape %v has the dimension %d, every dimension must be at least 1", what, shape, d)
		}
		if size > maxNumbers/d {
			return 0, fmt.Errorf("data: %s shape %v has more elements than memory can hold", what, shape)
		}
		size *= d
	}
	return size, nil
}

// checkSpec checks what every data set declares and returns private copies of it.
func checkSpec(n int, shape []int, t Target) (in []int, out Target, err error) {
	if n < 1 {
		return nil, Target{}, fmt.Errorf("data: %d examples, at least 1 is needed", n)
	}
	if len(shape) == 0 {
		return nil, Target{}, errors.New("data: the input shape is empty, give at least one dimension (a vector of d features is [d])")
	}
	size, err := checkShape("input", shape)
	if err != nil {
		return nil, Target{}, err
	}
	if t.Classes < 0 {
		return nil, Target{}, fmt.Errorf("data: target has %d classes, use 1 or more, or 0 for real numbers", t.Classes)
	}
	if t.Classes > 0 && len(t.Shape) > 0 {
		return nil, Target{}, fmt.Errorf("data: target has both %d classes and the shape %v, set one of them", t.Classes, t.Shape)
	}
	tsize, err := checkShape("target", t.Shape)
	if err != nil {
		return nil, Target{}, err
	}
	if n > maxNumbers/max(size, tsize) {
		return nil, Target{}, fmt.Errorf("data: %d examples of shape %v are more numbers than memory can hold", n, shape)
	}
	t.Shape = slices.Clip(slices.Clone(t.Shape))
	return slices.Clip(slices.Clone(shape)), t, nil
}

// checkDataset checks what a data set of unknown make declares and returns the sizes of an input and a target.
func checkDataset(d Dataset) (size, tsize int, err error) {
	if d == nil {
		return 0, 0, errNil
	}
	in, out, err := checkSpec(d.Len(), d.Shape(), d.Target())
	return product(in), out.Size(), err
}

// checkClass says why v is not one of the classes; it is nil for a class number.
func checkClass(v float64, classes int) error {
	if v >= 0 && v < float64(classes) && v == math.Trunc(v) {
		return nil
	}
	return fmt.Errorf("label %v is not one of the classes 0 to %d", v, classes-1)
}
