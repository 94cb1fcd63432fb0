package data

import (
	"fmt"
	"math"
)

// Sparse is a data set of vectors of which only the numbers that are not 0 are kept, row by row (compressed sparse
// rows): bags of words, categories as indicators.
type Sparse struct {
	start    []int // of each example in index and value, and the end
	index    []int32
	value    []float64
	y        []float64
	features int
	shape    []int
	target   Target
	tsize    int
}

var _ Dataset = (*Sparse)(nil)

// NewSparse makes a data set of vectors with the given number of features. Example i has the numbers
// value[start[i]:start[i+1]] at the places index[start[i]:start[i+1]], which ascend from 0 to features-1; all others
// are 0. The targets in y are as for New. It keeps the slices and does not copy them: do not change them afterwards.
func NewSparse(start []int, index []int32, value []float64, features int, y []float64, target Target) (*Sparse, error) {
	n := len(start) - 1
	in, out, err := checkSpec(n, []int{features}, target)
	if err != nil {
		return nil, err
	}
	if features > math.MaxInt32 {
		return nil, fmt.Errorf("data: %d features of sparse data, at most %d are possible", features, math.MaxInt32)
	}
	if len(index) != len(value) || start[0] != 0 || start[n] != len(index) {
		return nil, fmt.Errorf("data: %d places and %d numbers of sparse data, the examples begin at %d and end at %d", len(index), len(value), start[0], start[n])
	}
	if len(y) != n*out.Size() {
		return nil, fmt.Errorf("data: y has %d numbers, %d targets (%v) take %d", len(y), n, out, n*out.Size())
	}
	for i := range n {
		if start[i+1] < start[i] || start[i+1] > len(index) {
			return nil, fmt.Errorf("data: example %d of sparse data lies from %d to %d of %d", i, start[i], start[i+1], len(index))
		}
		last := int32(-1)
		for _, j := range index[start[i]:start[i+1]] {
			if j <= last || int(j) >= features {
				return nil, fmt.Errorf("data: example %d has feature %d after feature %d, they must ascend from 0 to %d", i, j, last, features-1)
			}
			last = j
		}
		if out.Classes > 0 {
			if err := checkClass(y[i], out.Classes); err != nil {
				return nil, fmt.Errorf("data: example %d: %w", i, err)
			}
		}
	}
	return &Sparse{start: start, index: index, value: value, y: y, features: features, shape: in, target: out, tsize: out.Size()}, nil
}

// Len is the number of examples.
func (s *Sparse) Len() int { return len(s.start) - 1 }

// Shape is the shape of one input, a vector.
func (s *Sparse) Shape() []int { return s.shape }

// Target says what the targets are.
func (s *Sparse) Target() Target { return s.target }

// Row is what is kept of example i: ascending places from 0, and the numbers there. Do not change them.
func (s *Sparse) Row(i int) (index []int32, value []float64) {
	lo, hi := s.start[i], s.start[i+1]
	return s.index[lo:hi], s.value[lo:hi]
}

// Share is the share of all numbers that are kept.
func (s *Sparse) Share() float64 {
	return float64(len(s.value)) / float64(s.Len()) / float64(s.features)
}

// Read32 copies examples to x and y; see Dataset.
func (s *Sparse) Read32(x, y []float32, index []int) error { return readSparse(s, x, y, index) }

// Read64 copies examples to x and y; see Dataset.
func (s *Sparse) Read64(x, y []float64, index []int) error { return readSparse(s, x, y, index) }

func readSparse[T Float](s *Sparse, x, y []T, index []int) error {
	if err := checkRead(s, x, y, index); err != nil {
		return err
	}
	clear(x)
	if x != nil {
		for i, k := range index {
			row := x[i*s.features : (i+1)*s.features]
			at, values := s.Row(k)
			for e, j := range at {
				row[j] = T(values[e])
			}
		}
	}
	gather(y, s.y, s.tsize, index)
	return nil
}

func (s *Sparse) inMemory() bool { return true }
