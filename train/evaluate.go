package train

import (
	"context"
	"fmt"
	"slices"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// Scores are the mean loss and the metrics of a model on some examples. The
// names of the metrics are the loss's: accuracy, squared_error.
type Scores struct {
	Loss    float64            `json:"loss"`
	Metrics map[string]float64 `json:"metrics,omitempty"`
}

// Accuracy is the share of examples that are classified right, if there are
// classes.
func (s *Scores) Accuracy() (share float64, ok bool) {
	if s == nil {
		return 0, false
	}
	share, ok = s.Metrics["accuracy"]
	return share, ok
}

// evaluationPart is how many examples an evaluation takes at once.
const evaluationPart = 512

// Evaluate measures the model on a data set, as it is outside training: without
// dropout and with the running statistics of batch normalisation.
func Evaluate[T Float](ctx context.Context, m *nn.Model[T], d data.Dataset) (*Scores, error) {
	if err := fits(m, d, "data"); err != nil {
		return nil, err
	}
	names, err := metricNames(m)
	if err != nil {
		return nil, err
	}
	s, err := evaluate(ctx, newPrograms(m), d, names)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return s, nil
}

// evaluate is Evaluate with programs that are there already. A loss that is not
// finite is an error that names the first tensor.
func evaluate[T Float](ctx context.Context, p *programs[T], d data.Dataset, metrics []string) (*Scores, error) {
	sums := newTally(metrics, d.Target().Size())
	l := data.Loader[T]{Data: d, Batch: evaluationPart}
	if p.model.Joint() {
		l.Batch = d.Len()
	}
	for b, err := range l.Epoch(ctx, 0, 0) {
		if err != nil {
			return nil, err
		}
		c, err := p.get(wantScores, b.N)
		if err != nil {
			return nil, err
		}
		if err := c.run(b.X, b.Y, p.model.Params); err != nil {
			return nil, err
		}
		if !finite(c.loss()) {
			where, err := c.NonFinite()
			if err != nil {
				return nil, err
			}
			return nil, notFinitef("the loss is %v: %s", c.loss(), where)
		}
		sums.add(b.N, c.loss(), c.means())
	}
	s := &Scores{}
	sums.mean(s)
	return s, nil
}

// metricNames are those of the model's loss, in its order.
func metricNames[T Float](m *nn.Model[T]) ([]string, error) {
	g, err := m.Graph(1, false)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, v := range g.Metrics {
		names = append(names, v.Name)
	}
	return names, nil
}

// fits checks that the examples of d are what the model takes.
func fits[T Float](m *nn.Model[T], d data.Dataset, role string) error {
	if d == nil || d.Len() < 1 {
		return fmt.Errorf("train: the %s set has no examples", role)
	}
	if !slices.Equal(d.Shape(), m.Input()) {
		return fmt.Errorf("train: the %s set's examples have shape %v, the model takes %v; data.Reshape or data.Flatten may help", role, d.Shape(), m.Input())
	}
	target, classes := m.Target()
	t := d.Target()
	if t.Classes != classes || (classes == 0 && product(t.Shape) != product(target)) {
		want := data.Target{Classes: classes, Shape: target}
		return fmt.Errorf("train: the %s set's targets are %v, %s wants %v", role, t, m.Loss(), want)
	}
	return nil
}
