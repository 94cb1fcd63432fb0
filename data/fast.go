package data

import "github.com/saddle-ml/saddle/internal/parallel"

// memory is a data set that may lie in memory, where its examples are read about as quickly as they can be copied. A
// Loader reads such a one on all cores when a batch is wanted, and others ahead of time in another goroutine.
type memory interface{ inMemory() bool }

func inMemory(d Dataset) bool {
	m, ok := d.(memory)
	return ok && m.inMemory()
}

func (b *Bytes) inMemory() bool      { return true }
func (a *Arrays[T]) inMemory() bool  { return true }
func (s *subset) inMemory() bool     { return inMemory(s.base) }
func (a *affine) inMemory() bool     { return inMemory(a.Dataset) }
func (r *reshaped) inMemory() bool   { return inMemory(r.Dataset) }
func (a *autoencode) inMemory() bool { return inMemory(a.Dataset) }

// readBlock is how many numbers one core reads at a time, about.
const readBlock = 16 << 10

// reader reads batches of a data set in memory on all cores.
type reader[T Float] struct {
	d           Dataset
	size, tsize int
	rows        int // of a block
	x, y        []T
	index       []int
	errs        []error // of the blocks
	run         func(worker, i int)
}

func newReader[T Float](d Dataset, size, tsize, batch int) *reader[T] {
	r := &reader[T]{d: d, size: size, tsize: tsize, rows: max(1, readBlock/(size+tsize))}
	r.errs = make([]error, (batch-1)/r.rows+1)
	r.run = r.block
	return r
}

// read is Read of examples in x and y.
func (r *reader[T]) read(x, y []T, index []int) error {
	r.x, r.y, r.index = x, y, index
	blocks := (len(index)-1)/r.rows + 1
	clear(r.errs)
	parallel.Shared().Run(blocks, r.run)
	r.x, r.y, r.index = nil, nil, nil
	for _, err := range r.errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *reader[T]) block(_, i int) {
	lo, hi := i*r.rows, min(len(r.index), (i+1)*r.rows)
	r.errs[i] = read(r.d, r.x[lo*r.size:hi*r.size], r.y[lo*r.tsize:hi*r.tsize], r.index[lo:hi])
}
