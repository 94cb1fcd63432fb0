package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// A curvature product that is not finite, though loss and gradient are, is an
// error that names the tensor; the checkpoint stays, and the weights with it.
func TestCurvatureThatIsNotFinite(t *testing.T) {
	// x^1.5 has the slope 0 at 0 and an infinite curvature there.
	cusp := nn.Func(func(s *nn.Scope, x *nn.Node) *nn.Node {
		w := s.Param("w", nn.Constant(0), 1)
		return s.Add(x, s.Pow(w, s.Const(1.5)))
	})
	for _, spec := range []string{"hf:hessian,curvature=50", "adahessian", "sophia:estimator=hutchinson", "negative_curvature"} {
		m, d := small[float64](t, nn.Dense{Units: 4}, cusp, nn.Dense{Units: 3})
		before := append([]float64{}, m.Params...)
		c := Config{Epochs: 1, Batch: 50, Optimizer: parse(t, spec), Dir: t.TempDir()}
		_, err := Fit(context.Background(), m, d, c)
		var bad *optimizers.NonFiniteError
		if !errors.As(err, &bad) || !strings.HasSuffix(bad.What, "product") || far(before, m.Params) != 0 {
			t.Errorf("%s: %v, weights moved by %v", spec, err, far(before, m.Params))
			continue
		}
		if err := loadWeightsOf(c.Dir, m); err != nil || far(before, m.Params) != 0 {
			t.Errorf("%s: the checkpoint is not what it was: %v", spec, err)
		}
		if math.IsNaN(m.Params[0]) || !strings.Contains(err.Error(), lastFile) {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

func loadWeightsOf(dir string, m *nn.Model[float64]) error {
	_, err := LoadWeights(filepath.Join(dir, lastFile), m)
	return err
}

// Samples larger than the data are all but one of its examples, and the run is as any other.
func TestCurvatureSamplesLargerThanTheData(t *testing.T) {
	for _, spec := range []string{"hf:curvature=100000", "natural_gradient:curvature=100000", "negative_curvature:curvature=100000", "adahessian:curvature=100000", "sophia:curvature=100000"} {
		m, d := small[float32](t, plain()...)
		mustFit(t, m, d, Config{Epochs: 1, Batch: 50, Optimizer: parse(t, spec)})
	}
}
