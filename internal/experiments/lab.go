package experiments

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	"github.com/saddle-ml/saddle/data"
	"github.com/saddle-ml/saddle/internal/study"
	"github.com/saddle-ml/saddle/internal/task"
	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/train"
)

// digits is the first n images of MNIST for training, and all for tests,
// standardised.
func (e *Env) digits(ctx context.Context, n int) (*task.Task, error) {
	return task.Load(ctx, task.Spec{Data: "mnist", DataDir: e.Data, Model: "mlp", Limit: n, Precision: "float32"})
}

// trained trains m and keeps its weights in a file: what has been trained before is
// read from there. Whatever changes the result belongs into the name. A run that
// diverges is no error; m then is as it was at first.
func trained[T train.Float](ctx context.Context, e *Env, name string, m *nn.Model[T], d data.Dataset, c train.Config) (diverged bool, err error) {
	path := e.Path(filepath.Join("weights", name+".safetensors"))
	if notes, err := train.LoadWeights(path, m); !errors.Is(err, fs.ErrNotExist) {
		return notes["status"] == string(study.Diverged), err
	}
	first := append([]T(nil), m.Params...)
	buffers := append([]T(nil), m.Buffers...)
	_, err = train.Fit(ctx, m, d, c)
	status := study.Done
	var step *train.StepError
	switch {
	case errors.As(err, &step) && step.Diverged:
		status = study.Diverged
		copy(m.Params, first)
		copy(m.Buffers, buffers)
	case err != nil:
		return false, fmt.Errorf("%s: %w", name, err)
	}
	var b bytes.Buffer
	if err := m.Save(&b, map[string]string{"status": string(status)}); err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return false, fmt.Errorf("experiments: %w", err)
	}
	return status == study.Diverged, study.WriteFile(path, b.Bytes())
}

// wide is numbers in float64.
func wide[T train.Float](x []T) []float64 {
	list := make([]float64, len(x))
	for i, v := range x {
		list[i] = float64(v)
	}
	return list
}

// spearman is the rank correlation of two lists, ties by their mean rank: NaN where
// one of them is constant.
func spearman(x, y []float64) float64 {
	a, b := ranks(x), ranks(y)
	mean := float64(len(a)-1) / 2
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		u, v := a[i]-mean, b[i]-mean
		ab, aa, bb = ab+u*v, aa+u*u, bb+v*v
	}
	return ab / math.Sqrt(aa*bb)
}

func ranks(x []float64) []float64 {
	r := make([]float64, len(x))
	for i, v := range x {
		for _, w := range x {
			switch {
			case w < v:
				r[i]++
			case w == v:
				r[i] += 0.5
			}
		}
		r[i] -= 0.5 // itself
	}
	return r
}

// kendall is the rank correlation τ_b: concordant pairs less discordant ones, over
// the geometric mean of the pairs that are not tied in x and in y. It is NaN where one
// of the lists is constant.
func kendall(x, y []float64) float64 {
	both, inX, inY := 0, 0, 0
	for i := range x {
		for j := range i {
			a, b := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			both, inX, inY = both+a*b, inX+a*a, inY+b*b
		}
	}
	return float64(both) / math.Sqrt(float64(inX)*float64(inY))
}
