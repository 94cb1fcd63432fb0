package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"

	"github.com/saddle-ml/saddle/internal/pages"
)

// Batch is a minibatch. It is valid until the next iteration of the loop that got it.
type Batch[T Float] struct {
	X, Y        []T   // N inputs and N targets, one after another
	N           int   // examples in this batch
	Index       []int // their numbers in the data set
	Epoch, Step int   // where it stands: epoch and batch within the epoch, from 0
}

// Loader cuts a data set into minibatches. It holds no state: one loader may run any number of epochs at once.
type Loader[T Float] struct {
	Data     Dataset
	Batch    int    // examples in a minibatch; 0 means 32
	Shuffle  bool   // a new order every epoch, determined by Seed and the epoch's number
	DropLast bool   // leave out the last, smaller batch
	Seed     uint64 // of the order and of Draw
}

// DefaultBatch is the minibatch size of a Loader that sets none.
const DefaultBatch = 32

func (l *Loader[T]) batch() int {
	if l.Batch == 0 {
		return DefaultBatch
	}
	return l.Batch
}

// Steps is the number of batches in an epoch; 0 where Epoch would fail.
func (l *Loader[T]) Steps() int {
	if l.Data == nil || l.batch() < 1 || l.Data.Len() < 1 {
		return 0
	}
	n, b := l.Data.Len(), l.batch()
	if l.DropLast {
		return n / b
	}
	return (n-1)/b + 1
}

// Epoch is the batches of one epoch, without the first skip of them, which are not read. The same Seed, epoch and
// skip give the same batches. While the loop works on a batch the next one is read in another goroutine, which
// has ended when the loop ends; of a data set in memory each is read when it is wanted, on all cores. An error is the last thing the loop sees; of a cancelled context it is ctx.Err().
func (l *Loader[T]) Epoch(ctx context.Context, epoch, skip int) iter.Seq2[Batch[T], error] {
	return func(yield func(Batch[T], error) bool) {
		p, err := l.plan(epoch, skip)
		if err != nil {
			yield(Batch[T]{}, err)
			return
		}
		if inMemory(l.Data) {
			p.now(ctx, yield)
			return
		}
		// Two batches take turns: one with the loop, one being read. Neither channel ever blocks its sender.
		free, ready := make(chan *page[T], 2), make(chan *page[T], 2)
		stop := make(chan struct{})
		free <- p.page()
		free <- p.page()
		go p.run(free, ready, stop)
		defer func() {
			close(stop)
			for range ready { // until the reader has closed it
			}
		}()
		for range p.steps - skip {
			if err := ctx.Err(); err != nil {
				yield(Batch[T]{}, err)
				return
			}
			select {
			case next, ok := <-ready:
				if !ok { // runtime.Goexit in the data set
					yield(Batch[T]{}, errors.New("data: the data set ended the goroutine that read it"))
					return
				}
				if next.err != nil {
					yield(Batch[T]{}, next.err)
					return
				}
				if !yield(next.batch, nil) {
					return
				}
				free <- next
			case <-ctx.Done():
				yield(Batch[T]{}, ctx.Err())
				return
			}
		}
	}
}

// Draw fills b with n examples drawn uniformly without replacement, determined by (Seed, draw), reusing its slices.
func (l *Loader[T]) Draw(b *Batch[T], n int, draw uint64) error {
	size, tsize, err := checkDataset(l.Data)
	if err != nil {
		return err
	}
	index, err := Sample(n, l.Data.Len(), l.Seed, draw, b.Index)
	if err != nil {
		return err
	}
	*b = Batch[T]{X: resize(b.X, n*size), Y: resize(b.Y, n*tsize), N: n, Index: index}
	return read(l.Data, b.X, b.Y, b.Index)
}

// Pick fills b with the examples of the numbers in index, which may hold one several times and is copied, reusing the
// slices of b.
func (l *Loader[T]) Pick(b *Batch[T], index []int) error {
	size, tsize, err := checkDataset(l.Data)
	if err != nil {
		return err
	}
	if len(index) == 0 {
		return errors.New("data: no examples to pick, at least 1 is needed")
	}
	for _, i := range index {
		if i < 0 || i >= l.Data.Len() {
			return fmt.Errorf("data: example %d; allowed are 0 to %d", i, l.Data.Len()-1)
		}
	}
	n := len(index)
	*b = Batch[T]{X: resize(b.X, n*size), Y: resize(b.Y, n*tsize), N: n, Index: append(b.Index[:0], index...)}
	return read(l.Data, b.X, b.Y, b.Index)
}

