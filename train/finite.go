package train

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// notFinite names the first tensor of the weights, the buffers or the
// optimizer's state that is not finite: a second moment may overflow behind
// weights that then stand still.
func (r *run[T]) notFinite(s optimizers.State[T]) string {
	in := func(list []nn.Param, x []T) string {
		for _, p := range list {
			if !allFinite(x[p.Offset : p.Offset+p.Size()]) {
				return p.Name
			}
		}
		return ""
	}
	m := r.model
	params, buffers := r.trained()
	if name := in(m.Parameters(), params); name != "" {
		return name
	}
	if name := in(m.BufferList(), buffers); name != "" {
		return name
	}
	for _, name := range sortedNames(s.Vectors) {
		x := s.Vectors[name]
		if allFinite(x) {
			continue
		}
		if len(x) == len(m.Params) {
			return fmt.Sprintf("the optimizer's %s of %s", name, in(m.Parameters(), x))
		}
		return "the optimizer's " + name
	}
	return ""
}

func allFinite[T Float](x []T) bool {
	for _, v := range x {
		if !finite(float64(v)) {
			return false
		}
	}
	return true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// explain is the error for a step that met a number that is not finite.
func (r *run[T]) explain(cause error) error {
	where, err := r.problem.batch.nonFinite(r.model.Params)
	switch {
	case err != nil:
		where = err.Error()
	case where == "":
		where = "the network and its gradient are finite on the minibatch"
	}
	if cause == nil {
		cause = errors.New("the loss is not finite")
	}
	return &StepError{r.at.Step + 1, true,
		fmt.Errorf("train: step %d (epoch %d, batch %d): %s: %w%s", r.at.Step+1, r.at.Epoch+1, r.at.Batch+1, where, cause, r.kept())}
}

// spoilt is the error for a tensor that is not finite after the present step.
func (r *run[T]) spoilt(name string) error {
	return &StepError{r.at.Step, true, fmt.Errorf("train: after step %d: %s is not finite%s", r.at.Step, name, r.kept())}
}

// kept says where the last good weights are.
func (r *run[T]) kept() string {
	if r.config.Dir == "" {
		return ""
	}
	return "; the last finite checkpoint is " + filepath.Join(r.config.Dir, lastFile)
}
