package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
)

// Subset is the examples of d named by index, in that order; an example may occur more than once.
func Subset(d Dataset, index []int) (Dataset, error) {
	if d == nil {
		return nil, errNil
	}
	if len(index) == 0 {
		return nil, errors.New("data: the subset has no examples, name at least one")
	}
	if err := checkIndex(index, d.Len()); err != nil {
		return nil, err
	}
	return newSubset(d, slices.Clone(index)), nil
}

// Limit is the first n examples of d, or all of them where there are fewer.
func Limit(d Dataset, n int) (Dataset, error) {
	if d == nil {
		return nil, errNil
	}
	if n < 1 {
		return nil, fmt.Errorf("data: limit of %d examples, at least 1 is needed", n)
	}
	if n >= d.Len() {
		return d, nil
	}
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return newSubset(d, index), nil
}

// Split divides d at random into two disjoint parts: val gets round(fraction·Len) examples drawn uniformly, train
// the rest, both in d's order. The same seed gives the same parts.
func Split(d Dataset, fraction float64, seed uint64) (train, val Dataset, err error) {
	if d == nil {
		return nil, nil, errNil
	}
	if !(fraction > 0 && fraction < 1) {
		return nil, nil, fmt.Errorf("data: split fraction is %v, it must lie between 0 and 1, both excluded", fraction)
	}
	n := d.Len()
	k := int(math.Round(fraction * float64(n)))
	if k < 1 || k >= n {
		return nil, nil, fmt.Errorf("data: a split of %d examples by the fraction %v leaves one part empty", n, fraction)
	}
	r := newRandom(seed, useSplit, 0)
	in := make([]uint64, (n+63)/64)
	r.subset(in, k, n)
	parts := [2][]int{make([]int, 0, n-k), make([]int, 0, k)}
	for i := range n {
		side := in[i>>6] >> (i & 63) & 1
		parts[side] = append(parts[side], i)
	}
	return newSubset(d, parts[0]), newSubset(d, parts[1]), nil
}

type subset struct {
	base    Dataset
	index   []int
	scratch sync.Pool // of *[]int: the indices of one Read in base
}

// newSubset flattens a subset of a subset, so that reading translates indices once.
func newSubset(d Dataset, index []int) *subset {
	if s, ok := d.(*subset); ok {
		for i, k := range index {
			index[i] = s.index[k]
		}
		d = s.base
	}
	return &subset{base: d, index: index}
}

func (s *subset) Len() int       { return len(s.index) }
func (s *subset) Shape() []int   { return s.base.Shape() }
func (s *subset) Target() Target { return s.base.Target() }

func (s *subset) Read32(x, y []float32, index []int) error { return readSubset(s, x, y, index) }
func (s *subset) Read64(x, y []float64, index []int) error { return readSubset(s, x, y, index) }

func readSubset[T Float](s *subset, x, y []T, index []int) error {
	if err := checkRead(s, x, y, index); err != nil {
		return err
	}
	buf, ok := s.scratch.Get().(*[]int)
	if !ok {
		buf = new([]int)
	}
	defer s.scratch.Put(buf)
	*buf = (*buf)[:0]
	for _, k := range index {
		*buf = append(*buf, s.index[k])
	}
	return read(s.base, x, y, *buf)
}

// affine goes below the choice of examples, where it may fold into the storage.
func (s *subset) affine(scale, shift float64) Dataset {
	return &subset{base: applyAffine(s.base, scale, shift), index: s.index}
}
