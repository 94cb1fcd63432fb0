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
	resumed[float32](t, "hf:precondition=kfac,curvature=60,invert_every=3,growth=1.1")
}

// With one iteration in the plane of the last step and the preconditioned gradient, on all examples and at the same
// damping, it takes the steps of K-FAC: products where that has forms, but the same numbers in exact arithmetic.
func TestHFOfOneIterationIsKFAC(t *testing.T) {
	weights := map[string][]float64{}
	specs := []string{"kfac:damping=0.1,min_damping=0.1,curvature=1,factors=1,stat_every=1,adapt_every=1,invert_every=4,average=0,growth=1,targets=mc,weight_decay=0.001",
		"hf:precondition=kfac,damping=0.1,min_damping=0.1,curvature=1,invert_every=4,average=0,weight_decay=0.001"}
	for _, spec := range specs {
		m, d := small[float64](t, nn.Dense{Units: 12}, nn.Tanh{}, nn.Dense{Units: 8}, nn.Tanh{}, nn.Dense{Units: 3})
		mustFit(t, m, d, Config{Epochs: 14, Batch: d.Len(), Optimizer: parse(t, spec)})
		weights[spec] = m.Params
	}
	a, b := weights[specs[0]], weights[specs[1]]
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-9*(1+math.Abs(a[i])) {
			t.Fatalf("parameter %d: %v by kfac, %v by hf", i, a[i], b[i])
		}
	}
}
