package landscape

import (
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/train"
	"gonum.org/v1/gonum/mat"
)

// A watch sees what the dense Hessian has, at the parameters that a step left.
func TestCurvatureWatch(t *testing.T) {
	m, d := tiny[float64](t)
	w, err := NewCurvatureWatch(m, d, WatchOptions{Steps: 4, Tol: 1e-4, Layers: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	check := train.ObserverFunc(func(e train.Event) error {
		watched, ok := e.(*train.Watched)
		if !ok {
			return nil
		}
		seen++
		p, err := At(m, d, 0)
		if err != nil {
			return err
		}
		full := dense(t, p.Hessian())
		var s mat.EigenSym
		if !s.Factorize(full, false) {
			t.Fatal("no eigenvalues")
		}
		values := s.Values(nil)
		at := map[string]float64{}
		for i, name := range watched.Names {
			at[name] = watched.Values[i]
		}
		high, low := values[len(values)-1], values[0]
		if !near(at["hessian_max"], high, 1e-3) || math.Abs(at["hessian_min"]-low) > 1e-3*high || at["two_over_lr"] != 2/0.1 {
			t.Errorf("step %d: %v; dense %v to %v", watched.Step, at, low, high)
		}
		if want := mat.Trace(full); !near(at["hessian_trace"], want, 0.3) {
			t.Errorf("trace %v, dense %v", at["hessian_trace"], want)
		}
		if !(at["update_ratio"] > 0 && at["update_ratio_dense1"] > 0 && at["hessian_max_dense3"] > 0) {
			t.Errorf("%v", at)
		}
		return nil
	})
	if _, err := train.Fit(background, m, d, train.Config{Optimizer: &optimizers.SGD{LR: 0.1}, Epochs: 1, Batch: 20, Watch: []train.Watcher{w}, Observers: []train.Observer{check}}); err != nil {
		t.Fatal(err)
	}
	if seen == 0 || w.Count != seen || !(w.Seconds > 0) {
		t.Errorf("%d measurements, %d counted in %v s", seen, w.Count, w.Seconds)
	}
}
