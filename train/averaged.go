package train

import (
	"context"
	"fmt"
	"iter"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/optimizers"
)

// averaged is the weights for evaluation of a run whose iterates are not those:
// see optimizers.Averaging. While they are shown the model has them, and the
// iterates are kept here; steps are taken at the iterates alone.
type averaged[T Float] struct {
	of    optimizers.Averaging[T] // nil where the iterates are the weights to use
	shown int                     // how often show has been called without hide
	known bool                    // that weights and buffers are those of step
	step  int

	weights, buffers   []T // for evaluation
	iterate, statistic []T // the model's parameters and buffers in training, while others are shown
}

// averagedOf is that of an optimizer.
func averagedOf[T Float](o optimizers.Optimizer[T], params, buffers int) averaged[T] {
	var a averaged[T]
	if of, ok := optimizers.As[optimizers.Averaging[T]](o); ok {
		a.of = of
		a.weights, a.iterate = make([]T, params), make([]T, params)
		a.buffers, a.statistic = make([]T, buffers), make([]T, buffers)
	}
	return a
}

// show gives the model the weights for evaluation, with statistics of batch
// normalisation for them if the optimizer asks for them. After an error the model
// is as before.
func (r *run[T]) show(ctx context.Context) error {
	a, m := &r.averaged, r.model
	if a.of == nil {
		return nil
	}
	if a.shown > 0 {
		a.shown++
		return nil
	}
	copy(a.iterate, m.Params)
	copy(a.statistic, m.Buffers)
	if !a.known || a.step != r.at.Step {
		a.known = false
		a.of.EvalWeights(a.weights, a.iterate)
		copy(m.Params, a.weights)
		if s, ok := a.of.(optimizers.Restated); ok && s.Restate() && len(m.Buffers) > 0 {
			if err := r.restate(ctx); err != nil {
				copy(m.Params, a.iterate)
				copy(m.Buffers, a.statistic)
				return r.stepError(r.at.Step, err, "train: after step %d, statistics for the averaged weights: %w%s", r.at.Step, err, r.kept())
			}
		}
		copy(a.buffers, m.Buffers)
		a.known, a.step = true, r.at.Step
	}
	copy(m.Params, a.weights)
	copy(m.Buffers, a.buffers)
	a.shown = 1
	return nil
}

// hide puts the iterates back, where each show has been matched.
func (r *run[T]) hide() {
	a := &r.averaged
	if a.of == nil {
		return
	}
	a.shown--
	if a.shown == 0 {
		copy(r.model.Params, a.iterate)
		copy(r.model.Buffers, a.statistic)
	}
}

// trained is the parameters and buffers that training goes on with.
func (r *run[T]) trained() (params, buffers []T) {
	if r.averaged.shown > 0 {
		return r.averaged.iterate, r.averaged.statistic
	}
	return r.model.Params, r.model.Buffers
}

// restate gives the model's buffers the statistics of its parameters, from the
// minibatches of one epoch.
func (r *run[T]) restate(ctx context.Context) error {
	l := data.Loader[T]{Data: r.loader.Data, Batch: r.loader.Batch, Shuffle: true, Seed: r.loader.Seed}
	l.DropLast = l.Steps() > 1 // it may be too small for a variance
	p, x := r.problem.programs, r.model.Buffers
	if err := p.restate(x, r.model.Params, l.Epoch(ctx, 0, 0), r.config.Seed, uint64(r.at.Step)); err != nil {
		return err
	}
	for _, s := range p.buffers {
		if !allFinite(x[s.Offset : s.Offset+s.Size()]) {
			return notFinitef("%s is not finite", s.Name)
		}
	}
	return nil
}

// restate sets those buffers that are running averages of a statistic to its mean
// over minibatches, at the parameters (Izmailov et al. 2018, section 3.2). The other
// buffers stay.
func (p *programs[T]) restate(buffers, params []T, batches iter.Seq2[data.Batch[T], error], seed, step uint64) error {
	sums := make([]float64, len(buffers))
	row := 0
	var last *program[T]
	for b, err := range batches {
		if err != nil {
			return err
		}
		c, err := p.get(wantStatistics, b.N)
		if err != nil {
			return err
		}
		c.Seed(seed, step, row)
		if err := c.run(b.X, b.Y, params); err != nil {
			return err
		}
		for i, s := range p.buffers {
			if u := c.updates[i]; u >= 0 {
				for j, v := range c.Output(u) {
					sums[s.Offset+j] += float64(b.N) * float64(v)
				}
			}
		}
		row, last = row+b.N, c
	}
	for i, s := range p.buffers {
		if last.updates[i] < 0 {
			continue
		}
		for j := range s.Size() {
			buffers[s.Offset+j] = T(sums[s.Offset+j] / float64(row))
		}
	}
	return nil
}

// The names of what the state of a run with weights for evaluation has beside the
// optimizer's vectors.
const iterateName, statisticName = "saddle.iterate", "saddle.buffers"

// keepIterate adds what training goes on with to a state that is saved, as the
// weights that are saved are others.
func (r *run[T]) keepIterate(s *optimizers.State[T]) {
	if r.averaged.of == nil {
		return
	}
	if s.Vectors == nil {
		s.Vectors = map[string][]T{}
	}
	params, buffers := r.trained()
	s.Vectors[iterateName] = params
	if len(buffers) > 0 {
		s.Vectors[statisticName] = buffers
	}
}

// takeIterate puts it back into the model, and takes it out of the state.
func (r *run[T]) takeIterate(s optimizers.State[T]) error {
	if r.averaged.of == nil {
		return nil
	}
	m := r.model
	params, buffers := s.Vectors[iterateName], s.Vectors[statisticName]
	if len(params) != len(m.Params) || len(buffers) != len(m.Buffers) {
		return fmt.Errorf("train: %s: the state of the run is damaged: %d parameters and %d buffers to go on with; the model has %d and %d",
			r.config.Dir, len(params), len(buffers), len(m.Params), len(m.Buffers))
	}
	r.averaged.known = false
	copy(m.Params, params)
	copy(m.Buffers, buffers)
	delete(s.Vectors, iterateName)
	delete(s.Vectors, statisticName)
	return nil
}
