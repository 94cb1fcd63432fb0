package train

import (
	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/nn"
)

// Evaluation is a model's mean loss on one batch as it is outside training:
// without dropout and with the running statistics of batch normalisation, which are
// in the model's buffers.
type Evaluation[T Float] struct {
	programs *programs[T]
	batch    data.Batch[T]
}

// EvaluationOf is that of a batch, which must stay as it is. ProblemOf gives the
// loss that training sees, with its derivatives. It is not safe for use by several
// goroutines at once.
func EvaluationOf[T Float](m *nn.Model[T], b data.Batch[T]) (*Evaluation[T], error) {
	if err := checkBatch(m, b); err != nil {
		return nil, err
	}
	return &Evaluation[T]{newPrograms(m), b}, nil
}

// Loss is the mean loss at the parameters x.
func (e *Evaluation[T]) Loss(x []T) (float64, error) {
	if err := checkVectors(e.programs.model, nil, x); err != nil {
		return 0, err
	}
	n, step := e.batch.N, min(e.batch.N, evaluationPart)
	if e.programs.model.Joint() {
		step = n
	}
	in, out := sizes(e.programs.model)
	loss := 0.0
	for at := 0; at < n; at += step {
		k := min(step, n-at)
		c, err := e.programs.get(wantScores, k)
		if err != nil {
			return 0, err
		}
		if err := c.run(e.batch.X[at*in:(at+k)*in], e.batch.Y[at*out:(at+k)*out], x); err != nil {
			return 0, err
		}
		loss += c.loss() * float64(k) / float64(n)
	}
	return loss, nil
}

// Restate sets those of the model's buffers that are running averages of a
// statistic to what it is on the whole batch at the parameters x. The other buffers
// stay.
func (e *Evaluation[T]) Restate(x []T) error {
	if err := checkVectors(e.programs.model, nil, x); err != nil {
		return err
	}
	return e.programs.restate(e.programs.model.Buffers, x, func(yield func(data.Batch[T], error) bool) { yield(e.batch, nil) }, 0, 0)
}