func resize[T Float](s []T, n int) []T {
	if cap(s) < n {
		return pages.Make[T](n)
	}
	return s[:n]
}

// plan is an epoch, settled before it runs.
type plan[T Float] struct {
	data                      Dataset
	size, tsize               int
	order                     []int
	batch, epoch, from, steps int
}

func (l *Loader[T]) plan(epoch, skip int) (*plan[T], error) {
	size, tsize, err := checkDataset(l.Data)
	if err != nil {
		return nil, err
	}
	n, b, steps := l.Data.Len(), l.batch(), l.Steps()
	switch {
	case b < 1:
		return nil, fmt.Errorf("data: batch size is %d, it must be at least 1 (0 means %d)", b, DefaultBatch)
	case steps == 0:
		return nil, fmt.Errorf("data: batch size is %d and the last, smaller batch is dropped: the %d examples leave no batch", b, n)
	case epoch < 0:
		return nil, fmt.Errorf("data: epoch is %d, it must be at least 0", epoch)
	case skip < 0 || skip > steps:
		return nil, fmt.Errorf("data: skip is %d, an epoch has %d batches, use 0 to %d", skip, steps, steps)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	if l.Shuffle {
		newRandom(l.Seed, useEpoch, uint64(epoch)).shuffle(order)
	}
	return &plan[T]{data: l.Data, size: size, tsize: tsize, order: order, batch: min(b, n), epoch: epoch, from: skip, steps: steps}, nil
}

// now reads each batch when the loop wants it.
func (p *plan[T]) now(ctx context.Context, yield func(Batch[T], error) bool) {
	pg := p.page()
	r := newReader[T](p.data, p.size, p.tsize, p.batch)
	for step := p.from; step < p.steps; step++ {
		if err := ctx.Err(); err != nil {
			yield(Batch[T]{}, err)
			return
		}
		p.lay(pg, step)
		if err := r.read(pg.batch.X, pg.batch.Y, pg.batch.Index); err != nil {
			yield(Batch[T]{}, fmt.Errorf("data: epoch %d, batch %d: %w", p.epoch, step, err))
			return
		}
		if !yield(pg.batch, nil) {
			return
		}
	}
}

// page is the memory of one batch.
type page[T Float] struct {
	x, y  []T
	batch Batch[T]
	err   error
}

func (p *plan[T]) page() *page[T] {
	return &page[T]{x: pages.Make[T](p.batch * p.size), y: pages.Make[T](p.batch * p.tsize)}
}

// run fills pages until the epoch is over, a read fails or it is told to stop.
func (p *plan[T]) run(free <-chan *page[T], ready chan<- *page[T], stop <-chan struct{}) {
	defer close(ready)
	for step := p.from; step < p.steps; step++ {
		select {
		case pg := <-free:
			pg.err = p.fill(pg, step)
			ready <- pg
			if pg.err != nil {
				return
			}
		case <-stop:
			return
		}
	}
}

func (p *plan[T]) fill(pg *page[T], step int) (err error) {
	// A panic in this goroutine could be recovered by no one: a data set's own panic comes back as an error.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("data: epoch %d, batch %d: the data set panicked: %v\n%s", p.epoch, step, r, debug.Stack())
		}
	}()
	p.lay(pg, step)
	if err := read(p.data, pg.batch.X, pg.batch.Y, pg.batch.Index); err != nil {
		return fmt.Errorf("data: epoch %d, batch %d: %w", p.epoch, step, err)
	}
	return nil
}

// lay makes pg the batch of a step, not yet read.
func (p *plan[T]) lay(pg *page[T], step int) {
	index := p.order[step*p.batch : min((step+1)*p.batch, len(p.order))]
	n := len(index)
	pg.batch = Batch[T]{X: pg.x[:n*p.size], Y: pg.y[:n*p.tsize], N: n, Index: index, Epoch: p.epoch, Step: step}
}
