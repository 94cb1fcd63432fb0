package train

import (
	"context"
	"fmt"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// problem is what a step of training may look at.
type problem[T Float] struct {
	ctx      context.Context
	programs *programs[T]
	loader   *data.Loader[T]
	seed     uint64
	step     int
	batch    *sample[T]
	full     *sample[T]
	drawn    []*drawn[T]
	draws    int // of this step

	gradients int64 // of single examples, since the beginning of the run
}

// drawn is a sample with its own memory.
type drawn[T Float] struct {
	sample[T]
	batch data.Batch[T]
}

func newProblem[T Float](m *nn.Model[T], l *data.Loader[T], seed uint64, metrics int) *problem[T] {
	p := &problem[T]{ctx: context.Background(), programs: newPrograms(m), loader: l, seed: seed}
	p.batch = &sample[T]{programs: p.programs, watch: true, scores: make([]float64, metrics), buffers: make([]T, len(m.Buffers))}
	p.batch.gradients = &p.gradients
	p.full = &sample[T]{programs: p.programs, n: l.Data.Len(), gradients: &p.gradients, of: p}
	p.full.each = p.stream
	return p
}

// Dropout masks of the minibatch, of the whole set and of each drawn sample are
// independent: the seeds differ by use.
const (
	useBatch = iota
	useFull
	useDraw
)

func (p *problem[T]) masks(s *sample[T], use int) {
	s.seed, s.step = p.seed+uint64(use)*0x9e3779b97f4a7c15, uint64(p.step)
}

// begin makes b the minibatch of a step.
func (p *problem[T]) begin(ctx context.Context, b data.Batch[T], step int) {
	p.ctx, p.step, p.draws = ctx, step, 0
	p.batch.hold(b.X, b.Y, b.N)
	p.batch.index = b.Index
	p.batch.linear, p.batch.seen = false, false
	copy(p.batch.buffers, p.programs.model.Buffers)
	p.masks(p.batch, useBatch)
	p.masks(p.full, useFull)
	p.full.linear = false
}

// Batch is the minibatch of this step.
func (p *problem[T]) Batch() optimizers.Sample[T] { return p.batch }

// Full is the whole training set, streamed in parts. A model that normalises
// over the batch does so over each part.
func (p *problem[T]) Full() optimizers.Sample[T] { return p.full }

func (p *problem[T]) stream(f func(x, y []T, row int) error) error {
	l := data.Loader[T]{Data: p.loader.Data, Batch: p.programs.partOf(p.loader.Data.Len())}
	row := 0
	for b, err := range l.Epoch(p.ctx, 0, 0) {
		if err != nil {
			return err
		}
		if err := f(b.X, b.Y, row); err != nil {
			return err
		}
		row += b.N
	}
	return nil
}

// maxDraws bounds the samples of one step, which are numbered by step and draw.
const maxDraws = 1 << 16

// Draw is a fresh uniform sample of n examples.
func (p *problem[T]) Draw(n int) (optimizers.Sample[T], error) {
	size := p.loader.Data.Len()
	if n < 1 || n >= size {
		return nil, fmt.Errorf("train: a sample of %d of the %d examples; allowed are 1 to %d", n, size, size-1)
	}
	if p.programs.model.Joint() {
		return nil, fmt.Errorf("train: %s is a function of all examples together, there are no samples of some", p.programs.model.Loss())
	}
	d, err := p.drawInto(func(b *data.Batch[T], draw uint64) error { return p.loader.Draw(b, n, draw) })
	if err != nil {
		return nil, err
	}
	return d, nil
}

// drawInto makes a sample of the examples that fill reads, by the number of the draw.
func (p *problem[T]) drawInto(fill func(b *data.Batch[T], draw uint64) error) (*drawn[T], error) {
	if p.draws == maxDraws {
		return nil, fmt.Errorf("train: more than %d samples in one step", maxDraws)
	}
	if p.draws == len(p.drawn) {
		p.drawn = append(p.drawn, &drawn[T]{sample: sample[T]{programs: p.programs, gradients: &p.gradients}})
	}
	d := p.drawn[p.draws]
	if err := fill(&d.batch, uint64(p.step)*maxDraws+uint64(p.draws)); err != nil {
		return nil, err
	}
	d.hold(d.batch.X, d.batch.Y, d.batch.N)
	d.index, d.weights, d.linear = d.batch.Index, nil, false
	p.masks(&d.sample, useDraw+p.draws)
	p.draws++
	return d, nil
}

// Has says what the samples can answer.
func (p *problem[T]) Has() optimizers.Oracle {
	has := optimizers.NeedGrad | optimizers.NeedHessian | optimizers.NeedGaussNewton
	if p.programs.single() == nil {
		has |= optimizers.NeedSquaredGrads | optimizers.NeedExampleGrads | optimizers.NeedNormDraws
	}
	if p.programs.model.HasHidden() {
		has |= optimizers.NeedStructural
	}
	if _, ok := nn.AsSampler(p.programs.model.Loss()); ok {
		has |= optimizers.NeedSampledGrads
	}
	return has
}

// commit gives the model's buffers the values that the step's first pass over
// the minibatch found.
func (p *problem[T]) commit() {
	if p.batch.seen {
		copy(p.programs.model.Buffers, p.batch.buffers)
	}
}
