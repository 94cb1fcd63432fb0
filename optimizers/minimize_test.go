package optimizers_test

import (
	"context"
	"math"
	"testing"

	"github.com/saddle-ml/saddle/optimizers"
	"github.com/saddle-ml/saddle/optimizers/opttest"
)

// TestMinimizeLooksForNegativeCurvature begins at a strict saddle, where the gradient is 0, and at a minimum.
func TestMinimizeLooksForNegativeCurvature(t *testing.T) {
	f := opttest.Func[float64](opttest.Saddle)
	until := optimizers.Until{GradNorm: 1e-10, Curvature: 1e-8, Steps: 5}
	r, err := optimizers.Minimize(context.Background(), f, []float64{0, 0}, &optimizers.SGD{}, until)
	if err != nil || r.Status != optimizers.StepsDone || math.Abs(r.Curvature+1) > 1e-12 {
		t.Errorf("at the saddle: %v, curvature %v, %v", r.Status, r.Curvature, err)
	}
	r, err = optimizers.Minimize(context.Background(), f, []float64{0, 1}, &optimizers.SGD{}, until)
	if err != nil || r.Status != optimizers.GradNormReached || r.Steps != 0 || math.Abs(r.Curvature-2) > 1e-12 {
		t.Errorf("at the minimum: %v after %d steps, curvature %v, %v", r.Status, r.Steps, r.Curvature, err)
	}
	f.H = nil
	if _, err := optimizers.Minimize(context.Background(), f, []float64{0, 1}, &optimizers.SGD{}, until); err == nil {
		t.Error("curvature of a function without Hessian products was accepted")
	}
}
