package train

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/nn"
	"github.com/saddle-ml/saddle/optimizers"
)

// Preconditioned by the Kronecker approximation, few iterations of conjugate
// gradients lower the model further than as many without; a run that is stopped
// and resumed ends with the same bits.
func TestHFPreconditionedByKroneckerFactors(t *testing.T) {
	decrease := map[string]float64{}
	for _, spec := range []string{"hf:cg_iters=3,curvature=140,damping=0.001", "hf:cg_iters=3,curvature=140,damping=0.001,precondition=kfac"} {
		m, d := small[float64](t, nn.Dense{Units: 12}, nn.Tanh{}, nn.Dense{Units: 8}, nn.Tanh{}, nn.Dense{Units: 3})
		mustFit(t, m, d, Config{Epochs: 1, Batch: 150, Optimizer: parse(t, spec), Observers: []Observer{ObserverFunc(func(e Event) error {
			if s, ok := e.(*Stepped); ok && s.Step == 1 {
				r := s.Report
				decrease[spec] = r.ModelDecrease
				if r.CGIterations < 1 || !(r.ModelDecrease > 0) || math.IsNaN(r.Rho) || r.CGStop == optimizers.StopIndefinite {
					t.Errorf("%s: %+v", spec, r)
				}
			}
			return nil
		})}})
	}
	if with, without := decrease["hf:cg_iters=3,curvature=140,damping=0.001,precondition=kfac"], decrease["hf:cg_iters=3,curvature=140,damping=0.001"]; with <= without {
		t.Errorf("the model falls by %v with the preconditioner, by %v without", with, without)
	}
	resumed[float32](t, "hf:precondition=kfac,curvature=60,cg_iters=4")
}
