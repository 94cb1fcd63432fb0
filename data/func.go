package data

import (
	"errors"
	"fmt"
	"sync"
)

// Func makes a data set of one function: f writes the input of example i to x, of the given shape, and its target
// to y. Both arrive zeroed. f is called from several goroutines at once and must write the same numbers every
// time for the same i; a class it writes must be a class number.
func Func(n int, shape []int, target Target, f func(i int, x, y []float64) error) (Dataset, error) {
	in, out, err := checkSpec(n, shape, target)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, errors.New("data: the function of a Func data set is nil")
	}
	return &function{n: n, shape: in, target: out, size: product(in), f: f}, nil
}

type function struct {
	n, size int
	shape   []int
	target  Target
	f       func(i int, x, y []float64) error
	scratch sync.Pool // of *[]float64: one example and its target
}

func (f *function) Len() int       { return f.n }
func (f *function) Shape() []int   { return f.shape }
func (f *function) Target() Target { return f.target }

func (f *function) Read32(x, y []float32, index []int) error { return readFunc(f, x, y, index) }
func (f *function) Read64(x, y []float64, index []int) error { return readFunc(f, x, y, index) }

func readFunc[T Float](f *function, x, y []T, index []int) error {
	if err := checkRead(f, x, y, index); err != nil {
		return err
	}
	tsize := f.target.Size()
	buf, ok := f.scratch.Get().(*[]float64)
	if !ok {
		b := make([]float64, f.size+tsize)
		buf = &b
	}
	defer f.scratch.Put(buf)
	in, out := (*buf)[:f.size:f.size], (*buf)[f.size:]
	for i, k := range index {
		clear(*buf)
		if err := f.f(k, in, out); err != nil {
			return fmt.Errorf("data: example %d: %w", k, err)
		}
		if f.target.Classes > 0 {
			if err := checkClass(out[0], f.target.Classes); err != nil {
				return fmt.Errorf("data: example %d: %w", k, err)
			}
		}
		if x != nil {
			convert(x[i*f.size:(i+1)*f.size], in)
		}
		if y != nil {
			convert(y[i*tsize:(i+1)*tsize], out)
		}
	}
	return nil
}
