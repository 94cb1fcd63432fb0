package landscape

import (
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/internal/spell"
	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
)

// Statistics says which means and variances batch normalisation has on lines, curves
// and planes.
type Statistics uint8

// The statistics. Between two solutions the variances of units collapse: frozen ones
// fit no point there, and a barrier may be theirs and not that of the weights (Jordan
// et al. 2022, arXiv 2211.08403).
const (
	Reestimated Statistics = iota // of the training examples at every point: the loss that curvature is of
	Frozen                        // those that were saved with the weights
)

var statisticsNames = []string{"reestimated", "frozen"}

// String is the word for them: reestimated or frozen.
func (s Statistics) String() string {
	if int(s) < len(statisticsNames) {
		return statisticsNames[s]
	}
	return fmt.Sprintf("Statistics(%d)", uint8(s))
}

// ParseStatistics is what a word names.
func ParseStatistics(word string) (Statistics, error) {
	if i := slices.Index(statisticsNames, word); i >= 0 {
		return Statistics(i), nil
	}
	return 0, fmt.Errorf("landscape: unknown statistics %q; allowed are reestimated and frozen%s", word, spell.Hint(word, statisticsNames))
}

// statistics are what losses are with: one of the two, or nothing, which is
// re-estimation on the examples themselves.
type statistics[T train.Float] struct {
	from, to []float64 // frozen buffers of the ends of lines; nil where they are not
	of       *train.Evaluation[T]
}

// Freeze makes the loss, its gradient and its curvature what they are outside
// training, with buffers, the running means and variances of batch normalisation among
// them, that do not follow the parameters: from where a line begins, on planes and at
// the point of the products, to at a line's end, and on a line, or a curve by its t, in
// proportion.
func (p *Model[T]) Freeze(from, to []float64) error {
	if n := len(p.model.Buffers); len(from) != n || len(to) != n {
		return fmt.Errorf("landscape: frozen buffers of %d and %d numbers; the model has %d", len(from), len(to), n)
	}
	if p.frozen == nil {
		var err error
		if p.frozen, err = train.FrozenOf(p.model, p.batch); err != nil {
			return err
		}
	}
	p.stats = statistics[T]{from: from, to: to}
	return p.frozen.Linearize(p.Params)
}

// StatisticsOf makes Loss, Line and Fill what they are outside training, with the
// statistics that batch normalisation has, at every point, on the examples of q: the
// training examples, where p is of others. Gradient and curvature stay as they are.
// It changes nothing for a model without buffers.
func (p *Model[T]) StatisticsOf(q *Model[T]) error {
	if p.model != q.model {
		return fmt.Errorf("landscape: statistics of another model")
	}
	p.stats = statistics[T]{}
	if len(p.model.Buffers) == 0 {
		return nil
	}
	var err error
	p.stats.of, err = q.evaluation()
	return err
}

// evaluation is the loss outside training on the examples of p.
func (p *Model[T]) evaluation() (*train.Evaluation[T], error) {
	if p.eval != nil {
		return p.eval, nil
	}
	var err error
	p.eval, err = train.EvaluationOf(p.model, p.batch)
	return p.eval, err
}

// Loss is the mean loss at x, with the statistics of Freeze or StatisticsOf.
func (p *Model[T]) Loss(x []T) (float64, error) { return p.lossAt(x, 0) }

// lossAt is the loss at x, which is on a line at alpha. The model's buffers, which
// the evaluation reads, are lent for it.
func (p *Model[T]) lossAt(x []T, alpha float64) (float64, error) {
	if p.stats.of == nil {
		s, back := p.lend(alpha)
		defer back()
		return s.Loss(x)
	}
	e, err := p.evaluation()
	if err != nil {
		return 0, err
	}
	own := slices.Clone(p.model.Buffers)
	defer copy(p.model.Buffers, own)
	if err := p.stats.of.Restate(x); err != nil {
		return 0, err
	}
	return e.Loss(x)
}

// lend is what the gradient and the curvature are of. Where buffers are frozen, those
// at alpha stand in the model, which reads them, until back is called.
func (p *Model[T]) lend(alpha float64) (s optimizers.Sample[T], back func()) {
	if p.stats.from == nil {
		return p.Sample, func() {}
	}
	own := slices.Clone(p.model.Buffers)
	point(p.model.Buffers, p.stats.from, p.stats.to, alpha)
	return p.frozen, func() { copy(p.model.Buffers, own) }
}

// On is the loss at the place t of a line or a curve, which says what frozen buffers
// are there. The gradient does not see StatisticsOf.
func (p *Model[T]) On(t float64) optimizers.Objective[T] { return placed[T]{p, t} }

// placed is a model's loss at a place.
type placed[T train.Float] struct {
	p *Model[T]
	t float64
}

func (o placed[T]) Loss(x []T) (float64, error) { return o.p.lossAt(x, o.t) }

func (o placed[T]) Grad(dst, x []T) (float64, error) {
	s, back := o.p.lend(o.t)
	defer back()
	return s.Grad(dst, x)
}
